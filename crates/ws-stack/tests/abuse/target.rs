//! A server under abuse, and what holds of it whatever the abuse.

use core::time::Duration;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::thread;
use std::time::Instant;

use ws_testkit::live::{Figures, Peer, Server, example};
use ws_testkit::naive::{self, text};

/// Runs a test against a server of each driver, both at the same time. After it each of them still serves, has given back
/// every descriptor and thread, and has complained of nothing: no panic is left unseen in a task or a thread.
pub(crate) fn over_both_drivers(flags: &[&str], test: impl Fn(&Target) + Sync) {
    let _beside_others = beside_others();
    thread::scope(|scope| {
        let test = &test;
        let runs = DRIVERS.map(|driver| scope.spawn(move || run(driver, flags, test)));
        runs.map(|run| run.join().unwrap_or_else(|panic| resume_unwind(panic)))
    });
}

/// The same over one driver.
pub(crate) fn over(driver: &str, flags: &[&str], test: impl Fn(&Target)) {
    let _beside_others = beside_others();
    run(driver, flags, test);
}

fn run(driver: &str, flags: &[&str], test: impl Fn(&Target)) {
    let program = example("testee_server").unwrap();
    let server = Server::start(&program, &[&["--listen", "127.0.0.1:0", "--driver", driver], flags].concat()).unwrap();
    let target = Target::new(server);
    let ran = catch_unwind(AssertUnwindSafe(|| {
        test(&target);
        target.is_released();
    }));
    let complaints = target.server.complaints();
    if let Err(panic) = ran {
        eprintln!("that was over {driver}; the server has said {complaints:?}");
        resume_unwind(panic);
    }
    assert_eq!(complaints, "", "{driver}");
}

/// What a test holds that shares the machine with others.
pub(crate) fn beside_others() -> RwLockReadGuard<'static, ()> {
    MACHINE.read().unwrap_or_else(PoisonError::into_inner)
}

/// What a test holds that measures how long others wait, so that it is not they.
pub(crate) fn alone() -> RwLockWriteGuard<'static, ()> {
    MACHINE.write().unwrap_or_else(PoisonError::into_inner)
}

static MACHINE: RwLock<()> = RwLock::new(());

/// The drivers, as the programs call them.
pub(crate) const DRIVERS: [&str; 2] = ["tokio", "blocking"];

/// A server under abuse.
pub(crate) struct Target {
    pub(crate) server: Server,
    /// What it held after it had served once: what it needs once is there then.
    rest: Figures,
}

impl Target {
    fn new(server: Server) -> Self {
        let descriptors = server.figures().unwrap().descriptors;
        echo(&server);
        let rest = Figures { descriptors, ..server.figures().unwrap() };
        // The thread that has served may have been on its way out still.
        let threads = (0..20).map(|_| {
            echo(&server);
            server.figures().unwrap().threads
        });
        Self { rest: Figures { threads: threads.min().unwrap(), ..rest }, server }
    }

    /// A connection without a handshake.
    pub(crate) fn connect(&self) -> Peer {
        Peer::connect(self.server.address()).unwrap()
    }

    /// A WebSocket connection.
    pub(crate) fn open(&self) -> Peer {
        Peer::open(self.server.address()).unwrap()
    }

    /// What `Host` names the server.
    pub(crate) fn host(&self) -> String {
        self.server.address().to_string()
    }

    pub(crate) fn now(&self) -> Figures {
        self.server.figures().unwrap()
    }

    /// How many descriptors more it holds than at rest.
    pub(crate) fn descriptors(&self) -> usize {
        self.now().descriptors.saturating_sub(self.rest.descriptors)
    }

    /// It has never held so many bytes more than at rest, but for the parts of the program that it has come to use.
    pub(crate) fn never_held(&self, bytes: u64) {
        let held = self.now().peak.saturating_sub(self.rest.resident);
        assert!(held < bytes + PROGRAM, "{held} bytes more than at rest, not less than {bytes}");
    }

    /// How long it was on a core meanwhile.
    pub(crate) fn cpu_of(&self, run: impl FnOnce()) -> Duration {
        let before = self.now().cpu;
        run();
        self.now().cpu - before
    }

    /// Four times as much takes at most eight times as long on a core. Were it quadratic, it would take sixteen times.
    ///
    /// It begins with `least`, and looks for an amount that can be measured.
    pub(crate) fn is_linear(&self, least: usize, run: impl Fn(usize)) {
        self.is_linear_in("all of it", least, &run, |amount| run(4 * amount));
    }

    /// The same, where `large` has four times of what `small` has, as often as it is told.
    ///
    /// How much comes with one read is up to the system, and makes several tries differ. One that is linear will do: what
    /// is quadratic is so each time.
    pub(crate) fn is_linear_in(&self, what: &str, least: usize, small: impl Fn(usize), large: impl Fn(usize)) {
        let mut tries = Vec::new();
        while tries.len() < TRIES {
            let (amount, cost) = self.measurable(least, &small);
            let more = self.cpu_of(|| large(amount));
            if more <= cost * 8 {
                return;
            }
            tries.push((amount, cost, more));
        }
        panic!("{what}: an amount, what it took, and four times as much: {tries:?}");
    }

    /// The first of `least` and its doubles that takes long enough to be measured, and how long it takes.
    fn measurable(&self, least: usize, run: impl Fn(usize)) -> (usize, Duration) {
        let mut amount = least;
        loop {
            let cost = self.cpu_of(|| run(amount));
            if cost >= MEASURABLE {
                return (amount, cost);
            }
            amount *= 2;
        }
    }

    /// It serves, and comes to hold no more descriptors and threads than at rest.
    fn is_released(&self) {
        let started = Instant::now();
        loop {
            // The pause between two looks: a round trip.
            echo(&self.server);
            let now = self.now();
            if now.descriptors <= self.rest.descriptors && now.threads <= self.rest.threads {
                return;
            }
            assert!(started.elapsed() < RELEASED_WITHIN, "{now:?} at the end, and {:?} at rest", self.rest);
        }
    }
}

/// A server that serves: it answers a message, and closes in order.
fn echo(server: &Server) {
    let mut peer = Peer::open(server.address()).unwrap();
    peer.say(&[text("still there?"), naive::close(1000, "")]).unwrap();
    assert_eq!(peer.frame().unwrap(), Some(text("still there?")));
    assert_eq!(peer.frame().unwrap().and_then(|close| close.close_code()), Some(1000));
    assert_eq!(peer.frame().unwrap(), None);
}

pub(crate) const KIB: u64 = 1024;
pub(crate) const MIB: u64 = 1024 * KIB;

/// The code of a program is read where it runs for the first time, and is resident from then on.
const PROGRAM: u64 = 3 * MIB;

/// Several steps of the clock that the system counts with.
const MEASURABLE: Duration = Duration::from_millis(40);

/// How often a measurement is made again that shows no linear time.
const TRIES: usize = 4;

/// Longer than a server listens to what comes after its last word.
const RELEASED_WITHIN: Duration = Duration::from_secs(10);
