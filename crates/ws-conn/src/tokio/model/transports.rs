//! Transports that wake late, or not whom one might think.

use super::peer::{Peer, Way};
use super::{FRAME, join, receive, send};
use crate::driver::model::check;

/// The transport takes the bytes of the sender from who receives, and has nobody to wake afterwards.
#[test]
fn a_sender_whose_bytes_another_has_written_comes_to_an_end() {
    check(3, || {
        let peer = Peer::with(Way::Forgets, 1);
        let conn = peer.conn();
        let others = [send(conn.sender()), peer.opens_late(FRAME)];
        let conn = receive(conn);
        join(others);
        drop(conn);
    });
}
