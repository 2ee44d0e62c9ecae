use super::io::Output;
use super::line::{Call, Line};
use super::writer::MessageWriter;
use crate::driver::error::Error;
use crate::driver::sync::Arc;
use crate::extension::{Encode, Plain};
use crate::fault::Closed;
use crate::outbound::Sending;
use core::fmt;
use core::time::Duration;
use ws_frame::{CloseCode, Opcode};

/// Sends on a connection: from any number of threads, at any time, also while another thread receives.
///
/// Frames go out whole, and those of one thread in their order. Control frames go between the fragments of a message in
/// progress; a data message waits for its turn. `wire` is the time a call may take, the wait for its turn included.
/// When it is over because the peer does not read, the connection is closed with 1008. When it is over because others
/// wrote, the error is [`Timeout`](crate::Fault::Timeout) of [`Wait::Turn`](crate::Wait::Turn): nothing was sent, and
/// the connection goes on. A call that other threads have asked meanwhile to send what is owed (a Pong, a Close) does
/// so in the same time; what it does not get done is left to the connection, for its next wait. What can be written at
/// once is written even by a call without time.
pub struct Sender<W, E = Plain> {
    line: Arc<Line<W, E>>,
}

impl<W: Output, E: Encode> Sender<W, E> {
    pub(super) fn new(line: Arc<Line<W, E>>) -> Self {
        Self { line }
    }

    /// Sends a message in one frame: text, binary, Ping, Pong, Close, or a reserved opcode. What was fed goes before it.
    /// The reason in a Close is cut as [`send_close`](Self::send_close) does.
    ///
    /// # Errors
    ///
    /// [`Fault::Closed`](crate::Fault::Closed) once the connection is closed.
    /// [`Fault::Misuse`](crate::Fault::Misuse) for what must not be sent: text that is not UTF-8, another control frame
    /// of more than 125 bytes, a malformed Close, a continuation; nothing is sent then.
    /// [`Timeout`](crate::Fault::Timeout) with [`Wait::Turn`](crate::Wait::Turn) if another message or frame did not end
    /// in time: nothing is sent, and the connection goes on; with [`Wait::Wire`](crate::Wait::Wire): the connection is
    /// closed with 1008. I/O errors of the transport.
    #[inline]
    pub fn send(&self, opcode: Opcode, message: &[u8], wire: Duration) -> Result<(), Error> {
        self.put(Sending::message(opcode, message), wire, true)
    }

    /// As [`send`](Self::send), but the frame may stay in a queue of at most 64 KiB until the next
    /// [`flush`](Self::flush) or [`send`](Self::send), or until the connection is about to wait for the peer: many
    /// small messages make one write.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    #[inline]
    pub fn feed(&self, opcode: Opcode, message: &[u8], wire: Duration) -> Result<(), Error> {
        self.put(Sending::queued(opcode, message), wire, false)
    }

    /// Writes out what was fed.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub fn flush(&self, wire: Duration) -> Result<(), Error> {
        self.line.flush(wire)
    }

    /// Begins a message of unknown length. Other data messages wait until it is finished; control frames do not.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub fn send_stream(&self, opcode: Opcode, wire: Duration) -> Result<MessageWriter<W, E>, Error> {
        MessageWriter::begin(Arc::clone(&self.line), opcode, wire)
    }

    /// Closes the connection from this side. The first status code stays in effect, whoever set it: that is what this
    /// answers, each time.
    ///
    /// The peer is told on a best-effort basis, within `wire`. The reason is cut to 123 bytes at a character boundary.
    /// Data that the peer sends is still received until its Close comes, or `wire` of the receiving call has passed.
    ///
    /// # Errors
    ///
    /// [`Misuse::Close`](crate::Misuse::Close) for a code that may not be sent; nothing has happened then.
    /// [`CloseCode::NO_STATUS`] sends a Close without a code.
    pub fn send_close(&self, code: CloseCode, reason: &str, wire: Duration) -> Result<Closed, Error> {
        Ok(self.line.close(code, reason, wire)?)
    }

    /// The status, once the connection is closed.
    #[must_use]
    pub fn closed(&self) -> Option<Closed> {
        self.line.shared().closed()
    }

    /// Ends the connection at once: nothing more is sent, and calls that wait on a socket return. The status is 1006
    /// unless it was set before.
    pub fn abort(&self) -> Closed {
        self.line.abort()
    }

    #[inline]
    fn put(&self, op: Sending<'_>, wire: Duration, flush: bool) -> Result<(), Error> {
        if op.is_close() {
            return self.line.put_close(op.payload(), wire);
        }
        self.line.send(op, Call { wire, has_turn: false }, flush)
    }
}

impl<W, E> Clone for Sender<W, E> {
    fn clone(&self) -> Self {
        Self { line: Arc::clone(&self.line) }
    }
}

impl<W: Output, E: Encode> fmt::Debug for Sender<W, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("closed", &self.closed()).finish_non_exhaustive()
    }
}
