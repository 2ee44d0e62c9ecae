use crate::timeouts::Need;
use core::time::Duration;
use std::time::Instant;

/// A moment by which something has to be done, or none where the patience has no end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Option<Instant>);

impl Deadline {
    pub(crate) const NEVER: Self = Self(None);

    pub(crate) fn after(now: Instant, patience: Duration) -> Self {
        Self(now.checked_add(patience))
    }

    /// What is left; zero when the moment has passed.
    pub(crate) fn left(self, now: Instant) -> Duration {
        self.0.map_or(Duration::MAX, |at| at.saturating_duration_since(now))
    }
}

/// How long a call may take. The time begins when it is first asked for, so that a call that does not wait reads no
/// clock.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Patience {
    /// All of it.
    Whole(Duration),
    /// What is left of it.
    Until(Deadline),
}

impl Patience {
    pub(crate) const ENDLESS: Self = Self::Until(Deadline::NEVER);

    /// What is left; zero when the time is over.
    pub(crate) fn left(&mut self, now: Instant) -> Duration {
        match *self {
            Self::Until(deadline) => deadline.left(now),
            Self::Whole(patience) => {
                *self = Self::Until(Deadline::after(now, patience));
                patience
            }
        }
    }

    /// All of it, if nothing of it has been used yet.
    pub(crate) const fn whole(&self) -> Option<Duration> {
        match self {
            Self::Whole(patience) => Some(*patience),
            Self::Until(_) => None,
        }
    }

    /// The same patience on another clock: what the wait so far has left of it.
    pub(crate) fn transferred(mut self, now: impl FnOnce() -> Instant) -> Self {
        match self {
            Self::Whole(_) | Self::Until(Deadline(None)) => self,
            Self::Until(_) => Self::Whole(self.left(now())),
        }
    }
}

/// Since when a connection waits. The state machine says what for; that it is the same wait as before is told by the
/// value being equal, whoever asks again and however often.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Watch(Option<(Need, Instant)>);

impl Watch {
    pub(crate) fn deadline(&mut self, need: Need, patience: Duration, now: Instant) -> Deadline {
        let began = match self.0 {
            Some((known, began)) if known == need => began,
            _ => {
                self.0 = Some((need, now));
                now
            }
        };
        Deadline::after(began, patience)
    }
}
