use super::line::Line;
use super::out::Out;
use super::send::Send;
use super::share::Share;
use crate::driver::error::Error;
use crate::driver::sync::Arc;
use crate::driver::turns::Turn;
use crate::extension::Encode;
use crate::outbound::Sending;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll, Waker, ready};
use core::time::Duration;
use std::io;
use tokio::io::AsyncWrite;

/// An operation of sending, or the flush of what is queued: done at once, if that can be, and otherwise in turns.
pub(super) enum Put<'l, 'm, A, W: AsyncWrite + Unpin, E: Encode> {
    Now { line: A, op: Option<Sending<'m>>, wire: Duration, flush: bool },
    InTurns(Send<'l, 'm, W, E>),
    Done,
}

/// The sending direction as one of many has it, or the connection itself.
pub(super) trait Reach<'l, W, E>: Unpin {
    /// Does something with it, behind the lock if need be.
    fn reach<T>(&mut self, act: impl FnOnce(&mut Out<W, E>, &Waker) -> T) -> T;
    /// As one of many from now on.
    fn into_line(self) -> &'l Line<W, E>;
}

impl<'l, W: AsyncWrite + Unpin, E: Encode> Reach<'l, W, E> for &'l Line<W, E> {
    #[inline]
    fn reach<T>(&mut self, act: impl FnOnce(&mut Out<W, E>, &Waker) -> T) -> T {
        self.locked(act)
    }

    fn into_line(self) -> &'l Line<W, E> {
        self
    }
}

impl<'l, W: AsyncWrite + Unpin, E: Encode> Reach<'l, W, E> for &'l mut Arc<Line<W, E>> {
    #[inline]
    fn reach<T>(&mut self, act: impl FnOnce(&mut Out<W, E>, &Waker) -> T) -> T {
        Line::reach(self, act)
    }

    fn into_line(self) -> &'l Line<W, E> {
        self
    }
}

impl<'l, 'm, A: Reach<'l, W, E>, W: AsyncWrite + Unpin, E: Encode> Put<'l, 'm, A, W, E> {
    #[inline]
    pub(super) fn new(line: A, op: Option<Sending<'m>>, wire: Duration, flush: bool) -> Self {
        Self::Now { line, op, wire, flush }
    }

    #[cold]
    fn poll_turns(&mut self, why: Option<Result<Left<'m>, Error>>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if let Self::Now { line, .. } = self
            && why.is_none()
            && line.reach(|out, _| out.share.is_due())
        {
            ready!(Share::poll_charged(cx));
        }
        if let Self::Now { .. } = self
            && let Self::Now { line, op, wire, flush } = mem::replace(self, Self::Done)
        {
            let line = line.into_line();
            *self = Self::InTurns(match why {
                Some(Err(error)) => return Poll::Ready(Err(error)),
                Some(Ok(left)) => Send::rest(line, op, left, wire, flush),
                None => Send::of(line, op, wire, flush),
            });
        }
        match self {
            Self::InTurns(send) => Pin::new(send).poll(cx),
            _ => Poll::Ready(Ok(())),
        }
    }
}

impl<'l, A: Reach<'l, W, E>, W: AsyncWrite + Unpin, E: Encode> Future for Put<'l, '_, A, W, E> {
    type Output = Result<(), Error>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // In its place, since to move an operation that was just made takes longer than the frame.
        let mut why = None;
        if let Self::Now { line, op, flush, .. } = &mut *self
            && line.reach(|out, waker| out.share.charge() && out.send_now(op.as_mut(), *flush, waker, &mut why))
        {
            *self = Self::Done;
            return Poll::Ready(Ok(()));
        }
        self.poll_turns(why, cx)
    }
}

/// What is left of an operation that has begun, and the turns, which are its own from here on.
pub(super) struct Left<'m> {
    /// Whether all of it is in the queue, or in `then`.
    pub(super) encoded: bool,
    /// Payload that follows the queue.
    pub(super) then: &'m [u8],
    /// The place behind what is queued.
    pub(super) mark: u64,
    pub(super) frame: Turn,
    pub(super) message: Turn,
}

impl<W: AsyncWrite + Unpin, E: Encode> Out<W, E> {
    /// Does an operation all at once, or the flush of what is queued, as is possible when nobody else sends and the
    /// transport takes it. `false` if it is not done: then `why` says what is left of it, or what failed, or nothing if
    /// it has not begun.
    ///
    /// The answer is one value for a register: a result in memory, which is read and written in other widths on its way
    /// out, takes longer than the frame.
    #[inline]
    pub(super) fn send_now<'m>(
        &mut self,
        op: Option<&mut Sending<'m>>,
        flush: bool,
        waker: &Waker,
        why: &mut Option<Result<Left<'m>, Error>>,
    ) -> bool {
        let Some(op) = op else { return self.flush_now(waker, why) };
        if op.is_close() || !self.is_free(op.is_data()) {
            return false;
        }
        let step = match self.encode(op) {
            Ok(step) => step,
            Err(fault) => return self.failed(fault.into(), why),
        };
        if step.done && step.then.is_empty() {
            let flushed = if flush { self.poll_flush(waker) } else { Poll::Ready(Ok(())) };
            return self.end_now(flushed, op.is_data(), true, &[], why);
        }
        let mut then = step.then;
        self.torn = true;
        let wrote = if step.done { self.poll_write(waker, &mut then) } else { Poll::Pending };
        self.torn = !(self.is_broken() || step.done && then.is_empty());
        let result = match wrote {
            // What was written through is handed on as well, so that nothing is left to be flushed; but a message
            // that is fed does not wait for that.
            Poll::Ready(Ok(())) => match self.poll_hand_on(waker) {
                Poll::Pending if !flush => Poll::Ready(Ok(())),
                flushed => flushed,
            },
            wrote => wrote,
        };
        self.end_now(result, op.is_data(), step.done, then, why)
    }

    #[inline]
    fn end_now<'m>(
        &mut self,
        result: Poll<io::Result<()>>,
        data: bool,
        encoded: bool,
        then: &'m [u8],
        why: &mut Option<Result<Left<'m>, Error>>,
    ) -> bool {
        match result {
            Poll::Ready(Ok(())) => true,
            Poll::Ready(Err(error)) => self.failed(error.into(), why),
            Poll::Pending => self.leave_off(data, encoded, then, why),
        }
    }

    fn flush_now<'m>(&mut self, waker: &Waker, why: &mut Option<Result<Left<'m>, Error>>) -> bool {
        if !self.is_free(false) {
            return false;
        }
        match self.poll_flush(waker) {
            Poll::Ready(Ok(())) => true,
            Poll::Ready(Err(error)) => self.failed(error.into(), why),
            Poll::Pending => false,
        }
    }

    #[cold]
    fn failed<'m>(&mut self, error: Error, why: &mut Option<Result<Left<'m>, Error>>) -> bool {
        *why = Some(Err(self.settle(error)));
        false
    }

    #[cold]
    fn leave_off<'m>(
        &mut self,
        data: bool,
        encoded: bool,
        then: &'m [u8],
        why: &mut Option<Result<Left<'m>, Error>>,
    ) -> bool {
        let (mut frame, mut message) = (Turn::OUT, Turn::OUT);
        self.frame.try_take(&mut frame);
        if data {
            self.message.try_take(&mut message);
        }
        *why = Some(Ok(Left { encoded, then, mark: self.mark(), frame, message }));
        false
    }
}
