//! The client's side of the wire: frames that are encoded before anything is measured, and the opening handshake.

use core::net::SocketAddr;
use core::time::Duration;
use std::io::{self, Read, Write};
use std::net::TcpStream;

/// What a server speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// WebSocket.
    WebSocket,
    /// Nothing: it sends back the bytes as they came.
    Raw,
}

/// Binary messages of one size, different ones, as they are sent and as they come back: in a ring, again and again.
#[derive(Debug)]
pub struct Ring {
    /// The frames to send, masked, twice over: from any byte on there is a whole turn in one piece.
    pub send: Vec<u8>,
    /// The frames to come back.
    pub echo: Vec<u8>,
    /// The length of one frame as it is sent.
    pub send_len: usize,
    /// The length of one frame as it comes back.
    pub echo_len: usize,
}

impl Ring {
    /// Makes messages of `size` bytes.
    pub fn new(size: usize, protocol: Protocol) -> Self {
        let mut random = Xorshift(0x1234_5678_9abc_def1);
        let (mut send, mut echo) = (Vec::new(), Vec::new());
        // Large ones are few, for the sake of the caches, but more than one: what is sent twice is noticed.
        let count = if size > LARGE { 2 } else { MESSAGES };
        for _ in 0..count {
            let payload: Vec<u8> = (0..size).map(|_| random.next().to_le_bytes()[0]).collect();
            let key = random.next().to_le_bytes();
            let masked = frame(BINARY, &payload, Some([key[0], key[1], key[2], key[3]]));
            match protocol {
                Protocol::WebSocket => echo.extend(frame(BINARY, &payload, None)),
                Protocol::Raw => echo.extend(&masked),
            }
            send.extend(masked);
        }
        let (send_len, echo_len) = (send.len() / count, echo.len() / count);
        send.extend_from_within(..);
        Self { send, echo, send_len, echo_len }
    }

    /// The length of a whole turn as it is sent.
    pub fn turn(&self) -> usize {
        self.send.len() / 2
    }
}

/// A message in one frame.
pub(crate) fn frame(opcode: u8, payload: &[u8], key: Option<[u8; 4]>) -> Vec<u8> {
    let mut frame = vec![0x80 | opcode];
    let masked = if key.is_some() { 0x80 } else { 0 };
    match payload.len() {
        len @ ..126 => frame.push(masked | len as u8),
        len @ ..65536 => {
            frame.push(masked | 126);
            frame.extend((len as u16).to_be_bytes());
        }
        len => {
            frame.push(masked | 127);
            frame.extend((len as u64).to_be_bytes());
        }
    }
    match key {
        Some(key) => {
            frame.extend(key);
            frame.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
        }
        None => frame.extend(payload),
    }
    frame
}

/// Connects, and opens a WebSocket if the server speaks it.
///
/// # Errors
///
/// Whatever the system or the server has against it.
pub fn connect(server: SocketAddr, protocol: Protocol) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(server)?;
    prepare(&stream)?;
    if protocol == Protocol::WebSocket {
        ask(&mut stream, server)?;
        hear(&mut stream)?;
    }
    Ok(stream)
}

/// Sets what each connection of a load generator needs.
pub(crate) fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    // Reset rather than closed, its port is free at once.
    Ok(rustix::net::sockopt::set_socket_linger(stream, Some(Duration::ZERO))?)
}

/// Sends the request of the opening handshake.
pub(crate) fn ask(stream: &mut TcpStream, server: SocketAddr) -> io::Result<()> {
    let request = format!(
        "GET / HTTP/1.1\r\nHost: {server}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    );
    stream.write_all(request.as_bytes())
}

/// Reads the response of the opening handshake.
pub(crate) fn hear(stream: &mut TcpStream) -> io::Result<()> {
    let (mut response, mut len) = ([0; 4096], 0);
    // The server speaks next when a message has come: what follows the response would be its fault.
    while !response[..len].ends_with(b"\r\n\r\n") {
        match stream.read(&mut response[len..])? {
            0 => return Err(io::Error::other("hung up during the handshake")),
            more => len += more,
        }
    }
    let response = String::from_utf8_lossy(&response[..len]);
    if response.starts_with("HTTP/1.1 101 ") && response.contains(ACCEPT) {
        return Ok(());
    }
    Err(io::Error::other(format!("refused: {}", response.lines().next().unwrap_or_default())))
}

/// A generator whose numbers are the same in every run.
pub(crate) struct Xorshift(pub(crate) u64);

impl Xorshift {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

const BINARY: u8 = 2;

/// How many different messages there are of sizes up to `LARGE`.
const MESSAGES: usize = 64;
const LARGE: usize = 64 * 1024;

/// The key of RFC 6455, section 1.3, and the answer that it must get.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// How long a server may take for anything at all.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of RFC 6455, section 5.7, in binary.
    #[test]
    fn frames_are_those_of_the_rfc() {
        assert_eq!(frame(BINARY, b"Hello", None), b"\x82\x05Hello");
        assert_eq!(
            frame(BINARY, b"Hello", Some([0x37, 0xfa, 0x21, 0x3d])),
            b"\x82\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"
        );
        assert_eq!(frame(BINARY, &[7; 256], None)[..5], [0x82, 126, 1, 0, 7]);
        assert_eq!(frame(BINARY, &[7; 65536], None)[..11], [0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0, 7]);
    }

    #[test]
    fn a_raw_echo_is_what_was_sent() {
        let ring = Ring::new(125, Protocol::Raw);
        assert_eq!((ring.send_len, ring.echo_len), (131, 131));
        assert_eq!(ring.send[..ring.turn()], ring.echo);
        assert_eq!(ring.send[ring.turn()..], ring.echo);
        assert_eq!(Ring::new(125, Protocol::WebSocket).echo_len, 127);
    }
}
