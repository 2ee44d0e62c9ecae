use super::sync::Mutex;
use alloc::sync::Arc;
use alloc::task::Wake;
use alloc::vec::Vec;
use core::task::Waker;

/// The one waker that a transport's sending half is polled with.
///
/// A transport remembers one waker for each direction. If every task that polls passed its own, a task that gives up, or
/// that merely had its turn after another, would take the wake-up with it that somebody else relies on. This one wakes
/// whoever has an interest: the task that is in the midst of sending, and the task that waits to receive.
#[derive(Debug)]
pub(crate) struct Hub {
    reader: Mutex<Option<Waker>>,
    writer: Mutex<Option<Waker>>,
    others: Mutex<Vec<Waker>>,
}

impl Hub {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { reader: Mutex::new(None), writer: Mutex::new(None), others: Mutex::new(Vec::new()) })
    }

    /// The task that waits to receive.
    pub(crate) fn note_reader(&self, waker: &Waker) {
        note(&self.reader, waker);
    }

    /// The task that is in the midst of sending.
    pub(crate) fn note_writer(&self, waker: &Waker) {
        note(&self.writer, waker);
    }

    /// A task that waits for room, or for a frame to end, without a place in an order.
    pub(crate) fn note_other(&self, waker: &Waker) {
        let mut others = self.others.lock();
        if !others.iter().any(|known| known.will_wake(waker)) {
            others.push(waker.clone());
        }
    }

    pub(crate) fn wake_reader(&self) {
        wake(&self.reader);
    }

    pub(crate) fn wake_others(&self) {
        let others = core::mem::take(&mut *self.others.lock());
        others.into_iter().for_each(Waker::wake);
    }
}

impl Wake for Hub {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        wake(&self.writer);
        wake(&self.reader);
        self.wake_others();
    }
}

fn note(slot: &Mutex<Option<Waker>>, waker: &Waker) {
    let mut guard = slot.lock();
    if guard.as_ref().is_some_and(|known| known.will_wake(waker)) {
        return;
    }
    let old = guard.replace(waker.clone());
    // Dropping a waker may run code of others: not under the lock.
    drop(guard);
    drop(old);
}

fn wake(slot: &Mutex<Option<Waker>>) {
    let waker = slot.lock().take();
    if let Some(waker) = waker {
        waker.wake();
    }
}
