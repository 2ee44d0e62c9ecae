//! The transport's sending half and the queue before it.

use super::io::{Output, insist};
use super::stalled::{Room, Stalled};
use crate::driver::buffer::Buffer;
use crate::driver::deadline::Patience;
use crate::driver::error::Error;
use crate::driver::keys::ThreadKeys;
use crate::extension::Encode;
use crate::fault::{Closed, Fault};
use crate::outbound::{Outbound, Sending};
use crate::shared::Shared;
use crate::timeouts::Wait;
use alloc::boxed::Box;
use core::time::Duration;
use std::io::{self, IoSlice};
use ws_frame::{Opcode, Role};

/// The sending direction itself: what the lock guards.
pub(super) struct Writing<W, E> {
    /// `None` once the connection is gone.
    write: Option<W>,
    outbound: Outbound<E>,
    /// Frames that wait to be written: the first `len` bytes. The first one may be half written.
    queue: Buffer,
    len: usize,
    /// The transport may hold back what was written: it has not been flushed since.
    held: bool,
    /// A frame broke off, or the transport failed, or it is at work: nothing can follow.
    broken: bool,
    /// Allocated when there is no room for the first time.
    stalled: Option<Box<Stalled>>,
}

impl<W: Output, E: Encode> Writing<W, E> {
    pub(super) fn new(write: W, role: Role, encode: E) -> Self {
        let outbound = Outbound::with(role, encode);
        let queue = Buffer::default();
        Self { write: Some(write), outbound, queue, len: 0, held: false, broken: false, stalled: None }
    }

    /// Sends one operation within the patience, which is what a wait for the lock has left of `wire`.
    #[inline]
    pub(super) fn send(
        &mut self,
        op: &mut Sending<'_>,
        flush: bool,
        wire: Duration,
        patience: &mut Patience,
    ) -> Result<(), Error> {
        self.usable()?;
        let mut own = 0usize;
        loop {
            let (len, size) = (self.len, self.reserve());
            let room = self.queue.get_mut(len..size);
            let out = self.outbound.next(op, &mut ThreadKeys, room)?;
            self.len = len.saturating_add(out.filled);
            own = own.saturating_add(out.filled);
            let mut result = Ok(());
            if !out.then.is_empty() || !out.done {
                result = self.write(out.then, patience);
            }
            if out.done && flush && result.is_ok() {
                result = self.flush(patience);
            }
            match result {
                Ok(()) if out.done => return Ok(()),
                Ok(()) => {}
                Err(error) => return Err(self.late(error, op, own, wire)),
            }
        }
    }

    /// A frame was not written. If that is for want of time, and nothing of the frame is out, it has only come late to
    /// its turn; unless the peer has taken nothing for the whole of the time that the call was given.
    #[cold]
    fn late(&mut self, error: Error, op: &Sending<'_>, own: usize, wire: Duration) -> Error {
        let is_whole = self.len >= own && (own == 0 || self.outbound.may_take_back(op));
        if matches!(error, Error::Fault(Fault::Timeout(_))) && is_whole && self.room(wire).is_some() {
            self.len = self.len.saturating_sub(own);
            return Fault::Timeout(Wait::Turn).into();
        }
        error
    }

    /// Puts what `shared` owes into the queue, as far as there is room.
    pub(super) fn replies(&mut self, shared: &mut Shared) -> Result<(), Fault> {
        let (len, size) = (self.len, self.reserve());
        let room = self.queue.get_mut(len..size);
        let filled = self.outbound.replies(shared, &mut ThreadKeys, room)?;
        self.len = len.saturating_add(filled);
        Ok(())
    }

    /// Puts the last fragment of a message into the queue, whose writer has left that to others. Returns whether there
    /// was room for it.
    pub(super) fn finish(&mut self) -> Result<bool, Fault> {
        let (len, size) = (self.len, self.reserve());
        let room = self.queue.get_mut(len..size);
        // The message has begun: the opcode of what follows is its own.
        let mut last = Sending::fragment(Opcode::BINARY, true, &[]);
        let out = self.outbound.next(&mut last, &mut ThreadKeys, room)?;
        self.len = len.saturating_add(out.filled);
        Ok(out.done)
    }

    /// Nothing more is sent from now on: whoever tries is told the status.
    pub(super) fn end(&mut self, closed: Closed) {
        self.outbound.end(closed);
    }

    /// Closes this direction of the transport, behind what was written.
    pub(super) fn half_close(&mut self) {
        if let (Some(write), false) = (&mut self.write, self.broken) {
            let _ = write.half_close();
        }
    }

    /// Lets go of the transport, which closes one that has no handle to be closed by.
    pub(super) fn let_go(&mut self) {
        self.write = None;
    }

    /// What is in the queue is given up: half a frame may be out, and nothing can follow it.
    pub(super) fn break_off(&mut self) {
        self.broken = true;
        self.len = 0;
    }

    /// Whether something waits to be sent: frames in the queue, or what the transport holds back.
    #[inline]
    pub(super) fn is_queued(&self) -> bool {
        (self.len > 0 || self.held) && !self.broken
    }

    /// Whether a frame broke off, or the transport failed.
    pub(super) fn is_broken(&self) -> bool {
        self.broken
    }

    /// Whether a frame may still be sent.
    pub(super) fn usable(&self) -> Result<(), Error> {
        match self.outbound.closed() {
            Some(closed) => Err(closed.into()),
            None if self.broken || self.write.is_none() => Err(io::Error::from(io::ErrorKind::BrokenPipe).into()),
            None => Ok(()),
        }
    }

    /// Writes the queue, and hands on what the transport holds back. What could not be written in time stays there.
    #[inline]
    pub(super) fn flush(&mut self, patience: &mut Patience) -> Result<(), Error> {
        let mut at_once = patience.is_whole();
        if self.len > 0 {
            self.write(&[], patience)?;
        }
        let (Some(write), false) = (&mut self.write, self.broken) else { return Ok(()) };
        // As in `write`.
        self.broken = true;
        let result = loop {
            let left = patience.left_on(write);
            if left.is_zero() && !at_once {
                break Err(Fault::Timeout(Wait::Wire).into());
            }
            at_once = false;
            match insist(W::TIMED, || write.flush(left)) {
                Ok(()) => break Ok(()),
                Err(error) if is_late::<W>(&error) => {}
                Err(error) => break Err(Error::Io(error)),
            }
        };
        self.broken = matches!(result, Err(Error::Io(_)));
        match result {
            Ok(()) => self.held = false,
            Err(Error::Fault(_)) => self.stall(0, Duration::ZERO),
            Err(_) => {}
        }
        result
    }

    /// Writes what goes at once. Returns how the connection is to wait for room if that was not all.
    ///
    /// # Errors
    ///
    /// [`Fault::Timeout`] if it has waited for longer than `wire` already; what the transport says.
    pub(super) fn advance(&mut self, wire: Duration) -> Result<Option<Room>, Error> {
        match self.flush(&mut Patience::Whole(Duration::ZERO)) {
            Err(Error::Fault(fault)) => self.room(wire).map(Some).ok_or(Error::Fault(fault)),
            result => result.map(|()| None),
        }
    }

    /// The patience on the transport's clock: what others' calls have left of it.
    pub(super) fn renew(&self, patience: &mut Patience) {
        if let Some(write) = &self.write {
            *patience = patience.transferred(|| write.now());
        }
    }

    /// Writes the queue and what follows it. If the time is over before that is done, what is left of the queue stays
    /// in it. After an error of the transport the direction is over.
    fn write(&mut self, mut then: &[u8], patience: &mut Patience) -> Result<(), Error> {
        let (Some(write), false) = (&mut self.write, self.broken) else {
            return Err(io::Error::from(io::ErrorKind::BrokenPipe).into());
        };
        // What goes at once is written even if there is no time: all that is queued, or one part of what follows it.
        let mut at_once = patience.is_whole();
        let mut given = None;
        let mut at = 0;
        // Until it returns: if it panics, nobody knows how much it took.
        self.broken = true;
        self.held = true;
        let result = loop {
            let queued = self.queue.get(at..self.len);
            if queued.is_empty() && then.is_empty() {
                break Ok(());
            }
            let left = patience.left_on(write);
            let given = *given.get_or_insert(left);
            if left.is_zero() && !at_once {
                break Err(given);
            }
            let bufs = [IoSlice::new(queued), IoSlice::new(then)];
            let bufs = match (queued.is_empty(), then.is_empty()) {
                (true, _) => bufs.get(1..),
                (_, true) => bufs.get(..1),
                _ => bufs.get(..),
            };
            match insist(W::TIMED, || write.write(bufs.unwrap_or_default(), left)) {
                Ok(0) => return Err(self.failed(io::ErrorKind::WriteZero.into())),
                Ok(wrote) => {
                    let of_queue = wrote.min(queued.len());
                    at = of_queue.saturating_add(at);
                    at_once &= then.is_empty();
                    then = then.get(wrote.saturating_sub(of_queue)..).unwrap_or_default();
                }
                Err(error) if is_late::<W>(&error) => at_once = false,
                Err(error) => return Err(self.failed(error)),
            }
        };
        self.broken = false;
        match result {
            Ok(()) => {
                self.len = 0;
                self.stalled = None;
                Ok(())
            }
            Err(given) => {
                self.stall(at, given);
                Err(Fault::Timeout(Wait::Wire).into())
            }
        }
    }

    /// The transport has failed.
    #[cold]
    fn failed(&mut self, error: io::Error) -> Error {
        self.len = 0;
        Error::Io(error)
    }

    /// There was no room for so long, but for the first `wrote` bytes of the queue: the others move up.
    #[cold]
    fn stall(&mut self, wrote: usize, given: Duration) {
        let Some(write) = &self.write else { return };
        self.queue.get_mut(0..self.len).copy_within(wrote.min(self.len).., 0);
        self.len = self.len.saturating_sub(wrote);
        if !self.stalled.as_mut().is_some_and(|stalled| stalled.goes_on(wrote)) {
            self.stalled = Some(Box::new(Stalled::new(write.now(), given, self.len)));
        }
    }

    /// How to wait for room; `None` if that has been for as long as `wire`.
    fn room(&self, wire: Duration) -> Option<Room> {
        self.stalled.as_ref()?.room(self.write.as_ref()?.now(), wire)
    }

    /// The queue's buffer comes with the first frame. Returns its size.
    #[inline]
    fn reserve(&mut self) -> usize {
        if self.queue.len() == 0 {
            self.queue = Buffer::new(Buffer::SIZE);
        }
        Buffer::SIZE
    }
}

/// Whether an operation took too long, or was interrupted: it is repeated. The deadline decides, not the time-out of the
/// socket, which is not exact.
fn is_late<W: Output>(error: &io::Error) -> bool {
    W::TIMED && matches!(error.kind(), io::ErrorKind::Interrupted | io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock)
}

impl Patience {
    #[inline]
    fn left_on<W: Output>(&mut self, write: &W) -> Duration {
        if W::TIMED { self.left(write.now()) } else { Duration::MAX }
    }
}
