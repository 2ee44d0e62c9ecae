//! TCP echoes without WebSocket: what each style of server allows at most.

use std::io::{Read, Write};
use std::net::TcpStream;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{Serve, Style, accept};
use crate::load::PageBuffer;

pub(super) const SERVERS: [(&str, Style, Serve); 2] = [
    (Style::Tokio.raw(), Style::Tokio, |address| accept::tasks(address, tokio)),
    (Style::Threads.raw(), Style::Threads, |address| accept::threads(address, threads)),
];

async fn tokio(mut stream: tokio::net::TcpStream) {
    let mut buffer = PageBuffer::new(READ);
    let buffer = buffer.bytes();
    while let Ok(len @ 1..) = stream.read(buffer).await {
        if stream.write_all(&buffer[..len]).await.is_err() {
            return;
        }
    }
}

fn threads(mut stream: TcpStream) {
    let mut buffer = PageBuffer::new(READ);
    let buffer = buffer.bytes();
    while let Ok(len @ 1..) = stream.read(buffer) {
        if stream.write_all(&buffer[..len]).is_err() {
            return;
        }
    }
}

/// As much as ours reads at a time.
const READ: usize = 64 * 1024;
