//! The blocking driver, and the kit's scripted transport as one of its transports.

use crate::app::{App, By, Parts, check_stream};
use crate::scenario::{Call, Event, Failure};
use core::time::Duration;
use std::io::{self, IoSlice};
use std::net::Shutdown;
use std::sync::{Arc, LazyLock};
use std::time::Instant;
use ws_conn::blocking::{Conn, HangUp, Input, Output, Sender};
use ws_conn::{Accept, CloseCode, Decode, Encode, Error, Role, Timeouts};
use ws_testkit::transport::{Reader, Transport, Writer};

pub(crate) struct Driver<R: Input, W: Output, D: Decode, E: Encode> {
    /// Lives as long as the connection.
    sender: Option<Sender<W, E>>,
    pub(crate) conn: Conn<R, W, D, E>,
    timeouts: Timeouts,
    parts: Parts,
    sent: Box<dyn FnMut() -> Vec<u8>>,
}

impl<R: Input, W: Output, D: Decode, E: Encode> Driver<R, W, D, E> {
    /// `sent` tells what has been sent so far, if that can be told.
    pub(crate) fn new(
        by: By,
        conn: Conn<R, W, D, E>,
        timeouts: Timeouts,
        sent: impl FnMut() -> Vec<u8> + 'static,
    ) -> Self {
        let sender = (by == By::Sender).then(|| conn.sender());
        Self { sender, conn, timeouts, parts: Parts::default(), sent: Box::new(sent) }
    }
}

/// A connection over a scripted transport.
pub(crate) fn over_script<D: Decode, E: Encode>(
    by: By,
    transport: &Transport,
    role: Role,
    decode: D,
    encode: E,
    timeouts: Timeouts,
) -> Driver<Wire<Reader>, Wire<Writer>, D, E> {
    let reader = Wire { half: transport.reader(), transport: transport.clone() };
    let writer = Wire { half: transport.writer(), transport: transport.clone() };
    let conn = Conn::with_extension(reader, writer, role, decode, encode);
    let transport = transport.clone();
    Driver::new(by, conn, timeouts, move || transport.written())
}

impl<R: Input, W: Output, D: Decode, E: Encode> App for Driver<R, W, D, E> {
    fn accept(&mut self, accept: Accept) {
        self.conn.set_accept(accept);
    }

    fn call(&mut self, call: &Call) -> Result<Option<Event>, Failure> {
        let timeouts = self.timeouts;
        let wire = timeouts.wire;
        match call {
            Call::Receive(len) => {
                let mut into = vec![0xEE; *len];
                let received = self.conn.receive(&mut into, timeouts)?;
                assert!(received.fin);
                into.truncate(received.len);
                return Ok(Some(Event::Message(received.opcode, into)));
            }
            Call::Message(limit) => {
                self.conn.set_message_limit(*limit);
                let message = self.conn.message(timeouts)?;
                assert_eq!(message.text().is_some(), message.opcode() == ws_conn::Opcode::TEXT);
                return Ok(Some(Event::Message(message.opcode(), message.to_vec())));
            }
            Call::Stream(chunk) => {
                let mut reader = self.conn.receive_stream(timeouts)?;
                let opcode = reader.opcode();
                let (mut payload, mut into) = (Vec::new(), vec![0xEE; *chunk]);
                loop {
                    let len = reader.read_chunk(&mut into)?;
                    payload.extend_from_slice(&into[..len]);
                    check_stream(opcode, &payload);
                    if len == 0 {
                        return Ok(Some(Event::Message(opcode, payload)));
                    }
                }
            }
            Call::Prefix(chunk, take) => {
                let mut reader = self.conn.receive_stream(timeouts)?;
                let mut payload = Vec::new();
                while payload.len() < *take {
                    let mut into = vec![0xEE; *chunk.min(&(take - payload.len()))];
                    match reader.read_chunk(&mut into)? {
                        0 => break,
                        len => payload.extend_from_slice(&into[..len]),
                    }
                }
                return Ok(Some(Event::Prefix(reader.opcode(), payload)));
            }
            Call::Frames(chunk) => loop {
                let mut into = vec![0xEE; *chunk];
                let mut frames = self.conn.frames(timeouts);
                let len = frames.read_frame(&mut into)?;
                let mode = frames.read_mode();
                if let Some(event) = self.parts.add(mode.opcode, mode.fin, &into[..len]) {
                    return Ok(Some(event));
                }
            },
            Call::Send(opcode, payload) => match &self.sender {
                Some(sender) => sender.send(*opcode, payload, wire)?,
                None => self.conn.sender_mut().send(*opcode, payload, wire)?,
            },
            Call::Feed(opcode, payload) => match &self.sender {
                Some(sender) => sender.feed(*opcode, payload, wire)?,
                None => self.conn.sender_mut().feed(*opcode, payload, wire)?,
            },
            Call::Flush => match &self.sender {
                Some(sender) => sender.flush(wire)?,
                None => self.conn.sender_mut().flush(wire)?,
            },
            Call::SendStream(opcode, fragments) => {
                let mut writer = self.conn.sender().send_stream(*opcode, wire)?;
                for fragment in fragments {
                    writer.write_chunk(fragment)?;
                }
                writer.finish()?;
            }
            Call::GiveUp(opcode, payload) => self.conn.sender().send_stream(*opcode, wire)?.write_chunk(payload)?,
            Call::SendFrame(opcode, fin, payload) => {
                let mut frames = self.conn.frames(timeouts);
                frames.set_write_mode(*opcode, *fin);
                frames.write_frame(payload)?;
            }
            Call::Close(code, reason) => {
                self.conn.sender().send_close(CloseCode::new(*code), reason, wire)?;
            }
            Call::Finish(code, reason) => {
                let closed = self.conn.finish(CloseCode::new(*code), reason, wire)?;
                return Err(Failure::Fault(closed.into()));
            }
        }
        Ok(None)
    }

    fn status(&self) -> Option<u16> {
        self.conn.closed().map(|closed| closed.0.get())
    }

    fn sent(&mut self) -> Vec<u8> {
        (self.sent)()
    }
}

/// One half of a scripted transport, with its virtual time.
pub(crate) struct Wire<H> {
    half: H,
    transport: Transport,
}

impl<H> Wire<H> {
    fn time(&self) -> Instant {
        self.transport.clock().since(*START)
    }
}

impl Input for Wire<Reader> {
    fn read(&mut self, into: &mut [u8], patience: Duration) -> io::Result<usize> {
        self.half.read_for(into, Some(patience))
    }

    fn now(&self) -> Instant {
        self.time()
    }
}

impl Output for Wire<Writer> {
    fn write(&mut self, bufs: &[IoSlice<'_>], patience: Duration) -> io::Result<usize> {
        let bufs: Vec<&[u8]> = bufs.iter().map(|buf| &**buf).collect();
        // As a socket that gives up early: the deadline is the driver's.
        self.half.write_gathered_for(&bufs, Some(patience.min(EARLY)))
    }

    fn flush(&mut self, patience: Duration) -> io::Result<()> {
        self.half.flush_for(Some(patience.min(EARLY)))
    }

    fn half_close(&mut self) -> io::Result<()> {
        self.half.shutdown(Shutdown::Write)
    }

    fn hang_up(&self) -> Option<Arc<dyn HangUp>> {
        Some(Arc::new(Ends(self.transport.clone())))
    }

    fn now(&self) -> Instant {
        self.time()
    }
}

struct Ends(Transport);

impl HangUp for Ends {
    fn hang_up(&self) {
        // A second one says that there is nothing to hang up.
        let _ = self.0.writer().shutdown(Shutdown::Both);
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Fault(fault) => Self::Fault(fault),
            Error::Io(error) => Self::Io(error.kind()),
            other => panic!("a new kind of error: {other}"),
        }
    }
}

const EARLY: Duration = Duration::from_millis(10);

#[expect(clippy::disallowed_methods, reason = "virtual time begins somewhere")]
static START: LazyLock<Instant> = LazyLock::new(Instant::now);
