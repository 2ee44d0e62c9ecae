use core::pin::pin;
use core::task::{Context, Poll, Waker, ready};
use tokio::task::coop::poll_proceed;
use tokio::task::yield_now;

/// The work of one direction since it last let other tasks run, in units. A message is one unit.
///
/// Messages that lie in the read buffer, and frames that go into the queue, are ready without asking the transport, which
/// would take part in tokio's cooperative scheduling. A peer that sends without a pause would keep the task from ever
/// returning to the runtime.
///
/// Each 16 units cost one of the task's budget, which bounds what several connections of one task do together. After 128
/// units the other tasks run in any case.
#[derive(Debug, Default)]
pub(super) struct Share(u8);

impl Share {
    /// Spends a unit. Pending if other tasks are to run first; the runtime wakes this one after it has polled its I/O
    /// driver, so that new connections get in.
    #[inline]
    pub(super) fn poll_spend(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.spend() { self.poll_due(cx) } else { Poll::Ready(()) }
    }

    /// As [`poll_spend`](Self::poll_spend), for several units: at most 64.
    #[inline]
    pub(super) fn poll_spend_many(&mut self, units: u8, cx: &mut Context<'_>) -> Poll<()> {
        let before = self.0;
        self.0 = before.wrapping_add(units);
        if (before ^ self.0) < Self::UNIT_OF_BUDGET { Poll::Ready(()) } else { self.poll_due(cx) }
    }

    /// Spends a unit, for work that no peer can cause. It wakes nobody, so that a lock may be held. `false` if the task's
    /// budget is used up: [`poll_charged`](Self::poll_charged) waits for more.
    #[inline]
    pub(super) fn charge(&mut self) -> bool {
        !self.spend() || Self::charge_budget()
    }

    #[cold]
    fn charge_budget() -> bool {
        let proceeds = poll_proceed(&mut Context::from_waker(Waker::noop()));
        proceeds.map(|budget| budget.made_progress()).is_ready()
    }

    /// Pending, and woken later, if the task's budget is used up. Charges nothing.
    #[cold]
    pub(super) fn poll_charged(cx: &mut Context<'_>) -> Poll<()> {
        poll_proceed(cx).map(drop)
    }

    /// Spends a unit. Whether [`poll_budget`](Self::poll_budget) has to be asked before anything is done.
    #[inline]
    pub(super) fn spend(&mut self) -> bool {
        self.0 = self.0.wrapping_add(1);
        self.is_due()
    }

    #[inline]
    pub(super) fn is_due(&self) -> bool {
        self.0.is_multiple_of(Self::UNIT_OF_BUDGET)
    }

    /// Charges the task's budget alone, for work that no peer can cause.
    #[cold]
    pub(super) fn poll_budget(cx: &mut Context<'_>) -> Poll<()> {
        ready!(poll_proceed(cx)).made_progress();
        Poll::Ready(())
    }

    /// Other tasks run now: the transport was not ready.
    #[inline]
    pub(super) fn renew(&mut self) {
        self.0 = 0;
    }

    #[cold]
    fn poll_due(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        ready!(poll_proceed(cx)).made_progress();
        if self.0 < Self::ALL {
            return Poll::Ready(());
        }
        self.renew();
        // It is pending the first time it is polled.
        pin!(yield_now()).poll(cx)
    }

    const ALL: u8 = 128;
    const UNIT_OF_BUDGET: u8 = 16;
    /// The units of a read of the transport, which moves up to 64 KiB.
    pub(super) const READ: u8 = 4;
    /// The units of the frames that pass before a [`Step::Yield`](crate::Step::Yield).
    pub(super) const PASSED: u8 = 16;
}
