use super::io::Output;
use super::line::Line;
use crate::driver::error::Error;
use crate::driver::sync::Arc;
use crate::extension::{Encode, Plain};
use crate::outbound::Sending;
use core::fmt;
use core::time::Duration;
use ws_frame::Opcode;

/// Sends on a connection that is at hand, from the thread that has it: [`Conn::sender_mut`](super::Conn::sender_mut).
///
/// It sends in one frame what it is given, as a [`Sender`](super::Sender) does, and takes its turn among them if there are any.
/// As long as there is none, and no [`MessageWriter`](super::MessageWriter) either, it takes no lock.
pub struct SenderMut<'c, W: Output, E: Encode = Plain> {
    line: &'c mut Arc<Line<W, E>>,
}

impl<'c, W: Output, E: Encode> SenderMut<'c, W, E> {
    pub(super) fn new(line: &'c mut Arc<Line<W, E>>) -> Self {
        Self { line }
    }

    /// Sends a message in one frame, as [`Sender::send`](super::Sender::send) does.
    ///
    /// # Errors
    ///
    /// As [`Sender::send`](super::Sender::send).
    #[inline]
    pub fn send(&mut self, opcode: Opcode, message: &[u8], wire: Duration) -> Result<(), Error> {
        self.put(Sending::message(opcode, message), wire, true)
    }

    /// Sends a message with what is sent next, at the latest before the connection waits for the peer, as
    /// [`Sender::feed`](super::Sender::feed) does.
    ///
    /// # Errors
    ///
    /// As [`Sender::send`](super::Sender::send).
    #[inline]
    pub fn feed(&mut self, opcode: Opcode, message: &[u8], wire: Duration) -> Result<(), Error> {
        self.put(Sending::queued(opcode, message), wire, false)
    }

    /// Writes out what was fed.
    ///
    /// # Errors
    ///
    /// As [`Sender::send`](super::Sender::send).
    pub fn flush(&mut self, wire: Duration) -> Result<(), Error> {
        Line::flush_own(self.line, wire)
    }

    #[inline]
    fn put(&mut self, op: Sending<'_>, wire: Duration, flush: bool) -> Result<(), Error> {
        if op.is_close() { self.line.put_close(op.payload(), wire) } else { Line::send_own(self.line, op, wire, flush) }
    }
}

impl<W: Output, E: Encode> fmt::Debug for SenderMut<'_, W, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SenderMut").field("closed", &self.line.shared().closed()).finish_non_exhaustive()
    }
}
