//! What every server here needs: a loop that accepts, and for peers that leave it to others the opening handshake.

use base64::{Engine, prelude::BASE64_STANDARD};
use core::net::SocketAddr;
use sha1::{Digest, Sha1};
use std::io;
use std::net::TcpStream as StdStream;
use std::thread::Builder;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Serves each connection in a task, all on this thread: as our server does with one worker.
pub(super) fn tasks<F>(address: SocketAddr, serve: fn(TcpStream) -> F) -> io::Result<()>
where
    F: Future<Output = ()> + Send + 'static,
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(address).await?;
        loop {
            let (stream, _) = listener.accept().await?;
            // As ours: a small message is not to wait for an acknowledgement.
            stream.set_nodelay(true)?;
            tokio::spawn(serve(stream));
        }
    })
}

/// Serves each connection in a thread.
pub(super) fn threads(address: SocketAddr, serve: fn(StdStream)) -> io::Result<()> {
    let listener = std::net::TcpListener::bind(address)?;
    loop {
        let (stream, _) = listener.accept()?;
        stream.set_nodelay(true)?;
        // As large as those of our server.
        Builder::new().stack_size(256 * 1024).spawn(move || serve(stream))?;
    }
}

/// The opening handshake, for clients that are known: it checks nothing. Peers that leave it to an HTTP library gain by it.
pub(super) async fn upgrade(stream: &mut TcpStream) -> Option<()> {
    let mut request = Vec::with_capacity(512);
    while !request.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut request).await.ok()? == 0 || request.len() > 8192 {
            return None;
        }
    }
    let response = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {}\r\n\r\n",
        accept_of(key(&request)?)
    );
    stream.write_all(response.as_bytes()).await.ok()
}

fn key(request: &[u8]) -> Option<&str> {
    let mut fields = str::from_utf8(request).ok()?.lines().filter_map(|line| line.split_once(':'));
    fields.find_map(|(name, value)| name.eq_ignore_ascii_case("sec-websocket-key").then_some(value.trim()))
}

fn accept_of(key: &str) -> String {
    let digest = Sha1::new().chain_update(key).chain_update("258EAFA5-E914-47DA-95CA-C5AB0DC85B11").finalize();
    BASE64_STANDARD.encode(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn section_1_3_the_key_is_answered() {
        let request = b"GET / HTTP/1.1\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        assert_eq!(accept_of(key(request).unwrap()), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }
}
