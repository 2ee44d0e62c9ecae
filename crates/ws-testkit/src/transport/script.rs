//! What a transport is told to do.

use core::time::Duration;
use std::io::ErrorKind;

use crate::clock::Clock;

/// What the next read meets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// These bytes have come. A read takes as many as it has room for, the next read the rest.
    Bytes(Vec<u8>),
    /// The read blocks for this long, then meets the next step. If the caller's patience is shorter, that much passes, the
    /// read ends with `TimedOut`, and the next one waits for what is left.
    Wait(Duration),
    /// The read is interrupted by a signal.
    Interrupted,
    /// Nothing is there, and the read does not wait. No time passes.
    WouldBlock,
    /// The caller's patience passes, and the read ends with `TimedOut`, whatever comes next.
    TimedOut,
    /// The peer has finished sending: this read and every later one returns 0.
    Eof,
    /// The read fails once; the next read meets the next step.
    Error(ErrorKind),
}

/// How an operation fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// It fails with this kind of error and does nothing else; the next operation works.
    Error(ErrorKind),
    /// A read or write handles one byte only. A flush and a shutdown have nothing to shorten and work as ever.
    Short,
    /// The caller's patience passes, then it fails with `TimedOut`; the next operation works.
    TimedOut,
    /// It is interrupted by a signal; the next operation works.
    Interrupted,
    /// It fails with `ConnectionReset`, and so does every read, write and flush after it.
    Reset,
}

/// Which operation fails, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FailAt {
    /// The number of the operation, from 0. Every read, write, flush and shutdown of either half counts.
    pub op: usize,
    /// What happens to it.
    pub how: Fault,
}

/// What a transport is to do. Without further calls: reads give what there is room for, writes take everything.
#[derive(Clone, Debug)]
pub struct Script {
    pub(super) steps: Vec<Step>,
    pub(super) read_limit: usize,
    pub(super) write_limit: usize,
    pub(super) write_takes: Duration,
    pub(super) room: usize,
    pub(super) fail_at: Option<FailAt>,
    pub(super) clock: Clock,
}

impl Script {
    /// A transport whose reads meet these steps, one after the other. After the last one, unless that is
    /// [`Step::Eof`], the peer is silent for ever: patience runs out, and a read without patience fails, see
    /// [`Transport::ran_dry`](super::Transport::ran_dry).
    #[must_use]
    pub fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        Self {
            steps: steps.into_iter().collect(),
            read_limit: usize::MAX,
            write_limit: usize::MAX,
            write_takes: Duration::ZERO,
            room: usize::MAX,
            fail_at: None,
            clock: Clock::new(),
        }
    }

    /// A peer that sends these pieces, each for a read of its own, and then ends the stream.
    #[must_use]
    pub fn of_pieces(pieces: &[&[u8]]) -> Self {
        let bytes = pieces.iter().filter(|piece| !piece.is_empty()).map(|piece| Step::Bytes(piece.to_vec()));
        Self::new(bytes.chain([Step::Eof]))
    }

    /// No read gives more than this many bytes; 0 counts as 1.
    #[must_use]
    pub fn read_limit(mut self, bytes: usize) -> Self {
        self.read_limit = bytes.max(1);
        self
    }

    /// No write takes more than this many bytes; 0 counts as 1.
    #[must_use]
    pub fn write_limit(mut self, bytes: usize) -> Self {
        self.write_limit = bytes.max(1);
        self
    }

    /// Every write blocks for this long before it takes anything, as with a peer that drains slowly.
    #[must_use]
    pub fn write_takes(mut self, time: Duration) -> Self {
        self.write_takes = time;
        self
    }

    /// After this many bytes in all the peer reads no more: writes block for ever. See
    /// [`Transport::make_room`](super::Transport::make_room).
    #[must_use]
    pub fn room(mut self, bytes: usize) -> Self {
        self.room = bytes;
        self
    }

    /// One operation fails.
    #[must_use]
    pub fn fail_at(mut self, fail_at: impl Into<Option<FailAt>>) -> Self {
        self.fail_at = fail_at.into();
        self
    }

    /// Time passes on this clock instead of one of the script's own.
    #[must_use]
    pub fn clock(mut self, clock: &Clock) -> Self {
        self.clock = clock.clone();
        self
    }
}
