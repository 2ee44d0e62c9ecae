use super::out::{ALL, Out, READER};
use crate::driver::deferred;
use crate::driver::hub::{Hub, OTHERS, WRITER};
use crate::driver::sync::{AtomicU32, LockGuard, Ordering};
use crate::extension::Encode;
use core::ops::{Deref, DerefMut};
use tokio::io::AsyncWrite;

/// The sending direction, locked.
///
/// Dropped it notes what is to be known without the lock, and then, when the lock is released, wakes those that wait for what
/// was changed. A panic of the transport comes by here as well.
pub(super) struct Hold<'l, W: AsyncWrite + Unpin, E: Encode> {
    // In this order: the fields are dropped from the first to the last.
    out: LockGuard<'l, Out<W, E>>,
    told: Told<'l>,
    flags: &'l AtomicU32,
}

/// Tells it when it is dropped.
struct Told<'l>(After<'l>);

/// Who is to be woken when the sending direction is released.
pub(super) struct After<'l> {
    hub: &'l Hub,
    wakes: u32,
}

/// Frames lie in the queue, or are owed.
pub(super) const QUEUED: u32 = 1;
/// The status is set.
pub(super) const CLOSING: u32 = 1 << 1;
/// The sending half of the transport is dropped.
pub(super) const GONE: u32 = 1 << 2;

impl<'l, W: AsyncWrite + Unpin, E: Encode> Hold<'l, W, E> {
    pub(super) fn new(out: LockGuard<'l, Out<W, E>>, flags: &'l AtomicU32, hub: &'l Hub) -> Self {
        Self { out, told: Told(After { hub, wakes: 0 }), flags }
    }
}

impl<W: AsyncWrite + Unpin, E: Encode> Deref for Hold<'_, W, E> {
    type Target = Out<W, E>;

    fn deref(&self) -> &Out<W, E> {
        &self.out
    }
}

impl<W: AsyncWrite + Unpin, E: Encode> DerefMut for Hold<'_, W, E> {
    fn deref_mut(&mut self) -> &mut Out<W, E> {
        &mut self.out
    }
}

impl<W: AsyncWrite + Unpin, E: Encode> Drop for Hold<'_, W, E> {
    fn drop(&mut self) {
        self.told.0 = After::of(&mut self.out, self.flags, self.told.0.hub);
    }
}

impl Drop for Told<'_> {
    fn drop(&mut self) {
        self.0.tell();
    }
}

impl<'l> After<'l> {
    /// As long as it is held: notes what has become of it.
    #[inline]
    pub(super) fn of<W: AsyncWrite + Unpin, E: Encode>(out: &mut Out<W, E>, known: &AtomicU32, hub: &'l Hub) -> Self {
        let queued = if out.is_idle() { 0 } else { QUEUED };
        let closing = if out.shared.closed().is_some() { CLOSING } else { 0 };
        let gone = if out.is_gone() { GONE } else { 0 };
        let flags = queued | closing | gone;
        if known.load(Ordering::Relaxed) != flags {
            known.store(flags, Ordering::Release);
        }
        let wakes = out.take_wakes();
        if wakes & ALL != 0 {
            hub.note_leaving(out.frame.take_all().chain(out.message.take_all()));
        }
        Self { hub, wakes }
    }

    /// When it is released.
    #[inline]
    pub(super) fn tell(&self) {
        if self.wakes != 0 {
            if self.hub.is_waited_for() || self.wakes & (READER | ALL) != 0 {
                self.wake();
            }
            deferred::wake();
        }
    }

    #[cold]
    fn wake(&self) {
        if self.wakes & ALL != 0 {
            return self.hub.wake_all();
        }
        self.hub.wake_waiting(self.wakes & (WRITER | OTHERS));
        if self.wakes & READER != 0 {
            self.hub.wake_reader();
        }
    }
}
