use super::conn::Conn;
use super::io::{Input, Output};
use super::line::Call;
use crate::driver::error::Error;
use crate::extension::{Decode, Encode, Plain};
use crate::outbound::Sending;
use crate::receiving::{ReadMode, Receiving};
use crate::timeouts::Timeouts;
use core::fmt;
use std::io::{self, Read, Write};
use ws_frame::Opcode;

/// The low level of a connection: frames, with no action on their content, except for Close.
///
/// A read takes from one frame at a time, control frames included; what it was is at [`read_mode`](Self::read_mode).
/// Pings are not answered and text is not checked. A Close ends the connection as it does on the high level.
///
/// A write sends one frame, of the kind that [`set_write_mode`](Self::set_write_mode) said. An unfinished message holds
/// the turn of data messages until a final write ends it, or the connection ends.
pub struct Frames<'c, R: Input, W: Output, D: Decode = Plain, E: Encode = Plain> {
    conn: &'c mut Conn<R, W, D, E>,
    timeouts: Timeouts,
    read_mode: ReadMode,
}

/// What the next write sends. It stays with the connection from one loan of the low level to the next.
#[derive(Clone, Copy, Debug)]
pub(super) struct WriteMode {
    opcode: Opcode,
    fin: bool,
    has_turn: bool,
}

impl Default for WriteMode {
    fn default() -> Self {
        Self { opcode: Opcode::BINARY, fin: true, has_turn: false }
    }
}

impl<'c, R: Input, W: Output, D: Decode, E: Encode> Frames<'c, R, W, D, E> {
    pub(super) fn new(conn: &'c mut Conn<R, W, D, E>, timeouts: Timeouts) -> Self {
        Self { conn, timeouts, read_mode: ReadMode::default() }
    }

    /// State information about the last read.
    #[must_use]
    pub fn read_mode(&self) -> ReadMode {
        self.read_mode
    }

    /// Reads from one frame: at least one byte, or none for an empty frame.
    ///
    /// # Errors
    ///
    /// As [`Conn::receive`], without a limit on the size. [`Misuse::HalfReceived`](crate::Misuse::HalfReceived) in the
    /// middle of a message that the high level has begun.
    pub fn read_frame(&mut self, into: &mut [u8]) -> Result<usize, Error> {
        let received = self.conn.run(&mut Receiving::frame(into), self.timeouts)?;
        self.read_mode = ReadMode { opcode: received.opcode, fin: received.fin };
        Ok(received.len)
    }

    /// Says what the next writes send: with `fin` a message of the opcode each, otherwise a fragment each until a final
    /// write ends the message. The opcode counts for the first fragment; the others are continuations by themselves.
    pub fn set_write_mode(&mut self, opcode: Opcode, fin: bool) {
        self.conn.write_mode.opcode = opcode;
        self.conn.write_mode.fin = fin;
    }

    /// Sends one frame; an empty one for no payload.
    ///
    /// # Errors
    ///
    /// As [`Sender::send`](super::Sender::send).
    pub fn write_frame(&mut self, payload: &[u8]) -> Result<(), Error> {
        let WriteMode { opcode, fin, has_turn } = self.conn.write_mode;
        let wire = self.timeouts.wire;
        let op = Sending::fragment(opcode, fin, payload);
        if op.is_close() {
            return self.conn.sender_mut().send(opcode, payload, wire);
        }
        let data = op.is_data();
        if data && !has_turn {
            op.check_stream()?;
            self.conn.line.begin_turn(wire)?;
            self.conn.write_mode.has_turn = true;
        }
        let result = self.conn.line.send(op, Call { wire, has_turn: true }, true);
        if data && (result.is_err() && !has_turn || result.is_ok() && fin) {
            self.conn.write_mode.has_turn = false;
            self.conn.line.end_turn();
        }
        result
    }
}

/// As [`read_frame`](Frames::read_frame); the [`Fault`](crate::Fault) is the source of the error. The end of the
/// connection is an error, so that none can be taken for the end of a message.
impl<R: Input, W: Output, D: Decode, E: Encode> Read for Frames<'_, R, W, D, E> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        Ok(self.read_frame(into)?)
    }
}

/// As [`write_frame`](Frames::write_frame).
impl<R: Input, W: Output, D: Decode, E: Encode> Write for Frames<'_, R, W, D, E> {
    fn write(&mut self, payload: &[u8]) -> io::Result<usize> {
        self.write_frame(payload)?;
        Ok(payload.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(self.conn.line.flush(self.timeouts.wire)?)
    }
}

impl<R: Input, W: Output, D: Decode, E: Encode> fmt::Debug for Frames<'_, R, W, D, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frames").field("read_mode", &self.read_mode).finish_non_exhaustive()
    }
}
