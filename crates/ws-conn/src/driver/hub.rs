use super::sync::Mutex;
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
pub(crate) struct Hub(Mutex<Tasks>);

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
        Arc::new(Self(Mutex::new(Tasks::default())))
    }

    /// The task that waits to receive.
    #[inline]
    pub(crate) fn note_reader(&self, waker: &Waker) {
        self.note(waker, |tasks| &mut tasks.reader);
    }

    /// The task that is in the midst of sending.
    pub(crate) fn note_writer(&self, waker: &Waker) {
        self.note(waker, |tasks| &mut tasks.writer);
    }

    /// A task that waits for room, or for a frame to end, without a place in an order.
    pub(crate) fn note_other(&self, waker: &Waker) {
        let mut tasks = self.0.lock();
        let others = tasks.others.get_or_insert_default();
        if !others.iter().any(|known| known.will_wake(waker)) {
            others.push(waker.clone());
        }
    }

    pub(crate) fn wake_reader(&self) {
        let reader = self.0.lock().reader.take();
        reader.into_iter().for_each(Waker::wake);
    }

    pub(crate) fn wake_others(&self) {
        let others = self.0.lock().others.take();
        others.into_iter().flat_map(|others| *others).for_each(Waker::wake);
    }

    fn note(&self, waker: &Waker, slot: impl FnOnce(&mut Tasks) -> &mut Option<Waker>) {
        let mut tasks = self.0.lock();
        let slot = slot(&mut tasks);
        if slot.as_ref().is_some_and(|known| known.will_wake(waker)) {
            return;
        }
        let old = slot.replace(waker.clone());
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
        let Tasks { reader, writer, others } = core::mem::take(&mut *self.0.lock());
        writer.into_iter().chain(reader).chain(others.into_iter().flat_map(|others| *others)).for_each(Waker::wake);
    }
}
