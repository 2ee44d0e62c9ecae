#![expect(clippy::disallowed_methods, reason = "a transport of the driver is where time passes")]

use alloc::sync::Arc;
use core::time::Duration;
use std::io::{self, IoSlice, Read, Write};
use std::time::Instant;

/// The receiving half of a transport.
pub trait Input {
    /// Whether reads return when their patience is at its end. Without that no deadline can be kept.
    const TIMED: bool = true;

    /// Whether [`read_or_room`](Self::read_or_room) returns when the sending half has room. Without that the driver
    /// keeps such waits short: 1 to 50 milliseconds each.
    const SEES_ROOM: bool = false;

    /// Reads what is there, at least one byte, and waits for it at most as long as `patience`. No bytes mean that the
    /// peer has closed its direction.
    ///
    /// # Errors
    ///
    /// [`TimedOut`](io::ErrorKind::TimedOut) or [`WouldBlock`](io::ErrorKind::WouldBlock) if nothing came in time;
    /// [`Interrupted`](io::ErrorKind::Interrupted) is tried again until the call's deadline, without deadlines a
    /// million times; everything else ends the connection.
    fn read(&mut self, into: &mut [u8], patience: Duration) -> io::Result<usize>;

    /// As [`read`](Self::read), for a connection that waits for room to write as well: it may also return when the
    /// sending half of the transport has some.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read): [`WouldBlock`](io::ErrorKind::WouldBlock) if there is room, and nothing to read.
    fn read_or_room(&mut self, into: &mut [u8], patience: Duration) -> io::Result<usize> {
        self.read(into, patience)
    }

    /// What time it is.
    fn now(&self) -> Instant {
        Instant::now()
    }
}

/// The sending half of a transport.
pub trait Output {
    /// Whether writes return when their patience is at its end. Without that no deadline can be kept.
    const TIMED: bool = true;

    /// Writes a first part of the buffers, one after the other, and waits at most as long as `patience` for room. With
    /// a patience of zero it writes what goes at once, and does not wait.
    ///
    /// # Errors
    ///
    /// As [`Input::read`].
    fn write(&mut self, bufs: &[IoSlice<'_>], patience: Duration) -> io::Result<usize>;

    /// Hands on what the transport holds back, if it does, and waits no longer than [`write`](Self::write).
    ///
    /// # Errors
    ///
    /// As [`Input::read`].
    fn flush(&mut self, patience: Duration) -> io::Result<()> {
        let _ = patience;
        Ok(())
    }

    /// Closes this direction: the peer reads the end of the stream behind what was written.
    ///
    /// # Errors
    ///
    /// The transport's, which are of no consequence.
    fn half_close(&mut self) -> io::Result<()>;

    /// A handle that closes both directions from any thread, even while a read or a write waits. The connection drops
    /// it when it is dropped or aborted itself, whatever senders are left. Transports without one are closed by being
    /// dropped.
    fn hang_up(&self) -> Option<Arc<dyn HangUp>> {
        None
    }

    /// What time it is.
    fn now(&self) -> Instant {
        Instant::now()
    }
}

/// Closes a transport from another thread.
pub trait HangUp: Send + Sync {
    /// Closes both directions at once. What waits in a read or a write returns.
    fn hang_up(&self);
}

/// A transport that can be split into its two halves.
pub trait Transport {
    /// The receiving half.
    type Read: Input;
    /// The sending half.
    type Write: Output;

    /// Splits it.
    fn split(self) -> (Self::Read, Self::Write);
}

/// A plain `Read` or `Write`, without deadlines: its calls take as long as they take.
///
/// Nothing can be waited for beside such a call, so that what is queued is written before the connection reads. Two
/// peers that both do so, with more in their queues than the transport holds, wait for each other.
#[derive(Debug)]
pub struct Untimed<T>(pub T);

impl<R: Read> Input for Untimed<R> {
    const TIMED: bool = false;

    fn read(&mut self, into: &mut [u8], _: Duration) -> io::Result<usize> {
        self.0.read(into)
    }
}

impl<W: Write> Output for Untimed<W> {
    const TIMED: bool = false;

    fn write(&mut self, bufs: &[IoSlice<'_>], _: Duration) -> io::Result<usize> {
        match bufs {
            [buf] => self.0.write(buf),
            _ => self.0.write_vectored(bufs),
        }
    }

    fn flush(&mut self, _: Duration) -> io::Result<()> {
        self.0.flush()
    }

    fn half_close(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// A pair of `Read` and `Write`, without deadlines.
impl<R: Read, W: Write> Transport for (R, W) {
    type Read = Untimed<R>;
    type Write = Untimed<W>;

    fn split(self) -> (Self::Read, Self::Write) {
        (Untimed(self.0), Untimed(self.1))
    }
}

/// Calls again what was interrupted, where no deadline decides how often: so many times at most.
#[inline]
pub(super) fn insist<T>(timed: bool, mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    let mut result = call();
    if !timed {
        for _ in 1..MOST_CALLS {
            match &result {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => result = call(),
                _ => break,
            }
        }
    }
    result
}

/// Days of a signal each second, and about a second of a transport that does nothing else.
const MOST_CALLS: u32 = 1_000_000;
