//! Transports that wake late, or not whom one might think, or in the midst of a call.

use super::peer::{Peer, Way};
use super::{BINARY, FRAME, LONG, join, receive, send};
use crate::driver::model::{block_on, check, poll_once};
use loom::thread;

/// The transport takes the bytes of the sender from who receives, and has nobody to wake afterwards.
#[test]
fn a_sender_whose_bytes_another_has_written_comes_to_an_end() {
    check(2, || {
        let peer = Peer::with(Way::Forgets, 1);
        let conn = peer.conn();
        let others = [send(conn.sender()), peer.opens_late(FRAME)];
        let conn = receive(conn);
        join(others);
        drop(conn);
    });
}

#[test]
fn a_transport_that_wakes_while_it_is_called_keeps_nobody_waiting() {
    check(2, || {
        let peer = Peer::with(Way::Wakes, 1);
        let conn = peer.conn();
        let others = [send(conn.sender()), peer.opens(FRAME)];
        let conn = receive(conn);
        join(others);
        drop(conn);
    });
}

#[test]
fn what_the_transport_holds_back_is_handed_on_in_the_end() {
    check(2, || {
        let peer = Peer::with(Way::Holds, usize::MAX);
        let conn = peer.conn();
        let others = [send(conn.sender()), peer.opens(FRAME)];
        let conn = receive(conn);
        join(others);
        drop(conn);
    });
}

#[test]
fn all_are_told_that_the_transport_cannot_hand_on_what_it_took() {
    check(2, || {
        let peer = Peer::with(Way::Fails, usize::MAX);
        let conn = peer.conn();
        let sends = [conn.sender(), conn.sender()]
            .map(|sender| thread::spawn(move || assert!(block_on(sender.send(BINARY, b"abc", LONG)).is_err())));
        join(sends);
        drop(conn);
    });
}

/// The payload is written from where it lies, or what is left of it copied when its sender goes.
#[test]
fn what_a_dropped_send_has_left_of_a_gathered_payload_is_written_by_who_receives() {
    const PAYLOAD: [u8; 1024] = [7; 1024];
    check(2, || {
        let peer = Peer::new(100);
        let conn = peer.conn();
        let sender = conn.sender();
        let dropped = thread::spawn(move || drop(poll_once(sender.send(BINARY, &PAYLOAD, LONG))));
        let opens = peer.opens(4 + PAYLOAD.len());
        let conn = receive(conn);
        join([dropped, opens]);
        drop(conn);
        assert_eq!(peer.output()[4..], PAYLOAD);
    });
}
