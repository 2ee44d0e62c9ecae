//! The others.

use crate::verdict::{LIMIT, Verdict};
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use tungstenite::protocol::{Role as TheirRole, WebSocketConfig};
use tungstenite::{Error, Message, WebSocket};
use ws_conn::Role;

/// What the crate `tungstenite` makes of a stream.
pub fn tungstenite(role: Role, stream: &[u8]) -> Verdict {
    let config = WebSocketConfig::default().max_message_size(Some(LIMIT)).max_frame_size(Some(LIMIT));
    let role = if role == Role::Server { TheirRole::Server } else { TheirRole::Client };
    let mut socket = WebSocket::from_raw_socket(Stream(stream), role, Some(config));
    let mut messages = Vec::new();
    let told = loop {
        match socket.read() {
            Ok(Message::Text(text)) => messages.push((1, text.as_bytes().to_vec())),
            Ok(Message::Binary(payload)) => messages.push((2, payload.to_vec())),
            Ok(Message::Close(close)) => break Some(close.map_or(1005, |close| close.code.into())),
            Ok(_) => {}
            Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => break None,
            // It leaves it to the application to say so to the peer.
            Err(Error::Protocol(_)) => break Some(1002),
            Err(Error::Utf8(_)) => break Some(1007),
            Err(Error::Capacity(_)) => break Some(1009),
            Err(error) => panic!("{error}"),
        }
    };
    Verdict { messages, told }
}

/// A stream that gives what there is, and then waits; what is written to it goes nowhere.
struct Stream<'s>(&'s [u8]);

impl Read for Stream<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.0.is_empty() { Err(ErrorKind::WouldBlock.into()) } else { self.0.read(into) }
    }
}

impl Write for Stream<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The Python package `websockets`, in a process of its own.
pub struct Websockets {
    process: Child,
    ask: ChildStdin,
    answer: BufReader<ChildStdout>,
}

impl Websockets {
    /// Starts `peer.py` with an interpreter that has the package.
    pub fn start(python: &str) -> io::Result<Self> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/peer.py");
        let mut command = Command::new(python);
        let command = command.arg(script).arg(LIMIT.to_string()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn()?;
        let missing = || io::Error::from(ErrorKind::BrokenPipe);
        let ask = process.stdin.take().ok_or_else(missing)?;
        let answer = BufReader::new(process.stdout.take().ok_or_else(missing)?);
        Ok(Self { process, ask, answer })
    }

    /// What it makes of a stream.
    pub fn receive(&mut self, role: Role, stream: &[u8]) -> io::Result<Verdict> {
        let mut line = String::from(if role == Role::Server { "S " } else { "C " });
        line.push_str(&hex(stream));
        writeln!(self.ask, "{line}")?;
        line.clear();
        self.answer.read_line(&mut line)?;
        parse(line.trim_end()).ok_or_else(|| io::Error::other(format!("the peer says {line:?}")))
    }
}

impl Drop for Websockets {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The bytes as digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)]))
        .collect()
}

fn parse(line: &str) -> Option<Verdict> {
    let mut words = line.split(' ');
    let told = match words.next()? {
        "-" => None,
        code => Some(code.parse().ok()?),
    };
    let message = |word: &str| {
        let (opcode, payload) = word.split_once(':')?;
        let bytes = (0..payload.len()).step_by(2).map(|at| u8::from_str_radix(payload.get(at..at + 2)?, 16).ok());
        Some((opcode.parse().ok()?, bytes.collect::<Option<_>>()?))
    };
    Some(Verdict { messages: words.map(message).collect::<Option<_>>()?, told })
}
