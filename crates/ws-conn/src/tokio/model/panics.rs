//! Transports that panic in the midst of a frame.

use super::peer::{Peer, Way};
use super::{BINARY, FRAME, LONG};
use crate::driver::model::{block_on, check};
use core::panic::AssertUnwindSafe;
use loom::thread;
use std::panic::catch_unwind;

/// One of two senders meets the panic, whoever it is; the other one is told, and nothing follows what broke off.
#[test]
fn nothing_is_written_behind_a_frame_in_which_the_transport_panicked() {
    check(2, || {
        let peer = Peer::with(Way::Panics, 3);
        let conn = peer.conn();
        let sends = [conn.sender(), conn.sender()].map(|sender| {
            thread::spawn(move || {
                let send = AssertUnwindSafe(|| block_on(sender.send(BINARY, b"abc", LONG)));
                catch_unwind(send).map_or(None, |sent| Some(sent.is_ok()))
            })
        });
        let sent = sends.map(|send| send.join().unwrap());
        assert!(sent.contains(&None), "the panic is passed on");
        assert!(peer.output().len() < FRAME, "{:?}: {sent:?}", peer.output());
        drop(conn);
    });
}
