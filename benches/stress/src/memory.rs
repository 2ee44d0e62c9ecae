//! What the process holds, all threads together.

use crate::naive;
use core::time::Duration;
use peak_alloc::PeakAlloc;
use std::io;
use std::thread;
use ws_conn::blocking::Conn;
use ws_conn::{Role, Timeouts};

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

/// What is held before a case.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    before: usize,
}

impl Memory {
    pub(crate) fn begin() -> Self {
        HEAP.reset_peak_usage();
        Self { before: HEAP.current_usage() }
    }

    /// The most that was held since, beyond what was held before.
    pub(crate) fn peak(self) -> usize {
        HEAP.peak_usage().saturating_sub(self.before)
    }

    /// What is still held. Threads that have nothing left to do may take a moment to end.
    pub(crate) fn kept(self) -> usize {
        let kept = || HEAP.current_usage().saturating_sub(self.before);
        for _ in 0..MOMENTS {
            if kept() <= SLACK {
                break;
            }
            thread::sleep(Duration::from_millis(1));
        }
        kept()
    }
}

/// Fills the store in which the process keeps buffers of messages, so that no case adds to it: with as many as it takes,
/// each as large as the largest that a case may need.
pub(crate) fn fill_store(largest: usize) {
    let wire = naive::binary(vec![0; largest]).bytes();
    let mut conns = [(); STORE].map(|()| Conn::over((&wire[..], io::sink()), Role::Client));
    for conn in &mut conns {
        conn.set_message_limit(largest);
        let received = conn.message(Timeouts::new(Duration::MAX, Duration::MAX));
        assert!(received.is_ok_and(|message| message.len() == largest), "the message lies there");
    }
}

/// A case takes no more memory than it may, and gives it back.
pub(crate) fn check(peak: usize, most: usize, kept: usize) -> Result<(), String> {
    if peak > most {
        return Err(format!("it held {peak} bytes at one time, and {most} are the most"));
    }
    if kept > SLACK {
        return Err(format!("{kept} bytes are still held when it is over"));
    }
    Ok(())
}

/// What the program itself may come to hold from one case to the next.
const SLACK: usize = 16 * 1024;
const MOMENTS: usize = 2000;
/// How many buffers of messages the process keeps.
const STORE: usize = 8;
