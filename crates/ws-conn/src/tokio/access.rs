use super::line::Line;
use super::out::Out;
use super::send::take;
use super::share::Share;
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

/// For what sends by poll functions, where nobody tells that a caller has given up.
///
/// It holds nothing from one poll to the next that others wait for, but for the turn of a message. It puts whole frames
/// into the queue, where there is room and no frame of another is half out, and is woken when either changes.
#[derive(Debug, Default)]
pub(super) struct Access {
    message: Turn,
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
        if out.share.spend() {
            drop(out);
            ready!(Share::poll_budget(cx));
            out = line.lock();
        }
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

    /// A new call begins, with its own time.
    pub(super) fn begin(&mut self) {
        self.alarm = None;
    }

    /// Does something with the queue between two frames.
    pub(super) fn poll_queue<T, W: AsyncWrite + Unpin, E: Encode>(
        &mut self,
        line: &Line<W, E>,
        cx: &mut Context<'_>,
        wire: Duration,
        mut act: impl FnMut(&mut Out<W, E>, &Waker) -> Poll<Result<T, Error>>,
    ) -> Poll<Result<T, Error>> {
        self.poll_line(line, cx, wire, |out, waker| {
            if out.torn {
                return Poll::Pending;
            }
            out.queue_replies()?;
            act(out, waker)
        })
    }

    /// Waits until everything before a place has left: also while a frame of another is half out behind it.
    pub(super) fn poll_flush_to<W: AsyncWrite + Unpin, E: Encode>(
        &mut self,
        place: u64,
        line: &Line<W, E>,
        cx: &mut Context<'_>,
        wire: Duration,
    ) -> Poll<Result<(), Error>> {
        self.poll_line(line, cx, wire, |out, waker| out.poll_flush_to(place, waker).map(|result| Ok(result?)))
    }

    fn poll_line<T, W: AsyncWrite + Unpin, E: Encode>(
        &mut self,
        line: &Line<W, E>,
        cx: &mut Context<'_>,
        wire: Duration,
        mut act: impl FnMut(&mut Out<W, E>, &Waker) -> Poll<Result<T, Error>>,
    ) -> Poll<Result<T, Error>> {
        let mut known = false;
        loop {
            let mut due = false;
            let (result, drained) = line.locked(|out, waker| {
                due = out.share.spend();
                if due {
                    return (Poll::Pending, false);
                }
                let result = act(out, waker).map_err(|error| out.settle(error));
                (result, out.is_drained())
            });
            if due {
                ready!(Share::poll_budget(cx));
                continue;
            }
            if let Poll::Ready(result) = result {
                if result.is_err() {
                    line.hub().wake_reader();
                }
                if drained {
                    line.hub().wake_others();
                }
                self.alarm = None;
                return Poll::Ready(result);
            }
            if known {
                return self.poll_alarm(line, cx, wire).map(Err);
            }
            // The transport has the connection's waker, which is to wake this task. What it waits for may have happened
            // before the task was known, so that it looks once more.
            known = true;
            line.hub().note_other(cx.waker());
        }
    }

    /// Gives the turn of the message back.
    pub(super) fn leave<W: AsyncWrite + Unpin, E: Encode>(&mut self, line: &Line<W, E>) {
        let mut out = line.lock();
        let next = out.message.leave(&mut self.message);
        line.note(&out);
        let wake_reader = !out.is_idle();
        drop(out);
        next.into_iter().for_each(Waker::wake);
        line.hub().wake_others();
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
        let out = line.lock();
        let turn = out.torn || out.message.is_busy() && self.message != Turn::Has;
        let fault = match (turn, out.shared.closed()) {
            (true, Some(closed)) => Fault::Closed(closed),
            (true, None) => Fault::Timeout(Wait::Turn),
            (false, _) => line.give_up(out, Fault::Timeout(Wait::Wire)),
        };
        Poll::Ready(fault.into())
    }
}
