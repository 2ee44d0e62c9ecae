use alloc::boxed::Box;
use alloc::collections::VecDeque;
use core::task::Waker;

#[cfg(all(test, ws_loom))]
mod model;

/// Turns, given in the order in which they were asked for.
///
/// Plain data, to be kept under a lock. Wakers come out of it, to be woken or dropped when the lock is released: both
/// may run code of others.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    busy: bool,
    /// Allocated when somebody has to wait for the first time.
    order: Option<Box<Order>>,
}

#[derive(Debug, Default)]
struct Order {
    next: u32,
    granted: Option<u32>,
    waiting: VecDeque<(u32, Waker)>,
}

/// Where somebody stands in the order.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) enum Turn {
    #[default]
    Out,
    Waiting(u32),
    Has,
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
        match turn {
            Turn::Has => true,
            // Nobody waits then, not even one who believes so: all were woken to find out that there is no reason to.
            Turn::Out | Turn::Waiting(_) if !self.busy => {
                self.busy = true;
                *turn = Turn::Has;
                true
            }
            Turn::Waiting(ticket) if self.take_grant(*ticket) => {
                *turn = Turn::Has;
                true
            }
            _ => false,
        }
    }

    /// Takes the turn, or a place in the order. Answers a waker that is to be dropped.
    pub(crate) fn poll(&mut self, turn: &mut Turn, waker: &Waker) -> (bool, Option<Waker>) {
        if self.try_take(turn) {
            return (true, None);
        }
        let order = self.order.get_or_insert_default();
        if let Turn::Waiting(ticket) = turn
            && let Some((_, known)) = order.waiting.iter_mut().find(|(of, _)| of == ticket)
        {
            let old = (!known.will_wake(waker)).then(|| core::mem::replace(known, waker.clone()));
            return (false, old);
        }
        let ticket = order.next;
        order.next = ticket.wrapping_add(1);
        order.waiting.push_back((ticket, waker.clone()));
        *turn = Turn::Waiting(ticket);
        (false, None)
    }

    /// Gives the turn, or the place in the order, up. Answers the waker of who has it now, or the one's that waited: to
    /// be woken when the lock is released.
    #[must_use]
    pub(crate) fn leave(&mut self, turn: &mut Turn) -> Option<Waker> {
        match core::mem::take(turn) {
            Turn::Out => None,
            Turn::Has => self.pass(),
            Turn::Waiting(ticket) if self.take_grant(ticket) => self.pass(),
            Turn::Waiting(ticket) => {
                let waiting = &mut self.order.as_mut()?.waiting;
                let at = waiting.iter().position(|(of, _)| *of == ticket)?;
                waiting.remove(at).map(|(_, waker)| waker)
            }
        }
    }

    /// Everybody who waits, to be woken: there is nothing to wait for any more.
    pub(crate) fn take_all(&mut self) -> VecDeque<(u32, Waker)> {
        self.order.as_mut().map_or_else(VecDeque::new, |order| core::mem::take(&mut order.waiting))
    }

    /// Whether the turn was given to this ticket, which takes it now.
    fn take_grant(&mut self, ticket: u32) -> bool {
        let granted = self.order.as_mut().map(|order| &mut order.granted);
        granted.is_some_and(|granted| granted.take_if(|granted| *granted == ticket).is_some())
    }

    fn pass(&mut self) -> Option<Waker> {
        let order = self.order.as_deref_mut();
        let next = order.and_then(|order| {
            let (ticket, waker) = order.waiting.pop_front()?;
            order.granted = Some(ticket);
            Some(waker)
        });
        self.busy = next.is_some();
        next
    }
}
