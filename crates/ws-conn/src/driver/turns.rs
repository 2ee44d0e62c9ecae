use alloc::boxed::Box;
use alloc::collections::VecDeque;
use core::task::Waker;

/// Turns, given in the order in which they were asked for.
///
/// Plain data, to be kept under a lock. Wakers come out of it, to be woken or dropped when the lock is released: both
/// may run code of others.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    busy: bool,
    next: u32,
    granted: Option<u32>,
    /// Allocated when somebody has to wait for the first time.
    #[expect(clippy::box_collection, reason = "most connections never have a queue, and all pay for its place")]
    waiting: Option<Box<VecDeque<(u32, Waker)>>>,
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
            Turn::Waiting(ticket) if self.granted == Some(*ticket) => {
                self.granted = None;
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
        let waiting = self.waiting.get_or_insert_default();
        if let Turn::Waiting(ticket) = turn
            && let Some((_, known)) = waiting.iter_mut().find(|(of, _)| of == ticket)
        {
            let old = (!known.will_wake(waker)).then(|| core::mem::replace(known, waker.clone()));
            return (false, old);
        }
        let ticket = self.next;
        self.next = ticket.wrapping_add(1);
        waiting.push_back((ticket, waker.clone()));
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
            Turn::Waiting(ticket) if self.granted == Some(ticket) => {
                self.granted = None;
                self.pass()
            }
            Turn::Waiting(ticket) => {
                let waiting = self.waiting.as_mut()?;
                let at = waiting.iter().position(|(of, _)| *of == ticket)?;
                waiting.remove(at).map(|(_, waker)| waker)
            }
        }
    }

    /// Everybody who waits, to be woken: there is nothing to wait for any more.
    pub(crate) fn take_all(&mut self) -> VecDeque<(u32, Waker)> {
        self.waiting.take().map_or_else(VecDeque::new, |waiting| *waiting)
    }

    fn pass(&mut self) -> Option<Waker> {
        let next = self.waiting.as_mut().and_then(|waiting| waiting.pop_front());
        self.busy = next.is_some();
        let (ticket, waker) = next?;
        self.granted = Some(ticket);
        Some(waker)
    }
}
