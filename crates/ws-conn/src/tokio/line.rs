use super::hold::{After, CLOSING, GONE, Hold, QUEUED};
use super::out::{OTHERS, Out, READER};
use crate::driver::error::Error;
use crate::driver::hub::Hub;
use crate::driver::sync::{Arc, AtomicU32, Lock, Ordering};
use crate::extension::Encode;
use crate::fault::{Closed, Fault, Misuse};
use crate::shared::Shared;
use core::mem;
use core::task::Waker;
use core::time::Duration;
use tokio::io::AsyncWrite;
use ws_frame::{CloseCode, Role};

/// The sending direction of a connection, shared by the connection and its senders.
///
/// One lock, held for one poll or one part of a drop, and never while a task's waker is woken or dropped by the driver; none
/// is needed where the connection has it all to itself. The transport's sending half is polled with [`Hub`]'s waker only.
pub(super) struct Line<W, E> {
    out: Lock<Out<W, E>>,
    flags: AtomicU32,
    /// In microseconds, and one more: none is zero.
    round_trip: AtomicU32,
    hub: alloc::sync::Arc<Hub>,
    waker: Waker,
}

/// Nothing in it is pinned, so that its handles need not be either.
impl<W, E> Unpin for Line<W, E> {}

/// Dropped, which a panic of the transport does, it tells what became of the direction when the lock is released.
struct Unwinding<'l, W: AsyncWrite + Unpin, E: Encode>(&'l Line<W, E>);

impl<W: AsyncWrite + Unpin, E: Encode> Drop for Unwinding<'_, W, E> {
    fn drop(&mut self) {
        drop(self.0.lock());
    }
}

/// Dropped, which a panic of the transport does, it wakes those that wait to find out.
struct Panicked<'l>(&'l Hub);

impl Drop for Panicked<'_> {
    fn drop(&mut self) {
        self.0.wake_all();
    }
}

impl<W: AsyncWrite + Unpin, E: Encode> Line<W, E> {
    pub(super) fn new(write: W, role: Role, encode: E) -> Self {
        let hub = Hub::new();
        let waker = Waker::from(alloc::sync::Arc::clone(&hub));
        let out = Lock::new(Out::new(write, role, encode));
        Self { out, flags: AtomicU32::new(0), round_trip: AtomicU32::new(0), hub, waker }
    }

    #[inline]
    pub(super) fn lock(&self) -> Hold<'_, W, E> {
        Hold::new(self.out.lock(), &self.flags, &self.hub)
    }

    /// What is done by the connection itself: without the lock as long as there is no [`Sender`](super::Sender).
    #[inline]
    pub(super) fn reach<T>(line: &mut Arc<Self>, act: impl FnOnce(&mut Out<W, E>, &Waker) -> T) -> T {
        if let Some(Self { out, flags, hub, waker, .. }) = Arc::get_mut(line) {
            let panicked = Panicked(hub);
            let out = out.get_mut();
            let result = act(out, waker);
            mem::forget(panicked);
            After::of(out, flags, hub).tell();
            return result;
        }
        line.locked(act)
    }

    /// As with [`lock`](Self::lock), without the detour by which a value is dropped.
    #[inline]
    pub(super) fn locked<T>(&self, act: impl FnOnce(&mut Out<W, E>, &Waker) -> T) -> T {
        let unwinding = Unwinding(self);
        let mut out = self.out.lock();
        let result = act(&mut out, &self.waker);
        let after = After::of(&mut *out, &self.flags, &self.hub);
        drop(out);
        mem::forget(unwinding);
        after.tell();
        result
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

    /// What keepalive has measured last, to the microsecond. Kept here, where it can be read while a call receives.
    pub(super) fn round_trip(&self) -> Option<Duration> {
        let measured = self.round_trip.load(Ordering::Relaxed).checked_sub(1)?;
        Some(Duration::from_micros(measured.into()))
    }

    pub(super) fn note_round_trip(&self, measured: Option<Duration>) {
        if let Some(measured) = measured {
            let micros = u32::try_from(measured.as_micros()).unwrap_or(u32::MAX);
            self.round_trip.store(micros.saturating_add(1), Ordering::Relaxed);
        }
    }

    /// Claims the status; the Close is to be sent by the next flush of anyone.
    pub(super) fn close(&self, claim: impl FnOnce(&mut Shared) -> Result<Closed, Misuse>) -> Result<Closed, Misuse> {
        let mut out = self.lock();
        let closed = claim(&mut out.shared)?;
        closing(out);
        Ok(closed)
    }

    /// A Close that is sent like a message goes the way of all Closes, so that the status is set by the first.
    pub(super) fn put_close(&self, payload: &[u8]) -> Result<(), Error> {
        let mut out = self.lock();
        out.shared.send_close(payload)?;
        closing(out);
        Ok(())
    }

    /// A message of this side cannot be finished.
    pub(super) fn fail(&self, misuse: Misuse) {
        let mut out = self.lock();
        out.shared.fail(misuse.into());
        closing(out);
    }

    /// Ends it at once, without another word: the transport's half is dropped.
    pub(super) fn abort(&self) -> Closed {
        let mut out = self.lock();
        let closed = out.shared.abandon(CloseCode::ABNORMAL);
        drop_transport(out, closed);
        closed
    }

    /// The peer does not read: half a frame may be out, so that nothing more can be told it.
    pub(super) fn give_up(&self, mut out: Hold<'_, W, E>, fault: Fault) -> Fault {
        let fault = out.shared.fail(fault);
        let closed = out.shared.abandon(fault.code());
        drop_transport(out, closed);
        fault
    }
}

/// Whoever waits, for the transport or for a turn, finds out that there is nothing to wait for.
fn drop_transport<W: AsyncWrite + Unpin, E: Encode>(mut out: Hold<'_, W, E>, closed: Closed) {
    let write = out.end(closed);
    drop(out);
    drop(write);
}

fn closing<W: AsyncWrite + Unpin, E: Encode>(mut out: Hold<'_, W, E>) {
    if !out.torn {
        // What cannot be queued now stays owed.
        let _ = out.queue_replies();
    }
    out.wake_later(READER | OTHERS);
    // The message under way may never end. A frame does.
    let waiting = out.message.take_all();
    drop(out);
    waiting.for_each(Waker::wake);
}
