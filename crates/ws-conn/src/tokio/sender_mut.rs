use super::at_once::Put;
use super::line::Line;
use crate::driver::error::Error;
use crate::driver::sync::Arc;
use crate::extension::{Encode, Plain};
use crate::outbound::Sending;
use core::fmt;
use core::time::Duration;
use tokio::io::AsyncWrite;
use ws_frame::Opcode;

/// Sends on a connection that is at hand, from the task that has it: [`Conn::sender_mut`](super::Conn::sender_mut).
///
/// It sends in one frame what it is given, as a [`Sender`](super::Sender) does, and takes its turn among them if there are any.
/// As long as there is none, and no [`MessageWriter`](super::MessageWriter) either, it takes no lock.
pub struct SenderMut<'c, W: AsyncWrite + Unpin, E: Encode = Plain> {
    line: &'c mut Arc<Line<W, E>>,
}

impl<'c, W: AsyncWrite + Unpin, E: Encode> SenderMut<'c, W, E> {
    pub(super) fn new(line: &'c mut Arc<Line<W, E>>) -> Self {
        Self { line }
    }

    /// Sends a message in one frame, as [`Sender::send`](super::Sender::send) does.
    ///
    /// # Errors
    ///
    /// As [`Sender::send`](super::Sender::send).
    ///
    /// # Cancel safety
    ///
    /// As [`Sender::send`](super::Sender::send).
    pub fn send<'m>(
        &'m mut self,
        opcode: Opcode,
        message: &'m [u8],
        wire: Duration,
    ) -> impl Future<Output = Result<(), Error>> + use<'m, W, E> {
        self.put(Some(Sending::message(opcode, message)), wire, true)
    }

    /// Sends a message with what is sent next, at the latest before the connection waits for the peer, as
    /// [`Sender::feed`](super::Sender::feed) does.
    ///
    /// # Errors
    ///
    /// As [`Sender::send`](super::Sender::send).
    ///
    /// # Cancel safety
    ///
    /// As [`Sender::send`](super::Sender::send).
    pub fn feed<'m>(
        &'m mut self,
        opcode: Opcode,
        message: &'m [u8],
        wire: Duration,
    ) -> impl Future<Output = Result<(), Error>> + use<'m, W, E> {
        self.put(Some(Sending::queued(opcode, message)), wire, false)
    }

    /// Writes out what was fed.
    ///
    /// # Errors
    ///
    /// As [`Sender::send`](super::Sender::send).
    ///
    /// # Cancel safety
    ///
    /// As [`Sender::flush`](super::Sender::flush).
    pub fn flush(&mut self, wire: Duration) -> impl Future<Output = Result<(), Error>> + use<'_, W, E> {
        self.put(None, wire, true)
    }

    #[inline]
    fn put<'m>(
        &'m mut self,
        op: Option<Sending<'m>>,
        wire: Duration,
        flush: bool,
    ) -> Put<'m, 'm, &'m mut Arc<Line<W, E>>, W, E> {
        Put::new(self.line, op, wire, flush)
    }
}

impl<W: AsyncWrite + Unpin, E: Encode> fmt::Debug for SenderMut<'_, W, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SenderMut").field("closed", &self.line.lock().shared.closed()).finish_non_exhaustive()
    }
}
