use super::{SECOND, W, WIRE, assert_about, assert_closed, assert_timeout, server, timed};
use core::time::Duration;
use tokio::time::{sleep, timeout};
use ws_conn::{CloseCode, Opcode, Wait};
use ws_testkit::alloc::count_allocations;
use ws_testkit::naive::{binary, close, continuation, ping, pong, text};

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_read_meets_wire_in_send() {
    let (mut conn, peer) = server();
    let sender = conn.sender();
    peer.take(100);
    let (took, result) = timed(sender.send(Opcode::BINARY, &[0; 5000], WIRE)).await;
    assert_timeout(result, Wait::Wire);
    assert_about(took, WIRE);
    // Half a frame is out: nothing can be told the peer any more.
    assert_eq!(peer.sent_len(), 100);
    assert!(peer.is_shut());
    assert_closed(sender.send(Opcode::TEXT, b"late", WIRE).await, CloseCode::POLICY);
    assert_closed(conn.receive(&mut [0; 16], W).await, CloseCode::POLICY);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_read_meets_wire_in_every_way_to_send() {
    for way in 0..5 {
        let (mut conn, peer) = server();
        let sender = conn.sender();
        peer.take(100);
        let (took, result) = timed(async {
            match way {
                0 => loop {
                    sender.feed(Opcode::BINARY, &[0; 500], WIRE).await?;
                },
                1 => {
                    sender.feed(Opcode::BINARY, &[0; 500], WIRE).await?;
                    sender.flush(WIRE).await
                }
                2 => {
                    let mut writer = sender.send_stream(Opcode::BINARY, WIRE).await?;
                    loop {
                        writer.write_chunk(&[0; 500]).await?;
                    }
                }
                3 => {
                    let mut writer = sender.send_stream(Opcode::BINARY, WIRE).await?;
                    writer.write_chunk(&[0; 500]).await?;
                    writer.finish().await
                }
                _ => conn.frames(W).write_frame(&[0; 500]).await,
            }
        })
        .await;
        assert_timeout(result, Wait::Wire);
        assert_about(took, WIRE);
        assert_closed(sender.send(Opcode::TEXT, b"late", WIRE).await, CloseCode::POLICY);
    }
}

/// Those who wait behind it have their own deadlines. Their messages are not sent, and the connection goes on.
#[tokio::test(start_paused = true)]
async fn a_turn_that_does_not_come_in_time_changes_nothing() {
    let (conn, peer) = server();
    let sender = conn.sender();
    peer.take(100);
    let ((), first, ()) = tokio::join!(
        async {
            sleep(SECOND / 2).await;
            for opcode in [Opcode::BINARY, Opcode::PING] {
                let (took, result) = timed(sender.send(opcode, b"second", SECOND / 2)).await;
                assert_timeout(result, Wait::Turn);
                assert_about(took, SECOND / 2);
            }
            assert_timeout(sender.flush(SECOND / 10).await, Wait::Turn);
        },
        sender.send(Opcode::BINARY, &[0; 200], WIRE),
        async {
            sleep(SECOND * 9 / 5).await;
            peer.take(usize::MAX);
        }
    );
    first.unwrap();
    sender.send(Opcode::TEXT, b"third", WIRE).await.unwrap();
    assert_eq!(peer.sent(), [binary([0; 200]), text("third")]);
}

#[tokio::test(start_paused = true)]
async fn a_message_waits_for_the_one_in_progress_and_control_frames_do_not() {
    let (mut conn, peer) = server();
    let sender = conn.sender();
    let mut writer = sender.send_stream(Opcode::TEXT, WIRE).await.unwrap();
    writer.write_chunk(b"first ").await.unwrap();
    for way in 0..3 {
        let (took, result) = timed(async {
            match way {
                0 => sender.send(Opcode::TEXT, b"second", WIRE).await,
                1 => sender.send_stream(Opcode::TEXT, WIRE).await.map(drop),
                _ => conn.frames(W).write_frame(b"second").await,
            }
        })
        .await;
        assert_timeout(result, Wait::Turn);
        assert_about(took, WIRE);
    }
    let (took, result) = timed(sender.send(Opcode::PING, b"p", WIRE)).await;
    result.unwrap();
    assert_about(took, Duration::ZERO);
    peer.send(&[ping("theirs")]);
    assert!(timeout(SECOND, conn.receive(&mut [0; 16], W)).await.is_err());
    writer.write_chunk(b"last").await.unwrap();
    writer.finish().await.unwrap();
    sender.send(Opcode::TEXT, b"after", WIRE).await.unwrap();
    let sent = [text("first ").not_final(), ping("p"), pong("theirs"), continuation("last").not_final()];
    assert_eq!(peer.sent(), [&sent[..], &[continuation([]), text("after")]].concat());
}

/// The same for a message in fragments of the low level.
#[tokio::test(start_paused = true)]
async fn a_message_waits_for_the_fragments_of_the_low_level() {
    let (mut conn, peer) = server();
    let sender = conn.sender();
    let mut frames = conn.frames(W);
    frames.set_write_mode(Opcode::BINARY, false);
    frames.write_frame(b"first").await.unwrap();
    let (took, result) = timed(sender.send(Opcode::TEXT, b"second", WIRE)).await;
    assert_timeout(result, Wait::Turn);
    assert_about(took, WIRE);
    sender.send(Opcode::PING, b"p", WIRE).await.unwrap();
    frames.write_frame(b"middle").await.unwrap();
    assert_timeout(sender.feed(Opcode::TEXT, b"second", WIRE).await, Wait::Turn);
    frames.set_write_mode(Opcode::BINARY, true);
    let (last, second) = tokio::join!(biased; frames.write_frame(b"last"), sender.send(Opcode::TEXT, b"second", WIRE));
    last.and(second).unwrap();
    let middle = [binary("first").not_final(), ping("p"), continuation("middle").not_final()];
    assert_eq!(peer.sent(), [&middle[..], &[continuation("last"), text("second")]].concat());
}

#[tokio::test(start_paused = true)]
async fn send_close_and_finish_return_in_time_although_the_peer_does_not_read() {
    for blocked_by_a_frame in [false, true] {
        let (mut conn, peer) = server();
        let sender = conn.sender();
        peer.take(0);
        let other = sender.clone();
        let send = tokio::spawn(async move {
            if blocked_by_a_frame {
                let _ = other.send(Opcode::BINARY, &[0; 5000], 100 * WIRE).await;
            }
        });
        tokio::task::yield_now().await;
        let (took, result) = timed(sender.send_close(CloseCode::GOING_AWAY, "", WIRE)).await;
        assert_eq!(result.unwrap().0, CloseCode::GOING_AWAY);
        assert_about(took, WIRE);
        let (took, result) = timed(conn.finish(CloseCode::NORMAL, "", WIRE)).await;
        assert_eq!(result.unwrap().0, CloseCode::GOING_AWAY);
        assert!(took <= WIRE + SECOND / 100, "{took:?}");
        assert!(peer.is_shut());
        // And the one that was blocked is so no more.
        let (took, result) = timed(send).await;
        result.unwrap();
        assert_about(took, Duration::ZERO);
    }
}

/// However much is fed to a peer that does not read, no more is held than the queue's 64 KiB.
#[test]
fn a_peer_that_does_not_read_costs_no_more_than_the_queue() {
    let runtime = crate::paused();
    let (conn, peer) = server();
    let sender = conn.sender();
    peer.take(0);
    let mut fed = 0;
    let count = count_allocations(|| {
        runtime.block_on(async {
            while sender.feed(Opcode::BINARY, &[0; 1000], WIRE).await.is_ok() {
                fed += 1;
            }
        });
    });
    assert!((60..=66).contains(&fed), "{fed} messages were taken");
    assert!(count.max_live < 3 * 64 * 1024, "{count:?}");
    assert_eq!(sender.closed().map(|closed| closed.0), Some(CloseCode::POLICY));
}

#[tokio::test(start_paused = true)]
async fn what_was_fed_is_written_before_a_call_waits() {
    let (mut conn, peer) = server();
    let sender = conn.sender();
    sender.feed(Opcode::TEXT, b"one", WIRE).await.unwrap();
    sender.feed(Opcode::TEXT, b"two", WIRE).await.unwrap();
    assert_eq!(peer.sent_len(), 0);
    assert!(timeout(SECOND, conn.receive(&mut [0; 16], W)).await.is_err());
    assert_eq!(peer.sent(), [text("one"), text("two")]);
    assert_eq!(peer.calls().writes, 1);
    peer.send(&[close(1000, "")]);
    assert_closed(conn.receive(&mut [0; 16], W).await, CloseCode::NORMAL);
}
