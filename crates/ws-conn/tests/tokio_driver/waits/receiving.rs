use super::{IDLE, SECOND, W, WIRE, assert_about, assert_closed, assert_timeout, drip, repeat, server, timed};
use core::time::Duration;
use tokio::time::timeout;
use ws_conn::{CloseCode, Opcode, Wait};
use ws_testkit::naive::{Frame, binary, close, continuation, ping, text};

#[tokio::test(start_paused = true)]
async fn a_peer_that_says_nothing_meets_idle() {
    let (mut conn, peer) = server();
    let (took, result) = timed(conn.receive(&mut [0; 16], W)).await;
    assert_timeout(result, Wait::Idle);
    assert_about(took, IDLE);
    assert_eq!(peer.sent(), [close(1008, "idle timeout")]);
    assert_closed(conn.message(W).await.map(drop), CloseCode::POLICY);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_stops_meets_wire() {
    let (mut conn, peer) = server();
    peer.send_bytes(&peer.wire(&binary([0; 100]))[..20]);
    let (took, result) = timed(conn.receive(&mut [0; 128], W)).await;
    assert_timeout(result, Wait::Wire);
    assert_about(took, WIRE);
    assert_eq!(peer.sent(), [close(1008, "wire timeout")]);
}

/// The first byte begins the wait, and no later one moves it.
#[tokio::test(start_paused = true)]
async fn a_drip_of_bytes_extends_nothing() {
    let (mut conn, peer) = server();
    drip(&peer, peer.wire(&binary([0; 100])), SECOND / 2);
    let (took, result) = timed(conn.message(W)).await;
    assert_timeout(result.map(drop), Wait::Wire);
    assert_about(took, SECOND / 2 + WIRE);
}

#[tokio::test(start_paused = true)]
async fn control_frames_and_empty_fragments_extend_nothing() {
    let (mut conn, peer) = server();
    let empty = peer.wire(&continuation([]).not_final());
    let ping = peer.wire(&ping("there?"));
    peer.send(&[binary([1]).not_final()]);
    repeat(&peer, [empty, ping].into_iter().cycle().take(100).collect(), SECOND / 4);
    let (took, result) = timed(conn.receive(&mut [0; 16], W)).await;
    assert_timeout(result, Wait::Wire);
    assert_about(took, WIRE);
}

#[tokio::test(start_paused = true)]
async fn a_ping_per_interval_does_not_hold_an_idle_connection_open() {
    let (mut conn, peer) = server();
    repeat(&peer, vec![peer.wire(&ping("there?")); 100], SECOND);
    let (took, result) = timed(conn.receive(&mut [0; 16], W)).await;
    assert_timeout(result, Wait::Idle);
    assert_about(took, IDLE);
}

#[tokio::test(start_paused = true)]
async fn every_message_begins_a_new_idle_wait() {
    let (mut conn, peer) = server();
    repeat(&peer, vec![peer.wire(&text("m")); 3], IDLE - SECOND);
    for _ in 0..3 {
        let (took, result) = timed(conn.receive(&mut [0; 16], W)).await;
        result.unwrap();
        assert_about(took, IDLE - SECOND);
    }
    let (took, result) = timed(conn.receive(&mut [0; 16], W)).await;
    assert_timeout(result, Wait::Idle);
    assert_about(took, IDLE);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_and_repeated_restarts_nothing() {
    for begun in [false, true] {
        let (mut conn, peer) = server();
        let (patience, wait) = if begun { (WIRE, Wait::Wire) } else { (IDLE, Wait::Idle) };
        if begun {
            peer.send_bytes(&peer.wire(&binary([0; 100]))[..20]);
        }
        let (took, result) = timed(async {
            loop {
                let short = Duration::from_millis(300);
                let mut buffer = [0; 128];
                if let Ok(result) = timeout(short, conn.receive(&mut buffer, W)).await {
                    break result.map(drop);
                }
                if let Ok(result) = timeout(short, conn.message(W)).await {
                    break result.map(drop);
                }
            }
        })
        .await;
        assert_timeout(result, wait);
        assert_about(took, patience);
    }
}

/// In streams `wire` runs for each call: a slow peer is the reader's to judge.
#[tokio::test(start_paused = true)]
async fn each_read_of_a_stream_has_its_own_wire() {
    let (mut conn, peer) = server();
    let slow = WIRE - SECOND / 2;
    let message = peer.wire(&binary([7; 20]));
    let (header, payload) = message.split_at(6);
    peer.send_bytes(header);
    drip(&peer, payload.to_vec(), slow);
    let mut reader = conn.receive_stream(W).await.unwrap();
    for _ in 0..20 {
        let (took, read) = timed(reader.read_chunk(&mut [0; 16])).await;
        assert_eq!(read.unwrap(), 1);
        assert!(took <= slow + Duration::from_millis(1), "{took:?}");
    }
    assert_eq!(reader.read_chunk(&mut [0; 16]).await.unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn pings_do_not_extend_a_read_of_a_stream() {
    let (mut conn, peer) = server();
    peer.send(&[binary([7; 20]).not_final()]);
    repeat(&peer, vec![peer.wire(&ping("there?")); 100], SECOND / 2);
    let mut reader = conn.receive_stream(W).await.unwrap();
    assert_eq!(reader.read_chunk(&mut [0; 32]).await.unwrap(), 20);
    let (took, result) = timed(reader.read_chunk(&mut [0; 32])).await;
    assert_timeout(result, Wait::Wire);
    assert_about(took, WIRE);
}

/// After our Close the wait is for the peer's, whatever else it sends.
#[tokio::test(start_paused = true)]
async fn the_answer_to_a_close_is_waited_for_no_longer_than_wire() {
    let (mut conn, peer) = server();
    conn.sender().send_close(CloseCode::GOING_AWAY, "", WIRE).await.unwrap();
    repeat(&peer, vec![peer.wire(&text("more")); 100], SECOND / 2);
    let (took, result) = timed(async {
        loop {
            let message = conn.message(W).await;
            match message {
                Ok(message) => assert_eq!(message.text(), Some("more")),
                Err(error) => break Err::<(), _>(error),
            }
        }
    })
    .await;
    assert_closed(result, CloseCode::GOING_AWAY);
    assert_about(took, WIRE);
    assert_eq!(peer.sent(), [close(1001, "")]);
}

#[tokio::test(start_paused = true)]
async fn a_close_while_a_call_waits_ends_its_idle_wait() {
    let (mut conn, peer) = server();
    let sender = conn.sender();
    let mut buffer = [0; 16];
    let (took, (result, ())) = timed(async {
        tokio::join!(conn.receive(&mut buffer, W), async {
            tokio::time::sleep(SECOND).await;
            sender.send_close(CloseCode::NORMAL, "", WIRE).await.unwrap();
        })
    })
    .await;
    assert_closed(result, CloseCode::NORMAL);
    assert_about(took, SECOND + WIRE);
    assert_eq!(peer.sent(), [close(1000, "")]);
}

/// A connection that has ended reads on for a second, so that unread input does not destroy its last words.
#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_hang_up_is_waited_for_no_longer_than_a_second() {
    let (mut conn, peer) = crate::transport::Peer::new(ws_conn::Role::Server);
    repeat(&peer, vec![peer.wire(&text("more")); 100], SECOND / 4);
    peer.send(&[close(1000, "")]);
    let (took, result) = timed(conn.receive(&mut [0; 16], W)).await;
    assert_closed(result, CloseCode::NORMAL);
    assert_about(took, SECOND);
    // It is over: nothing is waited for any more.
    let (took, result) = timed(conn.receive(&mut [0; 16], W)).await;
    assert_closed(result, CloseCode::NORMAL);
    assert_about(took, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_silent_peer_is_waited_for_by_finish_no_longer_than_linger() {
    let (mut conn, peer) = crate::transport::Peer::new(ws_conn::Role::Server);
    repeat(&peer, vec![peer.wire(&text("more")); 100], SECOND);
    let (took, result) = timed(conn.finish(CloseCode::NORMAL, "bye", 3 * SECOND)).await;
    assert_eq!(result.unwrap().0, CloseCode::NORMAL);
    assert_about(took, 3 * SECOND);
    assert_eq!(peer.sent(), [close(1000, "bye")]);
    assert!(peer.is_shut());
}

/// A queue that the peer does not read keeps its own deadline, in whichever call that waits.
#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_read_its_answers_meets_wire_in_receive() {
    let (mut conn, peer) = server();
    peer.take(0);
    repeat(&peer, vec![peer.wire(&ping("there?")); 100], SECOND / 2);
    let (took, result) = timed(conn.receive(&mut [0; 16], W)).await;
    assert_timeout(result, Wait::Wire);
    assert_about(took, SECOND / 2 + WIRE);
    assert_eq!(conn.closed().map(|closed| closed.0), Some(CloseCode::POLICY));
    assert!(peer.is_shut());
    assert_closed(conn.sender().send(Opcode::TEXT, b"late", WIRE).await, CloseCode::POLICY);
}

/// What is not written yet is replaced by what is newer: a peer that asks faster than it reads costs one answer.
#[tokio::test(start_paused = true)]
async fn a_flood_of_pings_from_a_peer_that_does_not_read_costs_one_slot() {
    let (mut conn, peer) = server();
    peer.take(0);
    let pings: Vec<Frame> = (0..5000_u32).map(|number| ping(number.to_be_bytes())).collect();
    for pings in pings.chunks(50) {
        peer.send(pings);
        assert!(timeout(SECOND / 1000, conn.receive(&mut [0; 16], W)).await.is_err());
    }
    assert!(peer.is_read(), "the receiving direction stands still");
    peer.take(usize::MAX);
    assert!(timeout(SECOND, conn.receive(&mut [0; 16], W)).await.is_err());
    let sent = peer.sent();
    assert_eq!(sent.last().map(|pong| &pong.payload), pings.last().map(|ping| &ping.payload));
    // One read's worth of answers was in the queue before it was known that the peer does not read.
    assert!(sent.len() <= 51, "{} Pongs", sent.len());
}
