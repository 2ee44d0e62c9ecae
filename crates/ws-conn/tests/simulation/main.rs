//! Two connections over a link that delays, cuts, stalls, loses and breaks, worked with in every way there is: both
//! drivers, both roles, with and without an extension, in virtual time, all of it made from a number.
//!
//! What is promised holds for every number: see `model`, and for single calls `book`. A number that shows something else
//! is played again, with a trace, by the command that the failure names; `WS_ACTS` leaves out all but so many acts of
//! each actor, to find the shortest play that still fails.
#![cfg(all(feature = "blocking", feature = "tokio"))]

mod blocking_end;
mod book;
#[path = "../scenarios/extension.rs"]
#[allow(dead_code, reason = "a part of it is for the scenarios")]
mod extension;
mod link;
mod model;
mod parts;
mod plan;
mod said;
mod time;
mod tokio_end;

use book::Book;
use core::time::Duration;
use link::Link;
use model::Tally;
use plan::{Do, Driver, Plan};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::thread;
use time::Time;
use tokio::runtime::Builder;
use tokio::task::{JoinHandle, LocalSet, spawn_local};
use tokio::time::{sleep, timeout};
use ws_testkit::alloc::count_allocations;

/// So many seeds as `WS_SEEDS` says, or a thousand.
#[test]
fn what_is_promised_holds_for_every_seed() {
    let seeds = number("WS_SEEDS").unwrap_or(1000);
    let workers = thread::available_parallelism().map_or(1, usize::from) as u64;
    let sum = thread::scope(|scope| {
        let work = |worker| move || (worker..seeds).step_by(workers as usize).filter_map(survive).sum::<Tally>();
        let workers: Vec<_> = (0..workers).map(|worker| scope.spawn(work(worker))).collect();
        workers.into_iter().map(|worker| worker.join().unwrap_or_else(|panic| resume_unwind(panic))).sum::<Tally>()
    });
    println!("{sum:?}");
    assert_eq!(sum.runs, seeds, "some seeds fail");
    // What never happens proves nothing.
    let enough = [sum.calls / 20, sum.messages / 3, sum.texts, sum.clean * 3, sum.late * 3, sum.lost * 4];
    assert!(seeds < 1000 || enough.iter().all(|count| *count > sum.runs), "{sum:?}");
}

/// The one seed that `WS_SEED` says, with a trace: twice, since the second has to be the same.
#[test]
fn replay() {
    let (seed, acts) = (number("WS_SEED").unwrap_or(0), number("WS_ACTS"));
    let acts = acts.map_or(usize::MAX, |acts| acts as usize);
    println!("{}", Plan::of(seed, acts));
    let [first, second] = [true, false].map(|prints| simulate(seed, acts, prints).without_memory());
    assert_eq!(first, second);
}

#[test]
fn a_simulation_is_the_same_each_time() {
    for seed in 0..30 {
        let [first, second] = [(); 2].map(|()| simulate(seed, usize::MAX, false).without_memory());
        assert_eq!(first, second, "seed {seed}");
    }
}

/// Says how to see a failure again.
fn survive(seed: u64) -> Option<Tally> {
    let tally = catch_unwind(AssertUnwindSafe(|| simulate(seed, usize::MAX, false))).ok();
    if tally.is_none() {
        let command = "cargo test -p ws-conn --features tokio --test simulation replay -- --nocapture";
        eprintln!("seed {seed} fails; to see it again: WS_SEED={seed} {command}");
    }
    tally
}

/// Plays one, and checks it. Answers what it amounts to.
fn simulate(seed: u64, acts: usize, prints: bool) -> Tally {
    let plan = Arc::new(Plan::of(seed, acts));
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let _entered = runtime.enter();
    let link = Link::new(&plan, &Time::begin());
    let books = [0, 1].map(|end| Book::new(&plan, &link, end, prints));
    let most = Cell::new(0);
    let count = count_allocations(|| most.set(LocalSet::new().block_on(&runtime, play(&books))));
    let most = most.get().max(count.max_live);
    assert!(most < MEMORY, "{most} bytes");
    if let Err(why) = model::check(&books) {
        panic!("{why}");
    }
    Tally::of(&books, most)
}

async fn play(books: &[Book; 2]) -> u64 {
    let ends: Vec<_> = books.iter().map(|book| spawn_local(end(book.clone()))).collect();
    if let Some(at) = books[0].plan.reset {
        let link = books[0].link.clone();
        spawn_local(async move {
            sleep(at).await;
            link.reset();
        });
    }
    let mut most = 0;
    for end in ends {
        most = timeout(ETERNITY, joined(end)).await.expect("it waits for something that never comes").max(most);
    }
    most
}

async fn end(book: Book) -> u64 {
    match book.of().driver {
        Driver::Blocking => blocking_end::play(book).await,
        Driver::Tokio => {
            tokio_end::play(book).await;
            0
        }
    }
}

/// Waits for a task, and panics if it did.
async fn joined<T>(task: JoinHandle<T>) -> T {
    task.await.unwrap_or_else(|error| resume_unwind(error.into_panic()))
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().expect("a number"))
}

/// The acts that receive.
fn receives(act: &Do) -> bool {
    matches!(act, Do::Receive(_) | Do::Message | Do::Read(..) | Do::Frames(_))
}

/// Longer than all patience together.
const ETERNITY: Duration = Duration::from_secs(24 * 60 * 60);

/// What a thread may hold at one time, with two connections in it: for each two buffers of 64 KiB and a message that grows,
/// and for each of six actors a message of the tests' own.
const MEMORY: u64 = 3 << 19;
