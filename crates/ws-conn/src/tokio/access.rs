use super::line::Line;
use super::out::{OTHERS, Out, READER};
use super::send::take;
use super::share::Share;
use crate::driver::error::Error;
use crate::driver::hub::Place;
use crate::driver::turns::Turn;
use crate::extension::Encode;
use crate::fault::Fault;
use crate::timeouts::Wait;
use alloc::boxed::Box;
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker, ready};
use core::time::Duration;
use tokio::io::AsyncWrite;
use tokio::task::coop::unconstrained;
use tokio::time::{Instant, Sleep, sleep_until};

/// For what sends by poll functions, where nobody tells that a caller has given up.
///
/// It holds nothing from one poll to the next that others wait for, but for the turn of a message. It puts whole frames
/// into the queue, where there is room and no frame of another is half out, and is woken when either changes.
#[derive(Debug, Default)]
pub(super) struct Access {
    message: Turn,
    place: Place,
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
        ready!(poll_share(line, cx));
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
        self.poll_alarm(line, cx.waker(), wire, false).map(Err)
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
        ready!(poll_share(line, cx));
        let result = self.poll_line(line, cx, |out, waker| {
            if out.torn {
                return Poll::Pending;
            }
            out.queue_replies()?;
            act(out, waker)
        });
        if result.is_ready() { result } else { self.poll_alarm(line, line.waker(), wire, false).map(Err) }
    }

    /// Waits until everything before a place has left: also while a frame of another is half out behind it.
    pub(super) fn poll_flush_to<W: AsyncWrite + Unpin, E: Encode>(
        &mut self,
        place: u64,
        line: &Line<W, E>,
        cx: &mut Context<'_>,
        wire: Duration,
    ) -> Poll<Result<(), Error>> {
        ready!(poll_share(line, cx));
        let result = self.poll_line(line, cx, |out, waker| out.poll_flush_to(place, waker).map(|result| Ok(result?)));
        if result.is_ready() { result } else { self.poll_alarm(line, line.waker(), wire, false).map(Err) }
    }

    /// Does something with the sending direction. If that has to wait, the task is known to the hub afterwards, and is to
    /// [watch the time](Self::poll_alarm).
    pub(super) fn poll_line<T, W: AsyncWrite + Unpin, E: Encode>(
        &mut self,
        line: &Line<W, E>,
        cx: &mut Context<'_>,
        mut act: impl FnMut(&mut Out<W, E>, &Waker) -> Poll<Result<T, Error>>,
    ) -> Poll<Result<T, Error>> {
        // What it writes itself is no news to it.
        line.hub().forget_other(&mut self.place);
        for known in [false, true] {
            let result = line.locked(|out, waker| act(out, waker).map_err(|error| out.settle(error)));
            if result.is_ready() {
                line.hub().forget_other(&mut self.place);
                self.alarm = None;
                return result;
            }
            if !known {
                // The transport has the connection's waker, which is to wake this task. What it waits for may have happened
                // before the task was known, so that it looks once more.
                line.hub().note_other(&mut self.place, cx.waker());
            }
        }
        Poll::Pending
    }

    /// Gives up the turns, and its place among those who wait.
    pub(super) fn leave<W: AsyncWrite + Unpin, E: Encode>(&mut self, line: &Line<W, E>) {
        line.hub().forget_other(&mut self.place);
        let mut out = line.lock();
        let next = out.message.leave(&mut self.message);
        out.wake_later(OTHERS);
        if !out.is_idle() {
            out.wake_later(READER);
        }
        drop(out);
        next.into_iter().for_each(Waker::wake);
    }

    /// The time for a call begins when it first has to wait. `begun` says that a frame of its own is half out.
    #[cold]
    pub(super) fn poll_alarm<W: AsyncWrite + Unpin, E: Encode>(
        &mut self,
        line: &Line<W, E>,
        waker: &Waker,
        wire: Duration,
        begun: bool,
    ) -> Poll<Error> {
        if self.alarm.is_none() {
            let Some(until) = Instant::now().checked_add(wire) else { return Poll::Pending };
            self.alarm = Some(Box::pin(sleep_until(until)));
        }
        if let Some(alarm) = &mut self.alarm {
            // A task that has used up its budget would find the timer pending without being registered with it.
            let alarm = pin!(unconstrained(alarm.as_mut()));
            ready!(alarm.poll(&mut Context::from_waker(waker)));
        }
        self.alarm = None;
        let out = line.lock();
        let turn = !begun && (out.torn || out.message.is_busy() && self.message != Turn::HAS);
        let fault = match (turn, out.shared.closed()) {
            (true, Some(closed)) => Fault::Closed(closed),
            (true, None) => Fault::Timeout(Wait::Turn),
            (false, _) => line.give_up(out, Fault::Timeout(Wait::Wire)),
        };
        Poll::Ready(fault.into())
    }
}

/// Spends a unit of what this side may send before other tasks run. Pending for them to run, which is no wait for the
/// transport: no alarm is looked at.
pub(super) fn poll_share<W: AsyncWrite + Unpin, E: Encode>(line: &Line<W, E>, cx: &mut Context<'_>) -> Poll<()> {
    let due = line.lock().share.spend();
    if due { Share::poll_budget(cx) } else { Poll::Ready(()) }
}
