//! The transport's sending half and the queue before it.

use super::io::Output;
use crate::driver::buffer::Buffer;
use crate::driver::deadline::Patience;
use crate::driver::error::Error;
use crate::driver::keys::ThreadKeys;
use crate::extension::Encode;
use crate::fault::{Closed, Fault};
use crate::outbound::{Outbound, Sending};
use crate::shared::Shared;
use crate::timeouts::Wait;
use core::time::Duration;
use std::io::{self, IoSlice};
use ws_frame::Role;

/// The sending direction itself: what the lock guards.
pub(super) struct Writing<W, E> {
    /// `None` once the connection is gone.
    write: Option<W>,
    outbound: Outbound<E>,
    queue: Buffer,
    len: usize,
    /// The transport may hold back what was written: it has not been flushed since.
    held: bool,
    /// A frame broke off, or the transport failed: nothing can follow.
    broken: bool,
}

impl<W: Output, E: Encode> Writing<W, E> {
    pub(super) fn new(write: W, role: Role, encode: E) -> Self {
        let outbound = Outbound::with(role, encode);
        Self { write: Some(write), outbound, queue: Buffer::default(), len: 0, held: false, broken: false }
    }

    #[inline]
    pub(super) fn send(&mut self, op: &mut Sending<'_>, flush: bool, patience: &mut Patience) -> Result<(), Error> {
        self.usable()?;
        loop {
            let (len, size) = (self.len, self.reserve());
            let room = self.queue.get_mut(len..size);
            let out = self.outbound.next(op, &mut ThreadKeys, room)?;
            self.len = len.saturating_add(out.filled);
            if !out.then.is_empty() {
                self.write(out.then, patience)?;
            }
            if out.done {
                return if flush { self.flush(patience) } else { Ok(()) };
            }
            self.write(&[], patience)?;
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

    /// Nothing more is sent from now on: whoever tries is told the status.
    pub(super) fn end(&mut self, closed: Closed) {
        self.outbound.end(closed);
    }

    /// Closes this direction of the transport, behind what was written.
    pub(super) fn half_close(&mut self) {
        if let Some(write) = &mut self.write {
            let _ = write.half_close();
        }
    }

    /// Lets go of the transport, which closes one that has no handle to be closed by.
    pub(super) fn let_go(&mut self) {
        self.write = None;
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

    #[inline]
    pub(super) fn flush(&mut self, patience: &mut Patience) -> Result<(), Error> {
        if self.len > 0 {
            self.write(&[], patience)?;
        }
        let Some(write) = &mut self.write else { return Ok(()) };
        while let Err(error) = write.flush(patience.left_on(write)) {
            if let Err(error) = try_again(error, patience, write) {
                self.broken = true;
                return Err(error);
            }
        }
        self.held = false;
        Ok(())
    }

    /// Writes the queue and what follows it, whole. If that fails the direction is over.
    fn write(&mut self, mut then: &[u8], patience: &mut Patience) -> Result<(), Error> {
        let len = core::mem::take(&mut self.len);
        self.held = true;
        let mut queued = self.queue.get(0..len);
        let (Some(write), false) = (&mut self.write, self.broken) else {
            return Err(io::Error::from(io::ErrorKind::BrokenPipe).into());
        };
        while !queued.is_empty() || !then.is_empty() {
            let left = patience.left_on(write);
            let bufs = [IoSlice::new(queued), IoSlice::new(then)];
            let bufs = match (queued.is_empty(), then.is_empty()) {
                (true, _) => bufs.get(1..),
                (_, true) => bufs.get(..1),
                _ => bufs.get(..),
            };
            let result = if left.is_zero() {
                Err(io::ErrorKind::TimedOut.into())
            } else {
                write.write(bufs.unwrap_or_default(), left)
            };
            let wrote = match result {
                Ok(0) => Err(io::Error::from(io::ErrorKind::WriteZero).into()),
                Ok(wrote) => Ok(wrote),
                Err(error) => try_again(error, patience, write).map(|()| 0),
            };
            let wrote = match wrote {
                Ok(wrote) => wrote,
                Err(error) => {
                    self.broken = true;
                    return Err(error);
                }
            };
            let of_queue = wrote.min(queued.len());
            queued = queued.get(of_queue..).unwrap_or_default();
            then = then.get(wrote.saturating_sub(of_queue)..).unwrap_or_default();
        }
        Ok(())
    }

    /// The queue's buffer comes with the first frame. Answers its size.
    #[inline]
    fn reserve(&mut self) -> usize {
        if self.queue.len() == 0 {
            self.queue = Buffer::new(Buffer::SIZE);
        }
        Buffer::SIZE
    }
}

/// Whether an operation that failed is to be repeated. The deadline decides, not the time-out of the socket, which is
/// not exact.
fn try_again<W: Output>(error: io::Error, patience: &mut Patience, write: &W) -> Result<(), Error> {
    match error.kind() {
        io::ErrorKind::Interrupted => Ok(()),
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock if W::TIMED => {
            if patience.left_on(write).is_zero() {
                Err(Fault::Timeout(Wait::Wire).into())
            } else {
                Ok(())
            }
        }
        _ => Err(Error::Io(error)),
    }
}

impl Patience {
    fn left_on<W: Output>(&mut self, write: &W) -> Duration {
        if W::TIMED { self.left(write.now()) } else { Duration::MAX }
    }
}
