//! Allocations counted, per thread, by the allocator this module links into every test binary that uses the kit.

use std::sync::{Mutex, PoisonError};

/// What one closure did to the heap, on the thread that ran it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Calls that allocated; a growing `Vec` counts once for each time it grows.
    pub calls: u64,
    /// Bytes asked for by those calls, freed ones included.
    pub bytes: u64,
    /// The most bytes held at one time, beyond what was held at the start.
    pub max_live: u64,
    /// Bytes held at the end beyond what was held at the start; negative if older memory was freed.
    pub kept: i64,
}

/// Runs `body` and counts what it allocates. Other threads, those `body` starts included, are not counted.
pub fn count_allocations(body: impl FnOnce()) -> Count {
    let info = allocation_counter::measure(body);
    Count { calls: info.count_total, bytes: info.bytes_total, max_live: info.bytes_max, kept: info.bytes_current }
}

/// Holds back the other tests that ask for this: to be held where what is counted hangs on what the process keeps.
pub fn alone() -> impl Drop {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}
