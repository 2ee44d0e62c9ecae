use super::conn::Conn;
use super::io::{Input, Output};
use crate::driver::error::Error;
use crate::extension::{Decode, Encode, Plain};
use crate::receiving::Receiving;
use crate::timeouts::Timeouts;
use core::fmt;
use std::io::{self, Read};
use ws_frame::Opcode;

/// Reads the payload of one message as it comes, across its fragments. Control frames in between are answered.
///
/// The end of the stream is the end of the message, and nothing else: a connection that ends before is an error. Text is
/// checked as it comes. Each read waits at most as long as `wire`.
///
/// A reader that is dropped before the end, or forgotten, leaves the rest of the message to be discarded by the next call
/// of the connection.
pub struct MessageReader<'c, R: Input, W: Output, D: Decode = Plain, E: Encode = Plain> {
    conn: &'c mut Conn<R, W, D, E>,
    opcode: Opcode,
    timeouts: Timeouts,
    ended: bool,
}

impl<'c, R: Input, W: Output, D: Decode, E: Encode> MessageReader<'c, R, W, D, E> {
    pub(super) fn new(conn: &'c mut Conn<R, W, D, E>, opcode: Opcode, timeouts: Timeouts) -> Self {
        Self { conn, opcode, timeouts, ended: false }
    }

    /// The opcode of the message: 1 to 7.
    #[must_use]
    pub fn opcode(&self) -> Opcode {
        self.opcode
    }

    /// Reads at least one byte; none at the end of the message, or into an empty buffer.
    ///
    /// # Errors
    ///
    /// As [`Conn::receive`], without a limit on the size.
    pub fn read_chunk(&mut self, into: &mut [u8]) -> Result<usize, Error> {
        if self.ended || into.is_empty() {
            return Ok(0);
        }
        let received = self.conn.run(&mut Receiving::chunk(into), self.timeouts)?;
        self.ended = received.fin;
        Ok(received.len)
    }
}

/// As [`read_chunk`](MessageReader::read_chunk); the [`Fault`](crate::Fault) is the source of the error.
impl<R: Input, W: Output, D: Decode, E: Encode> Read for MessageReader<'_, R, W, D, E> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        Ok(self.read_chunk(into)?)
    }
}

impl<R: Input, W: Output, D: Decode, E: Encode> Drop for MessageReader<'_, R, W, D, E> {
    fn drop(&mut self) {
        if !self.ended {
            self.conn.inbound.skip();
        }
    }
}

impl<R: Input, W: Output, D: Decode, E: Encode> fmt::Debug for MessageReader<'_, R, W, D, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageReader").field("opcode", &self.opcode).finish_non_exhaustive()
    }
}
