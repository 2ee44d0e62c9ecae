//! A connection lets other tasks run, whatever its peer sends and however fast. The transports here are always ready.

use crate::T;
use crate::transport::Task;
use core::cell::Cell;
use core::future::{Future, poll_fn};
use core::pin::{Pin, pin};
use core::task::{Context, Poll};
use core::time::Duration;
use std::io;
use std::rc::Rc;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::runtime::Builder;
use tokio::time::advance;
use ws_conn::tokio::{Conn, Keepalive};
use ws_conn::{CloseCode, Error, Fault, Opcode, Role, Timeouts, Wait};
use ws_testkit::naive::{Frame, binary, continuation, encode_all, ping, pong};

/// What a connection delivers or sends while its task is polled once.
const MOST: usize = 128;
/// The same for several connections of one task, and for what only sends.
const MOST_OF_A_TASK: usize = 16 * 129;
const CALLS: usize = 20_000;

#[test]
fn what_lies_in_the_read_buffer_is_received_in_shares() {
    let buffer = &mut [0; 64];
    for frames in [&[binary([])][..], &[binary([7])], &[binary([1]), ping("p")], &in_fragments()] {
        let worked = in_one_task(frames, async |conn, work| {
            for _ in 0..CALLS {
                conn.receive(buffer, T).await.unwrap();
                work();
            }
        });
        assert_shares(worked, MOST);
        let worked = in_one_task(frames, async |conn, work| {
            for _ in 0..CALLS {
                conn.message(T).await.unwrap();
                work();
            }
        });
        assert_shares(worked, MOST);
        let worked = in_one_task(frames, async |conn, work| {
            for _ in 0..CALLS {
                let mut reader = conn.receive_stream(T).await.unwrap();
                while reader.read_chunk(&mut buffer[..1]).await.unwrap() > 0 {
                    work();
                }
                work();
            }
        });
        assert_shares(worked, MOST);
        let worked = in_one_task(frames, async |conn, work| {
            for _ in 0..CALLS {
                conn.frames(T).read_frame(buffer).await.unwrap();
                work();
            }
        });
        assert_shares(worked, MOST);
    }
}

/// What a dropped call has left is read from where it lies, not from the transport.
#[test]
fn what_is_parked_is_read_in_shares() {
    let message = binary(vec![7; CALLS]).masked(KEY).bytes();
    let worked = in_one_task_of(Bytes::once(&message), async |conn, work| {
        let mut buffer = vec![0; 2 * CALLS];
        {
            let mut dropped = pin!(conn.receive(&mut buffer, T));
            let polled = poll_fn(|cx| Poll::Ready(dropped.as_mut().poll(cx).is_pending())).await;
            assert!(polled, "all but the last byte is there");
        }
        let mut reader = conn.receive_stream(T).await.unwrap();
        for _ in 0..CALLS - 1 {
            reader.read_exact(&mut [0]).await.unwrap();
            work();
        }
    });
    assert_shares(worked, MOST);
}

#[cfg(feature = "messages")]
#[test]
fn a_stream_and_a_sink_go_in_shares() {
    use futures_util::{SinkExt, StreamExt};
    use ws_conn::tokio::{Message, Messages};
    let worked = in_one_task_with(
        |conn| Messages::new(conn, T),
        &[binary([7])],
        async |messages, work| {
            for _ in 0..CALLS {
                messages.next().await.unwrap().unwrap();
                work();
            }
        },
    );
    assert_shares(worked, MOST);
    let worked = in_one_task_with(
        |conn| Messages::new(conn, T),
        &[],
        async |messages, work| {
            for at in 0..CALLS {
                messages.feed(Message::binary("fed")).await.unwrap();
                if at % 2 == 0 {
                    messages.flush().await.unwrap();
                }
                work();
            }
        },
    );
    assert_shares(worked, MOST_OF_A_TASK);
}

#[test]
fn what_is_sent_without_a_wait_is_sent_in_shares() {
    let sent: [&dyn Fn() -> usize; 6] = [
        &|| {
            in_one_task(&[], async |conn, work| {
                let sender = conn.sender();
                for _ in 0..CALLS {
                    sender.feed(Opcode::BINARY, b"fed", T.wire).await.unwrap();
                    work();
                }
            })
        },
        &|| {
            in_one_task(&[], async |conn, work| {
                for _ in 0..CALLS {
                    conn.sender_mut().send(Opcode::BINARY, b"sent", T.wire).await.unwrap();
                    work();
                }
            })
        },
        &|| {
            in_one_task(&[], async |conn, work| {
                for _ in 0..CALLS {
                    conn.sender_mut().flush(T.wire).await.unwrap();
                    work();
                }
            })
        },
        &|| {
            in_one_task(&[], async |conn, work| {
                let mut writer = conn.sender().send_stream(Opcode::BINARY, T.wire).await.unwrap();
                for _ in 0..CALLS {
                    writer.write_chunk(b"a part").await.unwrap();
                    writer.flush().await.unwrap();
                    work();
                }
                writer.finish().await.unwrap();
            })
        },
        &|| {
            in_one_task(&[], async |conn, work| {
                for _ in 0..CALLS {
                    drop(conn.sender().send_stream(Opcode::BINARY, T.wire).await.unwrap());
                    work();
                }
            })
        },
        &|| {
            in_one_task(&[], async |conn, work| {
                for _ in 0..CALLS {
                    conn.frames(T).write_frame(b"frame").await.unwrap();
                    work();
                }
            })
        },
    ];
    for (at, sent) in sent.into_iter().enumerate() {
        let worked = sent();
        assert!(worked <= MOST_OF_A_TASK, "{at}: {worked} between two polls");
    }
}

/// They give the caller nothing, so that the call would go on for ever.
#[test]
fn frames_that_give_the_caller_nothing_let_others_run() {
    let began = binary([1]).not_final();
    let empty = continuation([]).not_final();
    let (began, empty) = ([began], [empty]);
    for (before, frames) in [
        (&[][..], &[ping("are you there?")][..]),
        (&[], &[pong("")]),
        (&began, &empty),
        (&began, &[empty[0].clone(), ping("p"), pong("q")]),
    ] {
        for call in 0..4 {
            let transport = Bytes { before: wire(before), ..Bytes::repeating(&wire(frames)) };
            let reads = transport.reads.clone();
            let mut conn = Conn::new(transport, Takes, Role::Server);
            let (mut polls, mut last) = (0, 0);
            let flooded = async {
                let buffer = &mut [0; 64];
                match call {
                    0 => drop(conn.receive(buffer, T).await.unwrap()),
                    1 => drop(conn.message(T).await.unwrap()),
                    2 => {
                        let mut reader = conn.receive_stream(T).await.unwrap();
                        while reader.read_chunk(buffer).await.unwrap() > 0 {}
                    }
                    _ => drop(conn.finish(CloseCode::NORMAL, "", Duration::MAX).await.unwrap()),
                }
            };
            let mut flooded = pin!(flooded);
            let runtime = Builder::new_current_thread().enable_time().build().unwrap();
            runtime.block_on(poll_fn(|cx| {
                assert!(flooded.as_mut().poll(cx).is_pending());
                // In each of them lie 2,700 frames or more.
                assert!(reads.get() - last <= 1, "{frames:?}, {call}: {} reads", reads.get() - last);
                (polls, last) = (polls + 1, reads.get());
                if last < 50 { Poll::Pending } else { Poll::Ready(()) }
            }));
            assert!(polls > 100, "{frames:?}, {call}: {polls} polls");
        }
    }
}

/// A large message, and a transport that fails in a way that asks for another try, keep no task for themselves either.
#[test]
fn reads_that_are_ready_let_others_run() {
    let large = wire(&[binary(vec![7; 1 << 20])]);
    for interrupted in [false, true] {
        let transport = Bytes { interrupted, ..Bytes::repeating(&large) };
        let reads = transport.reads.clone();
        let mut conn = Conn::new(transport, Takes, Role::Server);
        conn.set_message_limit(1 << 20);
        let mut last = 0;
        let mut receives = pin!(async {
            loop {
                conn.message(T).await.unwrap();
            }
        });
        let runtime = Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(poll_fn(|cx| {
            let pending: Poll<()> = receives.as_mut().poll(cx);
            assert!(pending.is_pending());
            assert!(reads.get() - last <= 32, "{} reads", reads.get() - last);
            last = reads.get();
            if last < 1000 { Poll::Pending } else { Poll::Ready(()) }
        }));
    }
}

/// Each of them lets others run; the other one is always among them.
#[test]
fn two_connections_in_one_task_go_in_shares() {
    let worked = in_one_task(&[binary([])], async |one, work| {
        let mut two = Conn::new(Bytes::repeating(&wire(&[binary([])])), Takes, Role::Server);
        for _ in 0..CALLS {
            tokio::select! {
                message = one.message(T) => drop(message.unwrap()),
                message = two.message(T) => drop(message.unwrap()),
            }
            work();
        }
    });
    assert_shares(worked, MOST_OF_A_TASK);
}

/// To ask for it again when nothing is there is no work, and does not use the budget up.
#[test]
fn a_task_of_many_idle_connections_is_not_woken_by_itself() {
    let runtime = Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let mut conns: Vec<_> = (0..300).map(|_| Conn::new(Bytes::once(&[]), Takes, Role::Server)).collect();
        let mut buffers = vec![[0; 8]; conns.len()];
        let mut calls: Vec<_> = conns
            .iter_mut()
            .zip(&mut buffers)
            .map(|(conn, buffer)| Box::pin(async move { conn.receive(buffer, T).await }))
            .collect();
        let mut task = Task::new(poll_fn(|cx| {
            calls.iter_mut().for_each(|call| assert!(call.as_mut().poll(cx).is_pending()));
            Poll::<()>::Pending
        }));
        for _ in 0..100 {
            assert!(task.poll().is_pending());
            tokio::task::yield_now().await;
            assert!(!task.is_woken());
        }
    });
}

/// Other tasks may take their time, and the transport is always ready: the clock is looked at nevertheless.
#[tokio::test(start_paused = true)]
async fn deadlines_hold_in_a_flood_that_never_ends() {
    let timeouts = Timeouts::new(Duration::from_secs(1), Duration::from_secs(5));
    for (before, frame, wait) in [
        (&[][..], ping("still there"), Wait::Idle),
        (&[], pong(""), Wait::Idle),
        (&[binary([1]).not_final()], continuation([]).not_final(), Wait::Wire),
    ] {
        let transport =
            Bytes { before: wire(before), takes: Duration::from_millis(10), ..Bytes::repeating(&wire(&[frame])) };
        let reads = transport.reads.clone();
        let mut conn = Conn::new(transport, Takes, Role::Server);
        conn.set_keepalive(Some(Keepalive::new(Duration::from_secs(100), Duration::from_secs(1))));
        let error = conn.message(timeouts).await.map(drop).unwrap_err();
        assert!(matches!(error, Error::Fault(Fault::Timeout(of)) if of == wait), "{error}");
        let patience = timeouts.of(wait).as_millis() as usize / 10;
        // It reads on for a second after the end, and looks at the clock after each 32 reads.
        assert!((patience..patience + 100 + 2 * 32).contains(&reads.get()), "{} reads", reads.get());
    }
}

/// A Close of another task is noticed in a flood, and a flood does not hold up the end.
#[tokio::test(start_paused = true)]
async fn a_close_of_this_side_is_noticed_in_a_flood_that_never_ends() {
    let transport = Bytes { takes: Duration::from_millis(10), ..Bytes::repeating(&wire(&[ping("p")])) };
    let mut conn = Conn::new(transport, Takes, Role::Server);
    let sender = conn.sender();
    let closes = async { sender.send_close(CloseCode::GOING_AWAY, "", T.wire).await };
    let buffer = &mut [0; 8];
    let (received, closed) = tokio::join!(conn.receive(buffer, T), closes);
    assert_eq!(received.unwrap_err().closed(), Some(closed.unwrap().0));
}

fn assert_shares(worked: usize, most: usize) {
    assert!(worked <= most, "{worked} between two polls");
}

fn in_one_task(frames: &[Frame], calls: impl AsyncFnOnce(&mut Conn<Bytes, Takes>, &dyn Fn())) -> usize {
    in_one_task_of(Bytes::repeating(&wire(frames)), calls)
}

fn in_one_task_of(transport: Bytes, calls: impl AsyncFnOnce(&mut Conn<Bytes, Takes>, &dyn Fn())) -> usize {
    most_between_polls(async |work| {
        let mut conn = Conn::new(transport, Takes, Role::Server);
        calls(&mut conn, work).await;
    })
}

#[cfg(feature = "messages")]
fn in_one_task_with<C>(
    make: impl FnOnce(Conn<Bytes, Takes>) -> C,
    frames: &[Frame],
    calls: impl AsyncFnOnce(&mut C, &dyn Fn()),
) -> usize {
    most_between_polls(async |work| {
        let mut made = make(Conn::new(Bytes::repeating(&wire(frames)), Takes, Role::Server));
        calls(&mut made, work).await;
    })
}

/// How much is done between two polls of a task, at most.
fn most_between_polls(task: impl AsyncFnOnce(&dyn Fn())) -> usize {
    let (worked, mut most) = (Cell::new(0), 0);
    let work = || worked.set(worked.get() + 1);
    let mut task = pin!(task(&work));
    let runtime = Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(poll_fn(|cx| {
        let polled = task.as_mut().poll(cx);
        most = most.max(worked.take());
        polled
    }));
    most
}

/// A message of a hundred bytes, a byte at a time.
fn in_fragments() -> Vec<Frame> {
    let fragments = (0..48).map(|at| if at == 0 { binary([7]).not_final() } else { continuation([7]).not_final() });
    fragments.chain([continuation([])]).collect()
}

fn wire(frames: &[Frame]) -> Vec<u8> {
    encode_all(&frames.iter().map(|frame| frame.clone().masked(KEY)).collect::<Vec<_>>())
}

const KEY: [u8; 4] = [0xa5, 0x5a, 0x0f, 0xf1];

/// Bytes over and over, as many at a time as there is room for, or nothing where there are none.
struct Bytes {
    before: Vec<u8>,
    bytes: Vec<u8>,
    at: usize,
    /// How long a read takes.
    takes: Duration,
    interrupted: bool,
    reads: Rc<Cell<usize>>,
}

impl Bytes {
    fn repeating(bytes: &[u8]) -> Self {
        let reads = Rc::default();
        Self { before: Vec::new(), bytes: bytes.to_vec(), at: 0, takes: Duration::ZERO, interrupted: false, reads }
    }

    /// All but the last of them, once.
    fn once(bytes: &[u8]) -> Self {
        let before = bytes.split_last().map_or(Vec::new(), |(_, front)| front.to_vec());
        Self { before, ..Self::repeating(&[]) }
    }
}

impl AsyncRead for Bytes {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.before.is_empty() && this.bytes.is_empty() {
            return Poll::Pending;
        }
        this.reads.set(this.reads.get() + 1);
        assert!(this.reads.get() < 100_000, "it reads for ever");
        if !this.takes.is_zero() {
            let _ = pin!(advance(this.takes)).poll(cx);
        }
        if this.interrupted {
            return Poll::Ready(Err(io::ErrorKind::Interrupted.into()));
        }
        let first = buf.remaining().min(this.before.len());
        buf.put_slice(&this.before.drain(..first).collect::<Vec<u8>>());
        while buf.remaining() > 0 && !this.bytes.is_empty() {
            let rest = &this.bytes[this.at..];
            let len = rest.len().min(buf.remaining());
            buf.put_slice(&rest[..len]);
            this.at = (this.at + len) % this.bytes.len();
        }
        Poll::Ready(Ok(()))
    }
}

/// Takes everything.
struct Takes;

impl AsyncWrite for Takes {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
