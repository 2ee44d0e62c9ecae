use super::io::Output;
use super::line::{Call, Line};
use crate::driver::error::Error;
use crate::driver::sync::Arc;
use crate::extension::{Encode, Plain};
use crate::fault::{Fault, Misuse};
use crate::outbound::Sending;
use crate::timeouts::Wait;
use core::fmt;
use core::time::Duration;
use std::io::{self, Write};
use ws_frame::Opcode;

/// Sends a message of unknown length: each write is a fragment, [`finish`](Self::finish) is the last.
///
/// Fragments wait in the queue like what is fed; `flush` sends them. Text may be cut anywhere, also within a character.
///
/// A writer that is dropped without `finish` after a fragment went out closes the connection with 1011, since half a
/// message must not pass for a whole one.
pub struct MessageWriter<W: Output, E: Encode = Plain> {
    line: Arc<Line<W, E>>,
    opcode: Opcode,
    call: Call,
    begun: bool,
    end: End,
}

/// What has become of the last fragment.
enum End {
    Open,
    Sent,
    /// To others, with the turn.
    Left,
}

impl<W: Output, E: Encode> MessageWriter<W, E> {
    pub(super) fn begin(line: Arc<Line<W, E>>, opcode: Opcode, wire: Duration) -> Result<Self, Error> {
        Sending::fragment(opcode, false, &[]).check_stream()?;
        line.begin_turn(wire)?;
        Ok(Self { line, opcode, call: Call { wire, has_turn: true }, begun: false, end: End::Open })
    }

    /// Sends a fragment. An empty one is not sent.
    ///
    /// # Errors
    ///
    /// As [`Sender::send`](super::Sender::send). Text that can never become UTF-8 is refused, and not sent.
    pub fn write_chunk(&mut self, payload: &[u8]) -> Result<(), Error> {
        if payload.is_empty() {
            return Ok(());
        }
        let fragment = Sending::fragment(self.opcode, false, payload).gather_from(Sending::GATHER_QUEUED);
        self.line.send(fragment, self.call, false)?;
        self.begun = true;
        Ok(())
    }

    /// Ends the message and sends all of it.
    ///
    /// # Errors
    ///
    /// As [`Sender::send`](super::Sender::send). Text that ends within a character is refused; the message cannot be
    /// completed then, and the connection is closed with 1011.
    ///
    /// [`Timeout`](Fault::Timeout) of [`Wait::Turn`] if others wrote all the time: the connection goes on, and who writes
    /// completes the message behind what it writes. A message of which nothing was sent is not sent then.
    pub fn finish(mut self) -> Result<(), Error> {
        let result = self.line.send(Sending::fragment(self.opcode, true, &[]), self.call, true);
        self.end = match &result {
            Ok(()) => End::Sent,
            Err(Error::Fault(Fault::Timeout(Wait::Turn))) if self.begun => End::Left,
            Err(_) => End::Open,
        };
        result
    }
}

/// As [`write_chunk`](MessageWriter::write_chunk); the [`Fault`](crate::Fault) is the source of the error.
impl<W: Output, E: Encode> Write for MessageWriter<W, E> {
    fn write(&mut self, payload: &[u8]) -> io::Result<usize> {
        self.write_chunk(payload)?;
        Ok(payload.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(self.line.flush(self.call.wire)?)
    }
}

impl<W: Output, E: Encode> Drop for MessageWriter<W, E> {
    fn drop(&mut self) {
        match self.end {
            End::Left => return self.line.finish_later(),
            End::Open if self.begun => self.line.fail(Misuse::Unfinished, self.call.wire),
            End::Open | End::Sent => {}
        }
        self.line.end_turn();
    }
}

impl<W: Output, E: Encode> fmt::Debug for MessageWriter<W, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageWriter").field("opcode", &self.opcode).finish_non_exhaustive()
    }
}
