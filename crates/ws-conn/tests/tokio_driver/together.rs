//! Calls that wait at the same time: what one of them does, or fails to do, is not the other's undoing.

use crate::transport::Task;
use crate::wire::{Half, assert_closed, server};
use core::task::Poll;
use core::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, sleep, timeout};
use ws_conn::tokio::{Keepalive, MessageWriter, Sender};
use ws_conn::{CloseCode, Error, Fault, Opcode, Timeouts, Wait};
use ws_testkit::naive::{self, CLOSE, PING, pong};

const SECOND: Duration = Duration::from_secs(1);
/// Longer than every deadline of a test.
const LONG: Duration = Duration::from_secs(3600);
const KEY: [u8; 4] = [1, 2, 3, 4];
/// More than the queue holds.
const MUCH: usize = 100_000;

// A flush waits for what was queued before it. If it waited for an empty queue, others could keep it waiting for as long
// as they have something to send, and it would close the connection of a peer that reads.
#[tokio::test(start_paused = true)]
async fn a_send_does_not_wait_for_what_others_queue_behind_it() {
    let (wire, conn) = server();
    let sender = conn.sender();
    let mut send = Task::new(sender.send(Opcode::PING, b"p", LONG));
    assert!(send.poll().is_pending());
    let mut writer = sender.send_stream(Opcode::BINARY, LONG).await.unwrap();
    let mut stream = Task::new(async {
        loop {
            writer.write_all(&[7; 1000]).await.unwrap();
        }
    });
    assert!(stream.poll().is_pending());
    // The stream comes first each time, and leaves no room.
    wire.let_through(MUCH);
    assert!(stream.poll().is_pending());
    assert!(wire.sent_opcodes().contains(&PING));
    assert!(matches!(send.poll(), Poll::Ready(Ok(()))));
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_stream_does_not_wait_for_what_others_queue_behind_it() {
    let (wire, conn) = server();
    let sender = conn.sender();
    let mut writer = sender.send_stream(Opcode::BINARY, LONG).await.unwrap();
    writer.write_chunk(b"one").await.unwrap();
    let mut finish = Task::new(writer.finish());
    assert!(finish.poll().is_pending());
    let mut pings = Task::new(async {
        loop {
            sender.feed(Opcode::PING, &[b'p'; 100], LONG).await.unwrap();
        }
    });
    assert!(pings.poll().is_pending());
    wire.let_through(MUCH);
    assert!(pings.poll().is_pending());
    assert!(matches!(finish.poll(), Poll::Ready(Ok(()))));
}

// "Queued bytes keep their wire deadline": also those that TLS took and could not hand on, whatever else the peer sends.
#[tokio::test(start_paused = true)]
async fn a_peer_that_reads_nothing_and_talks_meets_wire_although_the_transport_took_it_all() {
    let (wire, mut conn) = server();
    (wire.lock().room, wire.lock().holds) = (usize::MAX, true);
    conn.sender().feed(Opcode::TEXT, b"unread", SECOND).await.unwrap();
    let peer = wire.clone();
    tokio::spawn(async move {
        loop {
            sleep(SECOND / 4).await;
            peer.arrive(&pong("I live").masked(KEY).bytes());
        }
    });
    let began = Instant::now();
    let result = conn.receive(&mut [0; 16], Timeouts::new(SECOND, 60 * SECOND)).await;
    assert!(matches!(result, Err(Error::Fault(Fault::Timeout(Wait::Wire)))), "{result:?}");
    assert!(began.elapsed() < 2 * SECOND, "{:?}", began.elapsed());
}

// "`Fault::Closed` once the connection is closed": the message that is waited for may never end.
#[tokio::test(start_paused = true)]
async fn who_waits_for_the_turn_of_a_message_is_told_that_the_connection_closes() {
    for way in 0..3 {
        let (wire, conn) = server();
        wire.open();
        let (sender, mut writer) = (conn.sender(), begun(&conn.sender()).await);
        let mut send = Task::new(sender.send(Opcode::TEXT, b"waits", LONG));
        let mut stream = Task::new(sender.send_stream(Opcode::TEXT, LONG));
        assert!(send.poll().is_pending() && stream.poll().is_pending());
        let code = match way {
            0 => sender.send_close(CloseCode::GOING_AWAY, "", LONG).await.unwrap().0,
            1 => {
                drop(writer);
                CloseCode::UNEXPECTED
            }
            _ => {
                // The peer stops reading in the midst of the message.
                wire.lock().room = 0;
                let result = timeout(60 * SECOND, writer.write_chunk(&[7; MUCH])).await.unwrap();
                assert!(matches!(result, Err(Error::Fault(Fault::Timeout(Wait::Wire)))), "{result:?}");
                CloseCode::POLICY
            }
        };
        assert!(send.is_woken() && stream.is_woken(), "way {way}");
        for result in [send.poll(), stream.poll().map(|result| result.map(drop))] {
            let Poll::Ready(result) = result else { panic!("way {way}: it goes on to wait") };
            assert_closed(result, code);
        }
    }
}

// The receiving call wrote it, and is done, before the sender is polled again.
#[tokio::test]
async fn a_send_whose_bytes_another_wrote_succeeds_although_the_connection_is_gone_since() {
    let (wire, mut conn) = server();
    let sender = conn.sender();
    let mut send = Task::new(sender.send(Opcode::TEXT, b"sent", LONG));
    assert!(send.poll().is_pending());
    wire.open();
    wire.arrive(&naive::text("thanks").masked(KEY).bytes());
    conn.receive(&mut [0; 16], Timeouts::new(LONG, LONG)).await.unwrap();
    assert!(Task::new(conn.receive(&mut [0; 16], Timeouts::new(LONG, LONG))).poll().is_pending());
    drop(conn);
    assert_eq!(wire.sent(), [naive::text("sent")]);
    assert!(matches!(send.poll(), Poll::Ready(Ok(()))));
}

// Nobody receives, so that nobody but those who gave up can tell.
#[tokio::test(start_paused = true)]
async fn who_waits_for_the_transport_is_told_that_another_gave_it_up() {
    let (_wire, conn) = server();
    let (sender, mut writer) = (conn.sender(), begun(&conn.sender()).await);
    let mut send = Task::new(sender.send(Opcode::PING, b"p", LONG));
    let mut waits = Task::new(sender.send(Opcode::PING, b"q", LONG));
    assert!(send.poll().is_pending() && waits.poll().is_pending());
    let result = writer.write_chunk(&[7; MUCH]).await;
    assert!(matches!(result, Err(Error::Fault(Fault::Timeout(Wait::Wire)))), "{result:?}");
    for mut send in [send, waits] {
        assert!(send.is_woken());
        let Poll::Ready(result) = send.poll() else { panic!("it goes on to wait") };
        assert_closed(result, CloseCode::POLICY);
    }
}

// A call whose turn does not come reports its lateness only if there was a turn to come.
#[tokio::test(start_paused = true)]
async fn who_is_late_for_its_turn_on_a_closed_connection_is_told_that_it_is_closed() {
    let (_wire, conn) = server();
    let sender = conn.sender();
    let mut stuck = Task::new(sender.send(Opcode::BINARY, &[7; MUCH], LONG));
    assert!(stuck.poll().is_pending());
    let (result, _) = tokio::join!(biased;
        sender.send(Opcode::PING, b"late", 2 * SECOND),
        sender.send_close(CloseCode::GOING_AWAY, "", SECOND)
    );
    assert_closed(result, CloseCode::GOING_AWAY);
}

// The queue has room for neither Pong nor Close. When it has, nobody else is there to send it.
#[tokio::test(start_paused = true)]
async fn a_close_for_which_there_was_no_room_leaves_within_send_close() {
    let (wire, conn) = server();
    let sender = conn.sender();
    // Headers of 4 bytes each, and in the end 100 bytes of room.
    for len in [1000; 65].into_iter().chain([172]) {
        sender.feed(Opcode::BINARY, &[7; 1000][..len], LONG).await.unwrap();
    }
    let mut close = Task::new(sender.send_close(CloseCode::NORMAL, "", LONG));
    assert!(close.poll().is_pending());
    wire.open();
    assert!(matches!(close.poll(), Poll::Ready(Ok(_))));
    assert_eq!(wire.sent_opcodes().last(), Some(&CLOSE));
}

// "Measured round-trip time, readable at any moment": while a call receives, too.
#[tokio::test(start_paused = true)]
async fn the_round_trip_is_told_while_a_call_receives() {
    let (wire, mut conn) = server();
    wire.open();
    conn.set_keepalive(Some(Keepalive::new(10 * SECOND, SECOND)));
    let sender = conn.sender();
    let mut buf = [0; 16];
    let mut receive = core::pin::pin!(conn.receive(&mut buf, Timeouts::new(SECOND, LONG)));
    assert!(timeout(11 * SECOND - SECOND / 2, &mut receive).await.is_err());
    assert_eq!(sender.round_trip(), None);
    let [sent] = &wire.sent()[..] else { panic!("a Ping is to be there") };
    wire.arrive(&pong(&sent.payload[..]).masked(KEY).bytes());
    assert!(timeout(10 * SECOND, &mut receive).await.is_err());
    assert_eq!(sender.round_trip(), Some(SECOND / 2));
}

/// A message whose first fragment is in the queue.
async fn begun(sender: &Sender<Half>) -> MessageWriter<Half> {
    let mut writer = sender.send_stream(Opcode::BINARY, SECOND).await.unwrap();
    writer.write_chunk(b"begun").await.unwrap();
    writer
}
