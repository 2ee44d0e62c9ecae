//! What reaches whom when a connection ends, over real sockets.

use core::time::Duration;
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use crate::harness::{TIMEOUTS, WIRE, closed, fault, message, open, said, wire};
use crate::sockets::{AMPLE, SHORT, server, timed};
use ws_conn::blocking::{Conn, HangUp, Output, Untimed};
use ws_conn::{CloseCode, Closed, Error, Fault, Opcode, Role, Timeouts, Violation};
use ws_testkit::judge;
use ws_testkit::naive::{self, Frame, close, ping, pong, text};
use ws_testkit::transport::{Op, Script, Step};

const PATIENT: Timeouts = Timeouts::new(AMPLE, AMPLE);

/// Everything that is left to read, up to an end that is none but the end of the stream.
fn read_to_end(socket: &mut TcpStream) -> Vec<Frame> {
    let mut bytes = Vec::new();
    socket.read_to_end(&mut bytes).unwrap();
    judge::check_sent_bytes(false, &bytes).unwrap()
}

/// Reads frames until one of this opcode.
fn read_until(socket: &mut TcpStream, opcode: u8) -> Frame {
    let mut bytes = Vec::new();
    loop {
        let mut byte = [0];
        socket.read_exact(&mut byte).unwrap();
        bytes.extend(byte);
        if let Ok(frames) = naive::read_all(&bytes)
            && let Some(frame) = frames.last().filter(|frame| frame.opcode == opcode)
        {
            return frame.clone();
        }
    }
}

#[test]
fn a_close_survives_what_the_peer_wrote_before_it_reads() {
    let (mut conn, mut socket) = server();
    let peer = thread::spawn(move || {
        let violation = Frame::new(naive::TEXT, [0xff]);
        socket.write_all(&wire(Role::Client, &[violation])).unwrap();
        for _ in 0..16 {
            socket.write_all(&[b'x'; 128 * 1024]).unwrap();
        }
        read_to_end(&mut socket)
    });
    assert_eq!(fault(conn.receive(&mut [0; 64], PATIENT)), Fault::Violation(Violation::Utf8));
    let heard = peer.join().unwrap();
    assert_eq!((heard.len(), heard[0].close_code()), (1, Some(1007)), "the Close, then the end, no reset");
}

#[test]
fn a_connection_that_ends_says_so_before_it_reads_on() {
    // Both sides could wait for the other's end otherwise.
    let script = Script::new([said(Role::Client, &[close(1000, ""), text("unread")]), Step::Eof]);
    let (mut conn, peer) = open(Role::Server, script.read_limit(8));
    assert_eq!(fault(conn.receive(&mut [0; 64], TIMEOUTS)), closed(1000));
    let ops: Vec<Op> = peer.transport.calls().into_iter().map(|call| call.op).filter(|op| *op != Op::Flush).collect();
    let [Op::Read, Op::Write, Op::Shutdown(Shutdown::Write), drain @ .., Op::Shutdown(Shutdown::Both)] = &ops[..]
    else {
        panic!("{ops:?}");
    };
    assert!(drain.len() > 1 && drain.iter().all(|op| *op == Op::Read), "{ops:?}");
}

#[test]
fn a_close_in_order_survives_what_the_peer_wrote_before_it_reads() {
    let (mut conn, mut socket) = server();
    let peer = thread::spawn(move || {
        let bulk = wire(Role::Client, &vec![Frame::new(naive::BINARY, [b'x'; 60_000]); 100]);
        socket.write_all(&bulk).unwrap();
        let heard = read_until(&mut socket, naive::CLOSE);
        socket.write_all(&wire(Role::Client, &[close(1000, "you too")])).unwrap();
        (heard, read_to_end(&mut socket))
    });
    assert_eq!(conn.finish(CloseCode::NORMAL, "bye", AMPLE).unwrap(), Closed(CloseCode::NORMAL));
    assert_eq!(conn.close_reason(), "you too");
    assert_eq!(peer.join().unwrap(), (close(1000, "bye"), vec![]));
}

#[test]
fn an_abort_wakes_a_blocked_read() {
    let (mut conn, mut socket) = server();
    let sender = conn.sender();
    let reader = thread::spawn(move || fault(conn.receive(&mut [0; 64], PATIENT)));
    // The Pong is sent when there is nothing left to read: then the reader waits, or is about to.
    socket.write_all(&wire(Role::Client, &[ping("?")])).unwrap();
    assert_eq!(read_until(&mut socket, naive::PONG), pong("?"));
    assert_eq!(sender.abort(), Closed(CloseCode::ABNORMAL));
    assert_eq!(reader.join().unwrap(), closed(1006));
    assert_eq!(read_to_end(&mut socket), [], "no Close was sent");
}

#[test]
fn a_close_from_another_thread_wakes_a_blocked_read() {
    let (mut conn, mut socket) = server();
    let sender = conn.sender();
    // Nobody answers the Close: the wait is for its answer then, no longer for a message.
    let timeouts = Timeouts::new(SHORT, AMPLE);
    let reader = thread::spawn(move || timed(|| fault(conn.receive(&mut [0; 64], timeouts))));
    socket.write_all(&wire(Role::Client, &[ping("?")])).unwrap();
    assert_eq!(read_until(&mut socket, naive::PONG), pong("?"));
    sender.send_close(CloseCode::GOING_AWAY, "", AMPLE).unwrap();
    let (end, took) = reader.join().unwrap();
    assert!(end == closed(1001) && took < AMPLE, "{end:?} after {took:?}");
    assert_eq!(read_to_end(&mut socket), [close(1001, "")]);
}

#[test]
fn a_close_is_written_when_the_call_returns_whoever_writes_it() {
    let (entered, writing) = mpsc::channel();
    let written = Arc::default();
    let slow = Slow { entered, written: Arc::clone(&written) };
    let conn = Conn::new(Untimed(io::empty()), slow, Role::Server);
    let sender = conn.sender();
    let first = thread::spawn(move || sender.send_close(CloseCode::GOING_AWAY, "", AMPLE).unwrap());
    writing.recv().unwrap();
    // The Close is no longer owed, and not yet written: who hangs up now would tear it off.
    let second = conn.sender().send_close(CloseCode::NORMAL, "", AMPLE).unwrap();
    let frames = judge::check_sent_bytes(false, &written.lock().unwrap()).unwrap();
    assert_eq!((second, frames), (Closed(CloseCode::GOING_AWAY), vec![close(1001, "")]));
    assert_eq!(first.join().unwrap(), second);
}

/// Says that a write has begun, and takes its time.
struct Slow {
    entered: mpsc::Sender<()>,
    written: Arc<Mutex<Vec<u8>>>,
}

impl Output for Slow {
    fn write(&mut self, bufs: &[IoSlice<'_>], _: Duration) -> io::Result<usize> {
        self.entered.send(()).unwrap();
        // Nobody sends on it: the wait is the slowness of the write.
        let _ = mpsc::channel::<()>().1.recv_timeout(SHORT);
        let bytes: Vec<u8> = bufs.iter().flat_map(|buf| buf.iter().copied()).collect();
        self.written.lock().unwrap().extend(&bytes);
        Ok(bytes.len())
    }

    fn half_close(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn this_direction_is_closed_by_the_writer_that_is_at_work_when_the_connection_ends() {
    let (entered, writing) = mpsc::channel();
    let (go_on, gate) = mpsc::channel();
    let (half_closed, shut) = mpsc::channel();
    let mut conn = Conn::new(Untimed(io::empty()), Gated { entered, gate, half_closed }, Role::Server);
    let sender = conn.sender();
    let writer = thread::spawn(move || sender.send(Opcode::TEXT, b"at work", AMPLE));
    writing.recv().unwrap();
    assert_eq!(fault(conn.receive(&mut [0; 64], Timeouts::new(SHORT, AMPLE))), closed(1006));
    assert!(shut.try_recv().is_err(), "a frame is on its way");
    go_on.send(()).unwrap();
    writer.join().unwrap().unwrap();
    assert_eq!(shut.try_iter().count(), 1);
}

/// Says that a write has begun, and waits to be told to go on.
struct Gated {
    entered: mpsc::Sender<()>,
    gate: mpsc::Receiver<()>,
    half_closed: mpsc::Sender<()>,
}

impl Output for Gated {
    fn write(&mut self, bufs: &[IoSlice<'_>], _: Duration) -> io::Result<usize> {
        self.entered.send(()).unwrap();
        self.gate.recv().unwrap();
        Ok(bufs.iter().map(|buf| buf.len()).sum())
    }

    fn half_close(&mut self) -> io::Result<()> {
        self.half_closed.send(()).map_err(io::Error::other)
    }
}

#[test]
fn a_transport_without_a_handle_is_closed_by_a_drop_or_an_abort_though_senders_are_left() {
    let open = |write: &Arc<()>| Conn::over((io::empty(), Kept(Arc::clone(write))), Role::Server);
    let write = Arc::new(());
    let conn = open(&write);
    let sender = conn.sender();
    drop(conn);
    assert_eq!(Arc::strong_count(&write), 1, "dropped");
    assert_eq!(fault(sender.send(Opcode::TEXT, b"too late", AMPLE)), closed(1006));
    let conn = open(&write);
    conn.sender().abort();
    assert_eq!(Arc::strong_count(&write), 1, "aborted");
}

/// The handle that hangs up keeps the transport too.
#[test]
fn a_transport_with_a_handle_is_let_go_with_the_connection_though_senders_are_left() {
    let open = |held: &Arc<()>| Conn::new(Untimed(io::empty()), Handled(Arc::clone(held)), Role::Server);
    let held = Arc::new(());
    let conn = open(&held);
    let sender = conn.sender();
    assert_eq!(Arc::strong_count(&held), 3, "the transport, and the handle");
    drop(conn);
    assert_eq!(Arc::strong_count(&held), 1, "dropped");
    assert_eq!(sender.abort(), Closed(CloseCode::ABNORMAL));
    let conn = open(&held);
    conn.sender().abort();
    assert_eq!(Arc::strong_count(&held), 1, "aborted");
}

struct Handled(Arc<()>);

impl Output for Handled {
    fn write(&mut self, bufs: &[IoSlice<'_>], _: Duration) -> io::Result<usize> {
        Ok(bufs.iter().map(|buf| buf.len()).sum())
    }

    fn half_close(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn hang_up(&self) -> Option<Arc<dyn HangUp>> {
        Some(Arc::new(Self(Arc::clone(&self.0))))
    }
}

impl HangUp for Handled {
    fn hang_up(&self) {}
}

#[cfg(target_os = "linux")]
#[test]
fn the_descriptor_of_a_connection_is_closed_with_it_though_senders_are_left() {
    use std::fs::{read_dir, read_link};
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixStream;
    use std::path::Path;

    // What a descriptor stands for is told by its link, however it is numbered.
    let link = |number: i32| read_link(format!("/proc/self/fd/{number}")).unwrap();
    let is_open = |socket: &Path| {
        read_dir("/proc/self/fd").unwrap().flatten().any(|fd| read_link(fd.path()).is_ok_and(|link| link == socket))
    };
    let (conn, _peer) = server();
    let socket = link(conn.get_ref().get_ref().as_raw_fd());
    let sender = conn.sender();
    assert!(is_open(&socket));
    drop(conn);
    assert!(!is_open(&socket), "TCP");
    assert_eq!(fault(sender.send(Opcode::TEXT, b"too late", AMPLE)), closed(1006));

    let (ours, _peer) = UnixStream::pair().unwrap();
    let conn = Conn::over(ours, Role::Server);
    let socket = link(conn.get_ref().get_ref().as_raw_fd());
    let _sender = conn.sender();
    drop(conn);
    assert!(!is_open(&socket), "Unix");
}

/// A pipe, say: to close it is to drop it.
struct Kept(#[expect(dead_code, reason = "it is only counted")] Arc<()>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_drop_gives_senders_closed_and_wakes_one_that_is_blocked() {
    let (conn, mut socket) = server();
    let (sender, idle) = (conn.sender(), conn.sender());
    let blocked = thread::spawn(move || sender.send(Opcode::BINARY, &vec![b'x'; 64 * 1024 * 1024], AMPLE));
    socket.read_exact(&mut [0; 10]).unwrap();
    drop(conn);
    assert_eq!(fault(blocked.join().unwrap()), closed(1006));
    assert_eq!(fault(idle.send(Opcode::TEXT, b"too late", AMPLE)), closed(1006));
    assert_eq!(fault(idle.feed(Opcode::TEXT, b"too late", AMPLE)), closed(1006));
    assert_eq!(fault(idle.send_stream(Opcode::TEXT, AMPLE)), closed(1006));
    assert_eq!(idle.send_close(CloseCode::NORMAL, "", AMPLE).unwrap(), Closed(CloseCode::ABNORMAL));
}

#[test]
fn a_sender_that_waits_for_its_turn_is_woken_by_the_end_of_the_connection() {
    let (conn, _socket) = server();
    let mut stream = conn.sender().send_stream(Opcode::TEXT, AMPLE).unwrap();
    stream.write_chunk(b"never finished").unwrap();
    let sender = conn.sender();
    let waiting = thread::spawn(move || timed(|| fault(sender.send(Opcode::TEXT, b"never sent", AMPLE))));
    let sender = conn.sender();
    assert_eq!(sender.abort(), Closed(CloseCode::ABNORMAL));
    let (end, took) = waiting.join().unwrap();
    assert!(end == closed(1006) && took < AMPLE, "{end:?} after {took:?}");
    let (late, took) = timed(|| fault(sender.send(Opcode::TEXT, b"never sent", AMPLE)));
    assert!(late == closed(1006) && took < AMPLE, "nor does it wait for a turn that never comes: {took:?}");
    assert_eq!(fault(stream.finish()), closed(1006));
}

#[test]
fn a_failure_to_write_does_not_end_receive_before_the_peers_close_is_read() {
    // The transport's sending half is gone; the receiving half has a conversation left.
    let frames = [ping("unanswered"), text("still there"), close(1001, "bye")];
    let (mut conn, peer) = open(Role::Server, Script::new([said(Role::Client, &frames), Step::Eof]));
    peer.transport.writer().shutdown(Shutdown::Write).unwrap();
    match conn.sender().send(Opcode::TEXT, b"fails", WIRE) {
        Err(Error::Io(error)) => assert_eq!(error.kind(), ErrorKind::BrokenPipe),
        other => panic!("{other:?}"),
    }
    assert_eq!(message(&mut conn), (Opcode::TEXT, b"still there".to_vec()));
    assert_eq!(fault(conn.receive(&mut [0; 64], TIMEOUTS)), closed(1001));
    assert_eq!(conn.close_reason(), "bye");
}

#[cfg(unix)]
#[test]
fn a_peer_that_reads_no_more_is_still_listened_to() {
    let (ours, mut socket) = std::os::unix::net::UnixStream::pair().unwrap();
    let mut conn = Conn::over(ours, Role::Server);
    socket.shutdown(Shutdown::Read).unwrap();
    let frames = [ping("unanswered"), text("one"), ping("unanswered"), text("two"), close(1001, "bye")];
    socket.write_all(&wire(Role::Client, &frames)).unwrap();
    let mut buf = [0; 64];
    for expected in [b"one", b"two"] {
        let received = conn.receive(&mut buf, PATIENT).unwrap();
        assert_eq!(&buf[..received.len], expected);
        assert!(conn.sender().send(Opcode::TEXT, b"to nobody", AMPLE).is_err());
    }
    assert_eq!(fault(conn.receive(&mut buf, PATIENT)), closed(1001));
}
