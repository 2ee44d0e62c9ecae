//! Every order of threads, and every value that a weak memory may show them, as far as loom goes.
//!
//! Run by `.ci/run loom`. Time stands still here: a wake-up that gets lost is a wait for ever, which loom reports as a
//! deadlock.
#![expect(clippy::disallowed_methods, reason = "the lock reads the clock when it waits")]

use super::{CLOSING, Guard, MESSAGE, WriteLock};
use crate::driver::deadline::{Deadline, Patience};
use crate::driver::sync::Arc as Shared;
use alloc::sync::Arc;
use core::cell::Cell;
use core::time::Duration;
use loom::sync::atomic::{AtomicBool, Ordering};
use loom::sync::mpsc;
use loom::thread;
use std::time::Instant;
use std::vec::Vec;

#[test]
fn what_is_asked_for_is_done_whoever_writes_meanwhile() {
    check(3, |model| Vec::from([model.asker(0), model.sender(), model.sender()]));
}

#[test]
fn what_two_ask_for_is_done_whoever_writes_meanwhile() {
    check(3, |model| Vec::from([model.asker(0), model.asker(1), model.sender()]));
}

#[test]
fn a_thread_that_waits_for_the_lock_is_woken() {
    check(3, |model| Vec::from([model.sender(), model.sender(), model.sender()]));
}

#[test]
fn a_thread_that_waits_for_its_turn_is_woken_when_the_message_ends() {
    check(3, |model| {
        model.begin();
        let waiting = model.in_turn();
        model.end();
        Vec::from([waiting])
    });
}

#[test]
fn all_that_wait_for_their_turn_are_woken_when_the_message_ends() {
    check(1, |model| {
        model.begin();
        let waiting = [model.in_turn(), model.in_turn()];
        model.end();
        Vec::from(waiting)
    });
}

/// The message ends when both wait. All orders would take hours; what was wrong here once is found in the first 60,000.
#[test]
fn threads_that_wait_for_their_turn_do_not_keep_each_other_busy() {
    check_first(100_000, 2, |model| {
        model.begin();
        let (waits, wait) = mpsc::channel();
        let waiting = [model.in_turn_telling(&waits), model.in_turn_telling(&waits)];
        (0..2).for_each(|_| wait.recv().unwrap());
        model.end();
        Vec::from(waiting)
    });
}

/// The message may never end then.
#[test]
fn a_thread_that_waits_for_its_turn_is_woken_when_the_connection_closes() {
    check(3, |model| {
        model.begin();
        let waiting = model.in_turn();
        model.0.lock.set(CLOSING);
        model.0.lock.ask(|writing| model.serve(writing));
        Vec::from([waiting])
    });
}

/// Who has the lock to itself does without it, and sees what those have done who had it before.
#[test]
fn who_is_left_alone_sees_what_was_written_before() {
    crate::driver::model::check(3, || {
        let mut lock = Shared::new(WriteLock::new(0));
        let other = Shared::clone(&lock);
        let writes = thread::spawn(move || {
            let mut guard = other.try_lock().unwrap();
            *guard += 1;
            other.unlock(guard, |_| ());
        });
        let alone = Shared::get_mut(&mut lock).and_then(WriteLock::get_mut).map(|value| *value);
        assert!(alone.is_none_or(|value| value == 1));
        writes.join().unwrap();
        let value = Shared::get_mut(&mut lock).and_then(WriteLock::get_mut);
        assert_eq!(value, Some(&mut 1));
    });
}

#[test]
fn streams_take_turns() {
    check(3, |model| Vec::from([model.stream(), model.stream()]));
}

#[test]
fn what_is_asked_for_is_done_while_a_thread_waits_for_its_turn() {
    check(2, |model| {
        model.begin();
        let others = [model.in_turn(), model.asker(0)];
        model.end();
        Vec::from(others)
    });
}

#[test]
fn what_is_asked_for_is_done_before_the_message_ends() {
    check(3, |model| {
        model.begin();
        for thread in [model.asker(0), model.impatient(true)] {
            thread.join().unwrap();
        }
        let writing = model.lock(false);
        assert!(writing.seen[0], "what was asked for waits for the message to end");
        model.unlock(writing);
        model.end();
        Vec::new()
    });
}

#[test]
fn a_frame_does_not_wait_for_a_message_to_end() {
    check(3, |model| {
        model.begin();
        let sender = model.sender();
        sender.join().unwrap();
        model.end();
        Vec::from([model.in_turn()])
    });
}

#[test]
fn a_thread_that_gives_up_takes_no_wake_up_with_it() {
    check(3, |model| Vec::from([model.sender(), model.impatient(false), model.sender()]));
}

/// Its time may be over before it waits, while it waits, or when it is woken. A turn that comes later is none: there is no
/// time left to write a frame.
#[test]
fn a_thread_that_has_waited_beyond_its_time_gets_no_turn() {
    check(3, |model| {
        let late = Arc::new(AtomicBool::new(false));
        let held = model.lock(false);
        let waits = {
            let late = Arc::clone(&late);
            model.spawn(move |model| {
                let begin = Instant::now();
                let waited = Cell::new(false);
                let now = || {
                    waited.set(true);
                    if late.load(Ordering::Relaxed) { begin + 2 * SECOND } else { begin }
                };
                let mut patience = Patience::Until(Deadline::after(begin, SECOND));
                let serve = |writing: &mut Writing| model.serve(writing);
                if let Some(writing) = model.0.lock.lock(false, &mut patience, now, serve) {
                    assert!(!waited.get(), "it has waited beyond its time, and writes");
                    model.unlock(writing);
                }
            })
        };
        // As the time-out of its wait, whether or not it waits yet. Under the gate, since no clock goes back for who waits.
        let gate = model.0.lock.gate.lock();
        late.store(true, Ordering::Relaxed);
        drop(gate);
        model.0.lock.changed.notify_all();
        model.unlock(held);
        Vec::from([waits])
    });
}

/// Those that wait are woken to find the lock released, and whoever has it next does what was asked for. What unwinding
/// does is to drop the lock: a thread of loom's that panics poisons its mutexes.
#[test]
fn a_holder_that_unwinds_leaves_nobody_waiting() {
    check(3, |model| {
        let unwinds = model.spawn(|model| drop(model.lock(false)));
        Vec::from([unwinds, model.sender(), model.sender()])
    });
}

/// What the lock guards here, and what a thread asks for: that its post is seen.
struct Model {
    lock: WriteLock<Writing>,
    /// Written and read without any order of their own, so that only the lock's can make them seen.
    posts: [AtomicBool; 2],
}

#[derive(Debug, Default)]
struct Writing {
    seen: [bool; 2],
    open: bool,
    sent: u32,
}

#[derive(Clone)]
struct Handle(Arc<Model>);

/// Runs the threads in all orders, and looks at what is left when all have ended. In each order a thread is interrupted
/// so many times where it does not have to wait, which keeps the time within reason; `LOOM_MAX_PREEMPTIONS` says another
/// number.
fn check(preemptions: usize, threads: impl Fn(&Handle) -> Vec<thread::JoinHandle<()>> + Send + Sync + 'static) {
    check_first(usize::MAX, preemptions, threads);
}

/// As [`check`], in so many orders at most.
fn check_first(
    orders: usize,
    preemptions: usize,
    threads: impl Fn(&Handle) -> Vec<thread::JoinHandle<()>> + Send + Sync + 'static,
) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound.get_or_insert(preemptions);
    builder.max_permutations.get_or_insert(orders);
    builder.check(move || {
        let model = Handle(Arc::new(Model {
            lock: WriteLock::new(Writing::default()),
            posts: [AtomicBool::new(false), AtomicBool::new(false)],
        }));
        for thread in threads(&model) {
            thread.join().unwrap();
        }
        let model = model.0;
        let writing = model.lock.try_lock().expect("the lock is free when nobody is left");
        let posted = model.posts.each_ref().map(|post| post.load(Ordering::Relaxed));
        assert_eq!(writing.seen, posted, "something that was asked for is left behind");
        if !model.lock.is_set(CLOSING) {
            assert!(!writing.open && !model.lock.is_set(MESSAGE), "a turn is left behind");
        }
    });
}

impl Handle {
    /// Posts, then asks, as a thread does that answers a Ping or closes.
    fn asker(&self, post: usize) -> thread::JoinHandle<()> {
        self.spawn(move |model| {
            model.0.posts[post].store(true, Ordering::Relaxed);
            model.0.lock.ask(|writing| model.serve(writing));
        })
    }

    /// Sends a control frame, which needs no turn.
    fn sender(&self) -> thread::JoinHandle<()> {
        self.spawn(|model| model.unlock(model.lock(false)))
    }

    /// Sends a message in one frame.
    fn in_turn(&self) -> thread::JoinHandle<()> {
        self.spawn_in_turn(|| ())
    }

    /// As [`in_turn`](Self::in_turn), and tells when it waits for the first time.
    fn in_turn_telling(&self, waits: &mpsc::Sender<()>) -> thread::JoinHandle<()> {
        let waits = waits.clone();
        self.spawn_in_turn(move || waits.send(()).unwrap())
    }

    fn spawn_in_turn(&self, waits: impl FnOnce() + Send + 'static) -> thread::JoinHandle<()> {
        self.spawn(|model| {
            let writing = model.lock_telling(true, waits);
            let refused = model.0.lock.is_set(CLOSING);
            assert!(!writing.open || refused, "a message goes between the fragments of another");
            model.unlock(writing);
        })
    }

    /// Sends a message in two fragments.
    fn stream(&self) -> thread::JoinHandle<()> {
        self.spawn(|model| {
            model.begin();
            model.end();
        })
    }

    /// Gives up at once if the lock is not free, or if it is not its turn.
    fn impatient(&self, turn: bool) -> thread::JoinHandle<()> {
        self.spawn(move |model| {
            let mut patience = Patience::Whole(Duration::ZERO);
            let serve = |writing: &mut Writing| model.serve(writing);
            if let Some(writing) = model.0.lock.lock(turn, &mut patience, Instant::now, serve) {
                model.unlock(writing);
            }
        })
    }

    fn begin(&self) {
        let mut writing = self.lock(true);
        assert!(!writing.open, "two messages at a time");
        writing.open = true;
        self.0.lock.set(MESSAGE);
        self.unlock(writing);
    }

    fn end(&self) {
        let mut writing = self.lock(false);
        writing.open = false;
        self.unlock(writing);
        self.0.lock.end_turn(|writing| self.serve(writing));
    }

    fn lock(&self, turn: bool) -> Guard<'_, Writing> {
        self.lock_telling(turn, || ())
    }

    fn lock_telling(&self, turn: bool, waits: impl FnOnce()) -> Guard<'_, Writing> {
        let mut patience = Patience::ENDLESS;
        // The clock is read once for each wait.
        let (times, waits) = (Cell::new(0), Cell::new(Some(waits)));
        let now = || {
            times.set(times.get() + 1);
            assert!(times.get() <= MOST_WAITS, "threads that wait keep each other busy");
            if let Some(waits) = waits.take() {
                waits();
            }
            Instant::now()
        };
        let serve = |writing: &mut Writing| self.serve(writing);
        let mut writing = self.0.lock.lock(turn, &mut patience, now, serve).expect("there is no deadline");
        writing.sent += 1;
        writing
    }

    fn unlock(&self, writing: Guard<'_, Writing>) {
        self.0.lock.unlock(writing, |writing| self.serve(writing));
    }

    fn serve(&self, writing: &mut Writing) {
        for (seen, post) in writing.seen.iter_mut().zip(&self.0.posts) {
            *seen |= post.load(Ordering::Relaxed);
        }
    }

    fn spawn(&self, body: impl FnOnce(&Self) + Send + 'static) -> thread::JoinHandle<()> {
        let model = self.clone();
        thread::spawn(move || body(&model))
    }
}

/// How often a thread may have to wait for the lock once: two others here take and release it two times at most.
const MOST_WAITS: usize = 6;

const SECOND: Duration = Duration::from_secs(1);
