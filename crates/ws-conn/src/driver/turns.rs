use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use core::task::Waker;

#[cfg(all(test, ws_loom))]
mod model;

/// Turns, given in the order in which they were asked for.
///
/// Plain data, to be kept under a lock. Wakers come out of it, to be woken or dropped when the lock is released: both
/// may run code of others. Each step takes at most a time that grows with the logarithm of how many wait.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    busy: bool,
    /// Allocated when somebody has to wait for the first time.
    order: Option<Box<Order>>,
}

#[derive(Debug, Default)]
struct Order {
    /// The last ticket that was given out.
    last: u64,
    granted: Option<u64>,
    waiting: BTreeMap<u64, Waker>,
}

/// Where somebody stands in the order: outside, with the turn, or waiting with a ticket. A number without gaps around it,
/// since it lies in every connection and every future that sends.
#[derive(Debug, Default, PartialEq, Eq)]
#[repr(Rust, packed(4))]
pub(crate) struct Turn(u64);

impl Turn {
    pub(crate) const OUT: Self = Self(0);
    pub(crate) const HAS: Self = Self(u64::MAX);

    /// The ticket; that of nobody if it is [`OUT`](Self::OUT).
    fn ticket(&self) -> u64 {
        self.0
    }
}

impl Turns {
    /// Whether somebody has the turn, or has been given it.
    #[inline]
    pub(crate) fn is_busy(&self) -> bool {
        self.busy
    }

    /// Takes the turn if nobody has it.
    #[inline]
    pub(crate) fn try_take(&mut self, turn: &mut Turn) -> bool {
        if *turn == Turn::HAS {
            return true;
        }
        // If nobody has it nobody waits, not even one who believes so: all were woken to find out that there is no reason to.
        let takes = !self.busy || self.take_grant(turn.ticket());
        if takes {
            self.busy = true;
            *turn = Turn::HAS;
        }
        takes
    }

    /// Takes the turn, or a place in the order. Returns a waker that is to be dropped.
    pub(crate) fn poll(&mut self, turn: &mut Turn, waker: &Waker) -> (bool, Option<Waker>) {
        if self.try_take(turn) {
            return (true, None);
        }
        let order = self.order.get_or_insert_default();
        if let Some(known) = order.waiting.get_mut(&turn.ticket()) {
            let old = (!known.will_wake(waker)).then(|| core::mem::replace(known, waker.clone()));
            return (false, old);
        }
        order.last = order.last.wrapping_add(1);
        order.waiting.insert(order.last, waker.clone());
        *turn = Turn(order.last);
        (false, None)
    }

    /// Gives up the turn, or the place in the order. Returns the waker of the next owner of the turn, or of the one that waited: to
    /// be woken when the lock is released.
    #[must_use]
    pub(crate) fn leave(&mut self, turn: &mut Turn) -> Option<Waker> {
        let turn = core::mem::take(turn);
        if turn == Turn::HAS || self.take_grant(turn.ticket()) {
            return self.pass();
        }
        self.order.as_mut()?.waiting.remove(&turn.ticket())
    }

    /// Everybody who waits, to be woken: there is nothing to wait for any more.
    pub(crate) fn take_all(&mut self) -> impl Iterator<Item = Waker> + use<> {
        let waiting = self.order.as_mut().map(|order| core::mem::take(&mut order.waiting));
        waiting.into_iter().flat_map(BTreeMap::into_values)
    }

    /// Whether the turn was given to this ticket, which takes it now.
    fn take_grant(&mut self, ticket: u64) -> bool {
        let granted = self.order.as_mut().map(|order| &mut order.granted);
        granted.is_some_and(|granted| granted.take_if(|granted| *granted == ticket).is_some())
    }

    fn pass(&mut self) -> Option<Waker> {
        let order = self.order.as_deref_mut();
        let next = order.and_then(|order| {
            let (ticket, waker) = order.waiting.pop_first()?;
            order.granted = Some(ticket);
            Some(waker)
        });
        self.busy = next.is_some();
        next
    }
}

#[cfg(test)]
mod tests {
    use super::{Turn, Turns};
    use alloc::vec::Vec;
    use core::task::Waker;

    /// Whoever goes, and from wherever in the order: the others keep their places.
    #[test]
    fn who_leaves_from_the_midst_of_the_order_changes_nobody_elses_place() {
        let mut turns = Turns::default();
        let mut waiting: Vec<Turn> = (0..100).map(|_| Turn::OUT).collect();
        for turn in &mut waiting {
            turns.poll(turn, Waker::noop());
        }
        for turn in waiting.iter_mut().skip(1).step_by(2) {
            assert!(turns.leave(turn).is_some());
        }
        for at in (0..100).step_by(2) {
            let has: Vec<usize> = (0..100).filter(|&at| turns.try_take(&mut waiting[at])).collect();
            assert_eq!(has, [at]);
            assert_eq!(turns.leave(&mut waiting[at]).is_some(), at < 98);
        }
        assert!(!turns.is_busy());
    }
}
