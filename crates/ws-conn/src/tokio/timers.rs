use crate::timeouts::Need;
use alloc::boxed::Box;
use core::pin::{Pin, pin};
use core::task::{Context, Waker};
use core::time::Duration;
use tokio::task::coop::unconstrained;
use tokio::time::{Instant, Sleep, sleep_until};

/// The time of a connection: one timer for all its waits, which are told apart by values.
///
/// The timer is armed for the earliest deadline and left alone when that moves into the future, since most waits end long
/// before: a connection that exchanges messages touches it once in each idle time. The clock is read when a wait begins.
#[derive(Debug, Default)]
pub(super) struct Timers {
    timer: Option<Pin<Box<Sleep>>>,
    need: Option<Need>,
    began: Option<Instant>,
}

impl Timers {
    /// When the wait began; reads the clock if it is another than before.
    #[inline]
    pub(super) fn began(&mut self, need: Need) -> Instant {
        match self.began {
            Some(began) if self.need == Some(need) => began,
            _ => {
                let now = Instant::now();
                self.need = Some(need);
                self.began = Some(now);
                now
            }
        }
    }

    /// Arms the timer for a moment, unless it is armed for an earlier one. `true` if the moment has passed.
    ///
    /// The timer wakes the connection's waker, so that it is polled when it is armed and not at every wait.
    #[inline]
    pub(super) fn has_passed(&mut self, until: Instant, waker: &Waker) -> bool {
        match &self.timer {
            Some(timer) if !timer.is_elapsed() && timer.deadline() <= until => false,
            _ => self.arm(until, waker),
        }
    }

    #[cold]
    fn arm(&mut self, until: Instant, waker: &Waker) -> bool {
        if Instant::now() >= until {
            return true;
        }
        match &mut self.timer {
            Some(timer) => timer.as_mut().reset(until),
            None => self.timer = Some(Box::pin(sleep_until(until))),
        }
        let Some(timer) = &mut self.timer else { return false };
        // A task that has used up its budget would find the timer pending without being registered with it.
        let timer = pin!(unconstrained(timer.as_mut()));
        timer.poll(&mut Context::from_waker(waker)).is_ready()
    }
}

/// A moment so far in the future that it is never waited for.
pub(super) fn after(began: Instant, patience: Duration) -> Option<Instant> {
    began.checked_add(patience)
}
