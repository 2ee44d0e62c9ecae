//! The tokio driver.
#![cfg(feature = "tokio")]

mod calls;
mod cancellation;
#[cfg(feature = "messages")]
mod messages;
mod panics;
mod parts;
mod progress;
mod reentrant;
mod review;
mod schedules;
mod shares;
mod streams;
mod threads;
mod together;
mod transport;
mod waits;
mod wakers;
mod wire;

use core::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use ws_conn::tokio::{Conn, Whole};
use ws_conn::{CloseCode, Opcode, Role, Timeouts};

const T: Timeouts = Timeouts::new(Duration::from_secs(1), Duration::from_secs(5));

#[tokio::test]
async fn echo_over_tcp() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let mut conn = Conn::over(listener.accept().await.unwrap().0, Role::Server);
        conn.set_message_limit(1 << 21);
        let sender = conn.sender();
        let mut count = 0;
        loop {
            match conn.message(T).await {
                Ok(message) => sender.feed(message.opcode(), &message, T.wire).await.unwrap(),
                Err(error) => return (count, error.closed()),
            }
            count += 1;
        }
    });
    let mut conn = Conn::over(TcpStream::connect(addr).await.unwrap(), Role::Client);
    let sender = conn.sender();
    let mut buf = vec![0; 1 << 21];
    for size in [0usize, 1, 16, 125, 126, 1000, 1024, 65535, 65536, 1 << 20] {
        let message: Vec<u8> = (0..size).map(|i| i as u8).collect();
        sender.send(Opcode::BINARY, &message, T.wire).await.unwrap();
        let received = conn.receive(&mut buf, T).await.unwrap();
        assert_eq!(&buf[..received.len], &message[..]);
    }
    assert_eq!(conn.finish(CloseCode::NORMAL, "bye", T.wire).await.unwrap().0, CloseCode::NORMAL);
    assert_eq!(server.await.unwrap(), (10, Some(CloseCode::NORMAL)));
}

#[tokio::test]
async fn echo_over_a_duplex_that_cannot_be_split() {
    let (a, b) = tokio::io::duplex(100);
    let server = tokio::spawn(async move {
        let mut conn = Conn::over(Whole(a), Role::Server);
        let sender = conn.sender();
        while let Ok(message) = conn.message(T).await {
            sender.feed(message.opcode(), &message, T.wire).await.unwrap();
        }
    });
    let mut conn = Conn::over(Whole(b), Role::Client);
    let sender = conn.sender();
    let mut buf = vec![0; 1 << 16];
    for size in [0usize, 1, 16, 125, 126, 1000, 1024, 5000] {
        let message: Vec<u8> = (0..size).map(|i| i as u8).collect();
        sender.send(Opcode::BINARY, &message, T.wire).await.unwrap();
        let received = conn.receive(&mut buf, T).await.unwrap();
        assert_eq!(&buf[..received.len], &message[..]);
    }
    assert_eq!(conn.finish(CloseCode::NORMAL, "bye", T.wire).await.unwrap().0, CloseCode::NORMAL);
    server.await.unwrap();
}

/// A runtime of one thread whose clock stands still.
fn paused() -> Runtime {
    Builder::new_current_thread().enable_all().start_paused(true).build().unwrap()
}
