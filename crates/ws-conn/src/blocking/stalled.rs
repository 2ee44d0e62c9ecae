//! How long the transport has had no room.

use core::time::Duration;
use std::time::Instant;

/// Since when the transport has no room for the queue.
///
/// That is over when all has left that lay in the queue at that moment: a peer that takes a byte now and then extends
/// nothing.
pub(super) struct Stalled {
    since: Instant,
    /// When the peer has last taken something.
    moved: Instant,
    /// What is still to leave of it.
    left: usize,
    /// How much of the operation that met it lies at the end of the queue, if nothing of it is out.
    pub(super) unsent: Option<usize>,
}

/// How a connection waits for room.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    /// At most so long.
    pub(super) left: Duration,
    /// So long at a time, if the transport does not tell when there is room.
    pub(super) slice: Duration,
}

impl Stalled {
    /// There was no room for as long as `given`, up to now.
    pub(super) fn new(now: Instant, given: Duration, left: usize) -> Self {
        Self { since: now.checked_sub(given).unwrap_or(now), moved: now, left, unsent: None }
    }

    /// Whether that goes on, although the peer has now taken so much of the queue.
    pub(super) fn goes_on(&mut self, taken: usize, now: Instant) -> bool {
        if taken == 0 {
            return true;
        }
        let goes_on = taken < self.left;
        self.left = self.left.saturating_sub(taken);
        self.moved = now;
        goes_on
    }

    /// How to wait on, as long as it has not been for the whole of `wire`.
    pub(super) fn room(&self, now: Instant, wire: Duration) -> Option<Room> {
        let waited = now.saturating_duration_since(self.since);
        let left = wire.checked_sub(waited).filter(|left| !left.is_zero())?;
        // Short where the peer has just taken something, and never much longer than what was waited for already.
        let unmoved = now.saturating_duration_since(self.moved);
        Some(Room { left, slice: unmoved.clamp(SHORTEST, LONGEST) })
    }
}

const SHORTEST: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_millis(50);
