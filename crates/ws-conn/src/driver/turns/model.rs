//! One at a time, everybody in the end, and nobody's turn gets lost with who gives it up.

use super::{Turn, Turns};
use crate::driver::model::{block_on, check, poll_once};
use crate::driver::sync::Mutex;
use alloc::sync::Arc;
use core::future::poll_fn;
use core::task::{Poll, Waker};
use loom::thread;

#[test]
fn everybody_has_a_turn() {
    check(3, || model([Model::take, Model::take, Model::take]));
}

#[test]
fn a_turn_goes_on_when_who_has_it_or_waits_for_it_gives_up() {
    check(3, || model([Model::take, Model::give_up, Model::take]));
}

/// The turn may be given to the waker that it had before, and it asks with another.
#[test]
fn a_turn_goes_to_who_waits_whichever_waker_it_asked_with() {
    check(2, || model([Model::take, Model::take_by_another_waker, Model::take]));
}

#[test]
fn all_find_out_that_there_is_nothing_to_wait_for() {
    check(3, || model([Model::take, Model::take, Model::end]));
}

fn model(tasks: [fn(Model); 3]) {
    let model = Model(Arc::new(Mutex::new(State::default())));
    let tasks = tasks.map(|task| {
        let model = model.clone();
        thread::spawn(move || task(model))
    });
    tasks.into_iter().for_each(|task| task.join().unwrap());
    let state = model.0.lock();
    assert!(!state.turns.is_busy(), "a turn is left behind");
}

#[derive(Clone)]
struct Model(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    turns: Turns,
    taken: bool,
    over: bool,
}

/// A place in the order, which is given up when it is dropped.
struct Place<'m> {
    model: &'m Model,
    turn: Turn,
}

impl Model {
    /// Waits for the turn, keeps it for a while, and passes it on.
    fn take(self) {
        let mut place = Place { model: &self, turn: Turn::OUT };
        if block_on(poll_fn(|cx| place.poll(cx.waker()))) {
            thread::yield_now();
            self.0.lock().taken = false;
        }
    }

    /// Asks once, and then again as another task: the first one's waker is of no use to it.
    fn take_by_another_waker(self) {
        let mut place = Place { model: &self, turn: Turn::OUT };
        let first = poll_once(poll_fn(|cx| place.poll(cx.waker())));
        let has = first.unwrap_or_else(|| block_on(poll_fn(|cx| place.poll(cx.waker()))));
        if has {
            self.0.lock().taken = false;
        }
    }

    /// Asks once, and goes.
    fn give_up(self) {
        let mut place = Place { model: &self, turn: Turn::OUT };
        if poll_once(poll_fn(|cx| place.poll(cx.waker()))) == Some(true) {
            self.0.lock().taken = false;
        }
    }

    fn end(self) {
        let mut state = self.0.lock();
        state.over = true;
        let waiting = state.turns.take_all();
        drop(state);
        waiting.for_each(Waker::wake);
    }
}

impl Place<'_> {
    /// Whether it has its turn now; `false` if there are no turns any more.
    fn poll(&mut self, waker: &Waker) -> Poll<bool> {
        let mut state = self.model.0.lock();
        if state.over {
            return Poll::Ready(false);
        }
        let (has, old) = state.turns.poll(&mut self.turn, waker);
        if has {
            assert!(!state.taken, "two at a time");
            state.taken = true;
        }
        drop(state);
        drop(old);
        if has { Poll::Ready(true) } else { Poll::Pending }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let next = self.model.0.lock().turns.leave(&mut self.turn);
        next.into_iter().for_each(Waker::wake);
    }
}
