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
