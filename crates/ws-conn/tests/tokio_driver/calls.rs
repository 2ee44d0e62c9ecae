//! How often the transport is asked: what counts for small messages is the number of system calls.

use crate::T;
use crate::transport::{Calls, Pair, Peer, Task};
use core::task::Poll;
use core::time::Duration;
use tokio::time::timeout;
use ws_conn::{Error, Fault, Misuse, Opcode, Role, Wait};
use ws_testkit::naive::{Frame, binary, continuation, ping, text};

const ROLES: [Role; 2] = [Role::Server, Role::Client];

/// Waits until nothing more is to be done at once.
async fn settle<F: Future>(call: F) {
    assert!(timeout(Duration::from_millis(1), call).await.is_err());
}

#[test]
fn one_read_per_wake_up_and_one_in_vain_when_it_is_used_up() {
    let runtime = crate::paused();
    let _time = runtime.enter();
    for role in ROLES {
        let (mut conn, peer) = Peer::new(role);
        for count in 1..=5 {
            let mut wait = Task::new(async { conn.message(T).await.unwrap().len() });
            assert!(wait.poll().is_pending());
            assert_eq!(peer.calls().reads_pending, count);
            // As much as fits into the read buffer, in one frame, in several, and in fragments.
            let message = binary(vec![0; 10_000]);
            peer.send(&[message.clone(), message.clone().not_final(), ping("p"), continuation("c"), text("t")]);
            assert!(wait.is_woken() && wait.poll() == Poll::Ready(10_000));
            drop(wait);
            for len in [10_001, 1] {
                assert_eq!(peer.run(async { conn.message(T).await.unwrap().len() }), len);
            }
            let Calls { reads, reads_pending, .. } = peer.calls();
            assert_eq!((reads, reads_pending), (count, count));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_echo_answers_all_messages_of_one_read_with_one_write() {
    for role in ROLES {
        for way in 0..2 {
            let (mut conn, peer) = Peer::new(role);
            let messages: Vec<Frame> = (0..50).map(|number| binary(vec![number; 125])).collect();
            for round in 1..=3 {
                peer.send(&messages);
                settle(echo(&mut conn, way)).await;
                let Calls { reads, writes, flushes, .. } = peer.calls();
                assert_eq!((reads, writes, flushes), (round, round, round), "{role:?}, way {way}");
            }
            assert_eq!(peer.sent().len(), 150);
        }
    }
}

/// Messages that fit into the read buffer are read at once and lent from there.
#[tokio::test(start_paused = true)]
async fn a_message_is_read_at_once_if_it_fits() {
    for (len, reads) in [(125, 1), (16 * 1024, 1), (20 * 1024, 1), (60_000, 1), (200_000, 4)] {
        let (mut conn, peer) = Peer::new(Role::Server);
        let mut before = 0;
        for round in 0..4 {
            peer.send(&[binary(vec![round; len])]);
            assert_eq!(conn.message(T).await.unwrap().len(), len);
            let calls = peer.calls().reads - before;
            before += calls;
            assert_eq!(calls, reads, "{len} bytes, message {round}");
        }
    }
}

/// A write of its own costs more than a copy, up to some size, and from there on less.
#[tokio::test(start_paused = true)]
async fn what_is_fed_is_gathered_only_if_it_is_large() {
    for role in ROLES {
        for (len, large) in
            [(1023, false), (1024, false), (8192, false), (12_287, false), (12_288, true), (60_000, true)]
        {
            let (conn, peer) = Peer::new(role);
            let sender = conn.sender();
            for _ in 0..2 {
                sender.feed(Opcode::BINARY, &vec![1; len], T.wire).await.unwrap();
            }
            let Calls { writes, gathered, flushes, .. } = peer.calls();
            match (role, large) {
                // Handed on as well, so that there is nothing to do before the next wait.
                (Role::Server, true) => assert_eq!((writes, gathered, flushes), (2, 2, 2), "{len} bytes"),
                // A client has to mask it: it lies in the queue as far as there is room.
                _ => assert_eq!((gathered, flushes), (0, 0), "{role:?}: {len} bytes"),
            }
            sender.flush(T.wire).await.unwrap();
            assert_eq!(peer.sent(), vec![binary(vec![1; len]); 2], "{role:?}");
            if len <= 12_288 {
                assert_eq!(
                    peer.calls().writes,
                    if role == Role::Server && large { 2 } else { 1 },
                    "{role:?}: {len} bytes"
                );
            }
        }
    }
}

/// The answers to Pings go along.
#[tokio::test(start_paused = true)]
async fn an_echo_sends_pongs_in_the_same_write() {
    let (mut conn, peer) = Peer::new(Role::Server);
    peer.send(&[text("one"), ping("p"), text("two"), ping("q")]);
    settle(echo(&mut conn, 0)).await;
    let calls = peer.calls();
    // A Pong does not wait for what the application does next, which may take long: one write for each.
    assert!(calls.writes <= 2, "{calls:?}");
    let sent = peer.sent();
    assert_eq!(sent.iter().filter(|frame| frame.is_control()).count() + 2, sent.len());
    assert_eq!(sent.last().map(|frame| &frame.payload[..]), Some(&b"q"[..]));
}

async fn echo(conn: &mut Pair, way: usize) {
    let sender = conn.sender();
    let mut buffer = vec![0; 1000];
    loop {
        if way == 0 {
            let message = conn.message(T).await.unwrap();
            sender.feed(message.opcode(), &message, T.wire).await.unwrap();
        } else {
            let received = conn.receive(&mut buffer, T).await.unwrap();
            sender.feed(received.opcode, &buffer[..received.len], T.wire).await.unwrap();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_send_is_one_write_and_one_flush() {
    for role in ROLES {
        let (conn, peer) = Peer::new(role);
        let sender = conn.sender();
        for (count, len) in [0, 1, 125, 126, 1023, 1024, 5000, 60_000].into_iter().enumerate() {
            let before = peer.calls();
            sender.send(Opcode::BINARY, &vec![1; len], T.wire).await.unwrap();
            let after = peer.calls();
            assert_eq!((after.writes - before.writes, after.flushes - before.flushes), (1, 1), "{role:?}: {len} bytes");
            // A client has to mask it, and a small payload is copied for less than a gathered write costs.
            let gathered = role == Role::Server && len >= 1024;
            assert_eq!(after.gathered - before.gathered, usize::from(gathered), "{role:?}: {len} bytes");
            assert_eq!(peer.sent().len(), count + 1);
        }
    }
}

/// What was fed goes in the same write as what is sent behind it.
#[tokio::test(start_paused = true)]
async fn a_send_takes_along_what_was_fed() {
    for role in ROLES {
        let (conn, peer) = Peer::new(role);
        let sender = conn.sender();
        for _ in 0..10 {
            sender.feed(Opcode::TEXT, b"fed", T.wire).await.unwrap();
        }
        assert_eq!(peer.calls(), Calls::default());
        sender.send(Opcode::BINARY, &[1; 5000], T.wire).await.unwrap();
        let calls = peer.calls();
        assert_eq!((calls.writes, calls.flushes), (1, 1));
        assert_eq!(peer.sent().len(), 11);
        // Nothing is left: a flush costs nothing.
        sender.flush(T.wire).await.unwrap();
        assert_eq!(peer.calls(), calls);
    }
}

/// The fragments of a stream gather in the queue.
#[tokio::test(start_paused = true)]
async fn a_stream_is_one_write_if_it_fits_into_the_queue() {
    for role in ROLES {
        let (conn, peer) = Peer::new(role);
        let mut writer = conn.sender().send_stream(Opcode::TEXT, T.wire).await.unwrap();
        for _ in 0..100 {
            writer.write_chunk(b"a small fragment").await.unwrap();
        }
        writer.finish().await.unwrap();
        let calls = peer.calls();
        assert_eq!((calls.writes, calls.flushes), (1, 1), "{role:?}");
        assert_eq!(peer.sent().len(), 101);
    }
}

/// A transport that does not gather gets the parts one after the other.
#[test]
fn a_transport_that_does_not_gather_gets_two_writes() {
    let runtime = crate::paused();
    let _time = runtime.enter();
    let (conn, peer) = Peer::paced(Role::Server, usize::MAX, false);
    peer.run(conn.sender().send(Opcode::BINARY, &[1; 5000], T.wire)).unwrap();
    let calls = peer.calls();
    assert_eq!((calls.writes, calls.gathered, calls.flushes), (2, 0, 1));
    assert_eq!(peer.sent(), [binary([1; 5000])]);
}

/// The whole of an exchange of one message at a time: a read, a write, and a read in vain.
#[test]
fn a_message_in_flight_costs_three_calls() {
    let runtime = crate::paused();
    let _time = runtime.enter();
    for role in ROLES {
        let (mut conn, peer) = Peer::new(role);
        let mut echo = Task::new(echo(&mut conn, 0));
        assert!(echo.poll().is_pending());
        let before = peer.calls();
        for count in 1..=10 {
            peer.send(&[text("a message")]);
            assert!(echo.is_woken() && echo.poll().is_pending());
            let after = peer.calls();
            assert_eq!((after.reads, after.writes, after.flushes), (count, count, count));
            assert_eq!((after.reads_pending - before.reads_pending, after.writes_pending), (count, 0));
        }
    }
}

/// A control frame is half in the queue, and the peer does not read: the message is as it was, and can still be finished.
#[tokio::test(start_paused = true)]
async fn a_message_whose_end_had_no_turn_in_time_can_be_finished_later() {
    let (conn, peer) = Peer::new(Role::Server);
    let sender = conn.sender();
    peer.take(0);
    let mut writer = sender.send_stream(Opcode::TEXT, T.wire).await.unwrap();
    writer.write_chunk(b"half").await.unwrap();
    // 125 bytes of the queue are left.
    for _ in 0..515 {
        sender.feed(Opcode::PING, &[b'p'; 125], T.wire).await.unwrap();
    }
    let mut ping = Task::new(sender.send(Opcode::PING, &[b'q'; 125], 100 * T.wire));
    assert!(ping.poll().is_pending());
    for _ in 0..2 {
        let error = writer.finish().await.unwrap_err();
        assert!(matches!(error, Error::Fault(Fault::Timeout(Wait::Turn))), "{error}");
    }
    peer.take(usize::MAX);
    assert!(matches!(ping.poll(), Poll::Ready(Ok(()))));
    writer.finish().await.unwrap();
    assert!(matches!(writer.write_chunk(b"more").await, Err(Error::Fault(Fault::Misuse(Misuse::Finished)))));
    drop(writer);
    assert_eq!(conn.closed(), None);
    assert_eq!(peer.sent().last(), Some(&continuation([])));
}
