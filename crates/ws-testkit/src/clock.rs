//! Virtual time: it passes when a test, or a scripted transport, says so.

use core::time::Duration;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// A clock that stands still until it is advanced. Clones show the same time.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    elapsed: Arc<Mutex<Duration>>,
}

impl Clock {
    /// A clock at zero.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The time since the clock was made.
    #[must_use]
    pub fn now(&self) -> Duration {
        *self.elapsed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets `by` pass; the clock stops at the end of time.
    pub fn advance(&self, by: Duration) {
        let mut elapsed = self.elapsed.lock().unwrap_or_else(PoisonError::into_inner);
        *elapsed = elapsed.saturating_add(by);
    }

    /// The time as an `Instant`, for code that takes one: `start` and what has passed since. Where the platform cannot
    /// represent the sum, time stands still at `start`.
    #[must_use]
    pub fn since(&self, start: Instant) -> Instant {
        start.checked_add(self.now()).unwrap_or(start)
    }
}
