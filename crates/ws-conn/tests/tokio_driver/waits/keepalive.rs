use super::{SECOND, WIRE, assert_about, assert_timeout, drip, repeat, server, timed};
use core::time::Duration;
use std::collections::BTreeSet;
use tokio::time::{advance, timeout};
use ws_conn::tokio::Keepalive;
use ws_conn::{Opcode, Timeouts, Wait};
use ws_testkit::naive::{PING, binary, close, ping, pong, text};

const INTERVAL: Duration = Duration::from_secs(20);
const PATIENCE: Duration = Duration::from_secs(5);
const LONG: Timeouts = Timeouts::new(Duration::from_secs(7), Duration::from_secs(100_000));

#[tokio::test(start_paused = true)]
async fn pings_go_out_at_the_interval_each_with_another_payload() {
    let (mut conn, peer) = server();
    conn.set_keepalive(Some(Keepalive::new(INTERVAL, PATIENCE)));
    for count in 1..=4 {
        assert!(timeout(INTERVAL, conn.receive(&mut [0; 16], LONG)).await.is_err());
        // The peer answers at once, to what came last.
        let sent = peer.sent();
        assert_eq!(sent.len(), count);
        peer.send(&[pong(sent[count - 1].payload.clone())]);
    }
    let payloads: BTreeSet<Vec<u8>> = peer.sent().into_iter().map(|ping| ping.payload).collect();
    assert_eq!(payloads.len(), 4);
    assert!(peer.sent().iter().all(|ping| ping.opcode == PING));
}

#[tokio::test(start_paused = true)]
async fn a_peer_without_life_is_given_up_with_1008() {
    for interval in [INTERVAL, PATIENCE, PATIENCE / 4] {
        let (mut conn, peer) = server();
        conn.set_keepalive(Some(Keepalive::new(interval, PATIENCE)));
        let (took, result) = timed(conn.receive(&mut [0; 16], LONG)).await;
        assert_timeout(result, Wait::Pong);
        assert_about(took, interval + PATIENCE);
        assert_eq!(peer.sent().last(), Some(&close(1008, "keepalive timeout")));
    }
}

#[tokio::test(start_paused = true)]
async fn any_byte_counts_as_life() {
    let (mut conn, peer) = server();
    conn.set_keepalive(Some(Keepalive::new(INTERVAL, PATIENCE)));
    conn.set_message_limit(1 << 20);
    // A large message comes slowly, and the Ping is answered behind it.
    let slow = Timeouts::new(1000 * SECOND, 1000 * SECOND);
    let message = peer.wire(&binary(vec![1; 1000]));
    repeat(&peer, message.chunks(10).map(<[u8]>::to_vec).collect(), PATIENCE - SECOND);
    let (took, result) = timed(conn.message(slow)).await;
    assert_eq!(result.unwrap().len(), 1000);
    assert!(took > 10 * INTERVAL);
    assert!(peer.sent().len() >= 10);
    // One byte of a header is as good.
    let (mut conn, peer) = server();
    conn.set_keepalive(Some(Keepalive::new(INTERVAL, PATIENCE)));
    drip(&peer, peer.wire(&text("m"))[..1].to_vec(), INTERVAL + PATIENCE - SECOND);
    let (took, result) = timed(conn.receive(&mut [0; 16], Timeouts::new(1000 * SECOND, LONG.idle))).await;
    assert_timeout(result, Wait::Pong);
    assert_about(took, 2 * INTERVAL + PATIENCE);
}

#[tokio::test(start_paused = true)]
async fn the_round_trip_is_measured() {
    let (mut conn, peer) = server();
    conn.set_keepalive(Some(Keepalive::new(INTERVAL, PATIENCE)));
    assert_eq!(conn.round_trip(), None);
    for millis in [30, 1500, 7] {
        let round_trip = Duration::from_millis(millis);
        let before = peer.sent().len();
        while peer.sent().len() == before {
            assert!(timeout(SECOND / 1000, conn.receive(&mut [0; 16], LONG)).await.is_err());
        }
        repeat(&peer, vec![peer.wire(&pong(peer.sent()[before].payload.clone()))], round_trip);
        assert!(timeout(2 * SECOND, conn.receive(&mut [0; 16], LONG)).await.is_err());
        let measured = conn.round_trip().unwrap();
        assert!(measured >= round_trip && measured < round_trip + Duration::from_millis(5), "{measured:?}");
    }
}

/// An application that takes its time does not make the peer seem slow.
#[tokio::test(start_paused = true)]
async fn a_pong_that_came_with_a_message_is_measured_when_it_was_read() {
    let (mut conn, peer) = server();
    conn.set_keepalive(Some(Keepalive::new(INTERVAL, PATIENCE)));
    let receive = timeout(INTERVAL, conn.receive(&mut [0; 16], LONG)).await;
    assert!(receive.is_err());
    let nonce = peer.sent()[0].payload.clone();
    advance(SECOND).await;
    peer.send(&[pong(nonce), text("m")]);
    conn.receive(&mut [0; 16], LONG).await.unwrap();
    advance(3 * SECOND).await;
    assert!(timeout(SECOND, conn.receive(&mut [0; 16], LONG)).await.is_err());
    let measured = conn.round_trip().unwrap();
    assert!(measured < SECOND * 3 / 2, "{measured:?}");
}

#[tokio::test(start_paused = true)]
async fn a_pong_with_another_payload_is_life_but_no_measurement() {
    let (mut conn, peer) = server();
    conn.set_keepalive(Some(Keepalive::new(INTERVAL, PATIENCE)));
    assert!(timeout(INTERVAL, conn.receive(&mut [0; 16], LONG)).await.is_err());
    peer.send(&[pong("something else")]);
    assert!(timeout(INTERVAL - SECOND, conn.receive(&mut [0; 16], LONG)).await.is_err());
    assert_eq!(conn.round_trip(), None);
}

/// The deadlines run although the Ping itself cannot be written.
#[tokio::test(start_paused = true)]
async fn the_timers_run_while_a_control_frame_cannot_be_written() {
    let (mut conn, peer) = server();
    conn.set_keepalive(Some(Keepalive::new(INTERVAL, PATIENCE)));
    peer.take(0);
    let (took, result) = timed(conn.receive(&mut [0; 16], LONG)).await;
    assert_timeout(result, Wait::Wire);
    assert_about(took, INTERVAL + LONG.wire);

    let (mut conn, peer) = server();
    peer.take(0);
    peer.send(&[ping("p")]);
    let (took, result) = timed(conn.receive(&mut [0; 16], Timeouts::new(WIRE * 10, WIRE))).await;
    assert_timeout(result, Wait::Idle);
    // It cannot be told either, within the time that last words have.
    assert_about(took, WIRE + SECOND);
}

/// Somebody else is at a frame, and the peer does not read it: life is looked for all the same.
#[tokio::test(start_paused = true)]
async fn a_peer_without_life_is_given_up_while_a_message_is_half_written() {
    let (mut conn, peer) = server();
    conn.set_keepalive(Some(Keepalive::new(INTERVAL, PATIENCE)));
    assert!(timeout(INTERVAL, conn.receive(&mut [0; 16], LONG)).await.is_err());
    assert_eq!(peer.sent().len(), 1);
    peer.take(10);
    let sender = conn.sender();
    let send = tokio::spawn(async move { sender.send(Opcode::BINARY, &[0; 5000], 1000 * SECOND).await });
    let (took, result) = timed(conn.receive(&mut [0; 16], LONG)).await;
    assert_timeout(result, Wait::Pong);
    assert!(took <= PATIENCE + 2 * SECOND, "{took:?}");
    assert!(send.await.unwrap().is_err());
}
