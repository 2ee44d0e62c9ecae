//! The driver itself, over a transport that is a model too: in all orders of its threads, as far as loom goes, everybody
//! comes to an end and every frame that has begun leaves.
//!
//! Run by `.ci/run loom`. Who waits for ever is a deadlock, which loom reports.

use self::peer::Peer;
use super::{Conn, Sender, Transport, Whole};
use crate::driver::model::{block_on, check, poll_once};
use crate::{CloseCode, Opcode, Role, Timeouts};
use core::time::Duration;
use loom::thread;
use tokio::io::{AsyncRead, AsyncWrite};

mod endings;
mod panics;
mod peer;
mod transports;

const BINARY: Opcode = Opcode::BINARY;
/// Without a timer: nobody is to be saved by its deadline.
const LONG: Duration = Duration::MAX;
const T: Timeouts = Timeouts::new(LONG, LONG);

/// The transport remembers one waker, and whoever polled last has gone.
#[test]
fn what_a_dropped_send_has_left_is_written_by_who_receives() {
    check(3, || {
        let peer = Peer::new(1);
        let conn = peer.conn();
        let dropped = send_and_drop(conn.sender());
        let opens = peer.opens(FRAME);
        let conn = receive(conn);
        join([dropped, opens]);
        drop(conn);
    });
}

/// As above, with a Pong that waits for the frame to end.
#[test]
fn a_pong_leaves_behind_a_frame_whose_sender_is_dropped() {
    check(2, || {
        let peer = Peer::new(1);
        peer.arrive(&PING);
        let conn = peer.conn();
        let dropped = send_and_drop(conn.sender());
        let opens = peer.opens(FRAME + PONG);
        let conn = receive(conn);
        join([dropped, opens]);
        drop(conn);
    });
}

#[test]
fn a_sender_that_waits_goes_on_when_the_one_before_it_is_dropped() {
    check(2, || {
        let peer = Peer::new(1);
        let conn = peer.conn();
        let others = [send_and_drop(conn.sender()), send(conn.sender()), peer.opens(FRAME)];
        join(others);
        drop(conn);
    });
}

#[test]
fn two_senders_and_a_receiver_all_come_to_an_end() {
    check(2, || {
        let peer = Peer::new(1);
        let conn = peer.conn();
        let others = [send(conn.sender()), send(conn.sender()), peer.opens(2 * FRAME)];
        let conn = receive(conn);
        join(others);
        drop(conn);
    });
}

/// With a lock as long as there is the handle, and without as soon as there is none.
#[test]
fn what_the_connection_sends_itself_leaves_beside_a_handle_that_goes() {
    check(3, || {
        let peer = Peer::new(1);
        let mut conn = peer.conn();
        let others = [send(conn.sender()), peer.opens(2 * FRAME)];
        block_on(conn.sender_mut().send(BINARY, b"abc", LONG)).unwrap();
        let conn = receive(conn);
        join(others);
        assert_eq!(peer.output().len(), 2 * FRAME);
        drop(conn);
    });
}

/// What a handle that is gone has left half out is finished before anything else.
#[test]
fn what_the_connection_sends_itself_goes_behind_what_a_dropped_handle_has_left() {
    check(3, || {
        let peer = Peer::new(1);
        let mut conn = peer.conn();
        let dropped = send_and_drop(conn.sender());
        let opens = peer.opens(FRAME);
        block_on(conn.sender_mut().send(BINARY, b"abc", LONG)).unwrap();
        let conn = receive(conn);
        join([dropped, opens]);
        let output = peer.output().len();
        assert!(output == FRAME || output == 2 * FRAME, "{output}");
        drop(conn);
    });
}

#[test]
fn a_stream_goes_on_when_a_frame_in_its_midst_is_dropped() {
    check(2, || {
        let peer = Peer::new(1);
        let conn = peer.conn();
        let (sender, other) = (conn.sender(), conn.sender());
        let streams = thread::spawn(move || {
            let mut writer = block_on(sender.send_stream(BINARY, LONG)).unwrap();
            block_on(writer.write_chunk(b"abc")).unwrap();
            block_on(writer.finish()).unwrap();
        });
        let dropped = thread::spawn(move || drop(poll_once(other.send(Opcode::PING, b"abc", LONG))));
        join([streams, dropped, peer.opens(FRAME + 2)]);
        drop(conn);
    });
}

#[test]
fn everybody_who_waits_is_told_of_an_abort() {
    check(2, || {
        let peer = Peer::new(1);
        let conn = peer.conn();
        let sender = conn.sender();
        let sends = [conn.sender(), conn.sender()].map(|sender| {
            thread::spawn(move || assert!(block_on(sender.send(BINARY, b"abc", LONG)).unwrap_err().closed().is_some()))
        });
        sender.abort();
        join(sends);
        drop(conn);
    });
}

/// The message under way may never end.
#[test]
fn who_waits_for_the_turn_of_a_message_is_told_of_a_close() {
    check(3, || {
        let peer = Peer::new(usize::MAX);
        let conn = peer.conn();
        let (sender, other) = (conn.sender(), conn.sender());
        let open = block_on(sender.send_stream(BINARY, LONG)).unwrap();
        let waits = thread::spawn(move || {
            assert!(block_on(other.send(BINARY, b"abc", LONG)).unwrap_err().closed().is_some());
        });
        block_on(sender.send_close(CloseCode::NORMAL, "", LONG)).unwrap();
        join([waits]);
        drop((open, conn));
    });
}

/// One stream, both directions, and one waker for both.
#[test]
fn both_directions_of_a_stream_that_cannot_be_split_come_to_an_end() {
    check(2, || {
        let peer = Peer::new(1);
        let (read, write) = Whole(peer.half()).split();
        let conn = Conn::new(read, write, Role::Server);
        let others = [send(conn.sender()), peer.opens(FRAME)];
        let conn = receive(conn);
        join(others);
        drop(conn);
    });
}

/// A message of three bytes.
const FRAME: usize = 5;
const PONG: usize = 3;
/// Masked, from a client: `p`, and a message of no bytes.
const PING: [u8; 7] = [0x89, 0x81, 0, 0, 0, 0, b'p'];
const MESSAGE: [u8; 6] = [0x82, 0x80, 0, 0, 0, 0];

/// The connection is to be dropped last by who has to see that nobody needs that to come to an end.
fn receive<R: AsyncRead + Unpin, W: AsyncWrite + Unpin>(mut conn: Conn<R, W>) -> Conn<R, W> {
    assert_eq!(block_on(conn.receive(&mut [0; 8], T)).unwrap().len, 0);
    conn
}

fn send<W: AsyncWrite + Unpin + 'static>(sender: Sender<W>) -> thread::JoinHandle<()> {
    thread::spawn(move || block_on(sender.send(BINARY, b"abc", LONG)).unwrap())
}

fn send_and_drop<W: AsyncWrite + Unpin + 'static>(sender: Sender<W>) -> thread::JoinHandle<()> {
    thread::spawn(move || drop(poll_once(sender.send(BINARY, b"abc", LONG))))
}

fn join(threads: impl IntoIterator<Item = thread::JoinHandle<()>>) {
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}
