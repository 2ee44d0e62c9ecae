//! Cases made from numbers.

use crate::dice::Dice;
use crate::link::Manners;
use crate::payload::HEADER;
use crate::plan::{Act, Driver, Early, End, Ending, Fate, Kind, Owner, Plan, Sender, Shape, Transport, What, Who};
use core::time::Duration;
use ws_conn::Role;

impl Plan {
    /// The case of a number.
    pub(crate) fn of(seed: u64, case: u64, driver: Driver) -> Self {
        let mut dice =
            Dice::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ case << 1 ^ u64::from(driver == Driver::Tokio));
        let shape = match driver {
            Driver::Blocking if dice.one_in(6) => Shape::Turns,
            Driver::Blocking if dice.one_in(8) => Shape::Duel,
            Driver::Tokio if dice.one_in(150) => Shape::Large,
            _ => Shape::Talk,
        };
        let mut plan = dice.talk(driver);
        (plan.seed, plan.case, plan.shape) = (seed, case, shape);
        match shape {
            Shape::Talk => {}
            Shape::Turns => dice.make_turns(&mut plan),
            Shape::Duel => dice.make_duel(&mut plan),
            Shape::Large => plan.ending = Ending::Calm,
        }
        if plan.ending == Ending::Panics {
            plan.wire = Duration::from_secs(1);
            plan.manners[0].panics = Some(1 + dice.below(60) as u64);
        }
        plan
    }
}

impl Dice {
    fn talk(&mut self, driver: Driver) -> Plan {
        let first = if driver == Driver::Tokio { Who::Tokio } else { Who::Blocking };
        let second = self.pick(&[first, first, Who::Raw, Who::Raw, Who::Tokio, Who::Blocking]);
        let client_first = self.one_in(2);
        let longest = self.pick(&[100, 100, 2000, 2000, 70_000, 200_000, 1 << 20]);
        let transport = match self.below(8) {
            0 => Transport::Tcp,
            1 => Transport::Unix,
            2 | 3 => Transport::Whole,
            _ => Transport::Halves,
        };
        let ends = [(first, client_first), (second, !client_first)].map(|(who, is_client)| {
            let role = if is_client { Role::Client } else { Role::Server };
            let kind = match who {
                Who::Tokio => self.pick(&[Kind::Shared, Kind::Shared, Kind::Shared, Kind::Alone, Kind::Sink]),
                _ => self.pick(&[Kind::Shared, Kind::Shared, Kind::Shared, Kind::Alone]),
            };
            self.end(who, role, kind, longest)
        });
        let mut plan = Plan {
            seed: 0,
            case: 0,
            driver,
            shape: Shape::Talk,
            transport,
            manners: [(); 2].map(|()| self.manners()),
            ending: Ending::Calm,
            workers: self.pick(&[0, 2, 2, 3, 4]),
            wire: PATIENCE,
            watchdog: 3 * PATIENCE,
            ends,
        };
        for end in 0..2 {
            let most = plan.most_written(end);
            plan.manners[end].hurry(most);
        }
        // Two that send before they receive would wait for each other.
        if plan.ends[0].owner.kind == Kind::Alone && plan.ends[1].owner.kind == Kind::Alone {
            plan.ends[1].owner.kind = Kind::Shared;
            plan.ends[1].owner.acts.clear();
        }
        plan.ending = self.ending(&plan);
        plan
    }

    fn end(&mut self, who: Who, role: Role, kind: Kind, longest: usize) -> End {
        let senders = match kind {
            Kind::Shared => 1 + self.below(6),
            Kind::Alone => 0,
            Kind::Sink => self.below(3),
        };
        let most = if longest > 100_000 { 6 } else { 24 };
        let tokio = who == Who::Tokio;
        let senders = (0..senders).map(|_| {
            let count = 1 + self.below(most);
            let acts = (0..count).map(|_| self.act(longest, tokio)).collect();
            Sender { thread: !tokio || self.one_in(4), acts }
        });
        let senders = senders.collect();
        let count = match kind {
            // A blocking call cannot be given up, so that its owner would not receive meanwhile.
            Kind::Shared if who == Who::Blocking => 0,
            Kind::Shared => self.pick(&[0, 0, 4]),
            _ => 1 + self.below(most),
        };
        let acts = (0..count).map(|_| self.own_act(longest, kind)).collect();
        let owner = Owner { seed: self.seed(), drops: self.pick(&[0, 2, 5]), acts, first: false, kind };
        End { role, who, senders, owner }
    }

    fn act(&mut self, longest: usize, dropped: bool) -> Act {
        let len = self.len(longest);
        let what = match self.below(16) {
            0..=5 => What::Send,
            6..=9 => What::Feed,
            10 => What::Flush,
            11 | 12 => What::Stream(1 + len / (1 + self.below(8))),
            13 | 14 => What::Ping,
            _ => What::Rest(self.below(300) as u64),
        };
        let fate = if dropped { self.fate() } else { Fate::Kept };
        Act { what, len, text: self.one_in(2), fate }
    }

    /// The owner sends with its own hands what takes one call; where others have handles it gives up soon, since nobody
    /// receives meanwhile.
    fn own_act(&mut self, longest: usize, kind: Kind) -> Act {
        let fate = match kind {
            Kind::Shared => self.pick(&[Fate::Polls(1), Fate::Select(3), Fate::Time(1000)]),
            _ => self.pick(&[Fate::Kept, Fate::Kept, Fate::Polls(1), Fate::Polls(2), Fate::Time(1000)]),
        };
        let what = self.pick(&[What::Send, What::Send, What::Feed, What::Feed, What::Feed, What::Flush]);
        Act { what, len: self.len(longest), text: self.one_in(2), fate }
    }

    fn fate(&mut self) -> Fate {
        match self.below(10) {
            0 => Fate::Polls(1),
            1 => Fate::Polls(1 + self.below(6)),
            2 => Fate::Time(self.below(2000) as u64),
            3 => Fate::Select(self.below(5)),
            4 => Fate::Moved(self.below(3)),
            _ => Fate::Kept,
        }
    }

    /// Around every form of a header, mostly short.
    fn len(&mut self, longest: usize) -> usize {
        let len = match self.below(12) {
            0 => 0,
            1..=6 => HEADER + self.below(100),
            7 => 1000 + self.below(50),
            8 => 65_400 + self.below(300),
            _ => HEADER + self.below(longest),
        };
        if len == 0 { 0 } else { len.min(longest).max(HEADER) }
    }

    fn manners(&mut self) -> Manners {
        Manners {
            seed: self.seed(),
            room: self.pick(&[1, 100, 4000, 70_000, 1 << 20]),
            longest: self.pick(&[1, 20, 1500, 1 << 16, 1 << 20]),
            held: self.pick(&[0, 0, 1000, 16_384]),
            yields: self.pick(&[0, 0, 8]),
            spurious: self.pick(&[0, 0, 8]),
            interrupts: self.pick(&[0, 0, 20]),
            late: Duration::from_micros(self.pick(&[0, 0, 0, 50, 1000])),
            forgets: self.one_in(2),
            gathers: self.one_in(2),
            pause: Duration::ZERO,
            hangs_up: !self.one_in(16),
            panics: None,
            wrong: None,
        }
    }

    fn ending(&mut self, plan: &Plan) -> Ending {
        let after = self.pick(&[0, 100, 1000, 10_000]);
        let after = self.below(after) as u64;
        let end = self.below(2);
        let early = self.pick(&[Early::Close, Early::Close, Early::Abort, Early::Drop, Early::Finish, Early::Half]);
        match self.below(12) {
            0..=2 if plan.ends[end].who != Who::Raw && plan.ends[end].owner.kind == Kind::Shared => {
                Ending::Early(end, early, after)
            }
            3 if plan.is_in_memory() => Ending::Reset(after),
            4 if plan.is_in_memory() => Ending::Panics,
            _ => Ending::Calm,
        }
    }

    /// Each write takes a part of the time that a call has, and takes everything at once: it is only the turn that can
    /// come late.
    fn make_turns(&mut self, plan: &mut Plan) {
        let wire = Duration::from_millis(self.pick(&[1, 5, 20, 100, 1000]));
        (plan.wire, plan.ending, plan.transport) = (wire, Ending::Calm, Transport::Halves);
        plan.ends[1].who = Who::Raw;
        let most = if wire.as_millis() > 100 { 2 } else { 8 };
        for end in 0..2 {
            plan.ends[end].owner.kind = Kind::Shared;
            plan.ends[end].owner.acts.clear();
            let manners = &mut plan.manners[end];
            (manners.room, manners.longest, manners.held) = (usize::MAX, usize::MAX, 0);
            (manners.interrupts, manners.spurious) = (0, 0);
        }
        plan.manners[0].pause = wire / self.pick(&[2, 3, 4]) as u32;
        plan.ends[0].senders = (0..4 + self.below(6))
            .map(|_| {
                let what = |dice: &mut Self| dice.pick(&[What::Send, What::Send, What::Send, What::Ping]);
                let acts = (0..1 + self.below(most))
                    .map(|_| Act { what: what(self), len: self.len(60_000), text: false, fate: Fate::Kept })
                    .collect();
                Sender { thread: true, acts }
            })
            .collect();
    }

    fn make_duel(&mut self, plan: &mut Plan) {
        (plan.wire, plan.ending) = (Duration::from_secs(2), Ending::Calm);
        for end in &mut plan.ends {
            (end.who, end.owner.kind, end.owner.first) = (Who::Blocking, Kind::Alone, true);
            end.senders.clear();
            // All of it fits into the queue.
            let len = self.pick(&[1000, 3000, 10_000]);
            end.owner.acts =
                (0..60_000 / len).map(|_| Act { what: What::Feed, len, text: false, fate: Fate::Kept }).collect();
        }
        for manners in &mut plan.manners {
            // What takes a byte at a time takes longer than the deadline on a busy machine.
            (manners.room, manners.longest) = (manners.room.clamp(200, 20_000), manners.longest.max(200));
        }
    }
}

impl Manners {
    /// So much in single bytes, or a wake-up late for each, takes long and shows nothing new.
    fn hurry(&mut self, most: usize) {
        let steps = if self.late.is_zero() { 8000 } else { (100_000 / self.late.as_micros() as usize).min(2000) };
        self.room = self.room.max(most / steps);
        self.longest = self.longest.max(most / steps);
    }
}

/// Ample: who waits that long waits for what never comes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(8);
