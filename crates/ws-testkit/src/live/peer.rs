//! A client that does as it likes.

use core::net::SocketAddr;
use core::time::Duration;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};

use socket2::SockRef;

use crate::naive::{self, Frame};

/// A client over a real socket: it sends any bytes at any time, and reads frames as plainly as the RFC tells them.
#[derive(Debug)]
pub struct Peer {
    stream: TcpStream,
    unread: Vec<u8>,
    /// How many of them have been taken.
    taken: usize,
}

impl Peer {
    /// Connects, and says nothing. Reads and writes take at most [`PATIENCE`].
    ///
    /// # Errors
    ///
    /// When the server does not listen.
    pub fn connect(address: SocketAddr) -> io::Result<Self> {
        Self::over(TcpStream::connect(address)?)
    }

    /// The other end of a connection that a server under a test's hand has accepted.
    ///
    /// # Errors
    ///
    /// When the socket is not to be set up.
    pub fn over(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self { stream, unread: Vec::new(), taken: 0 })
    }

    /// Connects, and makes the opening handshake.
    ///
    /// # Errors
    ///
    /// When the server refuses: the error holds its answer.
    pub fn open(address: SocketAddr) -> io::Result<Self> {
        let mut peer = Self::connect(address)?;
        peer.send(request("/", &address.to_string(), "").as_bytes())?;
        let head = peer.head()?;
        if head.starts_with("HTTP/1.1 101 ") && head.contains(ACCEPT) { Ok(peer) } else { Err(io::Error::other(head)) }
    }

    /// Sends bytes, all of them.
    ///
    /// # Errors
    ///
    /// When the other side does not take them.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// Sends frames, each masked.
    ///
    /// # Errors
    ///
    /// When the other side does not take them.
    pub fn say(&mut self, frames: &[Frame]) -> io::Result<()> {
        let masked: Vec<Frame> = frames.iter().map(|frame| frame.clone().masked(MASK)).collect();
        self.send(&naive::encode_all(&masked))
    }

    /// The head of an HTTP message, the empty line included; what came before the end if there is no more.
    ///
    /// # Errors
    ///
    /// When nothing comes for [`PATIENCE`], or the connection breaks.
    pub fn head(&mut self) -> io::Result<String> {
        loop {
            let ends = self.unread().windows(4).position(|window| window == b"\r\n\r\n");
            if let Some(at) = ends {
                return Ok(String::from_utf8_lossy(&self.take(at + 4)).into_owned());
            }
            if !self.more()? {
                return Ok(String::from_utf8_lossy(&self.take(usize::MAX)).into_owned());
            }
        }
    }

    /// The next frame; `None` at the end of the stream.
    ///
    /// # Errors
    ///
    /// When nothing comes for [`PATIENCE`], the connection breaks, or a frame does.
    pub fn frame(&mut self) -> io::Result<Option<Frame>> {
        loop {
            if let Some((frame, len)) = naive::read(self.unread()) {
                self.taken += len;
                return Ok(Some(frame));
            }
            if !self.more()? {
                return if self.unread().is_empty() { Ok(None) } else { Err(ErrorKind::UnexpectedEof.into()) };
            }
        }
    }

    /// Everything until the connection ends, and the error if it does not end in order.
    pub fn rest(&mut self) -> (Vec<u8>, Option<io::Error>) {
        loop {
            match self.more() {
                Ok(true) => {}
                Ok(false) => return (self.take(usize::MAX), None),
                Err(error) => return (self.take(usize::MAX), Some(error)),
            }
        }
    }

    /// Reads once, at most so many bytes, and forgets them; 0 at the end of the stream.
    ///
    /// # Errors
    ///
    /// When nothing comes for [`PATIENCE`], or the connection breaks.
    pub fn discard(&mut self, at_most: usize) -> io::Result<usize> {
        let mut buf = [0; 65536];
        let len = at_most.min(buf.len());
        self.stream.read(buf.get_mut(..len).unwrap_or_default())
    }

    /// Says that nothing more will come, and goes on reading.
    ///
    /// # Errors
    ///
    /// When the connection is gone.
    pub fn half_close(&self) -> io::Result<()> {
        self.stream.shutdown(Shutdown::Write)
    }

    /// Breaks the connection off with a reset, whatever is on its way. A [`twin`](Self::twin) puts that off.
    ///
    /// # Errors
    ///
    /// When the socket is not to be set up.
    pub fn reset(self) -> io::Result<()> {
        SockRef::from(&self.stream).set_linger(Some(Duration::ZERO))
    }

    /// Another hand on the same connection, for a thread that reads while this one writes. It knows nothing of what this
    /// one has read already.
    ///
    /// # Errors
    ///
    /// When there are no more descriptors.
    pub fn twin(&self) -> io::Result<Self> {
        Ok(Self { stream: self.stream.try_clone()?, unread: Vec::new(), taken: 0 })
    }

    fn unread(&self) -> &[u8] {
        self.unread.get(self.taken..).unwrap_or_default()
    }

    fn take(&mut self, at_most: usize) -> Vec<u8> {
        let taken: Vec<u8> = self.unread().iter().copied().take(at_most).collect();
        self.taken += taken.len();
        taken
    }

    /// Reads once; `false` at the end of the stream.
    fn more(&mut self) -> io::Result<bool> {
        self.unread.drain(..self.taken);
        self.taken = 0;
        let mut buf = [0; 65536];
        let len = self.stream.read(&mut buf)?;
        self.unread.extend(buf.iter().take(len));
        Ok(len > 0)
    }
}

/// A request for an upgrade, with more field lines, each of them with its end.
#[must_use]
pub fn request(target: &str, host: &str, fields: &str) -> String {
    format!(
        "GET {target} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n{fields}\r\n"
    )
}

/// How long a peer waits for anything.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// The key of the example in RFC 6455, section 1.3.
pub const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// What the same example has for an answer.
const ACCEPT: &str = "\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";

/// A key that is none: what is sent stays to be read in a recording.
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
