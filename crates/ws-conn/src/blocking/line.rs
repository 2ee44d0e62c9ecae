#![expect(clippy::disallowed_methods, reason = "waiting for the lock is the driver's, and takes time")]

use super::io::{HangUp, Output};
use super::writing::Writing;
use crate::driver::deadline::Patience;
use crate::driver::error::Error;
use crate::driver::sync::{Arc, Mutex, MutexGuard, TryGuard};
use crate::driver::write_lock::{BROKEN, CLOSING, ENDED, GONE, MESSAGE, QUEUED, WriteLock};
use crate::extension::Encode;
use crate::fault::{Closed, Fault, Misuse};
use crate::outbound::Sending;
use crate::shared::{Ending, Shared};
use crate::timeouts::Wait;
use core::time::Duration;
use std::time::Instant;
use ws_frame::{CloseCode, Role};

/// The sending direction of a connection, shared by the connection and its senders.
pub(super) struct Line<W, E> {
    lock: WriteLock<Writing<W, E>>,
    shared: Mutex<Shared>,
    hang_up: Option<alloc::sync::Arc<dyn HangUp>>,
}

/// Nothing in it is pinned, so that its handles need not be either.
impl<W, E> Unpin for Line<W, E> {}

/// What belongs to one call: whether it has the turn of a message in fragments, and until when it may take.
#[derive(Clone, Copy)]
pub(super) struct Call {
    pub(super) wire: Duration,
    pub(super) has_turn: bool,
}

type Guard<'l, W, E> = TryGuard<'l, Writing<W, E>>;

impl<W: Output, E: Encode> Line<W, E> {
    pub(super) fn new(write: W, role: Role, encode: E) -> Self {
        let hang_up = write.hang_up();
        let writing = Writing::new(write, role, encode);
        Self { lock: WriteLock::new(writing), shared: Mutex::new(Shared::new(role)), hang_up }
    }

    /// Sends one operation; without `flush` it may stay in the queue.
    #[inline]
    pub(super) fn send(&self, mut op: Sending<'_>, call: Call, flush: bool) -> Result<(), Error> {
        let mut patience = Self::patience(call.wire);
        let mut writing = self.lock(op.is_data() && !call.has_turn, &mut patience, call.wire)?;
        let result = writing.send(&mut op, flush, &mut patience);
        self.unlock(writing, call.wire, result)
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
            Some(writing) => self.unlock(writing, wire, Err(error)),
            None => Err(error),
        }
    }

    /// Writes out what is queued.
    pub(super) fn flush(&self, wire: Duration) -> Result<(), Error> {
        let mut patience = Self::patience(wire);
        let mut writing = self.lock(false, &mut patience, wire)?;
        let result = writing.usable().and_then(|()| writing.flush(&mut patience));
        self.unlock(writing, wire, result)
    }

    /// Takes the turn for a message in fragments: no other data message is sent until [`end_turn`](Self::end_turn).
    pub(super) fn begin_turn(&self, wire: Duration) -> Result<(), Error> {
        let writing = self.lock(true, &mut Self::patience(wire), wire)?;
        let result = writing.usable();
        if result.is_ok() {
            self.lock.set(MESSAGE);
        }
        self.unlock(writing, wire, result)
    }

    /// Gives the turn back.
    pub(super) fn end_turn(&self, wire: Duration) {
        self.lock.end_turn(self.serving(wire));
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

    /// Ends it at once, without another word.
    pub(super) fn abort(&self) -> Closed {
        let closed = self.shared().abandon(CloseCode::ABNORMAL);
        self.lock.set(CLOSING | GONE);
        self.hang_up();
        self.lock.ask(self.serving(Duration::ZERO));
        closed
    }

    /// Sends what `shared` owes, or leaves it to the thread that writes at the moment.
    pub(super) fn send_replies(&self, wire: Duration) {
        self.lock.ask(self.serving(wire));
    }

    /// Puts what `shared` owes into the queue, to be sent with what comes next: at the latest before the connection
    /// waits for the peer.
    pub(super) fn queue_replies(&self, wire: Duration) -> Result<(), Fault> {
        self.try_write(wire, |writing, patience| self.replies(writing, patience))
    }

    /// Before the connection waits for the peer, so that the peer does not wait for what lies in the queue.
    #[inline]
    pub(super) fn before_wait(line: &mut Arc<Self>, wire: Duration) -> Result<(), Fault> {
        if line.lock.is_set(QUEUED) { Self::flush_queued(line, wire) } else { Ok(()) }
    }

    #[cold]
    fn flush_queued(line: &mut Arc<Self>, wire: Duration) -> Result<(), Fault> {
        match Self::alone(line, wire, |writing| writing.flush(&mut Self::patience(wire))) {
            Some(result) => fatal(result),
            None => line.try_write(wire, Writing::flush),
        }
    }

    /// For the receiving direction: does something if nobody writes at the moment, and leaves it to the writer
    /// otherwise.
    fn try_write(
        &self,
        wire: Duration,
        act: impl FnOnce(&mut Writing<W, E>, &mut Patience) -> Result<(), Error>,
    ) -> Result<(), Fault> {
        let Some(mut writing) = self.lock.try_lock() else {
            self.send_replies(wire);
            return Ok(());
        };
        let result = act(&mut writing, &mut Self::patience(wire));
        fatal(self.unlock(writing, wire, result))
    }

    /// Sends what is owed, and half-closes if that is for this side to do.
    pub(super) fn end(&self, wire: Duration) {
        if self.shared().ending() == Ending::HalfClose {
            self.lock.set(ENDED);
        }
        self.closing(wire);
    }

    /// Closes both directions of the transport.
    pub(super) fn hang_up(&self) {
        if let Some(handle) = &self.hang_up {
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

    fn closing(&self, wire: Duration) {
        self.lock.set(CLOSING);
        let mut patience = Self::patience(wire);
        let mut served = false;
        self.lock.ask(|writing| {
            served = true;
            self.serve(writing, &mut patience);
        });
        // Waits for a writer that is at work, since the caller may want to hang up next. Whoever it is, it does what is
        // owed at the end of its frame; even if nothing is owed any more, that may not be written yet.
        if !served && let Ok(writing) = self.lock(false, &mut patience, wire) {
            let left = patience.left(Instant::now());
            let _ = self.unlock(writing, left, Ok(()));
        }
    }

    /// What a call does for others while it has the lock: within one deadline, however much that is.
    #[inline]
    fn serving(&self, wire: Duration) -> impl FnMut(&mut Writing<W, E>) {
        let mut patience = Self::patience(wire);
        move |writing| self.serve(writing, &mut patience)
    }

    fn serve(&self, writing: &mut Writing<W, E>, patience: &mut Patience) {
        // Read first: what is owed was known before it was set.
        let ended = self.lock.is_set(ENDED);
        let result = self.replies(writing, patience).and_then(|()| writing.flush(patience));
        // What cannot be sent is found out by whoever sends or receives next.
        let _ = self.settle(writing, result);
        if ended {
            self.lock.clear(ENDED);
            writing.half_close();
        }
        if self.lock.is_set(GONE) {
            writing.let_go();
        }
    }

    /// Puts what is owed into the queue.
    fn replies(&self, writing: &mut Writing<W, E>, patience: &mut Patience) -> Result<(), Error> {
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

    #[inline]
    fn lock(&self, turn: bool, patience: &mut Patience, wire: Duration) -> Result<Guard<'_, W, E>, Error> {
        let guard = self
            .lock
            .lock(turn, patience, Instant::now, self.serving(wire))
            .ok_or_else(|| self.shared().closed().map_or(Fault::Timeout(Wait::Turn), Fault::Closed))?;
        // The wait for the lock is the system's, and the transport may have a clock of its own.
        *patience = patience.transferred(Instant::now);
        if turn && self.is_closing() { self.refuse(guard, wire) } else { Ok(guard) }
    }

    /// The status is set: no message begins any more, whether or not the Close is out.
    #[cold]
    fn refuse<'l>(&'l self, guard: Guard<'l, W, E>, wire: Duration) -> Result<Guard<'l, W, E>, Error> {
        let Some(closed) = self.shared().closed() else { return Ok(guard) };
        self.unlock(guard, wire, Ok(()))?;
        Err(closed.into())
    }

    /// Releases the lock and sorts out the result.
    #[inline]
    fn unlock(&self, mut writing: Guard<'_, W, E>, wire: Duration, result: Result<(), Error>) -> Result<(), Error> {
        let result = if result.is_err() { self.settle(&mut writing, result) } else { Ok(()) };
        self.lock.note_queued(writing.is_queued());
        self.lock.unlock(writing, self.serving(wire));
        result
    }

    /// What an error means for the connection.
    #[cold]
    fn settle(&self, writing: &mut Writing<W, E>, result: Result<(), Error>) -> Result<(), Error> {
        if writing.is_broken() {
            self.lock.set(BROKEN);
        }
        let fault = match result {
            Ok(()) => return Ok(()),
            Err(Error::Fault(fault)) => fault,
            Err(Error::Io(error)) => {
                // If the connection was closed before, that is why.
                return Err(self.shared().closed().map_or(Error::Io(error), Error::from));
            }
        };
        if !fault.is_fatal() {
            return Err(fault.into());
        }
        let fault = self.shared().fail(fault);
        self.lock.set(CLOSING);
        if writing.is_broken() {
            // The peer does not read: half a frame is out, so that nothing more can be told it.
            let closed = self.shared().abandon(fault.code());
            writing.end(closed);
            self.hang_up();
        } else {
            let mut patience = Self::patience(Duration::from_secs(1));
            let _ = self.replies(writing, &mut patience).and_then(|()| writing.flush(&mut patience));
        }
        Err(fault.into())
    }

    #[inline]
    fn patience(wire: Duration) -> Patience {
        if W::TIMED { Patience::Whole(wire) } else { Patience::ENDLESS }
    }
}

/// What ends the receiving as well. A failure to write does not: the peer's Close may lie there to be read.
fn fatal(result: Result<(), Error>) -> Result<(), Fault> {
    match result {
        Err(Error::Fault(fault)) if fault.is_fatal() => Err(fault),
        _ => Ok(()),
    }
}
