//! The numbers that `docs/guarantees.md` gives for a connection: its limits, and the formula of its memory.
#![cfg(all(feature = "blocking", feature = "tokio"))]

use core::cell::Cell;
use core::future::Future;
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::collections::HashSet;
use std::io::{self, IoSlice, Read as _};
use std::rc::Rc;
use std::thread;
use std::time::Instant;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::runtime::Builder;
use ws_conn::blocking::{self, Input, Output};
use ws_conn::{Accept, Close, Error, Fault, Opcode, Outbound, Role, Sending, Timeouts, Violation, tokio as driver};
use ws_testkit::alloc::{alone, count_allocations};
use ws_testkit::naive::{Frame, binary, continuation, encode_all, ping, read_all};

#[test]
fn the_limits_have_the_values_told() {
    assert_eq!((Blocking::MESSAGE_LIMIT, Tokio::MESSAGE_LIMIT), (1024 * 1024, 1024 * 1024));
    assert_eq!((Blocking::DRAIN, Tokio::DRAIN), (Duration::from_secs(1), Duration::from_secs(1)));
    assert_eq!(Blocking::NOTICE, Duration::from_secs(1));
    assert_eq!(Accept::default(), Accept::V13);
    assert_eq!((Close::REASON_MAX, <Outbound>::MIN_ROOM), (123, 139));
    assert_eq!((Sending::GATHER, Sending::GATHER_QUEUED), (1024, 12 * 1024));
}

/// What is there before the first byte comes, and as long as none has: no buffer, and nothing for a Ping or a Close.
#[test]
fn a_connection_without_traffic_weighs_less_than_a_kib() {
    for role in ROLES {
        let blocking = count_allocations(|| drop(Blocking::new(Source::empty(), Sink::default(), role))).max_live;
        let tokio = count_allocations(|| drop(Tokio::new(Source::empty(), Sink::default(), role))).max_live;
        let (blocking, tokio) = (blocking + weight::<Blocking>(), tokio + weight::<Tokio>());
        println!("{role:?}: blocking {blocking}, tokio {tokio}");
        assert!(blocking <= STATE && tokio <= STATE, "{role:?}: blocking {blocking}, tokio {tokio}");
    }
}

/// A peer that sends the largest message in the most expensive way, and Pings in between, to a connection whose queue is
/// in use.
#[test]
fn no_peer_makes_a_connection_larger_than_the_formula() {
    let _alone = alone();
    for limit in [0, 1, 1024, 3000, 1 << 20, (1 << 20) + 1] {
        for role in ROLES {
            let peak = over_blocking(role, limit);
            assert!(peak <= formula(limit), "blocking, {role:?}, {limit}: {peak} of {}", formula(limit));
            assert!(peak > 2 * BUFFER, "both buffers are there: {peak}");
            let peak = over_tokio(role, limit);
            assert!(peak <= formula(limit), "tokio, {role:?}, {limit}: {peak} of {}", formula(limit));
            assert!(peak > 2 * BUFFER, "both buffers are there: {peak}");
        }
    }
}

/// The state, two buffers, what a Ping, a Pong and a Close hold, and a message while it grows into the next buffer.
fn formula(limit: usize) -> u64 {
    STATE + 2 * BUFFER + 3 * CONTROL + 2 * (limit as u64 + PADDING)
}

fn over_blocking(role: Role, limit: usize) -> u64 {
    let source = Source::of(message_of(role, limit));
    let count = count_allocations(|| {
        let mut conn = Blocking::new(source, Sink { room: usize::MAX }, role);
        conn.set_message_limit(limit);
        conn.sender().feed(Opcode::BINARY, &[0; 500], WIRE).unwrap();
        assert_eq!(conn.message(TIMEOUTS).unwrap().len(), limit);
    });
    count.max_live + weight::<Blocking>()
}

fn over_tokio(role: Role, limit: usize) -> u64 {
    // In a thread that has no buffers to lend yet.
    let counted = thread::spawn(move || {
        let source = Source::of(message_of(role, limit));
        // It lets other tasks run in between.
        let runtime = Builder::new_current_thread().enable_time().build().unwrap();
        count_allocations(|| {
            let mut conn = Tokio::new(source, Sink::default(), role);
            conn.set_message_limit(limit);
            runtime.block_on(conn.sender().feed(Opcode::BINARY, &[0; 500], WIRE)).unwrap();
            assert_eq!(runtime.block_on(conn.message(TIMEOUTS)).unwrap().len(), limit);
        })
    });
    counted.join().unwrap().max_live + weight::<Tokio>()
}

/// A message of so many bytes in fragments of at most a hundred, each with a Ping behind it.
fn message_of(role: Role, len: usize) -> Vec<u8> {
    let payload = vec![b'x'; len];
    let fragments = payload.chunks(100).flat_map(|part| [continuation(part).not_final(), ping([b'?'; 125])]);
    let frames = [binary("").not_final()].into_iter().chain(fragments).chain([continuation("")]);
    encode_all(&frames.map(|frame| said_to(role, frame)).collect::<Vec<_>>())
}

/// A connection that has ended reads on so that its Close survives, but not for the sake of a peer that never stops.
#[test]
fn no_more_than_64_mib_are_read_behind_the_end() {
    const MOST: usize = 64 * 1024 * 1024;
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    for role in ROLES {
        let violation = said_to(role, Frame::new(3, [])).bytes();
        let (source, read) = Source::endless(violation.clone());
        let mut conn = Blocking::new(source, Sink { room: usize::MAX }, role);
        let end = conn.receive(&mut [], TIMEOUTS).unwrap_err();
        assert!(matches!(end, Error::Fault(Fault::Violation(Violation::ReservedOpcode))), "{end}");
        assert!((MOST..MOST + 2 * 64 * 1024).contains(&read.get()), "blocking, {role:?}: {}", read.get());

        let (source, read) = Source::endless(violation);
        let mut conn = Tokio::new(source, Sink { room: usize::MAX }, role);
        let end = runtime.block_on(conn.receive(&mut [], TIMEOUTS)).unwrap_err();
        assert!(matches!(end, Error::Fault(Fault::Violation(Violation::ReservedOpcode))), "{end}");
        assert!((MOST..MOST + 2 * 64 * 1024).contains(&read.get()), "tokio, {role:?}: {}", read.get());
    }
}

#[test]
fn a_thread_keeps_at_most_16_buffers() {
    let wire = said_to(Role::Server, binary("two")).bytes().repeat(2);
    let lend = || {
        let mut conn = Tokio::new(Source::of(wire.clone()), Sink::default(), Role::Server);
        run(conn.message(TIMEOUTS)).unwrap();
        conn
    };
    let count = count_allocations(|| drop((0..40).map(|_| lend()).collect::<Vec<_>>()));
    assert!(count.max_live > 40 * BUFFER, "each holds a second message: {count:?}");
    let kept = u64::try_from(count.kept).unwrap();
    assert!((16 * BUFFER..17 * BUFFER).contains(&kept), "{count:?}");
}

#[test]
fn the_process_keeps_at_most_8_buffers_of_at_most_4_mib_for_messages() {
    let _alone = alone();
    for (len, most) in [(100_000, 8 * (128 * 1024 + PADDING)), ((4 << 20) + 1, 8 * (2 * (2 << 20) + PADDING))] {
        let wire = message_of(Role::Server, len);
        let count = count_allocations(|| {
            let mut conns: Vec<Blocking> = Vec::new();
            for _ in 0..20 {
                let sink = Sink { room: usize::MAX };
                conns.push(Blocking::new(Source::of(wire.clone()), sink, Role::Server));
            }
            for conn in &mut conns {
                conn.set_message_limit(len);
                assert_eq!(conn.message(TIMEOUTS).unwrap().len(), len);
            }
            // What was lent is given back by the next call.
            conns.iter_mut().for_each(|conn| assert!(conn.message(TIMEOUTS).is_err()));
        });
        assert!(count.kept <= most as i64, "{len}: {count:?}");
    }
}

/// "the masking key MUST be derived from a strong source of entropy" -- RFC 6455, section 5.3. Each thread has a generator
/// of its own, and none may begin where another one did.
#[test]
fn section_5_3_the_keys_of_each_thread_have_a_seed_of_their_own() {
    let keys = || {
        let (mut read, written) = io::pipe().unwrap();
        let conn = blocking::Conn::over((io::empty(), written), Role::Client);
        let sender = conn.sender();
        (0..50).for_each(|_| sender.send(Opcode::PING, b"", WIRE).unwrap());
        drop((sender, conn));
        let mut wire = Vec::new();
        read.read_to_end(&mut wire).unwrap();
        read_all(&wire).unwrap().into_iter().map(|frame| frame.mask.unwrap()).collect::<Vec<_>>()
    };
    let threads: Vec<_> = (0..8).map(|_| thread::spawn(keys)).collect();
    let keys: Vec<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    assert_eq!(keys.len(), 8 * 50);
    assert!(keys.iter().collect::<HashSet<_>>().len() > 8 * 50 - 3, "of 400 keys of 32 bits hardly two are the same");
}

/// The peer is a client if this side is a server.
fn said_to(role: Role, frame: Frame) -> Frame {
    if role == Role::Server { frame.masked([0xa5, 0x5a, 0x0f, 0xf1]) } else { frame }
}

fn weight<T>() -> u64 {
    size_of::<T>() as u64
}

/// To its end, which the transports here do not keep waiting.
fn run<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits"),
    }
}

type Blocking = blocking::Conn<Source, Sink>;
type Tokio = driver::Conn<Source, Sink>;

/// Says one thing, then nothing more, or zeros for ever.
struct Source(Box<Said>);

struct Said {
    bytes: Vec<u8>,
    at: usize,
    zeros: Option<Rc<Cell<usize>>>,
    start: Instant,
}

impl Source {
    fn empty() -> Self {
        Self::of(Vec::new())
    }

    #[expect(clippy::disallowed_methods, reason = "the moment at which time stands still")]
    fn of(bytes: Vec<u8>) -> Self {
        Self(Box::new(Said { bytes, at: 0, zeros: None, start: Instant::now() }))
    }

    /// And how much was read of what is endless.
    fn endless(bytes: Vec<u8>) -> (Self, Rc<Cell<usize>>) {
        let mut source = Self::of(bytes);
        let read = Rc::default();
        source.0.zeros = Some(Rc::clone(&read));
        (source, read)
    }

    fn take(&mut self, into: &mut [u8]) -> usize {
        let said = &mut *self.0;
        let rest = &said.bytes[said.at..];
        let len = rest.len().min(into.len());
        into[..len].copy_from_slice(&rest[..len]);
        said.at += len;
        match &said.zeros {
            Some(read) if len == 0 => {
                into.fill(0);
                read.set(read.get() + into.len());
                into.len()
            }
            _ => len,
        }
    }
}

impl Input for Source {
    fn read(&mut self, into: &mut [u8], _: Duration) -> io::Result<usize> {
        Ok(self.take(into))
    }

    fn now(&self) -> Instant {
        self.0.start
    }
}

impl AsyncRead for Source {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let len = self.take(buf.initialize_unfilled());
        buf.advance(len);
        Poll::Ready(Ok(()))
    }
}

/// Takes so many bytes, and no more.
#[derive(Default)]
struct Sink {
    room: usize,
}

impl Sink {
    fn take(&mut self, len: usize) -> usize {
        let len = len.min(self.room);
        self.room -= len;
        len
    }
}

impl Output for Sink {
    fn write(&mut self, bufs: &[IoSlice<'_>], _: Duration) -> io::Result<usize> {
        match self.take(bufs.iter().map(|buf| buf.len()).sum()) {
            0 => Err(io::ErrorKind::TimedOut.into()),
            len => Ok(len),
        }
    }

    fn half_close(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsyncWrite for Sink {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.take(bytes.len()) {
            0 => Poll::Pending,
            len => Poll::Ready(Ok(len)),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// The connection itself, what its senders share, and what it counts with.
const STATE: u64 = 1024;
/// A read or a write buffer, with what aligns it.
const BUFFER: u64 = 64 * 1024 + PADDING;
const PADDING: u64 = 4096 + 64;
/// The largest payload of a control frame, and its length.
const CONTROL: u64 = 126;

const ROLES: [Role; 2] = [Role::Client, Role::Server];
const WIRE: Duration = Duration::from_secs(60);
const TIMEOUTS: Timeouts = Timeouts::new(WIRE, WIRE);
