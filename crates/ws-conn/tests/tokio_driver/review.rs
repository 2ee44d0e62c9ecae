//! What a reading of the driver with hostile eyes found: each test tells the scenario that it holds.

use crate::wire::{Half, Wire, Woken, assert_closed, poll_once, server};
use core::future::poll_fn;
use core::pin::pin;
use core::sync::atomic::Ordering;
use core::time::Duration;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc::unbounded_channel;
use tokio::time::{Instant, timeout};
use ws_conn::tokio::{Conn, Keepalive};
use ws_conn::{CloseCode, Error, Fault, Misuse, Opcode, Timeouts, Wait};
use ws_testkit::naive;

const SECOND: Duration = Duration::from_secs(1);
/// Longer than every deadline of a test.
const LONG: Duration = Duration::from_secs(3600);
const T: Timeouts = Timeouts::new(SECOND, Duration::from_secs(60));
const KEY: [u8; 4] = [1, 2, 3, 4];

// The receiving direction flushes before it waits, and remembers since when that is blocked. When somebody else empties
// the queue meanwhile, nothing is blocked any more, however long the connection idles.
#[tokio::test(start_paused = true)]
async fn a_queue_that_a_sender_emptied_does_not_time_out() {
    let (wire, mut conn) = server();
    let sender = conn.sender();
    let mut buf = [0; 16];

    sender.feed(Opcode::BINARY, b"slow", SECOND).await.unwrap();
    let mut receive = pin!(conn.receive(&mut buf, T));
    assert!(poll_once(&mut receive).await.is_none());
    wire.lock().room = usize::MAX;
    sender.flush(SECOND).await.unwrap();
    assert_eq!(wire.sent(), [naive::binary("slow")]);

    // Far beyond `wire`, well within `idle`.
    assert!(timeout(30 * SECOND, receive).await.is_err(), "the peer took everything");
}

// "Dropping it closes the transport, and its senders get `Fault::Closed` then": a message that lay in the queue when the
// transport went away was not sent.
#[tokio::test]
async fn a_send_whose_bytes_were_dropped_does_not_succeed() {
    let (wire, conn) = server();
    let sender = conn.sender();
    let mut send = pin!(sender.send(Opcode::BINARY, b"never written", LONG));
    assert!(poll_once(&mut send).await.is_none());
    conn.sender().abort();
    assert_closed(send.await, CloseCode::ABNORMAL);
    assert!(wire.sent().is_empty());
}

#[tokio::test]
async fn a_flush_whose_bytes_were_dropped_does_not_succeed() {
    let (wire, conn) = server();
    let sender = conn.sender();
    sender.feed(Opcode::BINARY, b"never written", LONG).await.unwrap();
    drop(conn);
    assert_closed(sender.flush(LONG).await, CloseCode::ABNORMAL);
    assert!(wire.sent().is_empty());
}

#[tokio::test]
async fn a_stream_whose_end_was_dropped_does_not_succeed() {
    let (wire, conn) = server();
    let mut writer = conn.sender().send_stream(Opcode::BINARY, LONG).await.unwrap();
    writer.write_chunk(b"never written").await.unwrap();
    drop(conn);
    assert_closed(writer.finish().await, CloseCode::ABNORMAL);
    assert!(wire.sent().is_empty());
}

// "Ends the connection at once: nothing more is sent, and calls that wait return."
#[tokio::test(start_paused = true)]
async fn abort_ends_a_waiting_receive_at_once() {
    let (_wire, mut conn) = server();
    let sender = conn.sender();
    let mut buf = [0; 16];
    let began = Instant::now();
    let mut receive = pin!(conn.receive(&mut buf, Timeouts::new(LONG, LONG)));
    assert!(poll_once(&mut receive).await.is_none());
    sender.abort();
    assert_closed(receive.await.map(drop), CloseCode::ABNORMAL);
    assert!(began.elapsed() <= SECOND, "took {:?}", began.elapsed());
}

// A write that fails in the payload behind the queue leaves an empty queue. What is owed afterwards can never be sent, and
// the end must not try for ever. In a thread of its own, since a task that does not yield cannot be timed out.
#[test]
fn a_connection_ends_after_a_write_failed_behind_the_queue() {
    ends(|wire, conn, rt| {
        let sender = conn.sender();
        let send = sender.send(Opcode::BINARY, &[0; 100_000], SECOND);
        wire.lock().room = 50_000;
        rt.block_on(async {
            let mut send = pin!(send);
            assert!(poll_once(&mut send).await.is_none());
            wire.lock().broken = true;
            assert!(matches!(send.await, Err(Error::Io(_))));
        });
    });
}

// The same for a transport that fails when it is flushed, as TLS does.
#[test]
fn a_connection_ends_after_a_flush_failed() {
    ends(|wire, conn, rt| {
        wire.lock().room = usize::MAX;
        wire.lock().broken_flush = true;
        let sent = rt.block_on(conn.sender().send(Opcode::BINARY, b"x", SECOND));
        assert!(matches!(sent, Err(Error::Io(_))));
    });
}

/// Lets `fail` break the sending half, and the peer's Close arrive: `receive` has to report it.
fn ends(fail: impl FnOnce(&Wire, &Conn<Half, Half>, &tokio::runtime::Runtime) + Send + 'static) {
    let (done, outcome) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let rt = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let _guard = rt.enter();
        let (wire, mut conn) = server();
        fail(&wire, &conn, &rt);
        wire.arrive(&naive::close(1000, "").masked(KEY).bytes());
        let result = rt.block_on(conn.receive(&mut [0; 16], T));
        let _ = done.send(result.map(|received| received.len).map_err(|error| error.closed()));
    });
    let outcome = outcome.recv_timeout(5 * SECOND).expect("the end of the connection does not end");
    assert_eq!(outcome, Err(Some(CloseCode::NORMAL)));
}

// A dropped `write_chunk` leaves nothing half-sent, so that nobody has to wait for its writer: not who receives, and who
// is to flush what is queued, ...
#[tokio::test]
async fn a_dropped_write_chunk_does_not_keep_receive_from_flushing() {
    let (wire, mut conn) = server();
    let mut writer = conn.sender().send_stream(Opcode::BINARY, LONG).await.unwrap();
    assert!(poll_once(&mut pin!(writer.write_chunk(&[7; 200_000]))).await.is_none());

    wire.lock().room = usize::MAX;
    wire.arrive(&naive::ping("alive?").masked(KEY).bytes());
    let mut buf = [0; 16];
    assert!(poll_once(&mut pin!(conn.receive(&mut buf, T))).await.is_none());
    assert!(wire.sent().iter().any(|frame| frame.opcode == naive::PONG), "the Ping is not answered");
    drop(writer);
}

// ... nor who sends control frames, which do not wait for a message of fragments to end.
#[tokio::test(start_paused = true)]
async fn a_dropped_write_chunk_does_not_keep_control_frames_from_going() {
    let (wire, conn) = server();
    let sender = conn.sender();
    let mut writer = sender.send_stream(Opcode::BINARY, LONG).await.unwrap();
    assert!(poll_once(&mut pin!(writer.write_chunk(&[7; 200_000]))).await.is_none());
    wire.lock().room = usize::MAX;
    sender.send(Opcode::PING, b"", SECOND).await.unwrap();
    drop(writer);
}

// "Shutting down finishes the message": the next message of anyone may follow, and this one takes no more.
#[tokio::test(start_paused = true)]
async fn a_message_that_was_shut_down_is_over() {
    let (wire, conn) = server();
    wire.lock().room = usize::MAX;
    let sender = conn.sender();
    let mut writer = sender.send_stream(Opcode::BINARY, LONG).await.unwrap();
    writer.write_all(b"one").await.unwrap();
    writer.shutdown().await.unwrap();
    sender.send(Opcode::BINARY, b"two", SECOND).await.expect("other messages wait until it is finished, not longer");
    drop(writer);
    let fins: Vec<bool> = wire.sent().iter().map(|frame| frame.fin).collect();
    assert_eq!(fins, [false, true, true]);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_was_shut_down_takes_no_more() {
    let (wire, conn) = server();
    wire.lock().room = usize::MAX;
    let sender = conn.sender();
    let mut writer = sender.send_stream(Opcode::BINARY, LONG).await.unwrap();
    writer.write_all(b"one").await.unwrap();
    writer.shutdown().await.unwrap();
    let _ = writer.write(b"more").await;
    drop(writer);
    match sender.send(Opcode::BINARY, b"two", SECOND).await {
        Err(Error::Fault(Fault::Misuse(Misuse::MessageOpen))) => panic!("the writer left a message open for ever"),
        result => result.unwrap(),
    }
}

// A sender begins, is woken and gives up, all of it after `receive` looked whether anything is queued and before it is
// known as waiting. On two threads that is a race; here the transport's `poll_read` stands for the other thread.
#[tokio::test]
async fn a_send_dropped_while_receive_is_about_to_wait_is_finished() {
    let (wire, mut conn) = server();
    let sender = conn.sender();
    let gate = wire.clone();
    wire.lock().meanwhile = Some(Box::new(move || {
        let mut send = Box::pin(async move { sender.send(Opcode::BINARY, &[7; 3000], LONG).await });
        gate.lock().room = 1000;
        assert!(send.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        gate.open();
        drop(send);
    }));
    let mut buf = [0; 16];
    let mut receive = pin!(conn.receive(&mut buf, T));
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    assert!(receive.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    while woken.0.swap(false, Ordering::Relaxed) {
        assert!(receive.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    }
    assert_eq!(
        naive::read(&wire.lock().output).map(|(frame, _)| frame.payload.len()),
        Some(3000),
        "nobody finishes it"
    );
}

// tokio's timers do nothing when a task has used up its budget: neither is the time registered, nor the waker. The deadline
// has to hold all the same.
#[tokio::test(start_paused = true)]
async fn a_deadline_holds_that_began_when_the_budget_of_the_task_was_used_up() {
    let (_wire, mut conn) = server();
    let mut buf = [0; 16];
    let mut receive = pin!(conn.receive(&mut buf, T));
    let (give, mut take) = unbounded_channel();
    (0..10_000).for_each(|i| give.send(i).unwrap());
    poll_fn(|cx| {
        while take.poll_recv(cx).is_ready() {}
        assert!(receive.as_mut().poll(cx).is_pending());
        Poll::Ready(())
    })
    .await;
    let result = timeout(LONG, receive).await.expect("the idle deadline is lost");
    assert!(matches!(result, Err(Error::Fault(Fault::Timeout(Wait::Idle)))), "{result:?}");
}

// A Ping at each interval does not set back the deadline of the one before.
#[tokio::test(start_paused = true)]
async fn keepalive_ends_a_silent_connection_although_its_patience_is_longer_than_its_interval() {
    let (wire, mut conn) = server();
    wire.lock().room = usize::MAX;
    conn.set_keepalive(Some(Keepalive::new(10 * SECOND, 25 * SECOND)));
    let mut buf = [0; 16];
    let receive = conn.receive(&mut buf, Timeouts::new(SECOND, LONG));
    let result = timeout(LONG / 2, receive).await.expect("the peer is dead and nobody notices");
    assert!(matches!(result, Err(Error::Fault(Fault::Timeout(Wait::Pong)))), "{result:?}");
}

// "As `receive`, with the limit in place of the buffer's size": what a dropped `receive` had got counts.
#[tokio::test]
async fn a_parked_message_that_exceeds_the_limit_of_message_is_too_big() {
    let (wire, mut conn) = server();
    conn.set_message_limit(1000);
    let message = naive::binary([7; 200_000]).masked(KEY).bytes();
    let mut buf = vec![0; 200_000];
    wire.arrive(&message[..5000]);
    assert!(poll_once(&mut pin!(conn.receive(&mut buf, T))).await.is_none());
    wire.arrive(&message[5000..]);
    let result = conn.message(T).await.map(|message| message.len());
    assert!(matches!(result, Err(Error::Fault(Fault::Overflow))), "{result:?}");
}

// The time of a call begins when it first has to wait: what an earlier call that was dropped has waited is not its own.
#[tokio::test(start_paused = true)]
async fn a_write_chunk_has_its_own_time_after_one_that_was_dropped() {
    let (wire, conn) = server();
    let mut writer = conn.sender().send_stream(Opcode::BINARY, SECOND).await.unwrap();
    assert!(timeout(SECOND / 2, writer.write_chunk(&[7; 200_000])).await.is_err());
    tokio::time::advance(10 * SECOND).await;
    wire.lock().room = 1000;
    let began = Instant::now();
    let result = writer.write_chunk(&[7; 200_000]).await;
    assert!(matches!(result, Err(Error::Fault(Fault::Timeout(Wait::Wire)))), "{result:?}");
    assert!(began.elapsed() >= SECOND, "given up after {:?}", began.elapsed());
}

// A frame that broke off because the transport failed is nobody's any more: the end does not wait for it.
#[tokio::test(start_paused = true)]
async fn the_end_does_not_wait_for_a_frame_that_broke_off_at_once() {
    let (wire, mut conn) = server();
    wire.lock().broken = true;
    assert!(matches!(conn.sender().send(Opcode::BINARY, &[7; 100_000], SECOND).await, Err(Error::Io(_))));
    wire.arrive(&naive::close(1000, "").masked(KEY).bytes());
    wire.lock().eof = true;
    let began = Instant::now();
    assert_closed(conn.receive(&mut [0; 16], T).await.map(drop), CloseCode::NORMAL);
    assert_eq!(began.elapsed(), Duration::ZERO);
}

// "Other data messages wait until it is finished": also for a message whose first fragment could go at once.
#[tokio::test(start_paused = true)]
async fn a_message_of_frames_keeps_its_turn_from_its_first_fragment_on() {
    let (wire, mut conn) = server();
    wire.open();
    let sender = conn.sender();
    let mut frames = conn.frames(T);
    frames.set_write_mode(Opcode::BINARY, false);
    frames.write_frame(b"one").await.unwrap();
    let waits = sender.send(Opcode::BINARY, b"two", SECOND).await;
    assert!(matches!(waits, Err(Error::Fault(Fault::Timeout(Wait::Turn)))), "{waits:?}");
}

// A Close that is queued is not sent: the transport may fail, or the peer read too slowly.
#[tokio::test(start_paused = true)]
async fn section_7_1_4_a_connection_whose_close_does_not_leave_is_not_closed_cleanly() {
    for (room, broken, clean) in [(usize::MAX, false, true), (usize::MAX, true, false), (3, false, false)] {
        let (wire, mut conn) = server();
        wire.arrive(&naive::close(1000, "").masked(KEY).bytes());
        (wire.lock().room, wire.lock().broken, wire.lock().eof) = (room, broken, true);
        assert_closed(conn.receive(&mut [0; 16], T).await.map(drop), CloseCode::NORMAL);
        assert_eq!((conn.is_clean(), wire.lock().output.len() == 4), (clean, clean), "{room}, {broken}");
    }
}
