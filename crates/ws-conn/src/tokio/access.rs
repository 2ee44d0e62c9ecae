use super::line::{Line, Out};
use super::send::take;
use crate::driver::error::Error;
use crate::driver::turns::Turn;
use crate::extension::Encode;
use crate::fault::Fault;
use crate::timeouts::Wait;
use alloc::boxed::Box;
use core::pin::Pin;
use core::task::{Context, Poll, Waker, ready};
use core::time::Duration;
use tokio::io::AsyncWrite;
use tokio::time::{Instant, Sleep, sleep_until};

/// The turns of something that sends by poll functions, which keeps its place from one poll to the next.
#[derive(Debug, Default)]
pub(super) struct Access {
    message: Turn,
    frame: Turn,
    alarm: Option<Pin<Box<Sleep>>>,
}

impl Access {
    /// Waits for the turn of a message, and keeps it.
    pub(super) fn poll_message<W: AsyncWrite + Unpin, E: Encode>(
        &mut self,
        line: &Line<W, E>,
        cx: &mut Context<'_>,
        wire: Duration,
    ) -> Poll<Result<(), Error>> {
        let mut old = None;
        let mut out = line.lock();
        let usable = out.usable();
        let has = usable.is_ok() && take(&mut out.message, &mut self.message, cx, &mut old);
        drop(out);
        drop(old);
        usable?;
        if has {
            self.alarm = None;
            return Poll::Ready(Ok(()));
        }
        self.poll_alarm(line, cx, wire).map(Err)
    }

    /// Does something with the turn of a frame, and gives it back when that is done.
    pub(super) fn poll_frame<T, W: AsyncWrite + Unpin, E: Encode>(
        &mut self,
        line: &Line<W, E>,
        cx: &mut Context<'_>,
        wire: Duration,
        mut act: impl FnMut(&mut Out<W, E>, &Waker) -> Poll<Result<T, Error>>,
    ) -> Poll<Result<T, Error>> {
        let mut known = false;
        loop {
            let mut old = None;
            let mut out = line.lock();
            let has = take(&mut out.frame, &mut self.frame, cx, &mut old);
            let replies = if has { out.queue_replies() } else { Ok(()) };
            let result = match (has, replies) {
                (false, _) => Poll::Pending,
                (true, Err(fault)) => Poll::Ready(Err(fault.into())),
                (true, Ok(())) => act(&mut out, line.waker()),
            };
            if let Poll::Ready(result) = result {
                let result = result.map_err(|error| out.settle(error));
                // A fault here is the receiving direction's to find.
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
                return self.poll_alarm(line, cx, wire).map(Err);
            }
            // The transport has the connection's waker, which is to wake this task. It may have become ready before the
            // task was known, so that it is asked once more.
            known = true;
            line.hub().note_writer(cx.waker());
        }
    }

    /// Gives everything back.
    pub(super) fn leave<W: AsyncWrite + Unpin, E: Encode>(&mut self, line: &Line<W, E>) {
        let mut out = line.lock();
        let next = [out.frame.leave(&mut self.frame), out.message.leave(&mut self.message)];
        line.note(&out);
        let wake_reader = !out.is_idle();
        drop(out);
        next.into_iter().flatten().for_each(Waker::wake);
        if wake_reader {
            line.hub().wake_reader();
        }
    }

    /// The time for a call begins when it first has to wait.
    #[cold]
    fn poll_alarm<W: AsyncWrite + Unpin, E: Encode>(
        &mut self,
        line: &Line<W, E>,
        cx: &mut Context<'_>,
        wire: Duration,
    ) -> Poll<Error> {
        if self.alarm.is_none() {
            let Some(until) = Instant::now().checked_add(wire) else { return Poll::Pending };
            self.alarm = Some(Box::pin(sleep_until(until)));
        }
        if let Some(alarm) = &mut self.alarm {
            ready!(alarm.as_mut().poll(cx));
        }
        self.alarm = None;
        let mut out = line.lock();
        let (fault, write) = if self.frame == Turn::Has {
            out.give_up(Fault::Timeout(Wait::Wire))
        } else {
            (Fault::Timeout(Wait::Turn), None)
        };
        let next = out.frame.leave(&mut self.frame);
        line.note(&out);
        drop(out);
        drop(write);
        next.into_iter().for_each(Waker::wake);
        line.hub().wake_reader();
        Poll::Ready(fault.into())
    }
}
