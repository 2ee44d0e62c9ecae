//! What an idle connection costs in heap, its task and what tokio needs for it included: the sum of docs/memory.md.
#![cfg(all(feature = "tokio", feature = "http"))]

#[path = "../examples/testee/tokio/echo.rs"]
mod echo;

use core::net::SocketAddr;
use core::pin::Pin;
use core::time::Duration;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use tokio::net::{TcpListener, tcp};
use tokio::runtime::Builder;
use tokio::task::spawn_blocking;
use ws_stack::{Conn, HandshakeError, Policy, SocketWrite, Timeouts, accept};
use ws_testkit::alloc::count_allocations;

const TIMEOUTS: Timeouts = Timeouts::new(Duration::from_secs(30), Duration::from_secs(60));

#[test]
fn an_idle_connection_with_its_task_costs_no_more_heap_than_told() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let address = runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let policy = Arc::new(Policy::default());
        tokio::spawn(async move {
            loop {
                let handshake = {
                    let (stream, policy) = (listener.accept().await.unwrap().0, Arc::clone(&policy));
                    async move { Ok::<_, HandshakeError>(accept(stream, &policy).await?.conn) }
                };
                tokio::spawn(connection(Box::pin(handshake)));
            }
        });
        address
    });
    // The first ones pay for what the process needs once.
    let speak = || runtime.block_on(async { spawn_blocking(move || speak(address)).await.unwrap() });
    let first = speak();
    let mut open = Vec::new();
    let count = count_allocations(|| open = speak());
    let each = count.kept / i64::from(CONNECTIONS);
    println!("{each} bytes");
    assert!((1000..=1280).contains(&each), "{each} bytes");
    drop((first, open));
}

/// The task of a connection, as in `testee_server`.
async fn connection<F: Future<Output = Result<Tcp, HandshakeError>>>(handshake: Pin<Box<F>>) {
    let Ok(mut conn) = handshake.await else { return };
    let _ = echo::with_message(&mut conn, &TIMEOUTS, || ()).await;
}

type Tcp = Conn<tcp::OwnedReadHalf, SocketWrite<tcp::OwnedWriteHalf>>;

/// Opens connections, and has a message echoed on each.
fn speak(address: SocketAddr) -> Vec<TcpStream> {
    let open = || {
        let mut stream = TcpStream::connect(address).unwrap();
        let request = format!(
            "GET / HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut response = Vec::new();
        while !response.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            response.extend(byte);
        }
        assert!(response.starts_with(b"HTTP/1.1 101 "));
        stream.write_all(b"\x81\x85\0\0\0\0hello").unwrap();
        let mut message = [0; 7];
        stream.read_exact(&mut message).unwrap();
        assert_eq!(&message, b"\x81\x05hello");
        stream
    };
    (0..CONNECTIONS).map(|_| open()).collect()
}

const CONNECTIONS: u16 = 100;
