//! After its first message a connection over tokio sends and receives without allocating, and one that waits holds next
//! to nothing.
#![cfg(feature = "tokio")]

use core::cell::RefCell;
use core::future::Future;
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Wake;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::runtime::{Builder, Runtime};
use tokio::time::Sleep;
use ws_conn::tokio::Conn;
use ws_conn::{Opcode, Role, Timeouts};
use ws_testkit::alloc::{Count, alone, count_allocations};
use ws_testkit::naive::{Frame, continuation, encode_all, ping};

#[test]
fn receive_does_not_allocate() {
    receiving(async |conn, buffer| {
        let received = conn.receive(buffer, TIMEOUTS).await.unwrap();
        (received.opcode, received.len)
    });
}

#[test]
fn message_does_not_allocate() {
    receiving(async |conn, _| {
        let message = conn.message(TIMEOUTS).await.unwrap();
        (message.opcode(), message.len())
    });
}

#[test]
fn receive_stream_does_not_allocate() {
    receiving(async |conn, buffer| {
        let mut reader = conn.receive_stream(TIMEOUTS).await.unwrap();
        let mut len = 0;
        loop {
            match reader.read(&mut buffer[..4000]).await.unwrap() {
                0 => return (reader.opcode(), len),
                read => len += read,
            }
        }
    });
}

#[test]
fn send_does_not_allocate() {
    sending(async |conn, opcode, payload| conn.sender().send(opcode, payload, WIRE).await.unwrap());
    sending(async |conn, opcode, payload| conn.sender_mut().send(opcode, payload, WIRE).await.unwrap());
}

#[test]
fn feed_and_flush_do_not_allocate() {
    sending(async |conn, opcode, payload| {
        let sender = conn.sender();
        for _ in 0..3 {
            sender.feed(opcode, payload, WIRE).await.unwrap();
        }
        sender.flush(WIRE).await.unwrap();
    });
    sending(async |conn, opcode, payload| {
        let mut sender = conn.sender_mut();
        for _ in 0..3 {
            sender.feed(opcode, payload, WIRE).await.unwrap();
        }
        sender.flush(WIRE).await.unwrap();
    });
}

#[test]
fn send_stream_does_not_allocate() {
    sending(async |conn, opcode, payload| {
        let mut writer = conn.sender().send_stream(opcode, WIRE).await.unwrap();
        for fragment in payload.chunks(3000) {
            writer.write_chunk(fragment).await.unwrap();
        }
        writer.finish().await.unwrap();
    });
}

#[test]
fn frames_do_not_allocate() {
    sending(async |conn, opcode, payload| {
        let mut frames = conn.frames(TIMEOUTS);
        frames.set_write_mode(opcode, false);
        frames.write_frame(payload).await.unwrap();
        frames.set_write_mode(opcode, true);
        frames.write_frame(&[]).await.unwrap();
    });
}

/// An echo server's loop: what comes is answered, and the answers of a batch leave together.
#[test]
fn an_echo_does_not_allocate() {
    let _alone = alone();
    for role in ROLES {
        for len in SIZES {
            let mut conn = repeating(role, wire(role, Opcode::BINARY, len));
            let mut echo = || {
                run(async {
                    let (message, mut sender) = conn.message_and_sender(TIMEOUTS).await.unwrap();
                    sender.feed(message.opcode(), &message, WIRE).await.unwrap();
                });
            };
            (0..MESSAGES_IN_WIRE).for_each(|_| echo());
            let count = count_allocations(|| (0..2 * MESSAGES_IN_WIRE).for_each(|_| echo()));
            assert_eq!(count, Count::default(), "{role:?}, {len} bytes");
        }
    }
}

/// Neither does waiting: a message at a time, each of them waited for, with the timer armed.
#[test]
fn waiting_for_messages_does_not_allocate() {
    let runtime = runtime();
    let _time = runtime.enter();
    let _alone = alone();
    for role in ROLES {
        for len in [0, 125, 70 << 10] {
            let (mut conn, wire) = waiting(role);
            let mut buffer = vec![0; len];
            let frame = masked(role, Frame::new(2, payload(len))).bytes();
            let mut round = || {
                let mut receive = pin!(conn.receive(&mut buffer, TIMEOUTS));
                assert!(poll(receive.as_mut()).is_pending());
                wire.borrow_mut().at = 0;
                assert!(matches!(poll(receive.as_mut()), Poll::Ready(Ok(received)) if received.len == len));
            };
            wire.borrow_mut().bytes = frame;
            wire.borrow_mut().at = usize::MAX;
            round();
            let count = count_allocations(|| (0..10).for_each(|_| round()));
            assert_eq!(count, Count::default(), "{role:?}, {len} bytes");
        }
    }
}

/// What a connection costs that has exchanged small and large messages, and waits: itself, the sending direction that its
/// senders share, and the waker. Tokio's timer, which it waits with, is not counted.
#[test]
fn an_idle_connection_holds_at_most_512_bytes() {
    let runtime = runtime();
    let _time = runtime.enter();
    let _alone = alone();
    for role in ROLES {
        // The buffers are the thread's, and the process's.
        drop(idle(role, &Rc::default(), &[]));
        let pings = [ping("are you there?")];
        // The payload of the last Ping is kept, and so is that of its Pong: they lie where the next ones will.
        for (kind, controls, most) in [("messages only", &[][..], 512), ("after a Ping", &pings, 512 + 2 * 128)] {
            let wire = Rc::default();
            let mut held = None;
            let count = count_allocations(|| held = Some(idle(role, &wire, controls)));
            let ours = usize::try_from(count.kept).unwrap() - size_of::<Sleep>();
            println!("{role:?}, {kind}: {ours} bytes, of which the connection {}", size_of::<Waiting>());
            assert!(ours <= most, "{role:?}, {kind}: {ours} bytes");
        }
    }
}

/// What a connection has grown to hold its messages does not end with it.
#[test]
fn the_buffer_of_large_messages_serves_the_next_connection() {
    let _alone = alone();
    let receive_one = || {
        let mut conn = repeating(Role::Server, wire(Role::Server, Opcode::BINARY, 1 << 20));
        let count = count_allocations(|| {
            run(async { assert_eq!(conn.message(TIMEOUTS).await.unwrap().len(), 1 << 20) });
        });
        count.bytes
    };
    receive_one();
    let next = receive_one();
    assert!(next < 1 << 20, "{next} bytes");
}

/// A connection on the heap after an exchange of 125 bytes and of 1 MiB each way, that waited until now.
fn idle(role: Role, wire: &Rc<RefCell<Given>>, controls: &[Frame]) -> Box<Waiting> {
    let mut conn = Box::new(Conn::new(Gives(Rc::clone(wire)), Takes, role));
    conn.set_message_limit(1 << 20);
    let sender = conn.sender();
    for len in [125, 1 << 20] {
        let frames: Vec<Frame> = controls.iter().cloned().chain([Frame::new(2, payload(len))]).collect();
        let frames: Vec<Frame> = frames.into_iter().map(|frame| masked(role, frame)).collect();
        *wire.borrow_mut() = Given { bytes: encode_all(&frames), at: 0 };
        run(async {
            let message = conn.message(TIMEOUTS).await.unwrap();
            assert_eq!(message.len(), len);
            sender.send(message.opcode(), &message, WIRE).await.unwrap();
        });
    }
    *wire.borrow_mut() = Given::default();
    assert!(poll(pin!(conn.receive(&mut [0; 16], TIMEOUTS))).is_pending());
    conn
}

/// A future lies in its task: each byte is one more per connection.
#[test]
fn futures_are_small() {
    let (mut conn, _) = waiting(Role::Server);
    let sender = conn.sender();
    let buffer = &mut [0; 16];
    let receive = size_of_val(&conn.receive(buffer, TIMEOUTS));
    let message = size_of_val(&conn.message(TIMEOUTS));
    let send = size_of_val(&sender.send(Opcode::TEXT, b"", WIRE));
    let feed = size_of_val(&sender.feed(Opcode::TEXT, b"", WIRE));
    drop(sender);
    let own = size_of_val(&conn.sender_mut().feed(Opcode::TEXT, b"", WIRE));
    println!("receive {receive}, message {message}, send {send}, feed {feed}, feed without a handle {own}");
    assert!(receive <= 200 && message <= 160 && send <= 320 && feed <= 320 && own <= 320);
}

/// Receives every kind of message once, then some more times, and these without allocating.
fn receiving(receive: impl AsyncFn(&mut Repeating, &mut [u8]) -> (Opcode, usize)) {
    let _alone = alone();
    let mut buffer = vec![0; 1 << 20];
    for role in ROLES {
        for opcode in [Opcode::BINARY, Opcode::TEXT] {
            for len in SIZES {
                let mut conn = repeating(role, wire(role, opcode, len));
                let mut round = || {
                    for _ in 0..MESSAGES_IN_WIRE {
                        assert_eq!(run(receive(&mut conn, &mut buffer)), (opcode, len));
                    }
                };
                round();
                let count = count_allocations(|| (0..2).for_each(|_| round()));
                assert_eq!(count, Count::default(), "{role:?}, {opcode}, {len} bytes");
            }
        }
    }
}

/// Sends one message, then some more, and these without allocating.
fn sending(send: impl AsyncFn(&mut Repeating, Opcode, &[u8])) {
    for role in ROLES {
        for opcode in [Opcode::BINARY, Opcode::TEXT] {
            for len in SIZES {
                let payload = payload(len);
                let mut conn = repeating(role, Vec::new());
                run(send(&mut conn, opcode, &payload));
                let count = count_allocations(|| (0..4).for_each(|_| run(send(&mut conn, opcode, &payload))));
                assert_eq!(count, Count::default(), "{role:?}, {opcode}, {len} bytes");
            }
        }
    }
}

/// A message in one frame, one in fragments with a Ping in between, and another in one frame.
fn wire(role: Role, opcode: Opcode, len: usize) -> Vec<u8> {
    let payload = payload(len);
    let whole = Frame::new(opcode.bits(), payload.clone());
    let (front, back) = payload.split_at(len / 3);
    let first = Frame::new(opcode.bits(), front).not_final();
    encode_all(
        &[whole.clone(), first, ping("are you there?"), continuation(back), whole].map(|frame| masked(role, frame)),
    )
}

/// The peer is a client if this side is a server.
fn masked(role: Role, frame: Frame) -> Frame {
    if role == Role::Server { frame.masked([0xa5, 0x5a, 0x0f, 0xf1]) } else { frame }
}

fn payload(len: usize) -> Vec<u8> {
    (b' '..=b'~').cycle().take(len).collect()
}

/// To its end, which the transports here do not keep waiting: it lets other tasks run at most, and goes on at once.
fn run<F: Future>(future: F) -> F::Output {
    thread_local! {
        static WOKEN: Arc<Woken> = Arc::default();
    }
    let woken = WOKEN.with(Arc::clone);
    let waker = Waker::from(Arc::clone(&woken));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => assert!(woken.0.swap(false, Ordering::Relaxed), "it waits"),
        }
    }
}

#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_time().build().unwrap()
}

type Repeating = Conn<Repeats, Takes>;
type Waiting = Conn<Gives, Takes>;

fn repeating(role: Role, bytes: Vec<u8>) -> Repeating {
    Conn::new(Repeats { bytes, at: 0 }, Takes, role)
}

fn waiting(role: Role) -> (Waiting, Rc<RefCell<Given>>) {
    let wire = Rc::new(RefCell::new(Given::default()));
    (Conn::new(Gives(Rc::clone(&wire)), Takes, role), wire)
}

/// The same bytes over and over, as many at a time as there is room for.
struct Repeats {
    bytes: Vec<u8>,
    at: usize,
}

impl AsyncRead for Repeats {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let rest = &self.bytes[self.at..];
        let len = rest.len().min(buf.remaining());
        buf.put_slice(&rest[..len]);
        self.at = (self.at + len) % self.bytes.len();
        Poll::Ready(Ok(()))
    }
}

/// What the test puts there.
struct Gives(Rc<RefCell<Given>>);

#[derive(Default)]
struct Given {
    bytes: Vec<u8>,
    at: usize,
}

impl AsyncRead for Gives {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut given = self.0.borrow_mut();
        let rest = given.bytes.get(given.at..).unwrap_or_default();
        let len = rest.len().min(buf.remaining());
        if len == 0 {
            return Poll::Pending;
        }
        buf.put_slice(&rest[..len]);
        given.at += len;
        Poll::Ready(Ok(()))
    }
}

/// Takes everything, at most 100,000 bytes at a time.
struct Takes;

impl AsyncWrite for Takes {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len().min(100_000)))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

const ROLES: [Role; 2] = [Role::Client, Role::Server];
const SIZES: [usize; 6] = [0, 16, 125, 1 << 10, 70 << 10, 1 << 20];
const MESSAGES_IN_WIRE: usize = 3;
const WIRE: Duration = Duration::from_secs(60);
const TIMEOUTS: Timeouts = Timeouts::new(WIRE, WIRE);
