//! A connection in memory, for tasks and for threads, whose transports behave as badly as a transport may.

mod later;
mod polled;
mod waited;

pub(crate) use polled::Joined;

use crate::dice::Dice;
use core::sync::atomic::{AtomicU64, Ordering};
use core::task::Waker;
use core::time::Duration;
use later::Later;
use std::io::{self, ErrorKind};
use std::panic::panic_any;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// How one direction behaves.
#[derive(Clone, Debug)]
pub(crate) struct Manners {
    pub(crate) seed: u64,
    /// How many bytes are under way at most.
    pub(crate) room: usize,
    /// The most that one read or write moves.
    pub(crate) longest: usize,
    /// What is written is held back until it is flushed, as TLS does: up to so many bytes beyond the room.
    pub(crate) held: usize,
    /// One operation in so many is not ready, and wakes its task at once.
    pub(crate) yields: usize,
    /// One operation in so many wakes the other side for nothing.
    pub(crate) spurious: usize,
    /// One operation in so many is interrupted.
    pub(crate) interrupts: usize,
    /// Tasks are woken so much later than they could be.
    pub(crate) late: Duration,
    /// The waker is forgotten when an operation succeeds.
    pub(crate) forgets: bool,
    /// Gathered writes are taken as such.
    pub(crate) gathers: bool,
    /// How long a blocking write takes.
    pub(crate) pause: Duration,
    /// The blocking half can be closed from another thread.
    pub(crate) hangs_up: bool,
    /// This operation of the writing half panics.
    pub(crate) panics: Option<u64>,
    /// What the transport does wrong, to see whether the checks find it.
    pub(crate) wrong: Option<(usize, Wrong)>,
}

impl Manners {
    /// How much one read or write moves at most; everything, where nothing limits it.
    fn portion(&self, dice: &mut Dice) -> usize {
        if self.longest == usize::MAX { usize::MAX } else { 1 + dice.below(self.longest) }
    }
}

/// A fault of the transport, at a byte of the stream.
#[cfg_attr(not(test), expect(dead_code, reason = "a transport is only faulty in tests of the checks"))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// Bytes are lost.
    Loses(usize),
    /// Bytes come twice.
    Repeats(usize),
    /// The writer is never woken again.
    Deafens,
}

/// What a transport panics with by intent.
#[derive(Debug)]
pub(crate) struct Planned;

/// Both directions.
#[derive(Debug)]
pub(crate) struct Link {
    /// By the end that writes.
    pipes: [Pipe; 2],
    later: Option<Later>,
    /// Operations that moved something, and wake-ups of tasks.
    pub(crate) events: AtomicU64,
}

#[derive(Debug)]
struct Pipe {
    manners: Manners,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    dice: Dice,
    /// Everything that was written.
    wire: Vec<u8>,
    /// How much of it the reader can see.
    flushed: usize,
    read: usize,
    operations: u64,
    /// Nothing more is written.
    ended: bool,
    /// Nothing more is read.
    deserted: bool,
    broken: bool,
    wakers: [Option<Waker>; 2],
}

/// Which side of a direction, as the place of its waker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Reader = 0,
    Writer = 1,
}

/// One half of an end of a link.
#[derive(Debug)]
pub(crate) struct Half {
    link: Arc<Link>,
    /// The end that writes into the direction.
    pipe: usize,
    side: Side,
}

impl Link {
    /// A link, with room reserved for what will be written.
    pub(crate) fn new(manners: [Manners; 2], most: [usize; 2]) -> Arc<Self> {
        let late = manners.each_ref().map(|manners| manners.late);
        let [(one, first), (other, second)] = [(0, manners[0].clone()), (1, manners[1].clone())];
        let pipes = [(one, first), (other, second)].map(|(at, manners)| Pipe {
            state: Mutex::new(State {
                dice: Dice::new(manners.seed),
                wire: Vec::with_capacity(most[at]),
                flushed: 0,
                read: 0,
                operations: 0,
                ended: false,
                deserted: false,
                broken: false,
                wakers: [None, None],
            }),
            changed: Condvar::new(),
            manners,
        });
        Arc::new_cyclic(|link| Self {
            pipes,
            later: late.iter().any(|late| !late.is_zero()).then(|| Later::new(link.clone(), late)),
            events: AtomicU64::new(0),
        })
    }

    /// The two halves of an end.
    pub(crate) fn halves(self: &Arc<Self>, end: usize) -> (Half, Half) {
        let half = |pipe, side| Half { link: Arc::clone(self), pipe, side };
        (half(1 - end, Side::Reader), half(end, Side::Writer))
    }

    /// What an end has written, and how much of it was read.
    pub(crate) fn written(&self, end: usize) -> (Vec<u8>, usize) {
        let state = self.pipes[end].lock();
        (state.wire.clone(), state.read)
    }

    /// Breaks it: every operation fails from now on.
    pub(crate) fn reset(&self) {
        for pipe in [0, 1] {
            self.change(pipe, |state| state.broken = true);
        }
    }

    /// Closes what an end reads and writes.
    fn hang_up(&self, end: usize) {
        self.change(end, |state| state.end());
        self.change(1 - end, |state| state.deserted = true);
    }

    /// Changes a direction for good, and tells both of its sides.
    fn change(&self, pipe: usize, act: impl FnOnce(&mut State)) {
        let mut state = self.pipes[pipe].lock();
        act(&mut state);
        let wakers = core::mem::take(&mut state.wakers);
        drop(state);
        self.pipes[pipe].changed.notify_all();
        wakers.into_iter().flatten().for_each(Waker::wake);
    }

    /// Wakes a side that may have something to do, now or later.
    fn tell(&self, pipe: usize, side: Side) {
        if side == Side::Writer && self.pipes[pipe].is_deaf() {
            return;
        }
        for pipe in &self.pipes {
            // An end may wait for both of its directions.
            pipe.changed.notify_all();
        }
        match &self.later {
            Some(later) if !self.pipes[pipe].manners.late.is_zero() => later.tell(pipe, side),
            _ => self.wake(pipe, side),
        }
    }

    /// Whether the writer of a direction that found no room can go on.
    fn has_room(&self, pipe: usize) -> bool {
        let Pipe { manners, .. } = &self.pipes[pipe];
        let state = self.pipes[pipe].lock();
        let visible = state.wire.len().min(state.read.saturating_add(manners.room));
        if state.flushed < state.wire.len() { visible > state.flushed } else { state.room(manners) > 0 }
    }

    fn wake(&self, pipe: usize, side: Side) {
        self.events.fetch_add(1, Ordering::Relaxed);
        let waker = self.pipes[pipe].lock().wakers[side as usize].take();
        waker.into_iter().for_each(Waker::wake);
    }
}

impl Pipe {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the writer is not to be woken any more.
    fn is_deaf(&self) -> bool {
        self.manners.wrong.is_some_and(|(at, wrong)| wrong == Wrong::Deafens && self.lock().read >= at)
    }
}

impl State {
    fn end(&mut self) {
        self.ended = true;
        self.flushed = self.wire.len();
    }

    /// How much the writer may add.
    fn room(&self, manners: &Manners) -> usize {
        manners.room.saturating_add(manners.held).saturating_sub(self.wire.len() - self.read)
    }

    /// Makes as much visible to the reader as there is room for. Returns whether that is all.
    fn hand_on(&mut self, manners: &Manners) -> bool {
        self.flushed = self.wire.len().min(self.read.saturating_add(manners.room)).max(self.flushed);
        self.flushed == self.wire.len()
    }
}

impl Half {
    fn pipe(&self) -> &Pipe {
        &self.link.pipes[self.pipe]
    }

    fn other(&self) -> Side {
        match self.side {
            Side::Reader => Side::Writer,
            Side::Writer => Side::Reader,
        }
    }

    /// What happens before an operation, whatever it is.
    fn before(&self, state: &mut State) -> io::Result<()> {
        let manners = &self.pipe().manners;
        state.operations += 1;
        if self.side == Side::Writer && manners.panics == Some(state.operations) {
            panic_any(Planned);
        }
        if state.broken {
            return Err(ErrorKind::ConnectionReset.into());
        }
        if state.dice.one_in(manners.interrupts) { Err(ErrorKind::Interrupted.into()) } else { Ok(()) }
    }

    /// Takes what there is for a reader: `None` if there is nothing yet.
    fn take(&self, state: &mut State, into: &mut [u8]) -> Option<usize> {
        let there = state.flushed - state.read;
        if there == 0 {
            return (state.ended || state.deserted).then_some(0);
        }
        let most = self.pipe().manners.portion(&mut state.dice);
        let len = there.min(into.len()).min(most);
        let State { wire, read, .. } = state;
        into[..len].copy_from_slice(&wire[*read..*read + len]);
        *read += len;
        Some(len)
    }

    /// Adds what there is room for: `None` if there is none.
    fn put<'b>(&self, state: &mut State, bufs: impl Iterator<Item = &'b [u8]>) -> io::Result<Option<usize>> {
        let manners = &self.pipe().manners;
        if state.ended || state.deserted {
            return Err(ErrorKind::BrokenPipe.into());
        }
        let most = state.room(manners).min(manners.portion(&mut state.dice));
        if most == 0 {
            state.hand_on(manners);
            return Ok(None);
        }
        let before = state.wire.len();
        for buf in bufs {
            let left = before + most - state.wire.len();
            state.wire.extend_from_slice(&buf[..buf.len().min(left)]);
        }
        let len = state.wire.len() - before;
        state.go_wrong(manners, before);
        if manners.held == 0 {
            state.flushed = state.wire.len();
        }
        Ok(Some(len))
    }
}

impl State {
    fn go_wrong(&mut self, manners: &Manners, before: usize) {
        let Some((at, wrong)) = manners.wrong else { return };
        if before > at || at >= self.wire.len() {
            return;
        }
        match wrong {
            Wrong::Loses(len) => drop(self.wire.drain(at..(at + len).min(self.wire.len()))),
            Wrong::Repeats(len) => {
                let again = self.wire[at..(at + len).min(self.wire.len())].to_vec();
                self.wire.splice(at..at, again);
            }
            Wrong::Deafens => {}
        }
    }
}

impl Drop for Half {
    fn drop(&mut self) {
        self.link.change(self.pipe, |state| match self.side {
            Side::Reader => state.deserted = true,
            Side::Writer => state.end(),
        });
    }
}
