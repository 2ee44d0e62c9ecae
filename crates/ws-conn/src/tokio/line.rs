use crate::driver::error::Error;
use crate::driver::hub::Hub;
use crate::driver::keys::ThreadKeys;
use crate::driver::pool::Chunk;
use crate::driver::sync::{AtomicU32, Mutex, MutexGuard, Ordering};
use crate::driver::turns::Turns;
use crate::extension::Encode;
use crate::fault::{Closed, Fault, Misuse};
use crate::outbound::{Out as Step, Outbound, Sending};
use crate::shared::Shared;
use alloc::boxed::Box;
use alloc::sync::Arc;
use core::pin::Pin;
use core::task::{Context, Poll, Waker, ready};
use std::io::{self, IoSlice};
use tokio::io::AsyncWrite;
use ws_frame::{CloseCode, Role};

/// The sending direction of a connection, shared by the connection and its senders.
///
/// One lock, held for one poll or one drop, and never while a task's waker is woken or dropped by the driver. The transport's sending half is
/// polled with [`Hub`]'s waker only.
pub(super) struct Line<W, E> {
    out: Mutex<Out<W, E>>,
    flags: AtomicU32,
    hub: Arc<Hub>,
    waker: Waker,
}

/// What the lock guards.
pub(super) struct Out<W, E> {
    /// `None` once the connection is over.
    write: Option<W>,
    pub(super) outbound: Outbound<E>,
    pub(super) shared: Shared,
    queue: Option<Box<Chunk>>,
    /// Bytes that went through the queue, and bytes that left it: a flush waits for a place, not for an empty queue.
    queued: u64,
    written: u64,
    /// The transport may hold back what was written.
    unflushed: bool,
    /// The transport did not take all of it when it was last asked.
    blocked: bool,
    /// A frame broke off, or the transport failed: nothing can follow.
    broken: bool,
    /// A part of a frame is queued or written, and the rest is with its sender: nothing else may be queued.
    pub(super) torn: bool,
    /// The receiving direction has something to send, and could not.
    wanted: bool,
    /// One frame at a time.
    pub(super) frame: Turns,
    /// One data message at a time, of however many frames.
    pub(super) message: Turns,
}

/// Frames lie in the queue, or are owed.
const QUEUED: u32 = 1;
/// The status is set.
const CLOSING: u32 = 1 << 1;
/// The sending half of the transport is dropped.
const GONE: u32 = 1 << 2;

impl<W: AsyncWrite + Unpin, E: Encode> Line<W, E> {
    pub(super) fn new(write: W, role: Role, encode: E) -> Self {
        let hub = Hub::new();
        let waker = Waker::from(Arc::clone(&hub));
        let out = Out {
            write: Some(write),
            outbound: Outbound::with(role, encode),
            shared: Shared::new(role),
            queue: None,
            queued: 0,
            written: 0,
            unflushed: false,
            blocked: false,
            broken: false,
            torn: false,
            wanted: false,
            frame: Turns::default(),
            message: Turns::default(),
        };
        Self { out: Mutex::new(out), flags: AtomicU32::new(0), hub, waker }
    }

    #[inline]
    pub(super) fn lock(&self) -> MutexGuard<'_, Out<W, E>> {
        self.out.lock()
    }

    pub(super) fn hub(&self) -> &Hub {
        &self.hub
    }

    /// The waker that the sending half, and the connection's timers, are polled with.
    pub(super) fn waker(&self) -> &Waker {
        &self.waker
    }

    #[inline]
    pub(super) fn is_queued(&self) -> bool {
        self.flags.load(Ordering::Acquire) & QUEUED != 0
    }

    /// Whether the status is set.
    #[inline]
    pub(super) fn is_closing(&self) -> bool {
        self.flags.load(Ordering::Acquire) & CLOSING != 0
    }

    /// Whether the transport is given up.
    #[inline]
    pub(super) fn is_gone(&self) -> bool {
        self.flags.load(Ordering::Acquire) & GONE != 0
    }

    /// Puts the flags in line with what the lock guards. To be called before it is released, by whoever changed something.
    #[inline]
    pub(super) fn note(&self, out: &Out<W, E>) {
        let queued = if out.is_idle() { 0 } else { QUEUED };
        let closing = if out.shared.closed().is_some() { CLOSING } else { 0 };
        let gone = if out.write.is_none() { GONE } else { 0 };
        let flags = queued | closing | gone;
        if self.flags.load(Ordering::Relaxed) != flags {
            self.flags.store(flags, Ordering::Release);
        }
    }

    /// Claims the status; the Close is to be sent by the next flush of anyone.
    pub(super) fn close(&self, claim: impl FnOnce(&mut Shared) -> Result<Closed, Misuse>) -> Result<Closed, Misuse> {
        let mut out = self.lock();
        let closed = claim(&mut out.shared)?;
        self.closing(out);
        Ok(closed)
    }

    /// A message of this side cannot be finished.
    pub(super) fn fail(&self, misuse: Misuse) {
        let mut out = self.lock();
        out.shared.fail(misuse.into());
        self.closing(out);
    }

    /// Ends it at once, without another word: the transport's half is dropped.
    pub(super) fn abort(&self) -> Closed {
        let mut out = self.lock();
        let closed = out.shared.abandon(CloseCode::ABNORMAL);
        out.outbound.end(closed);
        let write = out.write.take();
        let queue = out.queue.take();
        // What lies in the queue is lost, be it the Close.
        out.broken |= queue.is_some();
        self.note(&out);
        drop(out);
        drop((write, queue));
        // Whoever waits finds out; those who wait for a turn are woken one by the other.
        self.waker.wake_by_ref();
        self.pass_turns();
        closed
    }

    /// Lets those who wait for a turn find out that there is nothing to wait for.
    fn pass_turns(&self) {
        let mut out = self.lock();
        let waiting = (out.frame.take_all(), out.message.take_all());
        drop(out);
        waiting.0.into_iter().chain(waiting.1).for_each(|(_, waker)| waker.wake());
    }

    fn closing(&self, mut out: MutexGuard<'_, Out<W, E>>) {
        if !out.torn {
            // What cannot be queued now stays owed.
            let _ = out.queue_replies();
        }
        self.note(&out);
        drop(out);
        self.hub.wake_reader();
    }
}

impl<W: AsyncWrite + Unpin, E: Encode> Out<W, E> {
    /// Whether there is nothing to send.
    #[inline]
    pub(super) fn is_idle(&self) -> bool {
        self.broken || self.queue.is_none() && !self.unflushed && !self.shared.owes()
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

    /// The place behind everything that is queued.
    #[inline]
    pub(super) fn mark(&self) -> u64 {
        self.queued
    }

    /// Whether everything before a place has left the queue.
    #[inline]
    pub(super) fn is_written(&self, mark: u64) -> bool {
        self.written >= mark
    }

    /// Whether something can be sent.
    pub(super) fn usable(&self) -> Result<(), Error> {
        match self.shared.closed() {
            Some(closed) => Err(closed.into()),
            None if self.broken || self.write.is_none() => Err(io::Error::from(io::ErrorKind::BrokenPipe).into()),
            None => Ok(()),
        }
    }

    /// Room at the end of the queue.
    #[inline]
    pub(super) fn room(&mut self) -> &mut [u8] {
        self.queue.get_or_insert_with(Chunk::take).room()
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
        self.queued = self.queued.wrapping_add(len as u64);
    }

    /// Puts the next part of an operation into the queue.
    #[inline]
    pub(super) fn encode<'m>(&mut self, op: &mut Sending<'m>) -> Result<Step<'m>, Fault> {
        let queue = self.queue.get_or_insert_with(Chunk::take);
        let step = self.outbound.next(op, &mut ThreadKeys, queue.room());
        self.fill(step.as_ref().map_or(0, |step| step.filled));
        step
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
        let mut room = Chunk::take();
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
        self.queue.get_or_insert_with(Chunk::take).push(bytes);
        self.queued = self.queued.wrapping_add(bytes.len() as u64);
    }

    /// Puts what is owed into the queue. Only between frames: for who has the turn, or where nobody has it.
    pub(super) fn queue_replies(&mut self) -> Result<(), Fault> {
        if self.shared.owes() && !self.broken && self.write.is_some() {
            let queue = self.queue.get_or_insert_with(Chunk::take);
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
            self.broken = true;
            // A frame that broke off is nobody's any more.
            self.torn = false;
            self.queue.take().into_iter().for_each(Chunk::give);
        }
        result
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
            self.unflushed = true;
            let of_queue = wrote.min(queued.len());
            if let Some(queue) = &mut self.queue {
                queue.skip(of_queue);
            }
            self.written = self.written.wrapping_add(of_queue as u64);
            *then = then.get(wrote.saturating_sub(of_queue)..).unwrap_or_default();
        }
    }

    /// Writes the queue, and makes the transport hand on what it holds back.
    pub(super) fn poll_flush(&mut self, waker: &Waker) -> Poll<io::Result<()>> {
        ready!(self.poll_write(waker, &mut &[][..]))?;
        if self.unflushed
            && let Some(write) = &mut self.write
        {
            // TLS keeps ciphertext back until it is asked for.
            let result = loop {
                match Pin::new(&mut *write).poll_flush(&mut Context::from_waker(waker)) {
                    Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                    result => break result,
                }
            };
            self.blocked = result.is_pending();
            let result = ready!(result);
            self.unflushed = false;
            if let Err(error) = result {
                self.broken = true;
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

    /// The peer does not read: half a frame may be out, so that nothing more can be told it.
    pub(super) fn give_up(&mut self, fault: Fault) -> (Fault, Option<W>) {
        let fault = self.shared.fail(fault);
        let closed = self.shared.abandon(fault.code());
        self.outbound.end(closed);
        self.broken = true;
        self.queue.take().into_iter().for_each(Chunk::give);
        (fault, self.write.take())
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

/// The largest header there is.
const HEAD: usize = 14;
/// With less room than this the queue is written first: frames are not to be tiny.
const LEAST_ROOM: usize = 4096;
