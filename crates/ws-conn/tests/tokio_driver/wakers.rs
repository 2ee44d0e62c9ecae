//! Nobody waits for a wake-up that went to somebody else.
//!
//! A transport remembers one waker for each direction, and several tasks have an interest in the sending one: who sends,
//! and who receives and has answers to send. Here a task is polled when it was woken, and only then.

use crate::T;
use crate::transport::{Pair, Peer, Task};
use core::cell::Cell;
use core::pin::Pin;
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::{Context, Poll};
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use ws_conn::tokio::Conn;
use ws_conn::{CloseCode, Error, Opcode, Received, Role};
use ws_testkit::naive::{self, Frame, close, ping, pong};

type Receiving = Task<Pin<Box<dyn Future<Output = (Result<Received, Error>, Pair)>>>>;

fn receiving(mut conn: Pair) -> Receiving {
    Task::new(Box::pin(async move { (conn.receive(&mut [0; 5000], T).await, conn) }))
}

/// A transport that takes `room` bytes and then no more, and a task that received a Ping and cannot answer it.
fn blocked(room: usize) -> (Receiving, Peer, ws_conn::tokio::Sender<crate::transport::Write>) {
    let (conn, peer) = Peer::new(Role::Server);
    let sender = conn.sender();
    peer.take(room);
    peer.send(&[ping("p")]);
    (receiving(conn), peer, sender)
}

/// Where a sender is when it is dropped, by the room there is for its frame of 2004 bytes, which goes before the Pong or
/// behind it.
const ROOMS: [usize; 7] = [0, 1, 3, 5, 1000, 2003, 2004];

#[test]
fn a_receiver_that_waits_behind_a_writer_goes_on_when_the_writer_is_dropped() {
    let runtime = crate::paused();
    let _time = runtime.enter();
    for room in ROOMS {
        let (mut receive, peer, sender) = blocked(room);
        let mut send = Task::new(sender.send(Opcode::BINARY, &[b'x'; 2000], T.wire));
        let sent = send.poll().is_ready();
        assert!(receive.poll().is_pending());
        drop(send);
        assert!(sent || receive.is_woken(), "{room} bytes of room: the Pong is the receiver's to send");
        assert!(receive.poll().is_pending());
        peer.take(usize::MAX);
        assert!(receive.is_woken(), "{room} bytes of room: there is more to write, and room for it");
        assert!(receive.poll().is_pending());
        assert_eq!(peer.sent(), [naive::binary([b'x'; 2000]), pong("p")]);
    }
}

#[test]
fn a_receiver_that_waits_to_write_goes_on_when_a_writer_came_and_was_dropped() {
    let runtime = crate::paused();
    let _time = runtime.enter();
    for room in 0..4 {
        let (mut receive, peer, sender) = blocked(room);
        // It has told the transport its waker...
        assert!(receive.poll().is_pending());
        // ... and another task tells it another one, and goes.
        let mut send = Task::new(sender.send(Opcode::BINARY, &[b'x'; 2000], T.wire));
        assert!(send.poll().is_pending());
        drop(send);
        peer.take(usize::MAX);
        assert!(receive.is_woken(), "{room} bytes of room");
        assert!(receive.poll().is_pending());
        assert_eq!(peer.sent()[0], pong("p"));
    }
}

#[test]
fn what_a_dropped_send_has_left_is_written_by_a_receiver_that_waits() {
    let runtime = crate::paused();
    let _time = runtime.enter();
    for room in ROOMS.into_iter().skip(1) {
        let (conn, peer) = Peer::new(Role::Server);
        let sender = conn.sender();
        let mut receive = receiving(conn);
        // It waits for input, and has nothing to write.
        assert!(receive.poll().is_pending());
        peer.take(room);
        let mut send = Task::new(sender.send(Opcode::BINARY, &[b'x'; 2000], T.wire));
        let sent = send.poll().is_ready();
        drop(send);
        assert!(sent || receive.is_woken(), "{room} bytes of room");
        assert!(receive.poll().is_pending());
        peer.take(usize::MAX);
        assert!(sent || receive.is_woken(), "{room} bytes of room");
        assert!(receive.poll().is_pending());
        assert_eq!(peer.sent(), [naive::binary([b'x'; 2000])]);
    }
}

/// Whoever is dropped, and wherever, the next in the order has its turn.
#[test]
fn a_turn_goes_on_to_who_waits_when_its_owner_is_dropped() {
    let runtime = crate::paused();
    let _time = runtime.enter();
    for dropped in 0..3 {
        for room in ROOMS {
            let (conn, peer) = Peer::new(Role::Server);
            let sender = conn.sender();
            peer.take(room);
            let payloads = [[b'0'; 2000], [b'1'; 2000], [b'2'; 2000]];
            let send = |at: usize| Task::new(sender.send(Opcode::BINARY, &payloads[at], T.wire));
            let mut tasks = [0, 1, 2].map(|at| Some(send(at)));
            for task in tasks.iter_mut().flatten() {
                let _ = task.poll();
            }
            tasks[dropped] = None;
            let mut receive = receiving(conn);
            assert!(receive.poll().is_pending());
            peer.take(usize::MAX);
            let mut done = 0;
            while let Some(task) = tasks.iter_mut().flatten().find(|task| task.is_woken()) {
                done += usize::from(task.poll().is_ready());
            }
            let first = usize::from(room == 2004 && dropped != 0);
            assert_eq!(done + first, 2, "{room} bytes of room, {dropped} dropped: somebody waits for ever");
            assert!(receive.poll().is_pending());
            // What was begun is finished, also that of a dropped one.
            // The one that had its turn has begun, even if none of it was out yet.
            let begun = if room == 2004 { 1 } else { 0 };
            let whole = payloads.iter().enumerate().filter(|(at, _)| *at != dropped || *at <= begun);
            let whole: Vec<Frame> = whole.map(|(_, payload)| naive::binary(*payload)).collect();
            assert!(peer.sent() == whole, "{room} bytes of room, {dropped} dropped");
        }
    }
}

/// Who asks again stands behind everybody who waits: nobody is ever more than one message ahead.
#[test]
fn turns_are_given_in_the_order_in_which_they_were_asked_for() {
    let runtime = crate::paused();
    let _time = runtime.enter();
    for opcode in [Opcode::BINARY, Opcode::PING] {
        let (conn, peer) = Peer::paced(Role::Server, 50, true);
        let sender = conn.sender();
        let sent = [const { Cell::new(0) }; 16];
        let speak = async |count: &Cell<u32>| {
            loop {
                sender.send(opcode, &[b'x'; 100], T.wire).await.unwrap();
                count.set(count.get() + 1);
            }
        };
        let mut tasks: Vec<_> = sent.iter().map(|count| Task::new(speak(count))).collect();
        for task in &mut tasks {
            assert!(task.poll().is_pending());
        }
        while sent.iter().any(|count| count.get() < 10) {
            match tasks.iter_mut().find(|task| task.is_woken()) {
                Some(task) => assert!(task.poll().is_pending()),
                None => peer.tick(),
            }
            let (least, most) = (sent.iter().map(Cell::get).min(), sent.iter().map(Cell::get).max());
            assert!(most <= least.map(|least| least + 1), "{opcode}: {sent:?}");
        }
    }
}

#[test]
fn a_receiver_that_waits_is_woken_by_send_close() {
    let runtime = crate::paused();
    let _time = runtime.enter();
    let (conn, peer) = Peer::new(Role::Server);
    let sender = conn.sender();
    let mut receive = receiving(conn);
    assert!(receive.poll().is_pending());
    peer.run(sender.send_close(CloseCode::NORMAL, "", T.wire)).unwrap();
    // From now on it waits for the peer's Close, and no longer than `wire`.
    assert!(receive.is_woken());
    assert!(receive.poll().is_pending());
    assert_eq!(peer.sent(), [close(1000, "")]);
    runtime.block_on(tokio::time::advance(T.wire));
    assert!(receive.is_woken());
    let Poll::Ready((Err(error), _)) = finish(receive, &runtime) else { panic!("no error") };
    assert_eq!(error.closed(), Some(CloseCode::NORMAL));
}

/// Polls to the end, while time passes.
fn finish<F: Future>(mut task: Task<F>, runtime: &tokio::runtime::Runtime) -> Poll<F::Output> {
    for _ in 0..10 {
        if let Poll::Ready(output) = task.poll() {
            return Poll::Ready(output);
        }
        runtime.block_on(tokio::time::advance(T.wire));
    }
    Poll::Pending
}

#[test]
fn everybody_who_waits_is_woken_by_abort() {
    let runtime = crate::paused();
    let _time = runtime.enter();
    let (conn, peer) = Peer::new(Role::Server);
    let sender = conn.sender();
    let mut receive = receiving(conn);
    peer.take(100);
    let mut sends = [0, 1, 2].map(|_| Task::new(sender.send(Opcode::BINARY, &[0; 2000], T.wire)));
    let mut pings = [0, 1].map(|_| Task::new(sender.send(Opcode::PING, b"p", T.wire)));
    let mut flush = Task::new(sender.flush(T.wire));
    let mut stream = Task::new(sender.send_stream(Opcode::TEXT, T.wire));
    assert!(receive.poll().is_pending());
    assert!(sends.iter_mut().chain(&mut pings).all(|send| send.poll().is_pending()));
    assert!(flush.poll().is_pending());
    assert!(stream.poll().is_pending());

    assert_eq!(sender.abort().0, CloseCode::ABNORMAL);
    assert!(peer.is_shut());
    for send in sends.iter_mut().chain(&mut pings) {
        assert!(send.is_woken());
        let Poll::Ready(Err(error)) = send.poll() else { panic!("it goes on to wait, or succeeds") };
        assert_eq!(error.closed(), Some(CloseCode::ABNORMAL), "{error}");
    }
    assert!(flush.is_woken());
    assert!(flush.poll().is_ready());
    assert!(stream.is_woken() && matches!(stream.poll(), Poll::Ready(Err(_))));
    assert!(receive.is_woken(), "a call that waits returns");
    let Poll::Ready((Err(error), _)) = receive.poll() else { panic!("it goes on to wait") };
    assert_eq!(error.closed(), Some(CloseCode::ABNORMAL));
}

#[test]
fn a_call_that_waits_for_the_peer_to_hang_up_is_woken_by_abort() {
    let runtime = crate::paused();
    let _time = runtime.enter();
    let (conn, peer) = Peer::new(Role::Server);
    let sender = conn.sender();
    let mut receive = receiving(conn);
    peer.send(&[close(4000, "")]);
    // The Close is answered, and the peer does not hang up.
    assert!(receive.poll().is_pending());
    assert_eq!(peer.sent(), [close(4000, "")]);
    assert_eq!(sender.abort().0.get(), 4000);
    assert!(receive.is_woken());
    let Poll::Ready((Err(error), _)) = receive.poll() else { panic!("it goes on to wait") };
    assert_eq!(error.closed().map(CloseCode::get), Some(4000));
}

/// A transport that becomes ready without a wake-up for it: whoever asks it then has the news, and nobody else will.
struct Opens(Arc<AtomicBool>);

impl AsyncWrite for Opens {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.0.load(Ordering::Relaxed) { Poll::Ready(Ok(bytes.len())) } else { Poll::Pending }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[test]
fn who_waits_for_room_goes_on_when_another_has_made_some_at_once() {
    let runtime = crate::paused();
    let _time = runtime.enter();
    for by in ["flush", "send", "the end of the connection"] {
        let open = Arc::new(AtomicBool::new(false));
        let mut conn = Conn::new(tokio::io::empty(), Opens(Arc::clone(&open)), Role::Server);
        let sender = conn.sender();
        let mut writer = block(sender.send_stream(Opcode::BINARY, T.wire));
        let mut write = Task::new(async move {
            loop {
                writer.write_all(&[0; 4096]).await.unwrap();
            }
        });
        assert!(write.poll().is_pending());
        open.store(true, Ordering::Relaxed);
        match by {
            "flush" => block(sender.flush(T.wire)),
            "send" => block(sender.send(Opcode::PING, b"", T.wire)),
            _ => assert!(Task::new(conn.receive(&mut [0; 16], T)).poll().is_ready()),
        }
        assert!(write.is_woken(), "{by}");
    }
}

/// One task that receives and sends, while the peer does not read: it is not to wake itself for nothing, again and again.
#[test]
fn a_task_that_waits_in_both_directions_is_left_alone() {
    let runtime = crate::paused();
    let _time = runtime.enter();
    for sends_first in [true, false] {
        let (mut conn, peer) = Peer::new(Role::Server);
        peer.take(0);
        let sender = conn.sender();
        let mut writer = peer.run(sender.send_stream(Opcode::BINARY, T.wire)).unwrap();
        let write = async move {
            loop {
                writer.write_all(&[0; 4096]).await.unwrap();
            }
        };
        let receive = async move { conn.receive(&mut [0; 16], T).await.map(drop) };
        let mut both = Task::new(Box::pin(async move {
            match sends_first {
                true => tokio::join!(biased; write, receive).1,
                false => tokio::join!(biased; receive, write).0,
            }
        }));
        let polls = (0..100).take_while(|_| both.poll().is_pending() && both.is_woken()).count();
        assert!(polls < 5, "{polls} polls");
        // Neither when a part of a message comes.
        peer.send_bytes(&[0x82]);
        let polls = (0..100).take_while(|_| both.poll().is_pending() && both.is_woken()).count();
        assert!(polls < 5, "{polls} polls after a byte");
    }
}

/// What is ready at once.
fn block<T>(future: impl Future<Output = Result<T, Error>>) -> T {
    match Task::new(Box::pin(future)).poll() {
        Poll::Ready(result) => result.unwrap(),
        Poll::Pending => panic!("it waits"),
    }
}
