use super::conn::Conn;
use super::send::Send;
use crate::driver::error::Error;
use crate::driver::turns::Turn;
use crate::extension::{Decode, Encode, Plain};
use crate::outbound::Sending;
use crate::receiving::{ReadMode, Receiving};
use crate::timeouts::Timeouts;
use core::future::poll_fn;
use tokio::io::{AsyncRead, AsyncWrite};
use ws_frame::Opcode;

/// The low level of a connection: frames, with no action on their content, except for Close.
///
/// A read takes from one frame at a time, control frames included; what it was is at [`read_mode`](Self::read_mode).
/// Pings are not answered and text is not checked. A Close ends the connection as it does on the high level.
///
/// A write sends one frame, of the kind that [`set_write_mode`](Self::set_write_mode) said. An unfinished message holds
/// the turn of data messages until a final write ends it, or the connection ends.
#[derive(Debug)]
pub struct Frames<'c, R: AsyncRead + Unpin, W: AsyncWrite + Unpin, D: Decode = Plain, E: Encode = Plain> {
    conn: &'c mut Conn<R, W, D, E>,
    timeouts: Timeouts,
    read_mode: ReadMode,
}

/// What the next write sends. It stays with the connection from one loan of the low level to the next.
#[derive(Debug)]
pub(super) struct WriteMode {
    opcode: Opcode,
    fin: bool,
    turn: Turn,
}

impl Default for WriteMode {
    fn default() -> Self {
        Self { opcode: Opcode::BINARY, fin: true, turn: Turn::OUT }
    }
}

impl<'c, R: AsyncRead + Unpin, W: AsyncWrite + Unpin, D: Decode, E: Encode> Frames<'c, R, W, D, E> {
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
    ///
    /// # Cancel safety
    ///
    /// If this does not resolve, nothing was read.
    pub async fn read_frame(&mut self, into: &mut [u8]) -> Result<usize, Error> {
        let timeouts = self.timeouts;
        let received = poll_fn(|cx| self.conn.poll_receive(cx, &mut Receiving::frame(into), timeouts)).await?;
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
    ///
    /// # Cancel safety
    ///
    /// As [`Sender::send`](super::Sender::send).
    pub async fn write_frame(&mut self, payload: &[u8]) -> Result<(), Error> {
        let wire = self.timeouts.wire;
        let WriteMode { opcode, fin, turn } = &mut self.conn.write_mode;
        let op = Sending::fragment(*opcode, *fin, payload);
        if op.is_close() {
            let opcode = *opcode;
            return self.conn.sender_mut().send(opcode, payload, wire).await;
        }
        let share = &mut self.conn.share;
        poll_fn(|cx| share.poll_spend(cx)).await;
        Send::in_message(&self.conn.line, op, wire, turn).await
    }
}
