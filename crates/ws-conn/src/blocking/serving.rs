//! What a thread does with the lock of the sending direction besides its own: what others have asked for, and what comes
//! of errors.
#![expect(clippy::disallowed_methods, reason = "waiting for the lock is the driver's, and takes time")]

use super::io::Output;
use super::line::{Line, Way};
use super::writing::Writing;
use crate::driver::deadline::Patience;
use crate::driver::error::Error;
use crate::driver::write_lock::{BROKEN, CLOSING, ENDED, FINISH, GONE, Guard, MESSAGE};
use crate::extension::Encode;
use crate::fault::{Fault, Misuse};
use crate::timeouts::Wait;
use core::time::Duration;
use std::time::Instant;

impl<W: Output, E: Encode> Line<W, E> {
    /// The status is set: sends what is owed, as far as that can be done until the deadline.
    pub(super) fn closing(&self, wire: Duration) {
        self.lock.set(CLOSING);
        let mut patience = Self::patience(wire);
        let mut served = false;
        self.lock.ask(|writing| {
            served = true;
            self.serve(writing, &mut patience);
        });
        // Waits for a writer that is at work, since the caller may want to hang up next. Whoever it is, it does what is
        // owed at the end of its frame, as far as it has time for that; the rest is done here.
        if !served && let Ok(mut writing) = self.lock(false, &mut patience) {
            self.serve(&mut writing, &mut patience);
            let _ = self.unlock(writing, patience, Ok(()));
        }
    }

    /// What a call does for others while it has the lock: within what its own patience has left, however much that is.
    #[inline]
    pub(super) fn serving(&self, patience: Patience) -> impl FnMut(&mut Writing<W, E>) {
        let mut patience = patience;
        move |writing| {
            writing.renew(&mut patience);
            self.serve(writing, &mut patience);
        }
    }

    fn serve(&self, writing: &mut Writing<W, E>, patience: &mut Patience) {
        if self.lock.is_set(GONE) {
            writing.let_go();
        }
        // Read first: what is owed was known before it was set.
        let ended = self.lock.is_set(ENDED);
        self.finish(writing);
        match self.replies(writing, patience).and_then(|()| writing.flush(patience)) {
            // The others' frames wait for more time, and have it as long as somebody receives.
            Err(Error::Fault(Fault::Timeout(_))) if !ended => {}
            // What cannot be sent is found out by whoever sends or receives next.
            result => drop(result.map_err(|error| self.settle(writing, error))),
        }
        if writing.is_broken() {
            self.lock.set(BROKEN);
        }
        if ended {
            self.lock.clear(ENDED);
            writing.half_close();
        }
        self.note(writing);
    }

    /// Ends a message whose writer had no time for it, and its turn.
    fn finish(&self, writing: &mut Writing<W, E>) {
        if !self.lock.is_set(FINISH) {
            return;
        }
        match writing.finish() {
            Ok(()) => {}
            Err(Error::Fault(Fault::Timeout(_))) => return,
            // It cannot be completed, unless there is nothing to complete any more.
            Err(_) => {
                self.shared().fail(Misuse::Unfinished.into());
                self.lock.set(CLOSING);
            }
        }
        // Who waits for the turn is woken when this is released.
        self.lock.clear(FINISH | MESSAGE);
    }

    /// Puts what is owed into the queue, and waits for room there if need be.
    pub(super) fn replies(&self, writing: &mut Writing<W, E>, patience: &mut Patience) -> Result<(), Error> {
        loop {
            let mut shared = self.shared();
            if !shared.owes() {
                if let Some(closed) = shared.closed() {
                    writing.end(closed);
                }
                return Ok(());
            }
            if writing.is_broken() {
                return Ok(());
            }
            writing.replies(&mut shared)?;
            let owes = shared.owes();
            drop(shared);
            if owes {
                writing.flush(patience)?;
            }
        }
    }

    /// Takes the lock, and with `turn` the turn of a message.
    #[inline(always)]
    pub(super) fn lock(&self, turn: bool, patience: &mut Patience) -> Result<Guard<'_, Writing<W, E>>, Error> {
        let guard = self
            .lock
            .lock(turn, patience, Instant::now, self.serving(Self::NONE))
            .ok_or_else(|| self.shared().closed().map_or(Fault::Timeout(Wait::Turn), Fault::Closed))?;
        // The wait for the lock is the system's, and the transport may have a clock of its own.
        *patience = patience.transferred(Instant::now);
        if turn && self.is_closing() { self.refuse(guard) } else { Ok(guard) }
    }

    /// The status is set: no message begins any more, whether or not the Close is out.
    #[cold]
    fn refuse<'l>(&'l self, guard: Guard<'l, Writing<W, E>>) -> Result<Guard<'l, Writing<W, E>>, Error> {
        let Some(closed) = self.shared().closed() else { return Ok(guard) };
        self.unlock(guard, Self::NONE, Ok(()))?;
        Err(closed.into())
    }

    /// Releases the lock and sorts out the result.
    #[inline]
    pub(super) fn unlock(
        &self,
        writing: Guard<'_, Writing<W, E>>,
        patience: Patience,
        result: Result<(), Error>,
    ) -> Result<(), Error> {
        match result {
            Ok(()) => {
                self.note(&writing);
                self.lock.unlock(writing, self.serving(patience));
                Ok(())
            }
            Err(error) => Err(self.release(writing, patience, error)),
        }
    }

    /// Releases the lock after an error. Returns what it means for the connection.
    #[cold]
    pub(super) fn release(&self, mut writing: Guard<'_, Writing<W, E>>, patience: Patience, error: Error) -> Error {
        let error = self.settle(&mut writing, error);
        self.note(&writing);
        self.lock.unlock(writing, self.serving(patience));
        error
    }

    /// Says whether something waits to be sent.
    #[inline]
    fn note(&self, writing: &Writing<W, E>) {
        self.lock.note_queued(writing.is_queued());
    }

    /// What an error means for the connection.
    #[cold]
    fn settle(&self, writing: &mut Writing<W, E>, error: Error) -> Error {
        if matches!(error, Error::Fault(Fault::Timeout(Wait::Wire))) {
            // The peer does not read: half a frame may be out, so that nothing more can be told it.
            writing.break_off();
        }
        if writing.is_broken() {
            self.lock.set(BROKEN);
        }
        let fault = match error {
            Error::Fault(fault) => fault,
            // If the connection was closed before, that is why.
            Error::Io(error) => return self.shared().closed().map_or(Error::Io(error), Error::from),
        };
        if !fault.is_fatal() {
            return fault.into();
        }
        let fault = self.shared().fail(fault);
        self.lock.set(CLOSING);
        if writing.is_broken() {
            let closed = self.shared().abandon(fault.code());
            writing.end(closed);
            self.hang_up();
        } else {
            let mut patience = Self::patience(Duration::from_secs(1));
            let _ = self.replies(writing, &mut patience).and_then(|()| writing.flush(&mut patience));
        }
        fault.into()
    }

    #[inline]
    pub(super) fn patience(wire: Duration) -> Patience {
        if W::TIMED { Patience::Whole(wire) } else { Patience::ENDLESS }
    }

    pub(super) fn patience_of(way: Way, wire: Duration) -> Patience {
        match way {
            Way::AtOnce => Self::NONE,
            Way::First => Self::patience(wire),
        }
    }

    /// For what goes at once, if the transport has a clock.
    pub(super) const NONE: Patience = if W::TIMED { Patience::Whole(Duration::ZERO) } else { Patience::ENDLESS };
}

/// What ends the receiving as well. A failure to write does not: the peer's Close may lie there to be read.
pub(super) fn fatal(result: Result<(), Error>) -> Result<(), Fault> {
    match result {
        Err(Error::Fault(fault)) if fault.is_fatal() => Err(fault),
        _ => Ok(()),
    }
}
