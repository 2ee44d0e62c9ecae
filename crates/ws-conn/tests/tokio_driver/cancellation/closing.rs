use super::{Drops, binary, each_transport, messages};
use crate::T;
use crate::transport::{Pair, Peer};
use ws_conn::{CloseCode, Error, Fault, Opcode, Violation};
use ws_testkit::naive::{self, CLOSE, Frame, PONG, close, continuation, ping, pong};

const CODE: CloseCode = CloseCode::GOING_AWAY;

/// What the peer still sends when it has not seen our Close yet: it is delivered, and then its own Close ends it all.
fn last_words() -> Vec<Frame> {
    vec![
        naive::binary(binary(30, 0)).not_final(),
        ping("in between"),
        continuation(binary(200, 1)),
        naive::text("and this"),
        ping("after"),
        close(4000, "theirs"),
    ]
}

#[test]
fn a_dropped_send_close_is_sent_by_whoever_comes_next() {
    each_transport(&[1, 2, 3, 7, 64], |_, new| {
        for polls in 1..12 {
            for drops in Drops::all() {
                let (mut conn, peer) = new();
                peer.send(&last_words());
                peer.hang_up();
                let sender = conn.sender();
                peer.poll(sender.send_close(CODE, "ours", T.wire), polls);
                assert_eq!(sender.closed().map(|closed| closed.0), Some(CODE));
                hear_out(&mut conn, &peer, drops, 0);
                assert_eq!(peer.sent(), [close(1001, "ours")]);
            }
        }
    });
}

/// The Close goes out while a message is half received.
#[test]
fn a_message_in_progress_is_received_although_a_close_is_sent_meanwhile() {
    each_transport(&[1, 2, 3, 7], |_, new| {
        for parked in [1, 5, 12, 20] {
            for polls in 0..12 {
                let (mut conn, peer) = new();
                peer.send(&last_words());
                peer.hang_up();
                assert!(peer.poll(conn.receive(&mut [0; 300], T), parked).is_none());
                let sender = conn.sender();
                peer.poll(sender.send_close(CODE, "ours", T.wire), polls);
                // Never polled is never called.
                peer.run(sender.send_close(CODE, "ours", T.wire)).unwrap();
                hear_out(&mut conn, &peer, Drops::Every(1), 0);
                let sent = peer.sent();
                assert!(sent.iter().rev().skip(1).all(|frame| *frame == pong("in between")), "{sent:?}");
                assert_eq!(sent.last(), Some(&close(1001, "ours")));
            }
        }
    });
}

/// The receiving call is dropped while it answers the Close, shuts the transport down, and reads to its end.
#[test]
fn the_end_is_reported_however_often_its_call_is_dropped() {
    each_transport(&[1, 2, 3, 7, 64], |_, new| {
        for drops in Drops::all().chain((0..12).map(Drops::Once)) {
            let (mut conn, peer) = new();
            peer.send(&last_words());
            peer.send_bytes(b"what follows a Close is not looked at");
            peer.hang_up();
            hear_out(&mut conn, &peer, drops, 4000);
            let sent = peer.sent();
            assert_eq!(sent.last(), Some(&close(4000, "")));
            assert_eq!(sent.iter().filter(|frame| frame.opcode == CLOSE).count(), 1);
            assert!(peer.is_shut() && peer.is_read());
            // And nothing can be sent any more.
            let error = peer.run(conn.sender().send(Opcode::TEXT, b"late", T.wire)).unwrap_err();
            assert_eq!(error.closed().map(CloseCode::get), Some(4000));
        }
    });
}

/// Receives both messages of [`last_words`], then the status, twice. A `code` of 0 stands for the one of this side.
fn hear_out(conn: &mut Pair, peer: &Peer, mut drops: Drops, code: u16) {
    let code = if code == 0 { CODE.get() } else { code };
    let mut buffer = [0; 300];
    let mut results = Vec::new();
    while results.len() < 4 {
        let received = peer.poll(conn.receive(&mut buffer, T), drops.polls());
        results.extend(received.map(|result| {
            result.map(|received| buffer[..received.len].to_vec()).map_err(|error| error.closed().map(CloseCode::get))
        }));
    }
    let first = [binary(30, 0), binary(200, 1)].concat();
    assert_eq!(results, [Ok(first), Ok(b"and this".to_vec()), Err(Some(code)), Err(Some(code))]);
}

/// A cause is told once, by the call that resolves first, and the status ever after.
#[test]
fn a_violation_is_told_once_however_often_its_call_is_dropped() {
    each_transport(&[1, 2, 7, 64], |_, new| {
        for mut drops in Drops::all().chain((0..12).map(Drops::Once)) {
            let (mut conn, peer) = new();
            peer.send(&[ping("p"), continuation("of nothing")]);
            peer.hang_up();
            let mut errors = Vec::new();
            while errors.len() < 3 {
                errors.extend(
                    peer.poll(async { conn.message(T).await.map(|_| ()) }, drops.polls()).map(Result::unwrap_err),
                );
            }
            let violation = Violation::ContinuationUnexpected;
            assert!(matches!(&errors[0], Error::Fault(Fault::Violation(told)) if *told == violation), "{}", errors[0]);
            assert_eq!(errors[1].closed(), Some(CloseCode::PROTOCOL_ERROR));
            assert_eq!(errors[2].closed(), Some(CloseCode::PROTOCOL_ERROR));
            let sent = peer.sent();
            assert_eq!(sent.last().and_then(Frame::close_code), Some(1002));
            assert!(sent.len() == 1 || sent.len() == 2 && sent[0].opcode == PONG, "{sent:?}");
        }
    });
}

/// What was fed goes out before the Close, and what the peer still sends is discarded.
#[test]
fn a_dropped_finish_is_repeated_and_ends_in_order() {
    each_transport(&[1, 2, 3, 7, 64], |_, new| {
        for mut drops in Drops::all().chain((0..30).map(Drops::Once)) {
            let (mut conn, peer) = new();
            let sender = conn.sender();
            peer.run(sender.feed(Opcode::TEXT, b"fed", T.wire)).unwrap();
            peer.send(&last_words());
            peer.hang_up();
            let codes = [CODE, CloseCode::NORMAL, CloseCode::UNEXPECTED];
            let mut polled = codes.into_iter().cycle();
            let (mut first, mut code) = (None, CODE);
            let closed = loop {
                let polls = drops.polls();
                if polls > 0 {
                    code = polled.next().unwrap();
                    first.get_or_insert(code);
                }
                if let Some(closed) = peer.poll(conn.finish(code, "done", T.wire), polls) {
                    break closed.unwrap();
                }
            };
            assert_eq!(Some(closed.0), first);
            let sent = peer.sent();
            assert_eq!(messages(&sent), [(1, b"fed".to_vec())]);
            assert_eq!(sent.last(), Some(&close(CODE.get(), "done")));
            assert!(peer.is_shut());
            let error = peer.run(conn.receive(&mut [0; 300], T)).unwrap_err();
            assert_eq!(error.closed(), Some(CODE));
        }
    });
}

/// The connection is dropped with whatever is under way: the transport is closed, and its senders know.
#[test]
fn a_connection_that_is_dropped_anywhere_closes_the_transport() {
    each_transport(&[1, 7], |_, new| {
        for polls in 0..40 {
            let (mut conn, peer) = new();
            peer.send(&last_words());
            let sender = conn.sender();
            assert!(peer.poll(conn.receive(&mut [0; 300], T), polls.min(20)).is_none());
            peer.poll(async { sender.send(Opcode::TEXT, &[b'x'; 2000], T.wire).await.unwrap() }, polls);
            drop(conn);
            assert!(peer.is_shut());
            let error = peer.run(sender.send(Opcode::TEXT, b"late", T.wire)).unwrap_err();
            assert_eq!(error.closed(), Some(CloseCode::ABNORMAL), "{error}");
            assert_eq!(sender.closed().map(|closed| closed.0), Some(CloseCode::ABNORMAL));
        }
    });
}
