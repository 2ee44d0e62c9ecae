//! The primitives of synchronisation: those of std, or loom's where it checks the model (`--cfg ws_loom`).

#[cfg(not(ws_loom))]
pub(crate) use self::of_std::*;

#[cfg(ws_loom)]
pub(crate) use self::of_loom::*;

#[cfg(not(ws_loom))]
#[cfg_attr(not(feature = "blocking"), expect(dead_code, reason = "some are for threads, which wait"))]
mod of_std {
    #[cfg(feature = "blocking")]
    use atomic_refcell::AtomicRefCell;
    #[cfg(feature = "blocking")]
    pub(crate) use atomic_refcell::AtomicRefMut as TryGuard;
    #[cfg(feature = "tokio")]
    pub(crate) use core::sync::atomic::AtomicUsize;
    pub(crate) use core::sync::atomic::{AtomicU32, Ordering};
    use core::time::Duration;
    pub(crate) use std::sync::MutexGuard;
    use std::sync::{self, PoisonError};
    /// Without weak references, so that to see whether one is the only one takes a load.
    pub(crate) use triomphe::Arc;

    /// A mutex that a panic of another thread does not poison: what it guards is consistent at every step.
    #[derive(Debug, Default)]
    pub(crate) struct Mutex<T>(sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub(crate) const fn new(value: T) -> Self {
            Self(sync::Mutex::new(value))
        }

        #[inline]
        pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner)
        }

        /// Without the lock, for who has it to itself.
        #[cfg(feature = "tokio")]
        #[inline]
        pub(crate) fn get_mut(&mut self) -> &mut T {
            self.0.get_mut().unwrap_or_else(PoisonError::into_inner)
        }
    }

    /// What is locked while code of others runs, which may panic.
    #[cfg(feature = "tokio")]
    pub(crate) type Lock<T> = Mutex<T>;
    #[cfg(feature = "tokio")]
    pub(crate) type LockGuard<'a, T> = MutexGuard<'a, T>;

    /// A mutex that nobody waits for, so that releasing it is a plain store and not another atomic operation.
    ///
    /// The inner mutex is never locked: it is there because a value that may be sent can be shared inside one.
    #[cfg(feature = "blocking")]
    pub(crate) struct TryLock<T>(AtomicRefCell<sync::Mutex<T>>);

    #[cfg(feature = "blocking")]
    impl<T> TryLock<T> {
        pub(crate) const fn new(value: T) -> Self {
            Self(AtomicRefCell::new(sync::Mutex::new(value)))
        }

        #[inline]
        pub(crate) fn try_lock(&self) -> Option<TryGuard<'_, T>> {
            let guard = self.0.try_borrow_mut().ok()?;
            Some(TryGuard::map(guard, |value| value.get_mut().unwrap_or_else(PoisonError::into_inner)))
        }

        /// Without the lock, for who has it to itself.
        #[inline]
        pub(crate) fn get_mut(&mut self) -> &mut T {
            self.0.get_mut().get_mut().unwrap_or_else(PoisonError::into_inner)
        }
    }

    #[derive(Debug, Default)]
    pub(crate) struct Condvar(sync::Condvar);

    impl Condvar {
        pub(crate) fn notify_all(&self) {
            self.0.notify_all();
        }

        /// Waits for a notification, for at most the time given; it may return earlier.
        pub(crate) fn wait<'a, T>(&self, guard: MutexGuard<'a, T>, patience: Duration) -> MutexGuard<'a, T> {
            // A longer wait than the operating system can express is waited for in pieces, by the caller's loop.
            let patience = patience.min(Duration::from_secs(3600));
            self.0.wait_timeout(guard, patience).map_or_else(|poisoned| poisoned.into_inner().0, |(guard, _)| guard)
        }
    }
}

#[cfg(ws_loom)]
#[cfg_attr(not(feature = "blocking"), expect(dead_code, reason = "some are for threads, which wait"))]
mod of_loom {
    #![expect(clippy::unwrap_used, reason = "a model: loom's mutexes are not poisoned")]

    use core::ops::{Deref, DerefMut};
    use core::time::Duration;
    use loom::sync;
    pub(crate) use loom::sync::Arc;
    pub(crate) use loom::sync::MutexGuard;
    #[cfg(feature = "tokio")]
    pub(crate) use loom::sync::atomic::AtomicUsize;
    pub(crate) use loom::sync::atomic::{AtomicU32, Ordering};
    use std::sync::PoisonError;

    #[derive(Debug)]
    pub(crate) struct Mutex<T>(sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
            self.0.lock().unwrap()
        }
    }

    /// As [`Mutex`], for what is locked while code of others runs, which may panic: loom's own mutexes do not survive that.
    #[cfg(feature = "tokio")]
    pub(crate) struct Lock<T> {
        held: Mutex<bool>,
        released: Condvar,
        value: std::sync::Mutex<T>,
    }

    #[cfg(feature = "tokio")]
    pub(crate) struct LockGuard<'a, T> {
        value: Option<std::sync::MutexGuard<'a, T>>,
        lock: &'a Lock<T>,
    }

    #[cfg(feature = "tokio")]
    impl<T> Lock<T> {
        pub(crate) fn new(value: T) -> Self {
            Self { held: Mutex::new(false), released: Condvar::default(), value: std::sync::Mutex::new(value) }
        }

        pub(crate) fn lock(&self) -> LockGuard<'_, T> {
            let mut held = self.held.lock();
            while *held {
                held = self.released.wait(held, Duration::MAX);
            }
            *held = true;
            LockGuard { value: Some(self.value.lock().unwrap_or_else(PoisonError::into_inner)), lock: self }
        }

        pub(crate) fn get_mut(&mut self) -> &mut T {
            self.value.get_mut().unwrap_or_else(PoisonError::into_inner)
        }
    }

    #[cfg(feature = "tokio")]
    impl<T> Drop for LockGuard<'_, T> {
        fn drop(&mut self) {
            self.value = None;
            *self.lock.held.lock() = false;
            self.lock.released.notify_all();
        }
    }

    #[cfg(feature = "tokio")]
    impl<T> Deref for LockGuard<'_, T> {
        type Target = T;

        fn deref(&self) -> &T {
            self.value.as_ref().unwrap()
        }
    }

    #[cfg(feature = "tokio")]
    impl<T> DerefMut for LockGuard<'_, T> {
        fn deref_mut(&mut self) -> &mut T {
            self.value.as_mut().unwrap()
        }
    }

    /// loom's own `try_lock` blocks where a real one returns; the flag makes it return.
    ///
    /// The mutex is none of loom's, and nobody waits for it: what was written is seen by way of the flag alone.
    #[derive(Debug)]
    pub(crate) struct TryLock<T> {
        held: sync::atomic::AtomicBool,
        value: std::sync::Mutex<T>,
    }

    #[derive(Debug)]
    pub(crate) struct TryGuard<'a, T> {
        guard: Option<std::sync::MutexGuard<'a, T>>,
        held: &'a sync::atomic::AtomicBool,
    }

    impl<T> TryLock<T> {
        pub(crate) fn new(value: T) -> Self {
            Self { held: sync::atomic::AtomicBool::new(false), value: std::sync::Mutex::new(value) }
        }

        pub(crate) fn try_lock(&self) -> Option<TryGuard<'_, T>> {
            // loom's read-modify-writes read the last value even where they fail; a real one may fail by an older one.
            let free = !self.held.load(Ordering::Relaxed)
                && self.held.compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed).is_ok();
            free.then(|| TryGuard {
                guard: Some(self.value.lock().unwrap_or_else(PoisonError::into_inner)),
                held: &self.held,
            })
        }

        pub(crate) fn get_mut(&mut self) -> &mut T {
            self.value.get_mut().unwrap_or_else(PoisonError::into_inner)
        }
    }

    impl<T> Drop for TryGuard<'_, T> {
        fn drop(&mut self) {
            self.guard = None;
            self.held.store(false, Ordering::Release);
        }
    }

    impl<T> Deref for TryGuard<'_, T> {
        type Target = T;

        fn deref(&self) -> &T {
            self.guard.as_ref().unwrap()
        }
    }

    impl<T> DerefMut for TryGuard<'_, T> {
        fn deref_mut(&mut self) -> &mut T {
            self.guard.as_mut().unwrap()
        }
    }

    /// Time stands still in the model, so that a notification that gets lost is a wait for ever: loom reports it.
    #[derive(Debug)]
    pub(crate) struct Condvar(sync::Condvar);

    impl Default for Condvar {
        fn default() -> Self {
            Self(sync::Condvar::new())
        }
    }

    impl Condvar {
        pub(crate) fn notify_all(&self) {
            self.0.notify_all();
        }

        pub(crate) fn wait<'a, T>(&self, guard: MutexGuard<'a, T>, _: Duration) -> MutexGuard<'a, T> {
            self.0.wait(guard).unwrap()
        }
    }
}
