//! The sending direction as its callers see it.

use super::io::{HangUp, Output};
use super::serving::fatal;
use super::stalled::Room;
use super::writing::Writing;
use crate::driver::deadline::Patience;
use crate::driver::error::Error;
use crate::driver::sync::{Arc, Mutex, MutexGuard};
use crate::driver::write_lock::{BROKEN, CLOSING, ENDED, FINISH, GONE, Guard, MESSAGE, QUEUED, WriteLock};
use crate::extension::Encode;
use crate::fault::{Closed, Fault, Misuse};
use crate::outbound::Sending;
use crate::shared::{Ending, Shared};
use crate::timeouts::Wait;
use core::time::Duration;
use ws_frame::{CloseCode, Role};

/// The sending direction of a connection, shared by the connection and its senders.
pub(super) struct Line<W, E> {
    pub(super) lock: WriteLock<Writing<W, E>>,
    shared: Mutex<Shared>,
    /// `None` once the connection is gone: the handle keeps the transport open.
    hang_up: Mutex<Option<alloc::sync::Arc<dyn HangUp>>>,
}

/// Nothing in it is pinned, so that its handles need not be either.
impl<W, E> Unpin for Line<W, E> {}

/// What belongs to one call: whether it has the turn of a message in fragments, and until when it may take.
#[derive(Clone, Copy)]
pub(super) struct Call {
    pub(super) wire: Duration,
    pub(super) has_turn: bool,
}

/// How the connection writes before it reads.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// What goes at once: it can wait for room and for input together.
    AtOnce,
    /// All of it: it can wait for one thing at a time.
    First,
}

impl<W: Output, E: Encode> Line<W, E> {
    pub(super) fn new(write: W, role: Role, encode: E) -> Self {
        let hang_up = Mutex::new(write.hang_up());
        let writing = Writing::new(write, role, encode);
        Self { lock: WriteLock::new(writing), shared: Mutex::new(Shared::new(role)), hang_up }
    }

    /// Sends one operation; without `flush` it may stay in the queue.
    #[inline]
    pub(super) fn send(&self, mut op: Sending<'_>, call: Call, flush: bool) -> Result<(), Error> {
        let mut patience = Self::patience(call.wire);
        let mut writing = self.lock(op.is_data() && !call.has_turn, &mut patience)?;
        match writing.send(&mut op, flush, &mut patience) {
            Ok(()) => self.unlock(writing, patience, Ok(())),
            Err(error) => self.unsent(writing, patience, error, call.wire),
        }
    }

    /// An operation was not sent.
    #[cold]
    fn unsent(
        &self,
        mut writing: Guard<'_, Writing<W, E>>,
        patience: Patience,
        error: Error,
        wire: Duration,
    ) -> Result<(), Error> {
        let error = writing.late(error, wire);
        Err(self.release(writing, patience, error))
    }

    /// As [`send`](Self::send), by the connection itself.
    #[inline]
    pub(super) fn send_own(
        line: &mut Arc<Self>,
        mut op: Sending<'_>,
        wire: Duration,
        flush: bool,
    ) -> Result<(), Error> {
        let mut patience = Self::patience(wire);
        match Self::alone(line, wire, |writing| writing.send(&mut op, flush, &mut patience)) {
            Some(result) => result,
            None => line.send(op, Call { wire, has_turn: false }, flush),
        }
    }

    /// As [`flush`](Self::flush), by the connection itself.
    pub(super) fn flush_own(line: &mut Arc<Self>, wire: Duration) -> Result<(), Error> {
        match Self::alone(line, wire, |writing| writing.flush(&mut Self::patience(wire))) {
            Some(result) => result,
            None => line.flush(wire),
        }
    }

    /// Does something without the lock, as is possible as long as there is no [`Sender`](super::Sender); `None` if it is
    /// not, or something else is to be done first.
    #[inline]
    fn alone(
        line: &mut Arc<Self>,
        wire: Duration,
        act: impl FnOnce(&mut Writing<W, E>) -> Result<(), Error>,
    ) -> Option<Result<(), Error>> {
        let lock = &mut Arc::get_mut(line)?.lock;
        let writing = lock.get_mut()?;
        let result = act(writing);
        let queued = writing.is_queued();
        lock.note_queued(queued);
        Some(result.or_else(|error| line.failed(error, wire)))
    }

    /// What was done alone has failed. Nobody can have taken the lock meanwhile.
    #[cold]
    fn failed(&self, error: Error, wire: Duration) -> Result<(), Error> {
        match self.lock.try_lock() {
            Some(writing) => self.unsent(writing, Self::NONE, error, wire),
            None => Err(error),
        }
    }

    /// Writes out what is queued.
    pub(super) fn flush(&self, wire: Duration) -> Result<(), Error> {
        let mut patience = Self::patience(wire);
        let mut writing = self.lock(false, &mut patience)?;
        let result = writing.usable().and_then(|()| writing.flush(&mut patience));
        let result = result.map_err(|error| match error {
            // Others had the lock for a part of its time. The queue is as it was, and the peer may be reading.
            Error::Fault(Fault::Timeout(_)) if writing.room(wire).is_some() => Fault::Timeout(Wait::Turn).into(),
            error => error,
        });
        self.unlock(writing, patience, result)
    }

    /// Takes the turn for a message in fragments: no other data message is sent until [`end_turn`](Self::end_turn).
    pub(super) fn begin_turn(&self, wire: Duration) -> Result<(), Error> {
        let mut patience = Self::patience(wire);
        let writing = self.lock(true, &mut patience)?;
        let result = writing.usable();
        if result.is_ok() {
            self.lock.set(MESSAGE);
        }
        self.unlock(writing, patience, result)
    }

    /// Gives the turn back.
    pub(super) fn end_turn(&self) {
        self.lock.end_turn(self.serving(Self::NONE));
    }

    /// Leaves the last fragment of the message to who writes at the moment, and the turn with it.
    pub(super) fn finish_later(&self) {
        self.lock.set(FINISH);
        self.lock.ask(self.serving(Self::NONE));
    }

    /// Claims the status and sends the Close, as far as that can be done until the deadline.
    pub(super) fn close(&self, code: CloseCode, reason: &str, wire: Duration) -> Result<Closed, Misuse> {
        let closed = self.shared().close(code, reason)?;
        self.closing(wire);
        Ok(closed)
    }

    /// A Close that is sent like a message goes the way of all Closes, so that the status is set by the first.
    #[cold]
    pub(super) fn put_close(&self, payload: &[u8], wire: Duration) -> Result<(), Error> {
        self.shared().send_close(payload)?;
        self.closing(wire);
        Ok(())
    }

    /// A message of this side cannot be finished.
    pub(super) fn fail(&self, misuse: Misuse, wire: Duration) {
        self.shared().fail(misuse.into());
        self.closing(wire);
    }

    /// Ends it at once, without another word, and lets go of the transport.
    pub(super) fn abort(&self) -> Closed {
        let closed = self.shared().abandon(CloseCode::ABNORMAL);
        self.lock.set(CLOSING | GONE);
        let handle = self.hang_up.lock().take();
        if let Some(handle) = handle {
            handle.hang_up();
        }
        self.lock.ask(self.serving(Self::NONE));
        closed
    }

    /// Puts what `shared` owes into the queue, to be sent with what comes next: at the latest before the connection
    /// waits for the peer.
    pub(super) fn queue_replies(&self, wire: Duration, way: Way) -> Result<(), Fault> {
        self.try_write(Self::patience_of(way, wire), |writing, patience| match self.replies(writing, patience) {
            // It stays owed until there is room in the queue: the latest answer takes the place of those before it.
            Err(Error::Fault(Fault::Timeout(_))) if way == Way::AtOnce => Ok(()),
            result => result,
        })
    }

    /// Before the connection waits for the peer, so that the peer does not wait for what lies in the queue. Returns how
    /// to wait for room as well, if some is needed.
    #[inline]
    pub(super) fn before_wait(line: &mut Arc<Self>, wire: Duration, way: Way) -> Result<Option<Room>, Fault> {
        if line.lock.is_set(QUEUED) { Self::write_queued(line, wire, way) } else { Ok(None) }
    }

    #[cold]
    fn write_queued(line: &mut Arc<Self>, wire: Duration, way: Way) -> Result<Option<Room>, Fault> {
        let written = |line: &mut Arc<Self>| {
            let mut room = None;
            let mut patience = Self::patience_of(way, wire);
            let mut write = |writing: &mut Writing<W, E>, patience: &mut Patience| match way {
                Way::AtOnce => writing.advance(wire).map(|needed| room = needed),
                Way::First => writing.flush(patience),
            };
            match Self::alone(line, wire, |writing| write(writing, &mut patience)) {
                Some(result) => fatal(result)?,
                None => line.try_write(patience, write)?,
            }
            Ok(room)
        };
        let room = written(line)?;
        if room.is_some() || !line.is_owing() {
            return Ok(room);
        }
        // There was no room in the queue for all that is owed, and now there is.
        line.lock.ask(line.serving(Self::patience_of(way, wire)));
        if line.lock.is_set(QUEUED) { written(line) } else { Ok(None) }
    }

    /// Whether something is to be put into the queue.
    fn is_owing(&self) -> bool {
        self.lock.is_set(FINISH) || self.shared().owes()
    }

    /// For the receiving direction: does something if nobody writes at the moment, and leaves it to the writer
    /// otherwise.
    fn try_write(
        &self,
        mut patience: Patience,
        act: impl FnOnce(&mut Writing<W, E>, &mut Patience) -> Result<(), Error>,
    ) -> Result<(), Fault> {
        let Some(mut writing) = self.lock.try_lock() else {
            self.lock.ask(self.serving(patience));
            return Ok(());
        };
        let result = act(&mut writing, &mut patience);
        fatal(self.unlock(writing, patience, result))
    }

    /// Sends what is owed, and half-closes if that is for this side to do.
    pub(super) fn end(&self, wire: Duration) {
        if self.shared().ending() == Ending::HalfClose {
            self.lock.set(ENDED);
        }
        self.closing(wire);
        if self.lock.is_set(QUEUED) {
            // It never will be.
            self.lock.set(BROKEN);
        }
    }

    /// Closes both directions of the transport.
    pub(super) fn hang_up(&self) {
        // Not under the lock: this is code of the transport.
        let handle = self.hang_up.lock().clone();
        if let Some(handle) = handle {
            handle.hang_up();
        }
    }

    pub(super) fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock()
    }

    /// Whether the status is set.
    #[inline]
    pub(super) fn is_closing(&self) -> bool {
        self.lock.is_set(CLOSING)
    }

    /// Whether both sides have said that they close, and this one not in vain.
    pub(super) fn is_clean(&self) -> bool {
        !self.lock.is_set(BROKEN) && self.shared().is_clean()
    }
}
