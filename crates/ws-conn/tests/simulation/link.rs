//! The link between two ends: two directions in virtual time that delay, cut, stall, lose the rest, and break.

use crate::plan::{Fate, Plan, Way};
use crate::time::Time;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker, ready};
use core::time::Duration;
use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::time::{Instant, Sleep, sleep_until};
use ws_testkit::chunks::Lcg;

/// A link. Clones are the same one.
#[derive(Clone)]
pub(crate) struct Link {
    state: Arc<Mutex<State>>,
    pub(crate) time: Time,
}

struct State {
    /// By the end that writes into it.
    pipes: [Pipe; 2],
    broken: bool,
}

/// One direction.
pub(crate) struct Pipe {
    way: Way,
    lcg: Lcg,
    /// Everything that was written.
    pub(crate) wire: Vec<u8>,
    /// How much of it was read.
    pub(crate) read: usize,
    /// When what was written up to a place arrives.
    arrivals: VecDeque<(Duration, usize)>,
    arrived: usize,
    /// When the end of the stream arrives, once the direction is closed.
    end: Option<Duration>,
    /// Nobody reads any more.
    deserted: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

/// What one end can do now.
enum Ready {
    Now,
    At(Duration),
    Never,
}

impl Link {
    pub(crate) fn new(plan: &Plan, time: &Time) -> Self {
        let pipes = [0, 1].map(|end| (plan.ways[end].clone(), plan.ends[end].most())).map(|(way, most)| Pipe {
            lcg: Lcg::new(way.seed),
            // So that the tests' own memory is not counted as the connection's.
            wire: Vec::with_capacity(most),
            read: 0,
            arrivals: VecDeque::with_capacity(64),
            arrived: 0,
            end: None,
            deserted: false,
            reader: None,
            writer: None,
            way,
        });
        Self { state: Arc::new(Mutex::new(State { pipes, broken: false })), time: time.clone() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Whether what was written may have got lost.
    pub(crate) fn is_broken(&self) -> bool {
        self.state().broken
    }

    /// Breaks it.
    pub(crate) fn reset(&self) {
        self.state().reset();
    }

    /// Whether writes of this end may fail: nobody reads them, or it said itself that none would come.
    pub(crate) fn is_closed(&self, end: usize) -> bool {
        self.look(end, |pipe| pipe.deserted || pipe.end.is_some())
    }

    /// Looks at what this end wrote.
    pub(crate) fn look<T>(&self, writer: usize, look: impl FnOnce(&Pipe) -> T) -> T {
        look(&self.state().pipes[writer])
    }

    /// Reads what has arrived, or a part of it.
    pub(crate) fn read(&self, end: usize, into: &mut [u8]) -> io::Result<usize> {
        let now = self.time.now();
        let mut state = self.state();
        let state = &mut *state;
        state.check()?;
        let pipe = &mut state.pipes[1 - end];
        pipe.interrupt()?;
        match pipe.readable(now) {
            Ready::Now => {}
            Ready::At(_) | Ready::Never => return Err(ErrorKind::WouldBlock.into()),
        }
        let there = pipe.arrived - pipe.read;
        let len = there.min(into.len()).min(pipe.portion(pipe.read));
        into[..len].copy_from_slice(&pipe.wire[pipe.read..pipe.read + len]);
        pipe.read += len;
        if pipe.way.fate == Some((pipe.read, Fate::Reset)) {
            state.reset();
            return if len == 0 { Err(ErrorKind::ConnectionReset.into()) } else { Ok(len) };
        }
        let waker = pipe.writer.take();
        waker.into_iter().for_each(Waker::wake);
        Ok(len)
    }

    /// Writes as much as there is room for, or a part of it.
    pub(crate) fn write(&self, end: usize, bufs: &[&[u8]]) -> io::Result<usize> {
        let now = self.time.now();
        let mut state = self.state();
        state.check()?;
        let pipe = &mut state.pipes[end];
        pipe.interrupt()?;
        if pipe.end.is_some() || pipe.deserted {
            return Err(ErrorKind::BrokenPipe.into());
        }
        let most = pipe.room().min(pipe.portion(pipe.wire.len()));
        if most == 0 {
            return Err(ErrorKind::WouldBlock.into());
        }
        let before = pipe.wire.len();
        for buf in bufs {
            let left = before + most - pipe.wire.len();
            pipe.wire.extend_from_slice(&buf[..buf.len().min(left)]);
        }
        let len = pipe.wire.len() - before;
        let last = pipe.arrivals.back().map_or(Duration::ZERO, |(at, _)| *at);
        let at = last.max(now + pipe.delay());
        pipe.arrivals.push_back((at, pipe.wire.len()));
        let waker = pipe.reader.take();
        waker.into_iter().for_each(Waker::wake);
        Ok(len)
    }

    /// Closes the direction of this end.
    pub(crate) fn half_close(&self, end: usize) {
        let now = self.time.now();
        let mut state = self.state();
        let pipe = &mut state.pipes[end];
        let last = pipe.arrivals.back().map_or(now, |(at, _)| *at);
        pipe.end.get_or_insert_with(|| last.max(now));
        pipe.wake();
    }

    /// This end reads no more.
    pub(crate) fn desert(&self, end: usize) {
        let mut state = self.state();
        let pipe = &mut state.pipes[1 - end];
        pipe.deserted = true;
        pipe.wake();
        // A socket that is closed with something unread is reset.
        if pipe.way.harsh && pipe.read < pipe.wire.len() {
            state.reset();
        }
    }

    /// Waits until a read, or a write, of this end has something to do.
    pub(crate) fn poll(&self, end: usize, what: What, alarm: &mut Alarm, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let now = self.time.now();
            let mut state = self.state();
            let broken = state.broken;
            let ready = match what {
                What::Read => state.pipes[1 - end].readable(now),
                What::Write => state.pipes[end].writable(),
            };
            let at = match ready {
                _ if broken => return Poll::Ready(()),
                Ready::Now => return Poll::Ready(()),
                Ready::At(at) => Some(at),
                Ready::Never => None,
            };
            let place = match what {
                What::Read => &mut state.pipes[1 - end].reader,
                What::Write => &mut state.pipes[end].writer,
            };
            *place = Some(cx.waker().clone());
            drop(state);
            let Some(at) = at else { return Poll::Pending };
            ready!(alarm.poll(self.time.instant(at), cx));
        }
    }

    /// Sometimes others go first.
    pub(crate) fn yields(&self, end: usize) -> bool {
        let pipe = &mut self.state().pipes[end];
        pipe.lcg.below(8) == 0
    }
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Read,
    Write,
}

impl State {
    fn check(&self) -> io::Result<()> {
        if self.broken { Err(ErrorKind::ConnectionReset.into()) } else { Ok(()) }
    }

    fn reset(&mut self) {
        self.broken = true;
        self.pipes.iter_mut().for_each(Pipe::wake);
    }
}

impl Pipe {
    fn wake(&mut self) {
        self.reader.take().into_iter().chain(self.writer.take()).for_each(Waker::wake);
    }

    fn interrupt(&mut self) -> io::Result<()> {
        if self.lcg.below(self.way.interrupts) == 1 { Err(ErrorKind::Interrupted.into()) } else { Ok(()) }
    }

    /// How much is moved at once, from a place on: more and more, since a long message in single bytes shows nothing new.
    fn portion(&mut self, at: usize) -> usize {
        1 + self.lcg.below(self.way.longest.max(at / 64))
    }

    fn delay(&mut self) -> Duration {
        Duration::from_millis(self.lcg.below(self.way.slowest) as u64)
    }

    /// Where the stream ends for its reader, whatever was written.
    fn fate(&self) -> usize {
        self.way.fate.map_or(usize::MAX, |(at, _)| at)
    }

    fn readable(&mut self, now: Duration) -> Ready {
        while let Some((at, upto)) = self.arrivals.front().copied() {
            let stalled = self.way.stalls.first().filter(|(place, _)| *place <= self.arrived).copied();
            if let Some((_, time)) = stalled {
                // From here on everything takes so much longer.
                self.way.stalls.remove(0);
                self.arrivals.iter_mut().for_each(|(at, _)| *at += time);
                self.end = self.end.map(|end| end + time);
                continue;
            }
            if at > now {
                break;
            }
            self.arrived = upto.min(self.fate());
            self.arrivals.pop_front();
        }
        let end = match self.end {
            _ if self.arrived == self.fate() => Some(Duration::ZERO),
            end => end.filter(|_| self.arrivals.is_empty()),
        };
        match (self.arrivals.front(), end) {
            _ if self.arrived > self.read => Ready::Now,
            (_, Some(end)) => {
                if end <= now {
                    Ready::Now
                } else {
                    Ready::At(end)
                }
            }
            (Some((at, _)), _) => Ready::At(*at),
            (None, None) => Ready::Never,
        }
    }

    fn writable(&self) -> Ready {
        if self.room() > 0 || self.end.is_some() || self.deserted { Ready::Now } else { Ready::Never }
    }

    fn room(&self) -> usize {
        // What goes nowhere takes no room.
        let under_way = self.wire.len() - self.read;
        if self.wire.len() >= self.fate() {
            usize::MAX
        } else {
            (self.way.room + self.read / 64).saturating_sub(under_way)
        }
    }
}

/// A timer that is armed anew when the moment changes.
#[derive(Default)]
pub(crate) struct Alarm(Option<Pin<Box<Sleep>>>);

impl Alarm {
    fn poll(&mut self, at: Instant, cx: &mut Context<'_>) -> Poll<()> {
        let sleep = self.0.get_or_insert_with(|| Box::pin(sleep_until(at)));
        if sleep.deadline() != at {
            sleep.as_mut().reset(at);
        }
        sleep.as_mut().poll(cx)
    }
}
