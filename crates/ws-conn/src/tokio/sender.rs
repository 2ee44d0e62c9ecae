use super::at_once::Put;
use super::line::Line;
use super::writer::MessageWriter;
use crate::driver::error::Error;
use crate::driver::sync::Arc;
use crate::extension::{Encode, Plain};
use crate::fault::Closed;
use crate::outbound::Sending;
use core::fmt;
use core::future::poll_fn;
use core::time::Duration;
use tokio::io::AsyncWrite;
use ws_frame::{CloseCode, Opcode};

/// Sends on a connection: from any number of tasks, at any time, also while another task receives.
///
/// Frames go out whole, and those of one task in their order; tasks get their turns in the order in which they asked.
/// Control frames go between the fragments of a message in progress; a data message waits for its turn. `wire` is the
/// time a call may take; when it is over in the midst of a frame, because the peer does not read, the connection is
/// closed with 1008.
///
/// # Panics
///
/// Calls that have to wait panic outside a tokio runtime, and in one without its timer (`enable_time`, or `enable_all`).
pub struct Sender<W: AsyncWrite + Unpin, E: Encode = Plain> {
    line: Arc<Line<W, E>>,
}

impl<W: AsyncWrite + Unpin, E: Encode> Sender<W, E> {
    pub(super) fn new(line: Arc<Line<W, E>>) -> Self {
        Self { line }
    }

    /// Sends a message in one frame: text, binary, Ping, Pong, Close, or a reserved opcode. What was fed goes before it.
    ///
    /// # Errors
    ///
    /// [`Fault::Closed`](crate::Fault::Closed) once the connection is closed.
    /// [`Fault::Misuse`](crate::Fault::Misuse) for what must not be sent: text that is not UTF-8, a control frame of
    /// more than 125 bytes, a continuation; nothing is sent then. [`Timeout`](crate::Fault::Timeout) with
    /// [`Wait::Turn`](crate::Wait::Turn) if another message or frame did not end in time: nothing is sent, and the
    /// connection goes on; with [`Wait::Wire`](crate::Wait::Wire): the connection is closed with 1008. I/O errors of
    /// the transport.
    ///
    /// # Cancel safety
    ///
    /// If this does not resolve, the message is either not sent at all or sent whole, the latter once its frame has
    /// begun: then the next call of anyone on the connection finishes it.
    pub fn send<'m>(
        &'m self,
        opcode: Opcode,
        message: &'m [u8],
        wire: Duration,
    ) -> impl Future<Output = Result<(), Error>> + use<'m, W, E> {
        self.put(Some(Sending::message(opcode, message)), wire, true)
    }

    /// As [`send`](Self::send), but the frame may stay in a queue of at most 64 KiB until the next
    /// [`flush`](Self::flush) or [`send`](Self::send), or until the connection is about to wait for the peer: many
    /// small messages make one write. A connection that waits already is not woken for it.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    ///
    /// # Cancel safety
    ///
    /// As [`send`](Self::send).
    pub fn feed<'m>(
        &'m self,
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
    /// As [`send`](Self::send).
    ///
    /// # Cancel safety
    ///
    /// If this does not resolve, the rest is written by the next call of anyone.
    pub async fn flush(&self, wire: Duration) -> Result<(), Error> {
        self.put(None, wire, true).await
    }

    /// Begins a message of unknown length. Other data messages wait until it is finished; control frames do not.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    ///
    /// # Cancel safety
    ///
    /// If this does not resolve, nothing was begun.
    pub async fn send_stream(&self, opcode: Opcode, wire: Duration) -> Result<MessageWriter<W, E>, Error> {
        let mut writer = MessageWriter::new(Arc::clone(&self.line), opcode, wire)?;
        poll_fn(|cx| writer.poll_begin(cx)).await?;
        Ok(writer)
    }

    /// Closes the connection from this side. The first status code stays in effect, whoever set it: that is what this
    /// answers, each time.
    ///
    /// The peer is told on a best-effort basis, within `wire`. The reason is cut to 123 bytes at a character boundary.
    /// Data that the peer sends is still received until its Close comes, or `wire` of the receiving call has passed. A
    /// call that waits to receive is woken.
    ///
    /// # Errors
    ///
    /// [`Misuse::Close`](crate::Misuse::Close) for a code that may not be sent; nothing has happened then.
    /// [`CloseCode::NO_STATUS`] sends a Close without a code.
    ///
    /// # Cancel safety
    ///
    /// The status is set by the first poll. If this does not resolve, the Close is sent by the next call of anyone.
    pub async fn send_close(&self, code: CloseCode, reason: &str, wire: Duration) -> Result<Closed, Error> {
        let closed = self.line.close(|shared| shared.close(code, reason))?;
        // On a best-effort basis.
        let _ = self.put(None, wire, true).await;
        Ok(closed)
    }

    /// The status, once the connection is closed.
    #[must_use]
    pub fn closed(&self) -> Option<Closed> {
        self.line.lock().shared.closed()
    }

    /// The round-trip time of the last Ping of [keepalive](super::Keepalive) that was answered, to the microsecond.
    #[must_use]
    pub fn round_trip(&self) -> Option<Duration> {
        self.line.round_trip()
    }

    /// Ends the connection at once: nothing more is sent, and calls that wait return. The status is 1006 unless it was
    /// set before.
    pub fn abort(&self) -> Closed {
        self.line.abort()
    }

    #[inline]
    fn put<'m>(&'m self, op: Option<Sending<'m>>, wire: Duration, flush: bool) -> Put<'m, 'm, &'m Line<W, E>, W, E> {
        Put::new(&*self.line, op, wire, flush)
    }
}

impl<W: AsyncWrite + Unpin, E: Encode> Clone for Sender<W, E> {
    fn clone(&self) -> Self {
        Self { line: Arc::clone(&self.line) }
    }
}

impl<W: AsyncWrite + Unpin, E: Encode> fmt::Debug for Sender<W, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("closed", &self.closed()).finish_non_exhaustive()
    }
}
