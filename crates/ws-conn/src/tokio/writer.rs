use super::line::{Line, Out};
use super::send::take;
use crate::driver::error::Error;
use crate::driver::turns::Turn;
use crate::extension::{Encode, Plain};
use crate::fault::{Fault, Misuse};
use crate::outbound::Sending;
use crate::timeouts::Wait;
use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt;
use core::future::poll_fn;
use core::pin::Pin;
use core::task::{Context, Poll, Waker, ready};
use core::time::Duration;
use std::io;
use tokio::io::AsyncWrite;
use tokio::time::{Instant, Sleep, sleep_until};
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
    message: Turn,
    frame: Turn,
    begun: bool,
    finished: bool,
    alarm: Option<Pin<Box<Sleep>>>,
}

impl<W: AsyncWrite + Unpin, E: Encode> MessageWriter<W, E> {
    pub(super) fn new(line: Arc<Line<W, E>>, opcode: Opcode, wire: Duration) -> Result<Self, Error> {
        Sending::fragment(opcode, false, &[]).check_stream()?;
        let (message, frame) = (Turn::Out, Turn::Out);
        Ok(Self { line, opcode, wire, message, frame, begun: false, finished: false, alarm: None })
    }

    /// Waits for the turn of the message.
    pub(super) fn poll_begin(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let mut old = None;
        let mut out = self.line.lock();
        let usable = out.usable();
        let has = usable.is_ok() && take(&mut out.message, &mut self.message, cx, &mut old);
        drop(out);
        drop(old);
        usable?;
        if has {
            self.alarm = None;
            return Poll::Ready(Ok(()));
        }
        self.poll_alarm(cx)
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
        while !payload.is_empty() {
            let wrote = poll_fn(|cx| self.poll_fragment(cx, payload, false)).await?;
            payload = payload.get(wrote..).unwrap_or_default();
        }
        Ok(())
    }

    /// Ends the message and sends all of it.
    ///
    /// # Errors
    ///
    /// As [`Sender::send`](super::Sender::send). Text that ends within a character is refused; the message cannot be
    /// completed then, and the connection is closed with 1011.
    ///
    /// # Cancel safety
    ///
    /// If this does not resolve, the message is either finished, once its last frame has begun, or given up.
    pub async fn finish(mut self) -> Result<(), Error> {
        poll_fn(|cx| self.poll_finish(cx)).await
    }

    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if !self.finished {
            ready!(self.poll_fragment(cx, &[], true))?;
        }
        self.poll_out(cx, |_, out, waker| out.poll_flush(waker).map(|result| Ok(result?)))
    }

    /// Puts one fragment into the queue: so much of the payload as there is room for.
    fn poll_fragment(&mut self, cx: &mut Context<'_>, payload: &[u8], fin: bool) -> Poll<Result<usize, Error>> {
        self.poll_out(cx, |writer, out, waker| {
            out.usable()?;
            let mut room = out.room().len();
            if room < LEAST_ROOM {
                ready!(out.poll_write(waker, &mut &[][..]))?;
                room = out.room().len();
            }
            let len = payload.len().min(room.saturating_sub(HEAD));
            let payload = payload.get(..len).unwrap_or_default();
            let result = out.encode_all(&mut Sending::fragment(writer.opcode, fin, payload));
            out.fill(0);
            result?;
            writer.begun = true;
            writer.finished |= fin;
            Poll::Ready(Ok(len))
        })
    }

    /// Does something with the turn of a frame, and gives it back when that is done.
    fn poll_out<T>(
        &mut self,
        cx: &mut Context<'_>,
        mut act: impl FnMut(&mut Self, &mut Out<W, E>, &Waker) -> Poll<Result<T, Error>>,
    ) -> Poll<Result<T, Error>> {
        let line = Arc::clone(&self.line);
        let mut known = false;
        loop {
            let mut old = None;
            let mut out = line.lock();
            let has = take(&mut out.frame, &mut self.frame, cx, &mut old);
            let replies = if has { out.queue_replies() } else { Ok(()) };
            let result = match (has, replies) {
                (false, _) => Poll::Pending,
                (true, Err(fault)) => Poll::Ready(Err(fault.into())),
                (true, Ok(())) => act(self, &mut out, line.waker()),
            };
            if let Poll::Ready(result) = result {
                let result = result.map_err(|error| out.settle(error));
                let _ = out.queue_replies();
                let next = out.frame.leave(&mut self.frame);
                let wake_reader = out.take_wanted() || result.is_err();
                line.note(&out);
                drop(out);
                drop(old);
                next.into_iter().for_each(Waker::wake);
                if wake_reader {
                    line.hub().wake_reader();
                }
                self.alarm = None;
                return Poll::Ready(result);
            }
            line.note(&out);
            drop(out);
            drop(old);
            if !has || known {
                return ready!(self.poll_alarm(cx)).map_or_else(|error| Poll::Ready(Err(error)), |()| Poll::Pending);
            }
            // The transport has the connection's waker, which is to wake this task. It may have become ready before the
            // task was known, so that it is asked once more.
            known = true;
            line.hub().note_writer(cx.waker());
        }
    }

    /// The time for a call begins when it first has to wait.
    #[cold]
    fn poll_alarm(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if self.alarm.is_none() {
            let Some(until) = Instant::now().checked_add(self.wire) else { return Poll::Pending };
            self.alarm = Some(Box::pin(sleep_until(until)));
        }
        if let Some(alarm) = &mut self.alarm {
            ready!(alarm.as_mut().poll(cx));
        }
        self.alarm = None;
        let mut out = self.line.lock();
        let (fault, write) = if self.frame == Turn::Has {
            out.give_up(Fault::Timeout(Wait::Wire))
        } else {
            (Fault::Timeout(Wait::Turn), None)
        };
        let next = out.frame.leave(&mut self.frame);
        self.line.note(&out);
        drop(out);
        drop(write);
        next.into_iter().for_each(Waker::wake);
        self.line.hub().wake_reader();
        Poll::Ready(Err(fault.into()))
    }
}

/// As [`write_chunk`](MessageWriter::write_chunk); the [`Fault`](crate::Fault) is the source of the error. Shutting down
/// finishes the message.
impl<W: AsyncWrite + Unpin, E: Encode> AsyncWrite for MessageWriter<W, E> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, payload: &[u8]) -> Poll<io::Result<usize>> {
        if payload.is_empty() {
            return Poll::Ready(Ok(0));
        }
        self.poll_fragment(cx, payload, false).map(|result| Ok(result?))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flush = |_: &mut Self, out: &mut Out<W, E>, waker: &Waker| out.poll_flush(waker).map(|result| Ok(result?));
        self.poll_out(cx, flush).map(|result| Ok(result?))
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
        let mut out = self.line.lock();
        let next = [out.frame.leave(&mut self.frame), out.message.leave(&mut self.message)];
        self.line.note(&out);
        drop(out);
        next.into_iter().flatten().for_each(Waker::wake);
        self.line.hub().wake_reader();
    }
}

impl<W: AsyncWrite + Unpin, E: Encode> fmt::Debug for MessageWriter<W, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageWriter").field("opcode", &self.opcode).finish_non_exhaustive()
    }
}

/// The largest header there is.
const HEAD: usize = 14;
/// With less room than this the queue is written first: fragments are not to be tiny.
const LEAST_ROOM: usize = 4096;
