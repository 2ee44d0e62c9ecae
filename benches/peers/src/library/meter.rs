//! Counts messages, and takes the time.

use core::hint::black_box;
use rustix::time::{ClockId, Timespec, clock_gettime};

/// How many messages are to come, and how long the later ones took.
#[derive(Debug)]
pub(super) struct Meter {
    left: usize,
    /// With so many left, the warming up is over.
    timed: usize,
    /// After how many messages to flush: a power of two.
    batch: usize,
    started: Option<Timespec>,
    nanos: Option<f64>,
    expected: Expected,
}

/// What a message has to be.
#[derive(Debug)]
pub(super) enum Expected {
    /// So long.
    Len(usize),
    /// So, and text or not.
    Exactly(Vec<u8>, bool),
}

impl Meter {
    /// For so many messages, of which those after the first few are timed.
    pub(super) fn new(count: usize, batch: usize, expected: Expected) -> Self {
        let warm_up = (count / 8).max(1).next_multiple_of(batch).min(count - 1);
        Self { left: count, timed: count - warm_up, batch, started: None, nanos: None, expected }
    }

    /// Whether there is another message.
    #[inline]
    pub(super) fn more(&mut self) -> bool {
        if self.left == self.timed {
            self.started = Some(cpu_time());
        }
        if self.left == 0 {
            self.stop();
            return false;
        }
        self.left -= 1;
        true
    }

    /// Takes the message that has been received.
    ///
    /// # Errors
    ///
    /// When it is not what was sent.
    #[inline]
    pub(super) fn note(&self, is_text: bool, payload: &[u8]) -> crate::Result<()> {
        let same = match &self.expected {
            Expected::Len(len) => black_box(payload).len() == *len,
            Expected::Exactly(bytes, text) => payload == bytes && is_text == *text,
        };
        if same { Ok(()) } else { Err("a message is not what was sent".into()) }
    }

    /// Whether to flush now: after the last message in any case, as their number is a multiple of the batch.
    #[inline]
    pub(super) fn due(&self) -> bool {
        self.left & (self.batch - 1) == 0
    }

    /// Whether each message is flushed.
    pub(super) fn each(&self) -> bool {
        self.batch == 1
    }

    /// How long a message took, in nanoseconds, if all were there.
    pub(super) fn nanos(&self) -> Option<f64> {
        self.nanos
    }

    #[cold]
    fn stop(&mut self) {
        let ended = cpu_time();
        self.nanos = self.started.map(|started| {
            let seconds = (ended.tv_sec - started.tv_sec) as f64;
            (seconds * 1e9 + (ended.tv_nsec - started.tv_nsec) as f64) / self.timed as f64
        });
    }
}

/// How long this thread has been on a core: other work on the machine counts little.
fn cpu_time() -> Timespec {
    clock_gettime(ClockId::ThreadCPUTime)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_counted_and_flushed_in_batches() {
        let mut meter = Meter::new(48, 16, Expected::Len(3));
        let (mut messages, mut flushes) = (0, 0);
        while meter.more() {
            assert!(meter.note(false, b"abc").is_ok());
            messages += 1;
            flushes += usize::from(meter.due());
        }
        assert_eq!((messages, flushes), (48, 3));
        assert!(meter.nanos().is_some_and(|nanos| nanos >= 0.0));
    }

    #[test]
    fn a_wrong_message_is_noticed() {
        assert!(Meter::new(1, 1, Expected::Len(3)).note(false, b"ab").is_err());
        let exactly = Meter::new(1, 1, Expected::Exactly(b"ab".into(), true));
        assert!(exactly.note(true, b"ab").is_ok());
        assert!(exactly.note(false, b"ab").is_err());
        assert!(exactly.note(true, b"aB").is_err());
    }
}
