//! A case: who sends what, which calls are dropped when, and how the transport behaves. The order of threads is not part
//! of it.

use crate::large;
use crate::link::Manners;
use core::fmt;
use core::time::Duration;
use ws_conn::Role;

#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) case: u64,
    pub(crate) driver: Driver,
    pub(crate) shape: Shape,
    pub(crate) ends: [End; 2],
    pub(crate) transport: Transport,
    /// By the end that writes.
    pub(crate) manners: [Manners; 2],
    pub(crate) ending: Ending,
    /// Worker threads of the runtime; none for a runtime of one thread.
    pub(crate) workers: usize,
    /// How long a call that sends may take.
    pub(crate) wire: Duration,
    /// How long the case may take.
    pub(crate) watchdog: Duration,
}

/// Which driver end 0 has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Driver {
    Tokio,
    Blocking,
}

/// What a case is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Both ends send and receive.
    Talk,
    /// Threads whose turns come late, while the peer reads all the time.
    Turns,
    /// Both ends fill their queues, and receive only then.
    Duel,
    /// Sends of large frames are dropped in their midst.
    Large,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    /// In memory, as two halves.
    Halves,
    /// In memory, as one stream that cannot be split.
    Whole,
    Tcp,
    Unix,
}

#[derive(Clone, Debug)]
pub(crate) struct End {
    pub(crate) role: Role,
    pub(crate) who: Who,
    pub(crate) senders: Vec<Sender>,
    pub(crate) owner: Owner,
}

/// What is at an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    Tokio,
    Blocking,
    /// A peer that reads and writes frames with the test kit's plain codec.
    Raw,
}

/// Somebody with a handle that sends.
#[derive(Clone, Debug)]
pub(crate) struct Sender {
    /// A thread of its own; otherwise a task.
    pub(crate) thread: bool,
    pub(crate) acts: Vec<Act>,
}

/// Who has the connection.
#[derive(Clone, Debug)]
pub(crate) struct Owner {
    /// What kinds of calls receive, and when they are dropped.
    pub(crate) seed: u64,
    /// One receiving call in so many is dropped.
    pub(crate) drops: usize,
    /// What it sends itself, one act before each call that receives, or all of them before the first.
    pub(crate) acts: Vec<Act>,
    pub(crate) first: bool,
    pub(crate) kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Others have handles.
    Shared,
    /// Nobody has a handle: the owner sends everything.
    Alone,
    /// The connection is a stream and a sink.
    Sink,
}

#[derive(Clone, Debug)]
pub(crate) struct Act {
    pub(crate) what: What,
    pub(crate) len: usize,
    pub(crate) text: bool,
    pub(crate) fate: Fate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Send,
    Feed,
    Flush,
    /// A message in fragments of so many bytes.
    Stream(usize),
    Ping,
    /// Nothing for so many microseconds.
    Rest(u64),
}

/// What becomes of the future of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Kept,
    /// Dropped after so many polls.
    Polls(usize),
    /// Dropped after so many microseconds.
    Time(u64),
    /// Dropped when another branch of a `select!` is ready: after so many polls of that.
    Select(usize),
    /// Polled so many times, then moved to another task.
    Moved(usize),
}

/// How a case ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Both ends send all they have, then end 0 closes.
    Calm,
    /// An end does something before all is sent, after so many microseconds.
    Early(usize, Early, u64),
    /// The transport fails after so many microseconds.
    Reset(u64),
    /// A write of end 0 panics.
    Panics,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Early {
    Close,
    Abort,
    /// The owner drops the connection.
    Drop,
    Finish,
    /// A message is dropped before it is finished.
    Half,
}

impl Plan {
    /// Whether nothing may fail.
    pub(crate) fn is_calm(&self) -> bool {
        self.ending == Ending::Calm
    }

    /// Whether the link is in memory, where everything can be seen.
    pub(crate) fn is_in_memory(&self) -> bool {
        matches!(self.transport, Transport::Halves | Transport::Whole)
    }

    /// About how many bytes an end puts on the wire, at most: messages, fragments' headers, control frames.
    pub(crate) fn most_written(&self, end: usize) -> usize {
        let sum = |end: usize| self.ends[end].acts().map(|act| act.len + act.len / 64 + 200).sum::<usize>();
        sum(end) + sum(1 - end) / 8 + 1024
    }

    /// How much memory a case may take at one time, beside what the links record. Per end: a queue with one frame that its
    /// sender has given up, and a message in the midst of being received, both while they grow; the buffers of the threads;
    /// per sender a payload and a copy of it.
    pub(crate) fn most_memory(&self) -> usize {
        if self.shape == Shape::Large {
            return large::MOST_MEMORY;
        }
        let longest = self.ends.iter().flat_map(End::acts).map(|act| act.len).max().unwrap_or_default();
        let senders: usize = self.ends.iter().map(|end| end.senders.len() + 2).sum();
        let wires = (0..2).map(|end| 2 * self.most_written(end)).sum::<usize>();
        2 * (4 * longest + 4 * BUFFER)
            + senders * (4 * longest + 4 * BUFFER)
            + wires
            + self.workers * 16 * BUFFER
            + BASE
    }
}

impl End {
    pub(crate) fn acts(&self) -> impl Iterator<Item = &Act> {
        self.senders.iter().flat_map(|sender| &sender.acts).chain(&self.owner.acts)
    }
}

/// Without the acts.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { shape, transport, ending, workers, wire, .. } = self;
        writeln!(f, "  {shape:?} over {transport:?}, ending: {ending:?}, workers: {workers}, wire: {wire:?}")?;
        for (end, manners) in self.ends.iter().zip(&self.manners) {
            let End { role, who, senders, owner } = end;
            let acts: Vec<_> = senders.iter().map(|sender| (sender.acts.len(), sender.thread)).collect();
            let Owner { drops, first, kind, .. } = owner;
            write!(
                f,
                "  {who:?} as {role:?}: senders {acts:?} (acts, thread), owner {kind:?}, acts {}",
                owner.acts.len()
            )?;
            writeln!(f, ", first {first}, drops one in {drops}")?;
            writeln!(f, "    {manners:?}")?;
        }
        Ok(())
    }
}

/// A buffer of the drivers.
const BUFFER: usize = 64 * 1024;
/// Runtime, threads, the program itself.
const BASE: usize = 2 * 1024 * 1024;
