use super::sync::{AtomicUsize, Mutex, Ordering};
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::task::Wake;
use alloc::vec::Vec;
use core::task::Waker;

#[cfg(all(test, ws_loom))]
mod model;

/// The one waker that a transport's sending half is polled with.
///
/// A transport remembers one waker for each direction. If every task that polls passed its own, a task that gives up, or
/// that merely had its turn after another, would take the wake-up with it that somebody else relies on. This one wakes
/// whoever has an interest: the task that is in the midst of sending, and the task that waits to receive.
#[derive(Debug)]
pub(crate) struct Hub {
    tasks: Mutex<Tasks>,
    /// Which waker lies in `tasks.reader`, so that a task that is still known need not lock: it waits for each message
    /// anew. Written under the lock.
    reader: Identity,
    /// Whether others lie in `tasks`, as 1 or 0. Written under the lock.
    has_others: AtomicUsize,
}

/// Where the parts of a waker lie, which is what [`Waker::will_wake`] compares; no vtable lies at 0.
#[derive(Debug)]
struct Identity {
    data: AtomicUsize,
    vtable: AtomicUsize,
}

/// The tasks that have an interest.
#[derive(Debug, Default)]
struct Tasks {
    reader: Option<Waker>,
    writer: Option<Waker>,
    /// Allocated when somebody waits here for the first time.
    #[expect(clippy::box_collection, reason = "most connections have none, and all pay for the place")]
    others: Option<Box<Vec<Waker>>>,
}

impl Hub {
    pub(crate) fn new() -> Arc<Self> {
        let reader = Identity { data: AtomicUsize::new(0), vtable: AtomicUsize::new(0) };
        Arc::new(Self { tasks: Mutex::new(Tasks::default()), reader, has_others: AtomicUsize::new(0) })
    }

    /// The task that waits to receive; there is one at a time.
    ///
    /// While this task is known nothing has to be done. If somebody takes its waker at this moment, it is woken after
    /// this, and polls again; by then it sees that it is known no more.
    #[inline]
    pub(crate) fn note_reader(&self, waker: &Waker) {
        if !self.reader.is(waker) {
            self.note(waker, |tasks| &mut tasks.reader, || self.reader.set(waker));
        }
    }

    /// The task that is in the midst of sending.
    pub(crate) fn note_writer(&self, waker: &Waker) {
        self.note(waker, |tasks| &mut tasks.writer, || ());
    }

    /// A task that waits for room, or for a frame to end, without a place in an order. It looks once more under the lock of
    /// what it waits for, so that whoever changes that later sees that there are others.
    pub(crate) fn note_other(&self, waker: &Waker) {
        let mut tasks = self.tasks.lock();
        let others = tasks.others.get_or_insert_default();
        if !others.iter().any(|known| known.will_wake(waker)) {
            others.push(waker.clone());
        }
        self.has_others.store(1, Ordering::Relaxed);
    }

    pub(crate) fn wake_reader(&self) {
        let reader = self.take(|tasks| tasks.reader.take());
        reader.into_iter().for_each(Waker::wake);
    }

    /// For who has just changed what they wait for.
    #[inline]
    pub(crate) fn wake_others(&self) {
        if self.has_others.load(Ordering::Relaxed) != 0 {
            self.wake_all_others();
        }
    }

    #[cold]
    fn wake_all_others(&self) {
        let mut tasks = self.tasks.lock();
        self.has_others.store(0, Ordering::Relaxed);
        let others = tasks.others.take();
        drop(tasks);
        others.into_iter().flat_map(|others| *others).for_each(Waker::wake);
    }

    /// Takes wakers out, the reader's among them.
    fn take<T>(&self, take: impl FnOnce(&mut Tasks) -> T) -> T {
        let mut tasks = self.tasks.lock();
        self.reader.clear();
        take(&mut tasks)
    }

    fn note(&self, waker: &Waker, slot: impl FnOnce(&mut Tasks) -> &mut Option<Waker>, noted: impl FnOnce()) {
        let mut tasks = self.tasks.lock();
        let slot = slot(&mut tasks);
        if slot.as_ref().is_some_and(|known| known.will_wake(waker)) {
            return;
        }
        let old = slot.replace(waker.clone());
        noted();
        // Dropping a waker may run code of others: not under the lock.
        drop(tasks);
        drop(old);
    }
}

impl Wake for Hub {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let Tasks { reader, writer, others } = self.take(|tasks| {
            self.has_others.store(0, Ordering::Relaxed);
            core::mem::take(tasks)
        });
        writer.into_iter().chain(reader).chain(others.into_iter().flat_map(|others| *others)).for_each(Waker::wake);
    }
}

impl Identity {
    #[inline]
    fn is(&self, waker: &Waker) -> bool {
        // Acquire: what happened before the waker was taken is seen by who finds that it is gone.
        self.vtable.load(Ordering::Acquire) == vtable(waker) && self.data.load(Ordering::Relaxed) == waker.data().addr()
    }

    fn set(&self, waker: &Waker) {
        self.data.store(waker.data().addr(), Ordering::Relaxed);
        self.vtable.store(vtable(waker), Ordering::Release);
    }

    fn clear(&self) {
        self.vtable.store(0, Ordering::Release);
    }
}

fn vtable(waker: &Waker) -> usize {
    core::ptr::from_ref(waker.vtable()).addr()
}
