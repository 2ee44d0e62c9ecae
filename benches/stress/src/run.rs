//! A case, from its beginning to its verdict.

use crate::link::{Half, Joined, Link};
use crate::plan::{Early, Ending, Plan, Shape, Transport, Who};
use crate::table::{Table, lock};
use crate::tokio_end::{self, Reading, Writing};
use crate::wire::Wire;
use crate::{blocking_end, large, raw_end, sockets};
use core::sync::atomic::Ordering;
use core::time::Duration;
use std::io;
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, mpsc};
use std::thread;
use tokio::runtime::{Builder, Runtime};
use ws_conn::Role;
use ws_conn::blocking as threads;
use ws_conn::tokio as tasks;

/// What a case has come to.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) failures: Vec<String>,
    pub(crate) calls: u64,
    pub(crate) dropped: u64,
    pub(crate) moved: u64,
    pub(crate) panics: u64,
    pub(crate) messages: u64,
    pub(crate) clean: u64,
    pub(crate) polls: u64,
    pub(crate) events: u64,
    /// The most memory that a case has held.
    pub(crate) peak: u64,
    /// Somebody still waits: the process cannot go on.
    pub(crate) is_stuck: bool,
}

/// The transport of an end.
enum Line {
    Memory(Half, Half),
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// Runs a case on threads of its own, and checks it.
pub(crate) fn run(plan: Plan) -> Report {
    if plan.shape == Shape::Large {
        return Report { failures: large::run(&plan).err().into_iter().collect(), ..Report::default() };
    }
    let (link, lines) = match connect(&plan) {
        Ok(both) => both,
        Err(error) => return Report { failures: vec![format!("no sockets: {error}")], ..Report::default() },
    };
    let table = Arc::new(Table::new(plan));
    let (done, told) = mpsc::channel();
    let player = {
        let (table, link) = (Arc::clone(&table), link.clone());
        thread::spawn(move || {
            let records = play(&table, link.as_ref(), lines);
            let _ = done.send(());
            records
        })
    };
    if told.recv_timeout(table.plan.watchdog) == Err(mpsc::RecvTimeoutError::Timeout) {
        table.fail(format!("it does not come to an end; there wait: {}", table.waiting().join("; ")));
        link.iter().for_each(|link| link.reset());
        if told.recv_timeout(table.plan.watchdog) == Err(mpsc::RecvTimeoutError::Timeout) {
            table.fail(format!("nor does it when the transport fails; there wait: {}", table.waiting().join("; ")));
            return Report { is_stuck: true, ..report(&table, link.as_deref()) };
        }
    }
    match player.join() {
        Ok(records) => judge(&table, link.as_deref(), records),
        Err(_) => table.fail("a thread has panicked: see above".into()),
    }
    report(&table, link.as_deref())
}

fn connect(plan: &Plan) -> io::Result<(Option<Arc<Link>>, [Line; 2])> {
    Ok(match plan.transport {
        Transport::Halves | Transport::Whole => {
            let link = Link::new(plan.manners.clone(), [plan.most_written(0), plan.most_written(1)]);
            let lines = [0, 1].map(|end| link.halves(end)).map(|(read, write)| Line::Memory(read, write));
            (Some(link), lines)
        }
        Transport::Tcp => (None, sockets::tcp()?.map(Line::Tcp)),
        Transport::Unix => (None, sockets::unix()?.map(Line::Unix)),
    })
}

/// Plays both ends. Returns what raw ends have read.
fn play(table: &Arc<Table>, link: Option<&Arc<Link>>, lines: [Line; 2]) -> [Option<Vec<u8>>; 2] {
    let runtime = runtime(table.plan.workers);
    let mut records = [None, None];
    thread::scope(|scope| {
        let mut tasks = Vec::new();
        for ((end, line), record) in lines.into_iter().enumerate().zip(&mut records) {
            if table.plan.ends[end].who == Who::Tokio {
                let halves = runtime.block_on(async { halves(line, table.plan.transport) });
                tasks.push(runtime.spawn(tokio_end::play(Arc::clone(table), end, halves)));
            } else {
                scope.spawn(move || *record = play_on_threads(table, end, line));
            }
        }
        if let (Some(link), Ending::Reset(after)) = (link, table.plan.ending) {
            scope.spawn(move || {
                thread::sleep(Duration::from_micros(after));
                link.reset();
            });
        }
        for task in tasks {
            if let Err(error) = runtime.block_on(task) {
                table.fail(format!("a task has ended early: {error}"));
            }
        }
    });
    drop(runtime);
    let threads = core::mem::take(&mut *lock(&table.threads));
    if threads.into_iter().map(thread::JoinHandle::join).any(|joined| joined.is_err()) {
        table.fail("a thread of a sender has panicked: see above".into());
    }
    records
}

fn runtime(workers: usize) -> Runtime {
    let mut builder = match workers {
        0 => Builder::new_current_thread(),
        workers => {
            let mut builder = Builder::new_multi_thread();
            builder.worker_threads(workers);
            builder
        }
    };
    builder.enable_all().build().expect("a runtime needs descriptors")
}

fn play_on_threads(table: &Table, end: usize, line: Line) -> Option<Vec<u8>> {
    fn play<R: threads::Input, W: threads::Output + Send>(
        table: &Table,
        end: usize,
        halves: (R, W),
    ) -> Option<Vec<u8>> {
        if table.plan.ends[end].who == Who::Raw {
            return Some(raw_end::play(table, end, halves));
        }
        blocking_end::play(table, end, halves);
        None
    }
    match line {
        Line::Memory(read, write) => play(table, end, (read, write)),
        Line::Tcp(stream) => play(table, end, threads::Transport::split(stream)),
        Line::Unix(stream) => play(table, end, threads::Transport::split(stream)),
    }
}

/// A transport for tasks, within the runtime.
fn halves(line: Line, transport: Transport) -> (Reading, Writing) {
    fn boxed<T: tasks::Transport>(transport: T) -> (Reading, Writing)
    where
        T::Read: Send + 'static,
        T::Write: Send + 'static,
    {
        let (read, write) = transport.split();
        (Box::new(read), Box::new(write))
    }
    match line {
        Line::Memory(read, write) if transport == Transport::Whole => boxed(tasks::Whole(Joined(read, write))),
        Line::Memory(read, write) => boxed((read, write)),
        Line::Tcp(stream) => {
            stream.set_nonblocking(true).expect("a socket may be non-blocking");
            boxed(tokio::net::TcpStream::from_std(stream).expect("the runtime takes sockets"))
        }
        Line::Unix(stream) => {
            stream.set_nonblocking(true).expect("a socket may be non-blocking");
            boxed(tokio::net::UnixStream::from_std(stream).expect("the runtime takes sockets"))
        }
    }
}

/// Compares what was sent, what was received, and what lay on the wire.
fn judge(table: &Table, link: Option<&Link>, records: [Option<Vec<u8>>; 2]) {
    let plan = &table.plan;
    let clean = table.clean.each_ref().map(|clean| clean.load(Ordering::Relaxed));
    let books = table.ledgers.each_ref().map(crate::ledger::Ledger::book);
    let is_client = |end: usize| plan.ends[end].role == Role::Client;
    // An end that has panicked may have lost what it was about to deliver, and one that leaves discards what comes.
    let discards = |end| {
        matches!(plan.ending, Ending::Early(of, Early::Drop | Early::Finish, _) if of == end)
            || plan.ending == Ending::Panics
    };
    for (sender, book) in books.iter().enumerate() {
        let receiver = 1 - sender;
        if let Err(why) = book.check(clean[receiver] && !discards(receiver)) {
            table.fail(format!("from end {sender} to end {receiver}: {why}"));
        }
    }
    let mut wires = [None, None];
    for sender in [0, 1] {
        let wire = link.map(|link| link.written(sender).0).or_else(|| records[1 - sender].clone());
        match wire.map(|wire| Wire::read(is_client(sender), &wire)).transpose() {
            Ok(wire) => wires[sender] = wire,
            Err(why) => table.fail(format!("the wire of end {sender}: {why}")),
        }
    }
    for sender in [0, 1] {
        let Some(wire) = &wires[sender] else { continue };
        let mut checks = Vec::new();
        if plan.ending != Ending::Panics || sender == 0 {
            checks.push(wire.check_heard(&books[sender].heard, plan.is_calm()));
        }
        if let Some(other) = wires[1 - sender].as_ref().filter(|_| plan.ends[sender].who != Who::Raw) {
            checks.push(wire.check_pongs(other, plan.is_calm()));
        }
        for why in checks.into_iter().filter_map(Result::err) {
            table.fail(format!("the wire of end {sender}: {why}"));
        }
    }
    if let Some(link) = link
        && let Err(why) = check_polls(link.events.load(Ordering::Relaxed), table)
    {
        table.fail(why);
    }
}

/// Futures are polled when something happens, and not otherwise: when the transport does something, or a call begins.
pub(crate) fn check_polls(events: u64, table: &Table) -> Result<(), String> {
    let polls = table.meter.polls.load(Ordering::Relaxed);
    let most = 1000 + 2 * (events + table.meter.calls.load(Ordering::Relaxed));
    match polls > most {
        true => Err(format!("{polls} polls, where {events} events make {most} at most: somebody spins")),
        false => Ok(()),
    }
}

fn report(table: &Table, link: Option<&Link>) -> Report {
    let meter = &table.meter;
    let count = |counter: &core::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
    Report {
        failures: table.failures(),
        calls: count(&meter.calls),
        dropped: count(&meter.dropped),
        moved: count(&meter.moved),
        panics: count(&meter.panics),
        messages: table.ledgers.iter().map(|ledger| ledger.book().heard.len() as u64).sum(),
        clean: u64::from(table.clean.iter().all(|clean| clean.load(Ordering::Relaxed))),
        polls: count(&meter.polls),
        events: link.map_or(0, |link| count(&link.events)),
        peak: 0,
        is_stuck: false,
    }
}

impl core::ops::Add for Report {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            failures: self.failures,
            calls: self.calls + other.calls,
            dropped: self.dropped + other.dropped,
            moved: self.moved + other.moved,
            panics: self.panics + other.panics,
            messages: self.messages + other.messages,
            clean: self.clean + other.clean,
            polls: self.polls + other.polls,
            events: self.events + other.events,
            peak: self.peak.max(other.peak),
            is_stuck: self.is_stuck || other.is_stuck,
        }
    }
}
