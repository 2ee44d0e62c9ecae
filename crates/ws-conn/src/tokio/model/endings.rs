//! The end of the connection while others are at it.

use super::peer::Peer;
use super::{BINARY, LONG, Sender, Transport, Whole, join};
use crate::driver::model::{block_on, check};
use crate::tokio::Conn;
use crate::{CloseCode, Role};
use loom::thread;
use tokio::io::AsyncWrite;

/// The peer takes nothing.
#[test]
fn who_sends_comes_to_an_end_when_the_connection_is_dropped() {
    check(2, || {
        let peer = Peer::new(1);
        let conn = peer.conn();
        let sends = [conn.sender(), conn.sender()].map(fails);
        drop(conn);
        join(sends);
    });
}

#[test]
fn who_sends_over_a_stream_that_cannot_be_split_comes_to_an_end_when_it_is_aborted_or_dropped() {
    check(2, || {
        let peer = Peer::new(1);
        let (read, write) = Whole(peer.half()).split();
        let conn = Conn::new(read, write, Role::Server);
        let sends = [fails(conn.sender())];
        let sender = conn.sender();
        let aborts = thread::spawn(move || drop(sender.abort()));
        drop(conn);
        join(sends);
        join([aborts]);
    });
}

/// What has begun leaves, and what has not is told of the Close.
#[test]
fn who_sends_comes_to_an_end_beside_a_close() {
    check(2, || {
        let peer = Peer::new(usize::MAX);
        let conn = peer.conn();
        let (sender, other) = (conn.sender(), conn.sender());
        let sends = thread::spawn(move || {
            if let Err(error) = block_on(other.send(BINARY, b"abc", LONG)) {
                assert_eq!(error.closed(), Some(CloseCode::NORMAL));
            }
        });
        block_on(sender.send_close(CloseCode::NORMAL, "", LONG)).unwrap();
        join([sends]);
        drop(conn);
    });
}

fn fails<W: AsyncWrite + Unpin + 'static>(sender: Sender<W>) -> thread::JoinHandle<()> {
    thread::spawn(move || assert!(block_on(sender.send(BINARY, b"abc", LONG)).is_err()))
}
