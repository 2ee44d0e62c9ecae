//! Wake-ups that come late.

use super::{Link, Side};
use core::time::Duration;
use std::sync::{Weak, mpsc};
use std::thread;
use std::time::Instant;

/// A thread that wakes tasks some time after they could be woken. It ends with the link.
#[derive(Debug)]
pub(super) struct Later {
    queue: mpsc::Sender<(Instant, usize, Side)>,
}

impl Later {
    /// `late` is the time for each direction.
    pub(super) fn new(link: Weak<Link>, late: [Duration; 2]) -> Self {
        let (queue, told) = mpsc::channel::<(Instant, usize, Side)>();
        thread::spawn(move || {
            for (since, pipe, side) in told {
                let until = since + late[pipe];
                thread::sleep(until.saturating_duration_since(Instant::now()));
                let Some(link) = link.upgrade() else { return };
                link.wake(pipe, side);
            }
        });
        Self { queue }
    }

    pub(super) fn tell(&self, pipe: usize, side: Side) {
        // Fails if the thread has ended, and then nobody is left to be woken.
        let _ = self.queue.send((Instant::now(), pipe, side));
    }
}
