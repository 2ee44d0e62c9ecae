//! A scripted transport under virtual time, and the messages of a plain handshake.
#![allow(dead_code, reason = "each test takes what it needs")]
#![expect(clippy::disallowed_methods, reason = "virtual time counts from some instant")]

use core::time::Duration;
use std::io::{self, IoSlice};
use std::net::Shutdown;
use std::time::Instant;

use ws_conn::blocking::{Input, Output, Transport};
use ws_testkit::transport::{self, Step};

pub(crate) const REQUEST: &str = "GET /chat?room=7 HTTP/1.1\r\n\
    Host: server.example.com\r\n\
    Upgrade: websocket\r\n\
    Connection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Origin: http://server.example.com\r\n\
    Sec-WebSocket-Protocol: chat, superchat\r\n\
    Sec-WebSocket-Version: 13\r\n\
    \r\n";

pub(crate) const ANSWER: &str = "HTTP/1.1 101 Switching Protocols\r\n\
    Upgrade: websocket\r\n\
    Connection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
    \r\n";

/// The test kit's transport as the driver takes one, with its virtual time.
pub(crate) struct Scripted(pub(crate) transport::Transport);
/// One half of it.
pub(crate) struct Half<T> {
    half: T,
    transport: transport::Transport,
    epoch: Instant,
}

impl Transport for Scripted {
    type Read = Half<transport::Reader>;
    type Write = Half<transport::Writer>;

    fn split(self) -> (Self::Read, Self::Write) {
        let (read, write) = self.0.split();
        let epoch = Instant::now();
        (Half { half: read, transport: self.0.clone(), epoch }, Half { half: write, transport: self.0, epoch })
    }
}

impl Input for Half<transport::Reader> {
    fn read(&mut self, into: &mut [u8], patience: Duration) -> io::Result<usize> {
        assert!(!patience.is_zero());
        self.half.read_for(into, Some(patience))
    }

    fn now(&self) -> Instant {
        self.transport.clock().since(self.epoch)
    }
}

impl Output for Half<transport::Writer> {
    fn write(&mut self, bufs: &[IoSlice<'_>], patience: Duration) -> io::Result<usize> {
        assert!(!patience.is_zero());
        let bufs: Vec<&[u8]> = bufs.iter().map(|buf| &**buf).collect();
        self.half.write_gathered_for(&bufs, Some(patience))
    }

    fn flush(&mut self, patience: Duration) -> io::Result<()> {
        self.half.flush_for(Some(patience))
    }

    fn half_close(&mut self) -> io::Result<()> {
        self.half.shutdown(Shutdown::Write)
    }

    fn now(&self) -> Instant {
        self.transport.clock().since(self.epoch)
    }
}

/// These bytes at once.
pub(crate) fn bytes(text: impl AsRef<[u8]>) -> Step {
    Step::Bytes(text.as_ref().to_vec())
}

/// One byte per interval.
pub(crate) fn drip(text: &str, interval: Duration) -> impl Iterator<Item = Step> {
    text.bytes().flat_map(move |byte| [Step::Wait(interval), Step::Bytes(vec![byte])])
}
