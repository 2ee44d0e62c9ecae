//! Transports that panic in the midst of a frame.

use super::peer::{Peer, Way};
use super::{BINARY, Conn, FRAME, LONG, Transport, Whole};
use crate::Role;
use crate::driver::model::{block_on, check};
use core::panic::AssertUnwindSafe;
use loom::thread;
use std::panic::catch_unwind;
use tokio::io::{AsyncRead, AsyncWrite};

/// One of two senders meets the panic, whoever it is; the other one is told, and nothing follows what broke off.
#[test]
fn nothing_is_written_behind_a_frame_in_which_the_transport_panicked() {
    check(2, || {
        let peer = Peer::with(Way::Panics, 3);
        let conn = peer.conn();
        nothing_follows(&peer, conn);
    });
}

#[test]
fn nothing_is_written_behind_a_frame_in_which_a_stream_that_cannot_be_split_panicked() {
    check(1, || {
        let peer = Peer::with(Way::Panics, 3);
        let (read, write) = Whole(peer.half()).split();
        nothing_follows(&peer, Conn::new(read, write, Role::Server));
    });
}

fn nothing_follows<R: AsyncRead + Unpin, W: AsyncWrite + Unpin + 'static>(peer: &Peer, conn: Conn<R, W>) {
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
}
