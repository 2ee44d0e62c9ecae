//! What the models of the parts for tasks have in common: a task is a thread that polls when it was woken, and only then.
//!
//! Time stands still here: a wake-up that gets lost is a wait for ever, which loom reports as a deadlock.

use super::sync::{Condvar, Mutex};
use alloc::sync::Arc;
use alloc::task::Wake;
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use core::time::Duration;

/// The waker of a task, on which its thread waits.
pub(crate) struct Signal {
    woken: Mutex<bool>,
    changed: Condvar,
}

impl Signal {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { woken: Mutex::new(false), changed: Condvar::default() })
    }

    /// Waits until it is woken, if it was not woken before.
    pub(crate) fn wait(&self) {
        let mut woken = self.woken.lock();
        while !*woken {
            woken = self.changed.wait(woken, Duration::MAX);
        }
        *woken = false;
    }
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        *self.woken.lock() = true;
        self.changed.notify_all();
    }
}

/// Polls to the end.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let signal = Signal::new();
    let waker = Waker::from(Arc::clone(&signal));
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        signal.wait();
    }
}

/// Polls once, and drops.
pub(crate) fn poll_once<F: Future>(future: F) -> Option<F::Output> {
    let waker = Waker::from(Signal::new());
    match pin!(future).poll(&mut Context::from_waker(&waker)) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

/// Runs a model in all orders of its threads, as far as each is interrupted so many times at most where it does not have
/// to wait. `LOOM_MAX_PREEMPTIONS` says another number.
pub(crate) fn check(preemptions: usize, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound.get_or_insert(preemptions);
    builder.check(model);
}
