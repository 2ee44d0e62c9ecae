//! How exactly sockets keep time, and what one direction owes the other: a peer that drips, one that does not read, a
//! socket that another program left non-blocking, a transport that is interrupted again and again.

use core::time::Duration;
use std::cell::Cell;
use std::io::{self, ErrorKind, IoSlice, Write};
use std::net::{TcpListener, TcpStream};
use std::rc::Rc;
use std::sync::Barrier;
use std::thread;
use std::time::Instant;

use crate::harness::{TIMEOUTS, WIRE, fault, open, said, wire};
use crate::sockets::{AMPLE, SHORT};
use ws_conn::blocking::{Conn, Input, Output, Transport};
use ws_conn::{Error, Fault, Opcode, Role, Timeouts, Wait};
use ws_testkit::naive::{binary, ping, pong, text};
use ws_testkit::transport::{Script, Step};

fn tcp() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let ours = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (ours, listener.accept().unwrap().0)
}

#[cfg(unix)]
fn unix() -> (std::os::unix::net::UnixStream, std::os::unix::net::UnixStream) {
    std::os::unix::net::UnixStream::pair().unwrap()
}

/// Linux restarts the time-out of a Unix socket for each buffer that the peer takes.
#[cfg(unix)]
#[test]
fn a_write_over_a_unix_socket_ends_at_its_deadline_although_the_peer_takes_some() {
    use crate::sockets::in_pieces;
    let (ours, peers) = unix();
    let conn = Conn::over(ours, Role::Server);
    let peer = in_pieces(peers, 64 * 1024, SHORT / 3);
    let sent = conn.sender().send(Opcode::BINARY, &vec![b'x'; 4 << 20], SHORT);
    assert_eq!(fault(sent), Fault::Timeout(Wait::Wire));
    drop(conn);
    let read = peer.join().unwrap();
    assert!((1..4 << 20).contains(&read), "the peer took some: {read}");
}

#[test]
fn a_read_never_has_a_longer_time_out_installed_than_its_patience() {
    let (ours, peers) = tcp();
    let (mut read, _write) = ours.split();
    for millis in [1000, 900, 950, 500, 1000] {
        (&peers).write_all(b"x").unwrap();
        let patience = Duration::from_millis(millis);
        assert_eq!(Input::read(&mut read, &mut [0; 8], patience).unwrap(), 1);
        let installed = read.get_ref().read_timeout().unwrap().unwrap();
        assert!(installed <= patience + TICK, "{installed:?} for {patience:?}");
    }
}

/// One wait is one call: the time-out of a wait like the last one stays where it is.
#[test]
fn a_wait_like_the_one_before_installs_nothing() {
    let (ours, peers) = tcp();
    let (mut read, _write) = ours.split();
    let patience = Duration::from_secs(1);
    (&peers).write_all(b"xx").unwrap();
    assert_eq!(Input::read(&mut read, &mut [0], patience).unwrap(), 1);
    assert_eq!(read.get_ref().read_timeout().unwrap(), Some(patience));
    // An installation would undo this.
    let mark = Some(Duration::from_secs(7));
    read.get_ref().set_read_timeout(mark).unwrap();
    assert_eq!(Input::read(&mut read, &mut [0], patience).unwrap(), 1);
    assert_eq!(read.get_ref().read_timeout().unwrap(), mark);
}

/// On some systems an accepted socket inherits the mode of its listener.
#[test]
fn a_socket_that_is_left_non_blocking_waits_all_the_same() {
    let (ours, _peers) = tcp();
    ours.set_nonblocking(true).unwrap();
    waits(ours);
    #[cfg(unix)]
    {
        let (ours, _peers) = unix();
        ours.set_nonblocking(true).unwrap();
        waits(ours);
    }
}

fn waits<T: Transport>(stream: T) {
    let (read, write) = stream.split();
    let reads = Rc::new(Cell::new(0));
    let mut conn = Conn::new(Counted { read, reads: Rc::clone(&reads) }, write, Role::Server);
    let end = fault(conn.message(Timeouts::new(SHORT, SHORT)).map(drop));
    assert_eq!(end, Fault::Timeout(Wait::Idle));
    // Some for the wait, and some for the end.
    assert!(reads.get() < 10, "{} reads", reads.get());
}

struct Counted<R> {
    read: R,
    reads: Rc<Cell<usize>>,
}

impl<R: Input> Input for Counted<R> {
    fn read(&mut self, into: &mut [u8], patience: Duration) -> io::Result<usize> {
        self.reads.set(self.reads.get() + 1);
        self.read.read(into, patience)
    }
}

/// It fails once it has to wait, and not before.
#[test]
fn a_call_without_time_does_what_can_be_done_at_once() {
    for role in [Role::Server, Role::Client] {
        let (conn, peer) = open(role, Script::new([]).room(20));
        let sender = conn.sender();
        sender.send(Opcode::TEXT, b"at once", Duration::ZERO).unwrap();
        assert_eq!(peer.sent(), [text("at once")]);
        assert_eq!(fault(sender.send(Opcode::TEXT, b"no room for this", Duration::ZERO)), Fault::Timeout(Wait::Wire));
        assert_eq!(peer.now(), Duration::ZERO);
    }
}

/// What was fed waits for room; what has come does not wait for that.
#[test]
fn what_lies_there_is_received_while_there_is_no_room_to_write() {
    let (mut conn, peer) =
        open(Role::Server, Script::new([said(Role::Client, &[ping("?"), text("one"), text("two")])]).room(0));
    conn.sender().feed(Opcode::BINARY, &[b'x'; 1000], WIRE).unwrap();
    for expected in ["one", "two"] {
        assert_eq!(conn.message(TIMEOUTS).unwrap().text(), Some(expected));
    }
    assert_eq!(peer.now(), Duration::ZERO, "nobody waited");
    peer.transport.make_room(usize::MAX);
    peer.say(&[text("three")]);
    assert_eq!(conn.message(TIMEOUTS).unwrap().text(), Some("three"));
    conn.sender().flush(WIRE).unwrap();
    assert_eq!(peer.sent(), [binary([b'x'; 1000]), pong("?")]);
}

/// The time counts from when there was no room, however much comes meanwhile.
#[test]
fn the_wait_for_room_is_not_extended_by_what_comes() {
    let drip = |_| [Step::Wait(WIRE / 10), said(Role::Client, &[text("still here")])];
    let (mut conn, peer) = open(Role::Server, Script::new((0..100).flat_map(drip)).room(500));
    conn.sender().feed(Opcode::BINARY, &[b'x'; 1000], WIRE).unwrap();
    let mut received = 0;
    let end = loop {
        match conn.message(TIMEOUTS) {
            Ok(_) => received += 1,
            Err(error) => break fault::<()>(Err(error)),
        }
    };
    assert_eq!(end, Fault::Timeout(Wait::Wire));
    assert!((9..=10).contains(&received), "{received}");
    assert_eq!(peer.transport.written().len(), 500, "it took what there was room for, and no more");
}

/// Answers are bounded: Pings whose answers nobody reads are read on, and the last one is answered.
#[test]
fn pings_without_room_for_answers_are_read_and_the_last_is_answered() {
    let pings: Vec<_> = (0..2000u16).map(|number| ping([number.to_be_bytes(), [0; 2]].concat().repeat(30))).collect();
    let (mut conn, peer) =
        open(Role::Server, Script::new([said(Role::Client, &pings), said(Role::Client, &[text("!")])]).room(0));
    assert_eq!(conn.message(TIMEOUTS).unwrap().text(), Some("!"));
    peer.transport.make_room(usize::MAX);
    peer.say(&[text("?")]);
    assert_eq!(conn.message(TIMEOUTS).unwrap().text(), Some("?"));
    peer.say(&[text("?")]);
    assert_eq!(conn.message(TIMEOUTS).unwrap().text(), Some("?"));
    let sent = peer.sent();
    assert_eq!(sent.last(), Some(&pong(pings[1999].payload.clone())));
    assert!(sent.len() < pings.len(), "there is no more room than for some");
}

/// Both have sent what the sockets hold and have more in their queues: who waited for room first would wait for the other.
#[cfg(unix)]
#[test]
fn two_peers_that_fed_more_than_the_sockets_hold_both_receive() {
    let patient = Timeouts::new(Duration::from_secs(5), AMPLE);
    let (server, client) = unix();
    let full = Barrier::new(2);
    thread::scope(|scope| {
        for (mut stream, role) in [(server, Role::Server), (client, Role::Client)] {
            let full = &full;
            scope.spawn(move || {
                // Small frames, so that none is cut.
                let small = wire(role, &[binary("small")]);
                stream.set_nonblocking(true).unwrap();
                while stream.write(&small).is_ok_and(|wrote| wrote == small.len()) {}
                let mut conn = Conn::over(stream, role);
                (0..6).for_each(|_| conn.sender().feed(Opcode::BINARY, &[b'y'; 10_000], AMPLE).unwrap());
                full.wait();
                let mut large = 0;
                while large < 6 {
                    large += conn.message(patient).unwrap().len() / 10_000;
                }
                // The other one may still need what lies here.
                conn.sender().flush(AMPLE).unwrap();
                full.wait();
            });
        }
    });
}

/// A transport that is interrupted whatever it is asked for, some time after each time.
struct Interrupted<const TIMED: bool>(Rc<Cell<Duration>>, Instant);

impl<const TIMED: bool> Interrupted<TIMED> {
    #[expect(clippy::disallowed_methods, reason = "virtual time begins somewhere")]
    fn new() -> (Self, Self) {
        let (time, start) = (Rc::default(), Instant::now());
        (Self(Rc::clone(&time), start), Self(time, start))
    }

    fn interrupt<T>(&self) -> io::Result<T> {
        self.0.set(self.0.get() + WIRE / 100);
        assert!(self.0.get() < 1_000_000 * WIRE, "it is tried again without end");
        Err(ErrorKind::Interrupted.into())
    }
}

impl<const TIMED: bool> Input for Interrupted<TIMED> {
    const TIMED: bool = TIMED;

    fn read(&mut self, _: &mut [u8], _: Duration) -> io::Result<usize> {
        self.interrupt()
    }

    fn now(&self) -> Instant {
        self.1 + self.0.get()
    }
}

impl<const TIMED: bool> Output for Interrupted<TIMED> {
    const TIMED: bool = TIMED;

    fn write(&mut self, _: &[IoSlice<'_>], _: Duration) -> io::Result<usize> {
        self.interrupt()
    }

    fn half_close(&mut self) -> io::Result<()> {
        self.interrupt()
    }

    fn now(&self) -> Instant {
        self.1 + self.0.get()
    }
}

#[test]
fn a_transport_that_is_interrupted_without_end_is_given_up_in_time() {
    let (read, write) = Interrupted::<true>::new();
    let mut conn = Conn::new(read, write, Role::Server);
    let end = conn.receive(&mut [0; 64], Timeouts::new(WIRE, WIRE));
    assert_eq!(fault(end), Fault::Timeout(Wait::Idle));
    let (read, write) = Interrupted::<true>::new();
    let conn = Conn::new(read, write, Role::Server);
    assert_eq!(fault(conn.sender().send(Opcode::TEXT, b"", WIRE)), Fault::Timeout(Wait::Wire));
}

#[test]
fn a_transport_without_a_clock_that_is_interrupted_without_end_is_given_up() {
    let (read, write) = Interrupted::<false>::new();
    let mut conn = Conn::new(read, write, Role::Server);
    let interrupted = |result: Result<(), Error>| match result {
        Err(Error::Io(error)) => assert_eq!(error.kind(), ErrorKind::Interrupted),
        other => panic!("{other:?}"),
    };
    interrupted(conn.sender().send(Opcode::TEXT, b"", WIRE));
    interrupted(conn.receive(&mut [0; 64], TIMEOUTS).map(drop));
}

/// What a system's clock may add: a tick of its timers.
const TICK: Duration = Duration::from_millis(20);
