use super::access::Access;
use super::line::Line;
use super::out::LEAST_ROOM;
use crate::driver::error::Error;
use crate::driver::sync::Arc;
use crate::extension::{Encode, Plain};
use crate::fault::Misuse;
use crate::outbound::Sending;
use core::fmt;
use core::future::poll_fn;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;
use std::io;
use tokio::io::AsyncWrite;
use ws_frame::Opcode;

/// Sends a message of unknown length: each write is a fragment, [`finish`](Self::finish) is the last.
///
/// Fragments wait in the queue like what is fed; a flush sends them. Text may be cut anywhere, also within a character.
///
/// A writer that is dropped without `finish` after a fragment went out closes the connection with 1011, since half a
/// message must not pass for a whole one.
pub struct MessageWriter<W: AsyncWrite + Unpin, E: Encode = Plain> {
    line: Arc<Line<W, E>>,
    opcode: Opcode,
    wire: Duration,
    access: Access,
    /// The place behind its last fragment.
    place: u64,
    begun: bool,
    finished: bool,
}

impl<W: AsyncWrite + Unpin, E: Encode> MessageWriter<W, E> {
    pub(super) fn new(line: Arc<Line<W, E>>, opcode: Opcode, wire: Duration) -> Result<Self, Error> {
        Sending::fragment(opcode, false, &[]).check_stream()?;
        Ok(Self { line, opcode, wire, access: Access::default(), place: 0, begun: false, finished: false })
    }

    /// Waits for the turn of the message.
    pub(super) fn poll_begin(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.access.poll_message(&self.line, cx, self.wire)
    }

    /// Sends a fragment, or several if it is large. An empty one is not sent.
    ///
    /// # Errors
    ///
    /// As [`Sender::send`](super::Sender::send). Text that can never become UTF-8 is refused, and not sent.
    ///
    /// # Cancel safety
    ///
    /// If this does not resolve, a front part of the payload may have been sent: use `AsyncWrite` to know how much.
    pub async fn write_chunk(&mut self, mut payload: &[u8]) -> Result<(), Error> {
        self.access.begin();
        while !payload.is_empty() {
            let wrote = poll_fn(|cx| self.poll_fragment(cx, payload, false)).await?;
            payload = payload.get(wrote..).unwrap_or_default();
        }
        Ok(())
    }

    /// Ends the message and sends all of it. Nothing can be written to it afterwards.
    ///
    /// # Errors
    ///
    /// As [`Sender::send`](super::Sender::send). After [`Timeout`](crate::Fault::Timeout) with
    /// [`Wait::Turn`](crate::Wait::Turn) the message is as it was: call it again. Text that ends within a character is
    /// refused; write the rest of it. Once it is dropped unfinished, the connection is closed with 1011.
    ///
    /// # Cancel safety
    ///
    /// If this does not resolve, it may be called again.
    pub async fn finish(&mut self) -> Result<(), Error> {
        self.access.begin();
        poll_fn(|cx| self.poll_finish(cx)).await
    }

    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if !self.finished {
            ready!(self.poll_fragment(cx, &[], true))?;
        }
        ready!(self.poll_sent(cx))?;
        // The next message of anyone may follow.
        self.access.leave(&self.line);
        Poll::Ready(Ok(()))
    }

    /// Puts one fragment into the queue: so much of the payload as there is room for.
    fn poll_fragment(&mut self, cx: &mut Context<'_>, payload: &[u8], fin: bool) -> Poll<Result<usize, Error>> {
        if self.finished {
            return Poll::Ready(Err(Misuse::Finished.into()));
        }
        let opcode = self.opcode;
        let (len, place) = ready!(self.access.poll_queue(&self.line, cx, self.wire, |out, waker| {
            out.usable()?;
            let room = ready!(out.poll_room(LEAST_ROOM, waker))?;
            let len = payload.len().min(room);
            out.encode_all(&mut Sending::fragment(opcode, fin, payload.get(..len).unwrap_or_default()))?;
            Poll::Ready(Ok((len, out.mark())))
        }))?;
        self.place = place;
        self.begun = true;
        self.finished |= fin;
        Poll::Ready(Ok(len))
    }

    fn poll_sent(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.access.poll_flush_to(self.place, &self.line, cx, self.wire)
    }
}

/// As [`write_chunk`](MessageWriter::write_chunk); the [`Fault`](crate::Fault) is the source of the error. Shutting down
/// finishes the message. The time of a write runs from the poll that first had to wait to the one that succeeds, whatever
/// becomes of the caller in between.
impl<W: AsyncWrite + Unpin, E: Encode> AsyncWrite for MessageWriter<W, E> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, payload: &[u8]) -> Poll<io::Result<usize>> {
        if payload.is_empty() {
            return Poll::Ready(Ok(0));
        }
        self.poll_fragment(cx, payload, false).map(|result| Ok(result?))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_sent(cx).map(|result| Ok(result?))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_finish(cx).map(|result| Ok(result?))
    }
}

impl<W: AsyncWrite + Unpin, E: Encode> Drop for MessageWriter<W, E> {
    fn drop(&mut self) {
        if self.begun && !self.finished {
            self.line.fail(Misuse::Unfinished);
        }
        self.access.leave(&self.line);
    }
}

impl<W: AsyncWrite + Unpin, E: Encode> fmt::Debug for MessageWriter<W, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageWriter").field("opcode", &self.opcode).finish_non_exhaustive()
    }
}
