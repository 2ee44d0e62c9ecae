//! A task that notes itself and asks once more misses nothing, whoever else is woken or comes and goes.

use super::Hub;
use crate::driver::model::{Signal, check};
use alloc::sync::Arc;
use core::task::Waker;
use loom::sync::atomic::{AtomicBool, Ordering};
use loom::thread;

#[test]
fn a_task_that_notes_itself_and_asks_once_more_is_woken() {
    check(3, || {
        let model = Model::new();
        let others = [model.spawn(Model::ready), model.spawn(Model::write)];
        model.read();
        others.into_iter().for_each(|other| other.join().unwrap());
    });
}

#[test]
fn a_task_that_came_and_went_takes_no_wake_up_with_it() {
    check(3, || {
        let model = Model::new();
        let others = [model.spawn(Model::ready), model.spawn(Model::come_and_go)];
        model.read();
        others.into_iter().for_each(|other| other.join().unwrap());
    });
}

/// Two that wait without a place in an order, and are woken by who leaves rather than by the transport.
#[test]
fn all_others_are_woken() {
    check(3, || {
        let model = Model::new();
        let others = [model.spawn(Model::wait_aside), model.spawn(Model::wait_aside)];
        model.ready.store(true, Ordering::Relaxed);
        model.hub.wake_others();
        others.into_iter().for_each(|other| other.join().unwrap());
    });
}

/// A transport that is not ready, and then is.
#[derive(Clone)]
struct Model {
    hub: Arc<Hub>,
    /// Read and written without an order of its own, so that only the hub's lock can make it seen.
    ready: Arc<AtomicBool>,
}

impl Model {
    fn new() -> Self {
        Self { hub: Hub::new(), ready: Arc::new(AtomicBool::new(false)) }
    }

    fn ready(self) {
        self.ready.store(true, Ordering::Relaxed);
        Waker::from(self.hub).wake();
    }

    fn read(&self) {
        self.wait(Hub::note_reader);
    }

    fn write(self) {
        self.wait(Hub::note_writer);
    }

    fn wait_aside(self) {
        self.wait(Hub::note_other);
    }

    fn come_and_go(self) {
        self.hub.note_writer(&Waker::from(Signal::new()));
        self.hub.note_other(&Waker::from(Signal::new()));
    }

    fn wait(&self, note: impl Fn(&Hub, &Waker)) {
        let signal = Signal::new();
        let waker = Waker::from(Arc::clone(&signal));
        while !self.ready.load(Ordering::Relaxed) {
            note(&self.hub, &waker);
            if self.ready.load(Ordering::Relaxed) {
                return;
            }
            signal.wait();
        }
    }

    fn spawn(&self, body: impl FnOnce(Self) + 'static) -> thread::JoinHandle<()> {
        let model = self.clone();
        thread::spawn(move || body(model))
    }
}
