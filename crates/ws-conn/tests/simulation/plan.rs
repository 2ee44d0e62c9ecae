//! Everything that happens in a simulation, made from its seed.

use core::fmt;
use core::time::Duration;
use ws_conn::{Role, Timeouts};
use ws_testkit::chunks::Lcg;

/// A simulation.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) extension: bool,
    pub(crate) ends: [End; 2],
    /// By the end that writes.
    pub(crate) ways: [Way; 2],
    /// When the link is reset, whatever goes on.
    pub(crate) reset: Option<Duration>,
}

/// One of the two connections, and who works with it.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) role: Role,
    pub(crate) driver: Driver,
    pub(crate) timeouts: Timeouts,
    /// The interval and the patience.
    pub(crate) keepalive: Option<(Duration, Duration)>,
    /// The first has the connection; the others, with tokio only, have senders.
    pub(crate) actors: Vec<Vec<Act>>,
    pub(crate) last: Last,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Driver {
    Blocking,
    Tokio,
}

/// What is done next, and when it is given up; a blocking call is not.
#[derive(Clone, Debug)]
pub(crate) struct Act {
    pub(crate) what: Do,
    pub(crate) limit: Limit,
}

#[derive(Clone, Debug)]
pub(crate) enum Do {
    Send(Said),
    Feed(Said),
    Flush,
    /// In fragments of so many bytes each.
    Stream(Said, usize),
    /// The same, but dropped after the first fragment.
    HalfStream(Said),
    Ping(String),
    Pong(String),
    /// Into a buffer of this size.
    Receive(usize),
    Message,
    /// In chunks of this size, and dropped after so many bytes.
    Read(usize, usize),
    /// On the level of frames, in chunks of this size.
    Frames(usize),
    Sleep(Duration),
    Close(u16),
    Abort,
}

/// A message to be sent. Its payload says who sends it, and which of his it is, unless it is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) end: usize,
    pub(crate) actor: usize,
    pub(crate) number: usize,
    pub(crate) text: bool,
    pub(crate) len: usize,
}

/// When a call is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    Never,
    Polls(usize),
    Time(Duration),
}

/// How the owner ends, when all is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Last {
    /// Receives until there is nothing more.
    Receive,
    /// Closes first.
    Close(u16),
    /// Closes in order, without a look at what comes.
    Finish(u16),
    /// Drops the connection.
    Drop,
}

/// One direction of the link.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    pub(crate) seed: u64,
    /// In milliseconds; everything takes less.
    pub(crate) slowest: usize,
    /// How many bytes are under way at most.
    pub(crate) room: usize,
    /// The most that one read or write moves.
    pub(crate) longest: usize,
    /// One operation in so many is interrupted.
    pub(crate) interrupts: usize,
    /// From which byte on everything takes longer by how much.
    pub(crate) stalls: Vec<(usize, Duration)>,
    /// What happens behind a byte.
    pub(crate) fate: Option<(usize, Fate)>,
    /// Whether hanging up with something unread resets the link, as with TCP.
    pub(crate) harsh: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// The rest is lost, and the stream ends.
    Truncate,
    Reset,
}

impl Plan {
    /// The simulation of a seed; with so many acts for each actor at most.
    pub(crate) fn of(seed: u64, acts: usize) -> Self {
        // Neighbouring seeds would begin alike.
        let mut dice = Dice(Lcg::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        let client_first = dice.one_in(2);
        let calm = dice.one_in(3);
        let mut plan = Self {
            extension: dice.one_in(4),
            ends: [0, 1].map(|end| dice.end(end, (end == 0) == client_first, calm)),
            ways: [0, 1].map(|_| dice.way(calm)),
            reset: (!calm && dice.one_in(8)).then(|| dice.time()),
        };
        for end in &mut plan.ends {
            end.actors.iter_mut().for_each(|actor| actor.truncate(acts));
        }
        plan
    }
}

/// Without the acts, which the trace tells one by one.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "extension: {}, reset: {:?}", self.extension, self.reset)?;
        for (End { role, driver, timeouts, keepalive, actors, last }, way) in self.ends.iter().zip(&self.ways) {
            let acts: Vec<_> = actors.iter().map(Vec::len).collect();
            writeln!(
                f,
                "{role:?} over {driver:?}, {timeouts:?}, keepalive: {keepalive:?}, acts: {acts:?}, then {last:?}"
            )?;
            writeln!(f, "    writes to {way:?}")?;
        }
        Ok(())
    }
}

impl End {
    /// About what it puts on the wire, at most.
    pub(crate) fn most(&self) -> usize {
        let said = self.actors.iter().flatten().map(|act| match &act.what {
            Do::Send(said) | Do::Feed(said) | Do::Stream(said, _) | Do::HalfStream(said) => said.len,
            _ => 0,
        });
        2 * said.sum::<usize>() + 20_000
    }
}

/// Choices.
struct Dice(Lcg);

impl Dice {
    fn one_in(&mut self, chances: usize) -> bool {
        self.0.below(chances) == 0
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.0.below(of.len())]
    }

    fn millis(&mut self, below: usize) -> Duration {
        Duration::from_millis(self.0.below(below) as u64)
    }

    /// Mostly short.
    fn time(&mut self) -> Duration {
        let below = self.pick(&[2, 20, 20, 300, 300, 3000, 20_000]);
        self.millis(below)
    }

    /// Around every form of a header, mostly short.
    fn len(&mut self) -> usize {
        match self.0.below(16) {
            0 => 0,
            1..=7 => 8 + self.0.below(40),
            8 | 9 => 120 + self.0.below(12),
            10..=12 => self.0.below(2000),
            13 => 1020 + self.0.below(8),
            14 => 65_500 + self.0.below(100),
            _ => self.0.below(LONGEST),
        }
    }

    fn end(&mut self, end: usize, client: bool, calm: bool) -> End {
        let driver = if self.one_in(2) { Driver::Blocking } else { Driver::Tokio };
        let actors = if driver == Driver::Tokio { 1 + self.0.below(3) } else { 1 };
        let most = if self.one_in(40) { 400 } else { self.pick(&[4, 20, 80]) };
        let times = (self.pick(&[300, 3000, 10_000, 60_000]), self.pick(&[500, 10_000, 60_000, 600_000]));
        let (wire, idle) = if calm { (100_000, 1_000_000) } else { times };
        let keepalive =
            (driver == Driver::Tokio && !calm && self.one_in(3)).then(|| (self.time() + MOMENT, self.time() + MOMENT));
        let code = 3000 + 1000 * end as u16;
        let last = match self.0.below(8) {
            0 if !calm => Last::Drop,
            0 | 1 => Last::Finish(code + 1),
            2..=4 => Last::Close(code),
            _ => Last::Receive,
        };
        let mut numbers = 0..;
        let actors = (0..actors)
            .map(|actor| {
                let count = self.0.below(most);
                let mut act = |_| self.act((end, actor), actors > 1, numbers.next().unwrap_or_default(), calm);
                (0..count).map(&mut act).collect()
            })
            .collect();
        End {
            role: if client { Role::Client } else { Role::Server },
            driver,
            timeouts: Timeouts::new(Duration::from_millis(wire), Duration::from_millis(idle)),
            keepalive,
            actors,
            last,
        }
    }

    fn act(&mut self, (end, actor): (usize, usize), helped: bool, number: usize, calm: bool) -> Act {
        // The owner receives, and where it has helpers nothing much besides.
        let receives = actor == 0 && (helped && !self.one_in(4) || self.one_in(3));
        let what = if receives { self.get(calm) } else { self.put((end, actor), number, calm) };
        // Two that wait for each other learn nothing.
        let limit = match self.0.below(6) {
            0 => Limit::Polls(1 + self.0.below(4)),
            1 => Limit::Time(self.time()),
            2..=4 if receives && !helped => Limit::Time(self.time()),
            _ => Limit::Never,
        };
        Act { what, limit }
    }

    fn get(&mut self, calm: bool) -> Do {
        let chunk = self.pick(&[1, 7, 100, 4000, 100_000]);
        match self.0.below(9) {
            0..=2 => Do::Receive(if calm || !self.one_in(8) { LONGEST } else { self.len() }),
            3..=5 => Do::Message,
            6 => Do::Read(chunk, usize::MAX),
            7 => Do::Read(chunk, self.len()),
            _ => Do::Frames(chunk),
        }
    }

    fn put(&mut self, (end, actor): (usize, usize), number: usize, calm: bool) -> Do {
        let said = Said { end, actor, number, text: self.one_in(2), len: self.len() };
        let word = format!("{end}{actor}:{number}");
        match self.0.below(40) {
            0..=9 => Do::Send(said),
            10..=18 => Do::Feed(said),
            19..=21 => Do::Flush,
            22..=27 => Do::Stream(said, 1 + said.len / (1 + self.0.below(8))),
            28..=31 => Do::Ping(word),
            32 => Do::Pong(format!("-{word}")),
            33 if !calm && self.one_in(3) => Do::Close(3100 + 1000 * end as u16 + actor as u16),
            34 if !calm && self.one_in(6) => Do::Abort,
            35 if !calm && self.one_in(4) => Do::HalfStream(said),
            _ => Do::Sleep(self.time()),
        }
    }

    fn way(&mut self, calm: bool) -> Way {
        let place = self.pick(&[10, 300, 3000, 100_000]);
        let stalls = if calm { 0 } else { self.0.below(3) };
        let mut stalls: Vec<_> = (0..stalls).map(|_| (self.0.below(place), self.time())).collect();
        stalls.sort_unstable();
        let fate = match self.0.below(12) {
            0 => Some((self.0.below(place), Fate::Truncate)),
            1 => Some((self.0.below(place), Fate::Reset)),
            _ => None,
        };
        Way {
            seed: self.0.number().into(),
            slowest: self.pick(&[1, 1, 5, 50, 400]),
            room: self.pick(&[1, 50, 3000, 70_000, 1 << 20]),
            longest: self.pick(&[1, 20, 1500, 1 << 16, 1 << 20]).max(self.pick(&[1, 500])),
            interrupts: self.pick(&[0, 0, 50]),
            stalls,
            fate: fate.filter(|_| !calm),
            harsh: !calm && self.one_in(2),
        }
    }
}

/// The largest message, and so the limit of those that are received.
pub(crate) const LONGEST: usize = 100_000;
const MOMENT: Duration = Duration::from_millis(5);
