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

    /// Sends one operation. If the time is over before that is done, [`late`](Self::late) tells what it means.
    #[inline]
    pub(super) fn send(&mut self, op: &mut Sending<'_>, flush: bool, patience: &mut Patience) -> Result<(), Error> {
        self.usable()?;
        let mut has_begun = false;
        loop {
            let (len, size) = (self.len, self.reserve());
            let room = self.queue.get_mut(len..size);
            let out = self.outbound.next(op, &mut ThreadKeys, room)?;
            self.len = len.saturating_add(out.filled);
            let mut result = Ok(());
            if !out.then.is_empty() {
                result = self.write(out.then, patience);
            }
            if result.is_ok() {
                if out.done && !flush {
                    return Ok(());
                }
                result = if out.done { self.flush(patience) } else { self.write(&[], patience) };
            }
            match result {
                Ok(()) if out.done => return Ok(()),
                Ok(()) => has_begun |= out.filled > 0,
                Err(error) => {
                    self.note_unsent(op, out.filled, has_begun);
                    return Err(error);
                }
            }
        }
    }

    /// So many bytes of an operation were put into the queue, and have left it or not, behind others that have left.
    #[cold]
    fn note_unsent(&mut self, op: &Sending<'_>, filled: usize, has_begun: bool) {
        let is_whole =
            !has_begun && self.len >= filled && (filled == 0 && !op.has_begun() || self.outbound.may_take_back(op));
        if let Some(stalled) = &mut self.stalled {
            stalled.unsent = is_whole.then_some(filled);
        }
    }

    /// What it means that an operation was not sent. If that is for want of time, and nothing of its bytes is out, it has
    /// only come late to its turn, and it is as if it had not been sent: unless the peer has been given the whole of
    /// `wire`, and has taken nothing.
    #[cold]
    pub(super) fn late(&mut self, error: Error, wire: Duration) -> Error {
        let unsent = self.stalled.as_mut().and_then(|stalled| stalled.unsent.take());
        match (unsent, &error) {
            (Some(unsent), Error::Fault(Fault::Timeout(_))) if self.room(wire).is_some() => {
                self.len = self.len.saturating_sub(unsent);
                Fault::Timeout(Wait::Turn).into()
            }
            _ => error,
        }
    }

    /// Puts what `shared` owes into the queue, as far as there is room.
    pub(super) fn replies(&mut self, shared: &mut Shared) -> Result<(), Fault> {
        let (len, size) = (self.len, self.reserve());
        let room = self.queue.get_mut(len..size);
        let filled = self.outbound.replies(shared, &mut ThreadKeys, room)?;
        self.len = len.saturating_add(filled);
        Ok(())
    }

    /// Puts the last fragment of a message into the queue, whose writer has left that to others.
    ///
    /// # Errors
    ///
    /// [`Fault::Timeout`] if there is no room for it at present.
    pub(super) fn finish(&mut self) -> Result<(), Error> {
        // The message has begun: the opcode of what follows is its own.
        let mut last = Sending::fragment(Opcode::BINARY, true, &[]);
        self.send(&mut last, false, &mut Patience::Whole(Duration::ZERO))
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
        self.len > 0 || self.held && !self.broken
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
        if self.len > 0 {
            self.write(&[], patience)?;
        }
        let (Some(write), false) = (&mut self.write, self.broken) else { return Ok(()) };
        // As in `write`.
        self.broken = true;
        // Most transports hold nothing back: no clock is read for them.
        let mut left = if W::TIMED { Duration::ZERO } else { Duration::MAX };
        loop {
            match insist(W::TIMED, || write.flush(left)) {
                Ok(()) => {
                    (self.broken, self.held) = (false, false);
                    return Ok(());
                }
                Err(error) if is_late::<W>(&error) => {}
                Err(error) => return Err(Error::Io(error)),
            }
            left = patience.left_on(write);
            if left.is_zero() {
                break;
            }
        }
        self.broken = false;
        self.stall(0, Duration::ZERO);
        Err(Fault::Timeout(Wait::Wire).into())
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
        let given = patience.whole();
        let mut at_once = given.is_some();
        let mut at = 0;
        // Until it returns: if it panics, nobody knows how much it took.
        self.broken = true;
        self.held = true;
        let len = core::mem::take(&mut self.len);
        let is_done = loop {
            let queued = self.queue.get(at..len);
            if queued.is_empty() && then.is_empty() {
                break true;
            }
            let left = patience.left_on(write);
            if left.is_zero() && !at_once {
                break false;
            }
            let bufs = [IoSlice::new(queued), IoSlice::new(then)];
            let bufs = match (queued.is_empty(), then.is_empty()) {
                (true, _) => bufs.get(1..),
                (_, true) => bufs.get(..1),
                _ => bufs.get(..),
            };
            match insist(W::TIMED, || write.write(bufs.unwrap_or_default(), left)) {
                Ok(0) => return Err(Error::Io(io::ErrorKind::WriteZero.into())),
                Ok(wrote) if wrote >= queued.len().saturating_add(then.len()) => break true,
                Ok(wrote) => {
                    let of_queue = wrote.min(queued.len());
                    at = of_queue.saturating_add(at);
                    at_once &= then.is_empty();
                    then = then.get(wrote.saturating_sub(of_queue)..).unwrap_or_default();
                }
                Err(error) if is_late::<W>(&error) => at_once = false,
                Err(error) => return Err(Error::Io(error)),
            }
        };
        self.broken = false;
        if is_done {
            self.stalled = None;
            return Ok(());
        }
        self.len = len;
        self.stall(at, given.unwrap_or_default());
        Err(Fault::Timeout(Wait::Wire).into())
    }

    /// There was no room for so long, but for the first `wrote` bytes of the queue: the others move up.
    #[cold]
    fn stall(&mut self, wrote: usize, given: Duration) {
        let Some(write) = &self.write else { return };
        self.queue.get_mut(0..self.len).copy_within(wrote.min(self.len).., 0);
        self.len = self.len.saturating_sub(wrote);
        let now = write.now();
        if !self.stalled.as_mut().is_some_and(|stalled| stalled.goes_on(wrote, now)) {
            self.stalled = Some(Box::new(Stalled::new(now, given, self.len)));
        }
    }

    /// How to wait for room; `None` if that has been for as long as `wire`.
    pub(super) fn room(&self, wire: Duration) -> Option<Room> {
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
