//! Virtual time: that of the paused runtime, also for threads outside it.

use core::time::Duration;
use std::sync::{Arc, Mutex};
use tokio::runtime::Handle;
use tokio::time::Instant;

/// The time since a simulation began. Clones show the same time.
#[derive(Clone)]
pub(crate) struct Time {
    start: Instant,
    now: Arc<Mutex<Duration>>,
}

impl Time {
    /// Begins now, in a runtime.
    pub(crate) fn begin() -> Self {
        Self { start: Instant::now(), now: Arc::default() }
    }

    /// How much has passed. Only one thread runs at a time: outside the runtime its time stands still.
    pub(crate) fn now(&self) -> Duration {
        let mut now = self.now.lock().unwrap();
        if Handle::try_current().is_ok() {
            *now = self.start.elapsed();
        }
        *now
    }

    pub(crate) fn instant(&self, at: Duration) -> Instant {
        self.start + at
    }
}
