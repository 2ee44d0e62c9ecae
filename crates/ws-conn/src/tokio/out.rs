use super::share::Share;
use crate::driver::buffer::Buffer;
use crate::driver::error::Error;
pub(super) use crate::driver::hub::OTHERS;
use crate::driver::hub::WRITER;
use crate::driver::keys::ThreadKeys;
use crate::driver::pool::Chunk;
use crate::driver::turns::{Turn, Turns};
use crate::extension::Encode;
use crate::fault::{Closed, Fault};
use crate::outbound::{Out as Step, Outbound, Sending};
use crate::shared::Shared;
use alloc::boxed::Box;
use core::task::{Poll, Waker, ready};
use std::io;
use tokio::io::AsyncWrite;
use ws_frame::Role;

mod transport;

/// What the lock of the sending direction guards: the transport's half, the queue before it, and whose turn it is.
pub(super) struct Out<W, E> {
    /// `None` once the connection is over.
    write: Option<W>,
    pub(super) outbound: Outbound<E>,
    pub(super) shared: Shared,
    queue: Option<Box<Chunk>>,
    /// Bytes that the transport took, and how many of them it was made to hand on. A place in the stream is a number of
    /// bytes, too: a flush waits for one, not for an empty queue, which others could keep from ever coming.
    written: u64,
    flushed: u64,
    /// The transport did not take all of it when it was last asked.
    blocked: bool,
    /// A frame broke off, or the transport failed: nothing can follow.
    broken: bool,
    /// A part of a frame is queued or written, and the rest is with its sender: nothing else may be queued.
    pub(super) torn: bool,
    /// The receiving direction has something to send, and could not.
    wanted: bool,
    pub(super) share: Share,
    /// Who is to be woken when the lock is released.
    wakes: u32,
    /// One frame at a time.
    pub(super) frame: Turns,
    /// One data message at a time, of however many frames.
    pub(super) message: Turns,
}

impl<W: AsyncWrite + Unpin, E: Encode> Out<W, E> {
    pub(super) fn new(write: W, role: Role, encode: E) -> Self {
        Self {
            write: Some(write),
            outbound: Outbound::with(role, encode),
            shared: Shared::new(role),
            queue: None,
            written: 0,
            flushed: 0,
            blocked: false,
            broken: false,
            torn: false,
            wanted: false,
            share: Share::default(),
            wakes: 0,
            frame: Turns::default(),
            message: Turns::default(),
        }
    }

    /// Whether there is nothing to send.
    #[inline]
    pub(super) fn is_idle(&self) -> bool {
        self.broken || self.queue.is_none() && self.flushed == self.written && !self.shared.owes()
    }

    /// Whether an operation can begin at once: nobody else is at it, nothing is owed, nothing is closed.
    #[inline]
    pub(super) fn is_free(&self, message: bool) -> bool {
        let turns = self.torn || self.frame.is_busy() || message && self.message.is_busy();
        !(turns || self.shared.owes() || self.broken || self.write.is_none()) && self.shared.closed().is_none()
    }

    /// Whether nothing can be sent any more.
    #[inline]
    pub(super) fn is_broken(&self) -> bool {
        self.broken
    }

    /// Whether the transport is given up.
    #[inline]
    pub(super) fn is_gone(&self) -> bool {
        self.write.is_none()
    }

    /// The place behind everything that is queued.
    #[inline]
    pub(super) fn mark(&self) -> u64 {
        self.written.wrapping_add(self.queue.as_ref().map_or(0, |queue| queue.unread().len() as u64))
    }

    /// Whether everything before a place has left.
    #[inline]
    pub(super) fn has_left(&self, mark: u64) -> bool {
        self.flushed >= mark
    }

    /// Whether something can be sent.
    pub(super) fn usable(&self) -> Result<(), Error> {
        match self.shared.closed() {
            Some(closed) => Err(closed.into()),
            None => Ok(self.writable()?),
        }
    }

    /// Whether something that is owed, or queued, can be sent.
    pub(super) fn writable(&self) -> io::Result<()> {
        if self.broken || self.write.is_none() { Err(io::ErrorKind::BrokenPipe.into()) } else { Ok(()) }
    }

    #[inline]
    fn queue(&mut self) -> &mut Chunk {
        let owner = self.owner();
        self.queue.get_or_insert_with(|| Chunk::take(owner))
    }

    /// By what the buffers of the queue know it: it stays where it is.
    #[inline]
    fn owner(&self) -> usize {
        core::ptr::from_ref(self).addr()
    }

    /// Room at the end of the queue.
    #[inline]
    pub(super) fn room(&mut self) -> &mut [u8] {
        self.queue().room()
    }

    /// Waits for room at the end of the queue: for a frame of so much payload, or, where that is more than the queue holds,
    /// for all there can be. Returns how much payload it takes.
    pub(super) fn poll_room(&mut self, payload: usize, waker: &Waker) -> Poll<io::Result<usize>> {
        if self.room().len() < payload.saturating_add(HEAD).min(Buffer::SIZE) {
            ready!(self.poll_write(waker, &mut &[][..]))?;
        }
        Poll::Ready(Ok(self.room().len().saturating_sub(HEAD)))
    }

    /// So much of the room is filled now.
    #[inline]
    fn fill(&mut self, len: usize) {
        if let Some(queue) = &mut self.queue {
            queue.fill(len);
            if queue.is_empty() {
                self.queue.take().into_iter().for_each(Chunk::give);
            }
        }
    }

    /// Puts the next part of an operation into the queue.
    #[inline(always)]
    pub(super) fn encode<'m>(&mut self, op: &mut Sending<'m>) -> Result<Step<'m>, Fault> {
        let owner = self.owner();
        let queue = self.queue.get_or_insert_with(|| Chunk::take(owner));
        match self.outbound.next(op, &mut ThreadKeys, queue.room()) {
            Ok(step) => {
                self.fill(step.filled);
                Ok(step)
            }
            Err(fault) => {
                self.fill(0);
                Err(fault)
            }
        }
    }

    /// Puts all of an operation into the queue, which grows if an extension needs that.
    pub(super) fn encode_all(&mut self, op: &mut Sending<'_>) -> Result<(), Fault> {
        let step = self.encode(op)?;
        let (mut then, mut encoded) = (step.then, step.done);
        if encoded && then.is_empty() {
            return Ok(());
        }
        while !self.encode_rest(op, &mut then, &mut encoded) {}
        self.seal_queue();
        Ok(())
    }

    /// Puts the next [part](PORTION) of a frame that has begun into the queue, however long that gets: its sender has given
    /// up. `true` once all of it is there, or nobody will write it.
    #[cold]
    pub(super) fn encode_rest<'m>(&mut self, op: &mut Sending<'m>, then: &mut &'m [u8], encoded: &mut bool) -> bool {
        if self.writable().is_err() {
            return true;
        }
        let mut budget = PORTION;
        while budget > 0 && !(*encoded && then.is_empty()) {
            // All of it at once, so that nothing has to move; an extension may need more.
            let left = then.len().saturating_add(op.payload().len());
            let owner = self.owner();
            let queue = self.queue.get_or_insert_with(|| Chunk::take(owner));
            queue.reserve(left.saturating_add(if *encoded { 0 } else { LEAST_ROOM }));
            let (now, later) = then.split_at_checked(budget).unwrap_or((then, &[]));
            queue.push(now);
            *then = later;
            budget = budget.saturating_sub(now.len());
            if *encoded || !then.is_empty() {
                continue;
            }
            let room = queue.room();
            let most = room.len().min(budget.max(LEAST_ROOM));
            let step = self.outbound.next(op, &mut ThreadKeys, room.get_mut(..most).unwrap_or_default());
            let Ok(step) = step else { return true };
            queue.fill(step.filled);
            (*then, *encoded) = (step.then, step.done);
            budget = budget.saturating_sub(step.filled);
        }
        *encoded && then.is_empty()
    }

    /// Sends a frame, or goes on with it. Pending with a `budget` of 0 when it has encoded so much, and otherwise when the
    /// transport takes no more.
    pub(super) fn poll_frame<'m>(
        &mut self,
        op: &mut Sending<'m>,
        then: &mut &'m [u8],
        encoded: &mut bool,
        budget: &mut usize,
        waker: &Waker,
    ) -> Poll<Result<(), Error>> {
        self.writable()?;
        loop {
            if !*encoded && then.is_empty() {
                if *budget == 0 {
                    return Poll::Pending;
                }
                let step = self.encode(op)?;
                (*then, *encoded) = (step.then, step.done);
                *budget = budget.saturating_sub(step.filled);
                self.torn = op.has_begun();
            }
            if !(*encoded && then.is_empty()) {
                ready!(self.poll_write(waker, then))?;
            }
            if *encoded {
                self.torn = false;
                return Poll::Ready(Ok(()));
            }
        }
    }

    /// The frame that was half out is so no more, or never will be. Gives up the turn, and returns who has it now.
    #[must_use]
    pub(super) fn leave_frame(&mut self, turn: &mut Turn) -> Option<Waker> {
        if *turn == Turn::HAS {
            self.torn = false;
            self.seal_queue();
            // A fault here is the receiving direction's to find.
            let _ = self.queue_replies();
        }
        self.wakes |= OTHERS;
        if core::mem::take(&mut self.wanted) {
            self.wakes |= READER;
        }
        self.frame.leave(turn)
    }

    /// The queue does not stay larger than others because one frame was.
    fn seal_queue(&mut self) {
        self.queue = self.queue.take().and_then(Chunk::seal);
    }

    /// Puts what is owed into the queue. Only between frames: for the owner of the turn of a frame, or where there is none.
    pub(super) fn queue_replies(&mut self) -> Result<(), Fault> {
        if self.shared.owes() && !self.broken && self.write.is_some() {
            let owner = self.owner();
            let queue = self.queue.get_or_insert_with(|| Chunk::take(owner));
            let filled = self.outbound.replies(&mut self.shared, &mut ThreadKeys, queue.room());
            self.fill(*filled.as_ref().unwrap_or(&0));
            filled?;
        }
        if let Some(closed) = self.shared.closed().filter(|_| !self.shared.owes()) {
            self.outbound.end(closed);
        }
        Ok(())
    }

    /// Sends what is queued, and what is owed. Only between frames.
    ///
    /// To what the peer does not take nothing is added: what is owed stays in its slot, where a newer Pong replaces it.
    pub(super) fn poll_send(&mut self, waker: &Waker) -> Poll<io::Result<()>> {
        if !self.blocked {
            // What cannot be queued now stays owed.
            let _ = self.queue_replies();
        }
        ready!(self.poll_flush(waker))?;
        if self.shared.owes() {
            let _ = self.queue_replies();
            return self.poll_flush(waker);
        }
        Poll::Ready(Ok(()))
    }

    /// Lets go of the transport, and of the queue.
    pub(super) fn end(&mut self, closed: Closed) -> Option<W> {
        self.outbound.end(closed);
        // What is still here is lost, be it the Close.
        self.broken |= self.mark() != self.flushed;
        self.queue.take().into_iter().for_each(Chunk::give);
        self.wakes |= ALL;
        self.write.take()
    }

    /// What an error means for the connection.
    #[cold]
    pub(super) fn settle(&mut self, error: Error) -> Error {
        match error {
            // If the connection was closed before, that is why.
            Error::Io(error) => self.shared.closed().map_or(Error::Io(error), Error::from),
            Error::Fault(fault) => {
                if fault.is_fatal() {
                    self.wakes |= READER | OTHERS;
                }
                self.shared.fail(fault).into()
            }
        }
    }

    /// Whether the transport is known not to take more at present.
    #[inline]
    pub(super) fn is_blocked(&self) -> bool {
        self.blocked
    }

    /// Asks who sends the frame to wake the receiving direction when it is through.
    pub(super) fn want(&mut self) {
        self.wanted = true;
    }

    /// Takes note of whom to wake when the lock is released: those that wait for what has just been changed.
    #[inline]
    pub(super) fn wake_later(&mut self, who: u32) {
        self.wakes |= who;
    }

    /// The task in the midst of sending did this itself.
    pub(super) fn spare_writer(&mut self) {
        self.wakes &= !WRITER;
    }

    /// Whom to wake now that the lock is released.
    #[inline]
    pub(super) fn take_wakes(&mut self) -> u32 {
        core::mem::take(&mut self.wakes)
    }
}

impl<W, E> Drop for Out<W, E> {
    fn drop(&mut self) {
        Chunk::owner_ends();
    }
}

/// The task that waits to receive is to be woken, beside [others](OTHERS) and [the one that sends](WRITER).
pub(super) const READER: u32 = 1 << 2;
/// Everybody is to be woken, those included that wait for a turn: there is nothing to wait for any more.
pub(super) const ALL: u32 = 1 << 3;
/// The transport was called, so that it may have woken somebody.
pub(super) const CALLED: u32 = 1 << 4;
/// So much is encoded at most under one hold of the lock, or in one poll, and a buffer more.
pub(super) const PORTION: usize = 4 * Buffer::SIZE;
/// The largest header there is.
const HEAD: usize = 14;
/// With less room than this the queue is written first: frames are not to be tiny.
pub(super) const LEAST_ROOM: usize = 4096;
