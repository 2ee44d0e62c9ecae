use super::deadline::Patience;
use super::sync::{AtomicU32, Condvar, Mutex, Ordering, TryGuard, TryLock};
use core::ops::{Deref, DerefMut};
use std::time::Instant;

#[cfg(all(test, ws_loom))]
mod model;

/// The lock of the sending direction: one thread writes at a time, and does what others ask for meanwhile.
///
/// A thread that only has something small to send (an answer to a Ping, a Close) must not wait for a writer whose peer
/// does not read. It asks, with [`ask`](Self::ask), and tries the lock. If somebody holds it, the holder does what is
/// asked for before it lets go for good. All of it hangs on one word, `flags`:
///
/// - who asks first sets [`ASKED`], then tries the lock;
/// - who holds the lock first releases it, then reads the word with a read-modify-write, and takes the lock again if
///   [`ASKED`] is set.
///
/// Of these two read-modify-writes one comes first. If it is the asker's, the holder sees the flag. If it is the
/// holder's, the asker synchronises with it and finds the lock released (or held by another, to whom the same
/// applies). So nothing that was asked for is left behind. The module `model` checks it with loom.
///
/// A holder that unwinds wakes who waits, and does nothing for others: whoever has the lock next does.
pub(crate) struct WriteLock<T> {
    value: TryLock<T>,
    flags: AtomicU32,
    gate: Mutex<()>,
    changed: Condvar,
}

/// The lock, held. To be given back by [`WriteLock::unlock`]; a drop is for unwinding, and wakes who waits.
pub(crate) struct Guard<'l, T> {
    // In this order: it is released before anybody is woken.
    value: TryGuard<'l, T>,
    wakes: Wakes<'l, T>,
}

struct Wakes<'l, T>(&'l WriteLock<T>);

/// Something is to be done by whoever holds the lock.
pub(crate) const ASKED: u32 = 1;
/// Somebody waits at the gate.
const WAITING: u32 = 1 << 1;
/// A message in fragments is under way: other data messages wait for their turn.
pub(crate) const MESSAGE: u32 = 1 << 2;
/// Frames lie in the queue, unsent.
pub(crate) const QUEUED: u32 = 1 << 3;
/// The status is set.
pub(crate) const CLOSING: u32 = 1 << 4;
/// The connection is gone: whoever holds the lock next drops the transport.
pub(crate) const GONE: u32 = 1 << 5;
/// Something that was to be sent will not be.
pub(crate) const BROKEN: u32 = 1 << 6;
/// Nothing follows what is owed: whoever holds the lock next closes this direction of the transport.
pub(crate) const ENDED: u32 = 1 << 7;
/// The last fragment of the message in progress is to be sent by whoever holds the lock.
pub(crate) const FINISH: u32 = 1 << 8;

impl<T> WriteLock<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { value: TryLock::new(value), flags: AtomicU32::new(0), gate: Mutex::new(()), changed: Condvar::default() }
    }

    /// Sets flags, and makes what was written before visible to whoever reads them.
    #[inline]
    pub(crate) fn set(&self, flags: u32) {
        self.flags.fetch_or(flags, Ordering::AcqRel);
    }

    #[inline]
    pub(crate) fn clear(&self, flags: u32) {
        self.flags.fetch_and(!flags, Ordering::AcqRel);
    }

    #[inline]
    pub(crate) fn is_set(&self, flags: u32) -> bool {
        self.flags.load(Ordering::Acquire) & flags != 0
    }

    /// The value without the lock, for who has it to itself: nobody can ask for anything meanwhile. `None` as long as
    /// something else is to be done, or no message may begin.
    #[inline]
    pub(crate) fn get_mut(&mut self) -> Option<&mut T> {
        if self.is_set(!QUEUED) { None } else { Some(self.value.get_mut()) }
    }

    /// Says whether frames lie in the queue, as far as it is not known.
    #[inline]
    pub(crate) fn note_queued(&self, queued: bool) {
        if queued != self.is_set(QUEUED) {
            if queued { self.set(QUEUED) } else { self.clear(QUEUED) }
        }
    }

    #[inline]
    pub(crate) fn try_lock(&self) -> Option<Guard<'_, T>> {
        self.value.try_lock().map(|value| Guard { value, wakes: Wakes(self) })
    }

    /// Waits for the lock as long as the patience lasts; with `turn` also until no message is under way, or until none
    /// ever ends: the connection is closing.
    #[inline]
    pub(crate) fn lock(
        &self,
        turn: bool,
        patience: &mut Patience,
        now: impl Fn() -> Instant,
        serve: impl FnMut(&mut T),
    ) -> Option<Guard<'_, T>> {
        // The flag is set under the lock only; that it is cleared is told by a wake-up.
        match self.try_lock() {
            Some(guard) if !turn || !self.is_taken() => Some(guard),
            guard => self.wait(guard, turn, patience, now, serve),
        }
    }

    #[cold]
    fn wait<'l>(
        &'l self,
        mut held: Option<Guard<'l, T>>,
        turn: bool,
        patience: &mut Patience,
        now: impl Fn() -> Instant,
        mut serve: impl FnMut(&mut T),
    ) -> Option<Guard<'l, T>> {
        loop {
            if let Some(guard) = held.take() {
                if !turn || !self.is_taken() {
                    return Some(guard);
                }
                // It is another's turn. Who asked for something while this thread had the lock relies on it.
                self.unlock(guard, &mut serve);
            }
            let gate = self.gate.lock();
            // Set under the gate, as it is cleared under the gate: who waits has the flag up.
            let flags = self.flags.fetch_or(WAITING, Ordering::AcqRel);
            if !turn || !takes_turn(flags) {
                held = self.try_lock();
            }
            if held.is_none() {
                let left = patience.left(now());
                if left.is_zero() {
                    return None;
                }
                drop(self.changed.wait(gate, left));
                // A turn that comes too late is none: its frame would have no time to be written.
                if patience.left(now()).is_zero() {
                    return None;
                }
                // Not if it would only be released again: that wakes others, and they would wake this thread.
                if !turn || !self.is_taken() {
                    held = self.try_lock();
                }
            }
        }
    }

    /// Whether it is the turn of a message in fragments.
    #[inline]
    fn is_taken(&self) -> bool {
        takes_turn(self.flags.load(Ordering::Acquire))
    }

    /// Releases the lock, but not before everything that was asked for is done: `serve` does it, under the lock.
    #[inline]
    pub(crate) fn unlock<'l>(&'l self, guard: Guard<'l, T>, serve: impl FnMut(&mut T)) {
        let Guard { value, wakes } = guard;
        drop(value);
        core::mem::forget(wakes);
        // A read-modify-write, since it has to be one of an order with the asker's: see above.
        let flags = self.flags.fetch_or(0, Ordering::AcqRel);
        if flags & (ASKED | WAITING) != 0 {
            self.settle(serve);
        }
    }

    /// Asks for something to be done, by this thread if the lock is free and otherwise by its holder.
    pub(crate) fn ask(&self, serve: impl FnMut(&mut T)) {
        self.set(ASKED);
        self.settle(serve);
    }

    /// Ends the turn of a message in fragments, and wakes who waits for one.
    pub(crate) fn end_turn(&self, serve: impl FnMut(&mut T)) {
        // Without the lock, but before the word is read for who waits: one who has not seen the flag go is woken.
        self.clear(MESSAGE);
        self.ask(serve);
    }

    #[cold]
    fn settle(&self, mut serve: impl FnMut(&mut T)) {
        loop {
            if self.wake() & ASKED == 0 {
                return;
            }
            // Not free: the holder will see the flag, which was set before this was tried.
            let Some(mut guard) = self.try_lock() else { return };
            self.clear(ASKED);
            serve(&mut guard);
        }
    }

    /// Wakes who waits. Returns the flags as they were.
    fn wake(&self) -> u32 {
        let flags = self.flags.fetch_or(0, Ordering::AcqRel);
        if flags & WAITING != 0 {
            let gate = self.gate.lock();
            self.clear(WAITING);
            drop(gate);
            self.changed.notify_all();
        }
        flags
    }
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for Guard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T> Drop for Wakes<'_, T> {
    #[cold]
    fn drop(&mut self) {
        self.0.wake();
    }
}

/// Whether a message in fragments holds back the next message. Once the status is set nothing is held back: who waits is
/// to be told, and the message may never end.
#[inline]
const fn takes_turn(flags: u32) -> bool {
    flags & (MESSAGE | CLOSING) == MESSAGE
}
