//! A task that notes itself and asks once more misses nothing, whoever else is woken or comes and goes.

use super::{Hub, OTHERS, Place, WRITER};
use crate::driver::model::{Signal, check};
use crate::driver::sync::Mutex;
use alloc::sync::Arc;
use core::cell::RefCell;
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

/// It is known still when it comes again, and notes itself without the lock.
#[test]
fn a_task_that_is_woken_from_elsewhere_is_woken_when_it_is_ready_all_the_same() {
    check(3, || {
        let model = Model::new();
        let signal = Signal::new();
        let elsewhere = Waker::from(Arc::clone(&signal));
        let others = [model.spawn(Model::ready), thread::spawn(move || elsewhere.wake())];
        model.wait_by(&signal, Hub::note_reader);
        others.into_iter().for_each(|other| other.join().unwrap());
    });
}

/// Its waker is gone then, and it has to be noted anew.
#[test]
fn a_task_that_was_woken_for_nothing_is_woken_when_it_is_ready_all_the_same() {
    check(3, || {
        let model = Model::new();
        let others = [model.spawn(Model::ready), model.spawn(|model| Waker::from(model.hub).wake())];
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

/// Two that wait without a place in an order, and are woken by who leaves rather than by the transport. What they wait for is
/// behind a lock.
#[test]
fn all_others_are_woken() {
    check(3, || {
        let model = Model::new();
        let others = [model.spawn(Model::wait_aside), model.spawn(Model::wait_aside)];
        *model.room.lock() = true;
        model.tell();
        others.into_iter().for_each(|other| other.join().unwrap());
    });
}

/// The one that sends and one without a place in an order wait for what is behind a lock.
#[test]
fn who_sends_is_woken_by_who_does_its_work() {
    check(3, || {
        let model = Model::new();
        let others = [model.spawn(Model::wait_to_send), model.spawn(Model::wait_aside)];
        *model.room.lock() = true;
        model.tell();
        others.into_iter().for_each(|other| other.join().unwrap());
    });
}

/// A transport that is not ready, and then is.
#[derive(Clone)]
struct Model {
    hub: Arc<Hub>,
    /// Read and written without an order of its own, so that only the hub can make it seen.
    ready: Arc<AtomicBool>,
    room: Arc<Mutex<bool>>,
}

impl Model {
    fn new() -> Self {
        Self { hub: Hub::new(), ready: Arc::new(AtomicBool::new(false)), room: Arc::new(Mutex::new(false)) }
    }

    fn ready(self) {
        self.ready.store(true, Ordering::Relaxed);
        Waker::from(self.hub).wake();
    }

    /// As who has changed something under a lock does.
    fn tell(&self) {
        if self.hub.is_waited_for() {
            self.hub.wake_waiting(WRITER | OTHERS);
        }
    }

    fn read(&self) {
        self.wait(Hub::note_reader);
    }

    fn write(self) {
        self.wait(Hub::note_writer);
    }

    fn wait_aside(self) {
        let place = RefCell::new(Place::default());
        let note = |hub: &Hub, waker: &Waker| hub.note_other(&mut place.borrow_mut(), waker);
        self.wait_until(&Signal::new(), note, || *self.room.lock());
    }

    fn wait_to_send(self) {
        self.wait_until(&Signal::new(), Hub::note_writer, || *self.room.lock());
    }

    fn come_and_go(self) {
        let mut place = Place::default();
        self.hub.note_writer(&Waker::from(Signal::new()));
        self.hub.note_other(&mut place, &Waker::from(Signal::new()));
        self.hub.forget_other(&mut place);
        drop(self.hub.forget_writer());
    }

    fn wait(&self, note: impl Fn(&Hub, &Waker)) {
        self.wait_by(&Signal::new(), note);
    }

    fn wait_by(&self, signal: &Arc<Signal>, note: impl Fn(&Hub, &Waker)) {
        self.wait_until(signal, note, || self.ready.load(Ordering::Relaxed));
    }

    fn wait_until(&self, signal: &Arc<Signal>, note: impl Fn(&Hub, &Waker), done: impl Fn() -> bool) {
        let waker = Waker::from(Arc::clone(signal));
        while !done() {
            note(&self.hub, &waker);
            if done() {
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
