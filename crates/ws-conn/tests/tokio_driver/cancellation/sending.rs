use super::{Drops, each_transport, messages, text};
use crate::T;
use crate::transport::{Pair, Peer};
use core::cell::Cell;
use std::collections::BTreeSet;
use tokio::io::AsyncWriteExt;
use ws_conn::{CloseCode, Opcode};
use ws_testkit::naive::{CLOSE, Frame, PING, PONG, TEXT, ping};

/// What the test tried to send: it is on the wire, may be, or is not.
pub(super) struct Tried {
    pub(super) message: (u8, Vec<u8>),
    pub(super) resolved: bool,
    pub(super) polled: bool,
}

#[test]
fn a_dropped_send_is_whole_or_absent() {
    sending(|conn, peer, (opcode, payload), polls| {
        let sender = conn.sender();
        peer.poll(async { sender.send(opcode, payload, T.wire).await.unwrap() }, polls).is_some()
    });
}

#[test]
fn a_dropped_feed_and_flush_are_whole_or_absent() {
    sending(|conn, peer, (opcode, payload), polls| {
        let sender = conn.sender();
        let fed = peer.poll(async { sender.feed(opcode, payload, T.wire).await.unwrap() }, polls).is_some();
        peer.poll(async { sender.flush(T.wire).await.unwrap() }, polls);
        fed
    });
}

#[test]
fn a_dropped_send_of_the_connection_itself_is_whole_or_absent() {
    sending(|conn, peer, (opcode, payload), polls| {
        let mut sender = conn.sender_mut();
        peer.poll(async { sender.send(opcode, payload, T.wire).await.unwrap() }, polls).is_some()
    });
}

#[test]
fn a_dropped_feed_and_flush_of_the_connection_itself_are_whole_or_absent() {
    sending(|conn, peer, (opcode, payload), polls| {
        let mut sender = conn.sender_mut();
        let fed = peer.poll(async { sender.feed(opcode, payload, T.wire).await.unwrap() }, polls).is_some();
        peer.poll(async { sender.flush(T.wire).await.unwrap() }, polls);
        fed
    });
}

/// Each frame by whom it comes: what one of them has left the other goes on with.
#[test]
fn dropped_sends_of_the_connection_and_of_a_handle_in_turns_are_whole_or_absent() {
    let handles = Cell::new(false);
    sending(|conn, peer, (opcode, payload), polls| {
        if handles.replace(!handles.get()) {
            let sender = conn.sender();
            peer.poll(async { sender.send(opcode, payload, T.wire).await.unwrap() }, polls).is_some()
        } else {
            let mut sender = conn.sender_mut();
            peer.poll(async { sender.send(opcode, payload, T.wire).await.unwrap() }, polls).is_some()
        }
    });
}

#[test]
fn a_dropped_write_frame_is_whole_or_absent() {
    sending(|conn, peer, (opcode, payload), polls| {
        let mut frames = conn.frames(T);
        frames.set_write_mode(opcode, true);
        peer.poll(async { frames.write_frame(payload).await.unwrap() }, polls).is_some()
    });
}

#[test]
fn a_dropped_send_of_a_control_frame_is_whole_or_absent() {
    each_transport(&[1, 2, 3, 7, 64], |_, new| {
        for mut drops in Drops::all() {
            let (mut conn, peer) = new();
            let sender = conn.sender();
            let mut tried = Vec::new();
            for len in [0, 4, 125, 4, 125] {
                attempts(&mut tried, (PING, text(len)), &mut drops, |payload, polls| {
                    peer.poll(async { sender.send(Opcode::PING, payload, T.wire).await.unwrap() }, polls).is_some()
                });
            }
            finish(&mut conn, &peer);
            let sent = peer.sent().into_iter().filter(|frame| frame.opcode == PING);
            assert_sent(&tried, &sent.map(|frame| (frame.opcode, frame.payload)).collect::<Vec<_>>());
        }
    });
}

/// Sends messages of all sizes, each as often as it takes to resolve; then a Ping of the peer is answered and the
/// connection closed.
fn sending(send: impl Fn(&mut Pair, &Peer, (Opcode, &[u8]), usize) -> bool) {
    for (paces, sizes) in [(&[1, 2, 3, 7][..], [0, 1, 125, 126, 600]), (&[64, 4096], [1023, 1024, 5000, 70_000, 1])] {
        each_transport(paces, |_, new| {
            let once = (0..4).map(Drops::Once);
            for mut drops in Drops::all().chain(once) {
                let (mut conn, peer) = new();
                let mut tried = Vec::new();
                for len in sizes {
                    attempts(&mut tried, (TEXT, text(len)), &mut drops, |payload, polls| {
                        send(&mut conn, &peer, (Opcode::TEXT, payload), polls)
                    });
                }
                finish(&mut conn, &peer);
                assert_sent(&tried, &messages(&peer.sent()));
            }
        });
    }
}

/// Tries until it resolves, but not for ever: a transport slower than the attempts never lets them resolve.
fn attempts(
    tried: &mut Vec<Tried>,
    (opcode, payload): (u8, Vec<u8>),
    drops: &mut Drops,
    mut attempt: impl FnMut(&[u8], usize) -> bool,
) {
    for _ in 0..10 {
        // Each attempt has a payload of its own, where there is room for that: in place of the first two characters.
        let mut payload = payload.clone();
        if let Some(front) = payload.first_chunk_mut() {
            let number = tried.len();
            *front = [number / 100 % 10, number / 10 % 10, number % 10].map(|digit| b'0' + digit as u8);
        }
        let polls = drops.polls();
        let resolved = attempt(&payload, polls);
        tried.push(Tried { message: (opcode, payload), resolved, polled: polls > 0 });
        if resolved {
            return;
        }
    }
}

/// A receiving call completes what others began: a Ping is answered behind it, and a Close follows.
pub(super) fn finish(conn: &mut Pair, peer: &Peer) {
    peer.send(&[ping("still there?"), Frame::new(CLOSE, [])]);
    peer.hang_up();
    let error = peer.run(conn.receive(&mut [0; 16], T)).unwrap_err();
    assert_eq!(error.closed(), Some(CloseCode::NO_STATUS), "{error}");
    let sent = peer.sent();
    let [.., pong, close] = &sent[..] else { panic!("{} frames", sent.len()) };
    assert_eq!((pong.opcode, &pong.payload[..], close.opcode), (PONG, &b"still there?"[..], CLOSE));
}

/// What resolved is there, in order and once; what was dropped may be, whole and in its place, if it was polled at all.
#[track_caller]
pub(super) fn assert_sent(tried: &[Tried], sent: &[(u8, Vec<u8>)]) {
    // All places in `sent` that the attempts so far can have led to.
    let mut places = BTreeSet::from([0]);
    for attempt in tried {
        let found = places.iter().filter(|&&at| attempt.polled && sent.get(at) == Some(&attempt.message));
        let mut next: BTreeSet<usize> = found.map(|at| at + 1).collect();
        if !attempt.resolved {
            next.extend(&places);
        }
        places = next;
    }
    let (tried, all) = (tried.iter().map(|tried| (tried.message.1.len(), tried.resolved)), sent.len());
    let lens: Vec<_> = sent.iter().map(|(_, payload)| payload.len()).collect();
    assert!(places.contains(&all), "tried {:?}, sent {lens:?}", tried.collect::<Vec<_>>());
}

#[test]
fn a_dropped_send_stream_has_begun_nothing() {
    each_transport(&[1, 64], |_, new| {
        let (mut conn, peer) = new();
        let sender = conn.sender();
        let mut open = peer.run(sender.send_stream(Opcode::BINARY, T.wire)).unwrap();
        // Another message is open, so that this one waits.
        assert!(poll_once(sender.send_stream(Opcode::TEXT, T.wire)).is_none());
        peer.run(open.finish()).unwrap();
        peer.run(sender.send(Opcode::TEXT, b"after", T.wire)).unwrap();
        finish(&mut conn, &peer);
        assert_eq!(messages(&peer.sent()), [(2, vec![]), (1, b"after".to_vec())]);
    });
}

#[test]
fn a_dropped_write_to_a_stream_wrote_nothing() {
    for pace in [1, 7, 64, 4096] {
        each_transport(&[pace], |role, new| {
            for mut drops in Drops::all() {
                let (mut conn, peer) = new();
                let sender = conn.sender();
                let mut writer = peer.run(sender.send_stream(Opcode::TEXT, T.wire)).unwrap();
                let whole = text(if pace < 64 { 3000 } else { 90_000 });
                let mut rest = &whole[..];
                while !rest.is_empty() {
                    let chunk = &rest[..rest.len().min(20_000)];
                    let wrote = peer.poll(async { writer.write(chunk).await.unwrap() }, drops.polls());
                    rest = &rest[wrote.unwrap_or(0)..];
                    // Control frames go between the fragments, also those that the receiving direction owes.
                    peer.poll(async { sender.send(Opcode::PING, b"p", T.wire).await.unwrap() }, drops.polls());
                }
                while peer.poll(async { writer.flush().await.unwrap() }, drops.polls()).is_none() {}
                while peer.poll(async { writer.shutdown().await.unwrap() }, drops.polls()).is_none() {}
                drop(writer);
                finish(&mut conn, &peer);
                assert!(messages(&peer.sent()) == [(TEXT, whole)], "{role:?} {drops:?}");
            }
        });
    }
}

/// The fragments lie in the queue, so that a small one is there as a whole or not at all.
#[test]
fn a_dropped_write_chunk_is_whole_or_absent() {
    each_transport(&[1, 7, 64], |_, new| {
        for mut drops in Drops::all() {
            let (mut conn, peer) = new();
            let sender = conn.sender();
            let mut writer = peer.run(sender.send_stream(Opcode::TEXT, T.wire)).unwrap();
            let mut whole = Vec::new();
            for number in 0..60 {
                let chunk = format!("{number:04} ").repeat(if number % 3 == 0 { 500 } else { 7 });
                if peer.poll(async { writer.write_chunk(chunk.as_bytes()).await.unwrap() }, drops.polls()).is_some() {
                    whole.extend(chunk.into_bytes());
                }
            }
            peer.run(writer.finish()).unwrap();
            finish(&mut conn, &peer);
            assert!(messages(&peer.sent()) == [(TEXT, whole)], "{drops:?}");
        }
    });
}

/// Its writer is dropped with it here: the message is finished, or it is given up.
#[test]
fn a_dropped_finish_finishes_the_message_or_closes_with_1011() {
    let mut finished = [0, 0];
    each_transport(&[1, 3, 64], |_, new| {
        for polls in 0..20 {
            let (mut conn, peer) = new();
            let sender = conn.sender();
            let mut writer = peer.run(sender.send_stream(Opcode::TEXT, T.wire)).unwrap();
            peer.run(writer.write_chunk(b"half")).unwrap();
            peer.poll(async { writer.finish().await.unwrap() }, polls);
            drop(writer);
            peer.send(&[Frame::new(CLOSE, [])]);
            peer.hang_up();
            let error = peer.run(conn.receive(&mut [0; 16], T)).unwrap_err();
            let sent = peer.sent();
            match error.closed() {
                Some(CloseCode::NO_STATUS) => {
                    assert_eq!(messages(&sent), [(TEXT, b"half".to_vec())], "{polls} polls");
                    finished[1] += 1;
                }
                Some(CloseCode::UNEXPECTED) => {
                    assert!(sent.iter().all(|frame| !frame.fin || frame.is_control()), "{polls} polls");
                    assert_eq!(sent.last().and_then(Frame::close_code), Some(1011));
                    finished[0] += 1;
                }
                _ => panic!("{polls} polls: {error}"),
            }
        }
    });
    assert!(finished[0] > 0 && finished[1] > 0, "{finished:?}");
}

/// Without progress of the transport.
fn poll_once<F: Future>(future: F) -> Option<F::Output> {
    let mut cx = core::task::Context::from_waker(core::task::Waker::noop());
    match core::pin::pin!(future).poll(&mut cx) {
        core::task::Poll::Ready(output) => Some(output),
        core::task::Poll::Pending => None,
    }
}
