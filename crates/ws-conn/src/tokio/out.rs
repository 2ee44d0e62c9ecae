use super::share::Share;
use crate::driver::error::Error;
use crate::driver::keys::ThreadKeys;
use crate::driver::pool::Chunk;
use crate::driver::turns::Turns;
use crate::extension::Encode;
use crate::fault::{Closed, Fault};
use crate::outbound::{Out as Step, Outbound, Sending};
use crate::shared::Shared;
use alloc::boxed::Box;
use core::pin::Pin;
use core::task::{Context, Poll, Waker, ready};
use std::io::{self, IoSlice};
use tokio::io::AsyncWrite;
use ws_frame::Role;

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
            frame: Turns::default(),
            message: Turns::default(),
        }
    }

    /// Whether there is nothing to send.
    #[inline]
    pub(super) fn is_idle(&self) -> bool {
        self.broken || self.queue.is_none() && self.flushed == self.written && !self.shared.owes()
    }

    /// Whether there is room for whoever waits for it, or none will ever be needed.
    #[inline]
    pub(super) fn is_drained(&self) -> bool {
        self.queue.is_none() || self.broken
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

    /// Waits for room at the end of the queue that is worth a frame, and answers how much payload it takes.
    pub(super) fn poll_room(&mut self, waker: &Waker) -> Poll<io::Result<usize>> {
        if self.room().len() < LEAST_ROOM {
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
        self.push(step.then);
        if !step.done {
            self.encode_rest(op, &[], false);
        }
        Ok(())
    }

    /// Puts the rest of a frame that has begun into the queue, however long it is: its sender has given up.
    #[cold]
    pub(super) fn encode_rest(&mut self, op: &mut Sending<'_>, then: &[u8], encoded: bool) {
        self.push(then);
        if encoded {
            return;
        }
        let mut room = Chunk::take(self.owner());
        while let Ok(step) = self.outbound.next(op, &mut ThreadKeys, room.room()) {
            room.fill(step.filled);
            self.push(room.unread());
            self.push(step.then);
            room.skip(step.filled);
            if step.done {
                break;
            }
        }
        room.give();
    }

    fn push(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.queue().push(bytes);
    }

    /// Puts what is owed into the queue. Only between frames: for who has the turn, or where nobody has it.
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

    /// Writes the queue, and `then` behind it.
    pub(super) fn poll_write(&mut self, waker: &Waker, then: &mut &[u8]) -> Poll<io::Result<()>> {
        let result = self.poll_write_some(waker, then);
        self.blocked = result.is_pending();
        if matches!(result, Poll::Ready(Err(_))) {
            self.breaks();
        }
        result
    }

    /// The transport failed.
    #[cold]
    fn breaks(&mut self) {
        self.broken = true;
        // A frame that broke off is nobody's any more.
        self.torn = false;
        self.queue.take().into_iter().for_each(Chunk::give);
    }

    fn poll_write_some(&mut self, waker: &Waker, then: &mut &[u8]) -> Poll<io::Result<()>> {
        let mut cx = Context::from_waker(waker);
        loop {
            // What was queued may have been dropped with the transport: then it is not written.
            let (Some(write), false) = (&mut self.write, self.broken) else {
                return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
            };
            let queued = self.queue.as_deref().map_or(&[][..], Chunk::unread);
            if queued.is_empty() && then.is_empty() {
                self.queue.take().into_iter().for_each(Chunk::give);
                return Poll::Ready(Ok(()));
            }
            let write = Pin::new(write);
            let wrote = if then.is_empty() {
                ready!(write.poll_write(&mut cx, queued))
            } else if queued.is_empty() {
                ready!(write.poll_write(&mut cx, then))
            } else if write.is_write_vectored() {
                ready!(write.poll_write_vectored(&mut cx, &[IoSlice::new(queued), IoSlice::new(then)]))
            } else {
                ready!(write.poll_write(&mut cx, queued))
            };
            let wrote = match wrote {
                Ok(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Ok(wrote) => wrote,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Poll::Ready(Err(error)),
            };
            self.written = self.written.wrapping_add(wrote as u64);
            if then.is_empty() && wrote >= queued.len() {
                self.queue.take().into_iter().for_each(Chunk::give);
                return Poll::Ready(Ok(()));
            }
            let of_queue = wrote.min(queued.len());
            if let Some(queue) = &mut self.queue {
                queue.skip(of_queue);
            }
            *then = then.get(wrote.saturating_sub(of_queue)..).unwrap_or_default();
        }
    }

    /// Writes the queue, and makes the transport hand on what it holds back.
    #[inline]
    pub(super) fn poll_flush(&mut self, waker: &Waker) -> Poll<io::Result<()>> {
        self.poll_flush_up_to(self.mark(), waker)
    }

    /// As [`poll_flush`](Self::poll_flush), up to a place: what was queued behind it may stay. What has left has left,
    /// whatever became of the transport since.
    pub(super) fn poll_flush_to(&mut self, mark: u64, waker: &Waker) -> Poll<io::Result<()>> {
        if self.has_left(mark) { Poll::Ready(Ok(())) } else { self.poll_flush_up_to(mark, waker) }
    }

    fn poll_flush_up_to(&mut self, mark: u64, waker: &Waker) -> Poll<io::Result<()>> {
        let wrote = self.poll_write(waker, &mut &[][..])?;
        if self.has_left(mark) {
            return Poll::Ready(Ok(()));
        }
        if self.written < mark {
            return Poll::Pending;
        }
        let Some(write) = &mut self.write else { return Poll::Pending };
        // TLS keeps ciphertext back until it is asked for.
        let result = loop {
            match Pin::new(&mut *write).poll_flush(&mut Context::from_waker(waker)) {
                Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result,
            }
        };
        self.blocked = result.is_pending() || wrote.is_pending();
        match ready!(result) {
            Ok(()) => self.flushed = self.written,
            Err(error) => {
                self.breaks();
                return Poll::Ready(Err(error));
            }
        }
        Poll::Ready(Ok(()))
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

    /// Closes this direction of the transport.
    pub(super) fn poll_shutdown(&mut self, waker: &Waker) -> Poll<()> {
        match &mut self.write {
            // Fails if the peer has hung up already, which is as good.
            Some(write) => Pin::new(write).poll_shutdown(&mut Context::from_waker(waker)).map(drop),
            None => Poll::Ready(()),
        }
    }

    /// Lets go of the transport, and of the queue.
    pub(super) fn end(&mut self, closed: Closed) -> Option<W> {
        self.outbound.end(closed);
        // What is still here is lost, be it the Close.
        self.broken |= self.mark() != self.flushed;
        self.queue.take().into_iter().for_each(Chunk::give);
        self.write.take()
    }

    /// What an error means for the connection.
    #[cold]
    pub(super) fn settle(&mut self, error: Error) -> Error {
        match error {
            // If the connection was closed before, that is why.
            Error::Io(error) => self.shared.closed().map_or(Error::Io(error), Error::from),
            Error::Fault(fault) => self.shared.fail(fault).into(),
        }
    }

    /// Whether the transport is known not to take more at present.
    #[inline]
    pub(super) fn is_blocked(&self) -> bool {
        self.blocked
    }

    /// Asks whoever has the turn to wake the receiving direction when it leaves.
    pub(super) fn want(&mut self) {
        self.wanted = true;
    }

    /// Whether the receiving direction is to be woken.
    pub(super) fn take_wanted(&mut self) -> bool {
        core::mem::take(&mut self.wanted)
    }
}

impl<W, E> Drop for Out<W, E> {
    fn drop(&mut self) {
        Chunk::owner_ends();
    }
}

/// The largest header there is.
const HEAD: usize = 14;
/// With less room than this the queue is written first: frames are not to be tiny.
const LEAST_ROOM: usize = 4096;
