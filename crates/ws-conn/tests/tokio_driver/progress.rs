//! Who does what another waits for tells it: the transport may have forgotten whom to wake.

use crate::T;
use crate::transport::Task;
use crate::wire::{Half, Wire, server};
use core::task::Poll;
use tokio::io::AsyncWriteExt;
use ws_conn::Opcode;
use ws_conn::tokio::Conn;
use ws_testkit::naive::{self, BINARY, PING};

/// A connection with a sender that waits for its frame to leave, and a transport that has become ready and has nobody to
/// wake for it.
fn waiting() -> (Wire, Conn<Half, Half>, Task<impl Future<Output = Result<(), ws_conn::Error>>>) {
    let (wire, conn) = server();
    let sender = conn.sender();
    let mut send = Task::new(async move { sender.send(Opcode::PING, b"p", T.wire).await });
    assert!(send.poll().is_pending());
    wire.lock().room = usize::MAX;
    wire.lock().forget();
    (wire, conn, send)
}

fn done(wire: &Wire, mut send: Task<impl Future<Output = Result<(), ws_conn::Error>>>) {
    assert!(wire.sent_opcodes().contains(&PING));
    assert!(send.is_woken(), "its bytes have left, and nobody tells it");
    assert!(matches!(send.poll(), Poll::Ready(Ok(()))));
}

#[tokio::test(start_paused = true)]
async fn a_send_is_woken_when_who_receives_has_written_its_bytes() {
    let (wire, mut conn, send) = waiting();
    assert!(Task::new(conn.receive(&mut [0; 16], T)).poll().is_pending());
    done(&wire, send);
}

#[tokio::test(start_paused = true)]
async fn a_send_is_woken_when_a_stream_has_written_its_bytes() {
    let (wire, conn, send) = waiting();
    let mut writer = conn.sender().send_stream(Opcode::BINARY, T.wire).await.unwrap();
    writer.write_all(b"stream").await.unwrap();
    writer.flush().await.unwrap();
    done(&wire, send);
    assert_eq!(wire.sent_opcodes(), [PING, BINARY]);
}

#[tokio::test(start_paused = true)]
async fn a_send_is_woken_when_the_end_of_the_connection_has_written_its_bytes() {
    let (wire, mut conn, send) = waiting();
    wire.arrive(&naive::close(1000, "").masked([1; 4]).bytes());
    wire.lock().room = 0;
    let mut buf = [0; 16];
    let mut receive = Task::new(conn.receive(&mut buf, T));
    assert!(receive.poll().is_pending());
    wire.lock().room = usize::MAX;
    wire.lock().forget();
    assert!(receive.poll().is_pending());
    done(&wire, send);
}

/// Only a part of the queue left, but all that the sender waits for.
#[tokio::test(start_paused = true)]
async fn a_send_is_woken_when_its_bytes_have_left_and_others_have_not() {
    let (wire, mut conn, send) = waiting();
    let mut writer = conn.sender().send_stream(Opcode::BINARY, T.wire).await.unwrap();
    writer.write_all(&[7; 1000]).await.unwrap();
    wire.lock().room = 100;
    assert!(Task::new(conn.receive(&mut [0; 16], T)).poll().is_pending());
    done(&wire, send);
}

/// A write that fails for one is the end for all.
#[tokio::test(start_paused = true)]
async fn a_send_is_woken_when_another_meets_the_failure_of_the_transport() {
    let (wire, mut conn, mut send) = waiting();
    let sender = conn.sender();
    let mut turn = Task::new(sender.send(Opcode::PING, b"q", T.wire));
    assert!(turn.poll().is_pending());
    wire.lock().broken = true;
    assert!(Task::new(conn.receive(&mut [0; 16], T)).poll().is_pending());
    assert!(send.is_woken() && turn.is_woken());
    assert!(matches!(send.poll(), Poll::Ready(Err(_))) && matches!(turn.poll(), Poll::Ready(Err(_))));
}

/// What is woken is dropped then: no waker is kept of who does not wait.
#[tokio::test(start_paused = true)]
async fn the_waker_of_a_send_that_is_done_is_not_kept() {
    let (wire, conn) = server();
    let sender = conn.sender();
    let mut send = Task::new(sender.send(Opcode::PING, b"p", T.wire));
    assert!(send.poll().is_pending());
    let wakers = send.wakers();
    assert!(wakers() > 1);
    wire.lock().room = usize::MAX;
    wire.lock().forget();
    assert!(matches!(send.poll(), Poll::Ready(Ok(()))));
    drop(send);
    assert_eq!(wakers(), 0);
    drop(conn);
}
