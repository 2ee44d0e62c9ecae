use super::deferred;
use super::sync::{AtomicU32, AtomicUsize, Mutex, Ordering};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::task::Wake;
use core::task::Waker;

#[cfg(all(test, ws_loom))]
mod model;

/// The one waker that a transport's sending half is polled with.
///
/// A transport remembers one waker for each direction. If every task that polls passed its own, a task that gives up, or
/// that merely had its turn after another, would take the wake-up with it that somebody else relies on. This one wakes
/// whoever has an interest: the task that is in the midst of sending, the task that waits to receive, and those that wait
/// for room.
///
/// Each of them has one place here, with the waker of its last poll. It is woken after this thread has released the lock of
/// the connection, should it hold it: a waker may run code that calls the connection.
#[derive(Debug)]
pub(crate) struct Hub {
    tasks: Mutex<Tasks>,
    /// Which waker lies in `tasks.reader`, so that a task that is still known need not lock: it waits for each message
    /// anew. Written under the lock.
    reader: Identity,
    /// Which of `tasks.writer` and `tasks.others` there are. Written under the lock.
    waiting: AtomicU32,
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
    /// Allocated when somebody waits here for the first time: most connections have none, and all pay for the place.
    others: Option<Box<Others>>,
}

#[derive(Debug, Default)]
struct Others {
    /// The last place that was given out.
    last: u64,
    waiting: BTreeMap<u64, Waker>,
}

/// The place of a task that waits without an order; none at first.
#[derive(Debug, Default)]
pub(crate) struct Place(u64);

/// The task that is in the midst of sending.
pub(crate) const WRITER: u32 = 1;
/// The tasks that wait without an order.
pub(crate) const OTHERS: u32 = 1 << 1;

impl Hub {
    pub(crate) fn new() -> Arc<Self> {
        let reader = Identity { data: AtomicUsize::new(0), vtable: AtomicUsize::new(0) };
        Arc::new(Self { tasks: Mutex::new(Tasks::default()), reader, waiting: AtomicU32::new(0) })
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

    /// The task that is in the midst of sending; there is one at a time. As for [`note_other`](Self::note_other), it looks
    /// once more afterwards.
    pub(crate) fn note_writer(&self, waker: &Waker) {
        self.note(waker, |tasks| &mut tasks.writer, || self.add(WRITER));
    }

    /// A task that waits for room, or for a frame to end, without a place in an order. It looks once more under the lock of
    /// what it waits for, so that whoever changes that later sees that there are others.
    pub(crate) fn note_other(&self, place: &mut Place, waker: &Waker) {
        let waker = waker.clone();
        let mut tasks = self.tasks.lock();
        let others = tasks.others.get_or_insert_default();
        if place.0 == 0 {
            others.last = others.last.wrapping_add(1);
            place.0 = others.last;
        }
        let old = others.waiting.insert(place.0, waker);
        self.add(OTHERS);
        drop(tasks);
        drop(old);
    }

    /// Tasks that had a place in an order, which is no more: they are to be woken with all.
    #[cold]
    pub(crate) fn note_leaving(&self, wakers: impl Iterator<Item = Waker>) {
        let mut tasks = self.tasks.lock();
        for waker in wakers {
            let others = tasks.others.get_or_insert_default();
            others.last = others.last.wrapping_add(1);
            others.waiting.insert(others.last, waker);
        }
    }

    /// The task that was in the midst of sending is so no more. Returns its waker, to be dropped when no lock is held.
    pub(crate) fn forget_writer(&self) -> Option<Waker> {
        if self.waiting.load(Ordering::Relaxed) & WRITER == 0 {
            return None;
        }
        let mut tasks = self.tasks.lock();
        self.remove(WRITER);
        tasks.writer.take()
    }

    /// A task waits no more.
    pub(crate) fn forget_other(&self, place: &mut Place) {
        if place.0 != 0 {
            let mut tasks = self.tasks.lock();
            let old = tasks.others.as_mut().and_then(|others| others.waiting.remove(&place.0));
            drop(tasks);
            drop(old);
            place.0 = 0;
        }
    }

    pub(crate) fn wake_reader(&self) {
        let mut tasks = self.tasks.lock();
        self.reader.clear();
        let reader = tasks.reader.take();
        drop(tasks);
        reader.into_iter().for_each(Waker::wake);
    }

    /// Whether somebody waits for what a sender, or who receives, may change.
    #[inline]
    pub(crate) fn is_waited_for(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) != 0
    }

    /// For who has just changed what [some of those](WRITER) wait for.
    #[cold]
    pub(crate) fn wake_waiting(&self, who: u32) {
        let mut tasks = self.tasks.lock();
        self.remove(who);
        let writer = if who & WRITER == 0 { None } else { tasks.writer.take() };
        let others = if who & OTHERS == 0 { None } else { tasks.take_others() };
        drop(tasks);
        writer.into_iter().for_each(Waker::wake);
        others.into_iter().flat_map(BTreeMap::into_values).for_each(Waker::wake);
    }

    /// Wakes everybody.
    pub(crate) fn wake_all(&self) {
        let mut tasks = self.tasks.lock();
        self.reader.clear();
        self.remove(WRITER | OTHERS);
        let (writer, reader, others) = (tasks.writer.take(), tasks.reader.take(), tasks.take_others());
        drop(tasks);
        let others = others.into_iter().flat_map(BTreeMap::into_values);
        writer.into_iter().chain(reader).chain(others).for_each(Waker::wake);
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

    /// Under the lock.
    fn add(&self, who: u32) {
        self.waiting.store(self.waiting.load(Ordering::Relaxed) | who, Ordering::Relaxed);
    }

    /// Under the lock.
    fn remove(&self, who: u32) {
        self.waiting.store(self.waiting.load(Ordering::Relaxed) & !who, Ordering::Relaxed);
    }
}

impl Tasks {
    fn take_others(&mut self) -> Option<BTreeMap<u64, Waker>> {
        self.others.as_mut().map(|others| core::mem::take(&mut others.waiting))
    }
}

impl Wake for Hub {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !deferred::defer(self) {
            self.wake_all();
        }
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
