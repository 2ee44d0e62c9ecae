use super::out::{ALL, READER};
use crate::driver::deferred;
use crate::driver::hub::{Hub, OTHERS, WRITER};
use crate::driver::sync::{AtomicU32, Ordering};
use core::ops::{Deref, DerefMut};
use core::task::Waker;

/// The sending direction in the hands of one, be it behind the lock or without one.
///
/// Dropped it puts the flags in line with what has become of it, and then, when the lock is released, wakes those that wait
/// for what was changed. A panic of the transport comes by here as well.
pub(super) struct Hold<'l, G: DerefMut<Target: Tell>> {
    // In this order: the fields are dropped from the first to the last.
    out: G,
    after: Told<'l>,
    flags: &'l AtomicU32,
}

/// What a sending direction tells when it is released.
pub(super) trait Tell: Sized {
    /// What is to be known without the lock.
    fn flags(&self) -> u32;
    /// Who is to be woken.
    fn take_wakes(&mut self) -> u32;
    /// Everybody who waits for a turn.
    fn take_turns(&mut self) -> impl Iterator<Item = Waker>;
}

/// Tells it when it is dropped.
struct Told<'l>(After<'l>);

/// Who is to be woken when a sending direction is released.
pub(super) struct After<'l> {
    hub: &'l Hub,
    wakes: u32,
}

impl<'l, G: DerefMut<Target: Tell>> Hold<'l, G> {
    #[inline]
    pub(super) fn new(out: G, flags: &'l AtomicU32, hub: &'l Hub) -> Self {
        Self { out, after: Told(After { hub, wakes: 0 }), flags }
    }
}

impl<G: DerefMut<Target: Tell>> Deref for Hold<'_, G> {
    type Target = G::Target;

    #[inline]
    fn deref(&self) -> &G::Target {
        &self.out
    }
}

impl<G: DerefMut<Target: Tell>> DerefMut for Hold<'_, G> {
    #[inline]
    fn deref_mut(&mut self) -> &mut G::Target {
        &mut self.out
    }
}

impl<G: DerefMut<Target: Tell>> Drop for Hold<'_, G> {
    fn drop(&mut self) {
        self.after.0 = After::of(&mut *self.out, self.flags, self.after.0.hub);
    }
}

impl Drop for Told<'_> {
    fn drop(&mut self) {
        self.0.tell();
    }
}

impl<'l> After<'l> {
    /// As long as it is held: takes note of what has become of it.
    #[inline]
    pub(super) fn of(out: &mut impl Tell, known: &AtomicU32, hub: &'l Hub) -> Self {
        let flags = out.flags();
        if known.load(Ordering::Relaxed) != flags {
            known.store(flags, Ordering::Release);
        }
        let wakes = out.take_wakes();
        if wakes & ALL != 0 {
            hub.note_leaving(out.take_turns());
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
