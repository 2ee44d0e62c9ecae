#![expect(clippy::disallowed_methods, reason = "a transport of the driver is where time passes")]

use crate::driver::gather;
use alloc::sync::Arc;
use core::time::Duration;
use std::io::{self, IoSlice, Read, Write};
use std::net::{Shutdown, TcpStream};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::time::Instant;

/// The receiving half of a transport.
pub trait Input {
    /// Whether reads return when their patience is at its end. Without that no deadline can be kept.
    const TIMED: bool = true;

    /// Reads what is there, at least one byte, and waits for it at most as long as `patience`. No bytes mean that the
    /// peer has closed its direction.
    ///
    /// # Errors
    ///
    /// [`TimedOut`](io::ErrorKind::TimedOut) or [`WouldBlock`](io::ErrorKind::WouldBlock) if nothing came in time;
    /// [`Interrupted`](io::ErrorKind::Interrupted) is tried again; everything else ends the connection.
    fn read(&mut self, into: &mut [u8], patience: Duration) -> io::Result<usize>;

    /// What time it is.
    fn now(&self) -> Instant {
        Instant::now()
    }
}

/// The sending half of a transport.
pub trait Output {
    /// Whether writes return when their patience is at its end. Without that no deadline can be kept.
    const TIMED: bool = true;

    /// Writes a first part of the buffers, one after the other, and waits at most as long as `patience` for room.
    ///
    /// # Errors
    ///
    /// As [`Input::read`].
    fn write(&mut self, bufs: &[IoSlice<'_>], patience: Duration) -> io::Result<usize>;

    /// Hands on what the transport holds back, if it does.
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

    /// A handle that closes both directions from any thread, even while a read or a write waits. Transports without one
    /// are closed by being dropped.
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

/// One half of a socket. Both share one descriptor.
#[derive(Debug)]
pub struct Socket<S> {
    stream: Arc<S>,
    armed: Option<Duration>,
}

/// A plain `Read` or `Write`, without deadlines: its calls take as long as they take.
#[derive(Debug)]
pub struct Untimed<T>(pub T);

impl<S> Socket<S> {
    /// The socket itself, for its addresses and options. Its time-outs are the driver's.
    pub fn get_ref(&self) -> &S {
        &self.stream
    }

    /// Installs the time-out, unless the one that is installed is about right.
    fn arm(&mut self, patience: Duration, install: impl FnOnce(&S, Duration) -> io::Result<()>) -> io::Result<()> {
        // Zero means no time-out to the operating system, and so does what it cannot express.
        let patience = patience.clamp(Duration::from_millis(1), Duration::from_secs(1 << 30));
        #[expect(clippy::arithmetic_side_effects, reason = "a Duration by a number that is not zero")]
        let tolerance = patience / 8;
        if self.armed.is_none_or(|armed| armed.abs_diff(patience) > tolerance) {
            install(&self.stream, patience)?;
            self.armed = Some(patience);
        }
        Ok(())
    }
}

macro_rules! socket {
    ($stream:ty, $prepare:expr) => {
        impl Input for Socket<$stream> {
            fn read(&mut self, into: &mut [u8], patience: Duration) -> io::Result<usize> {
                self.arm(patience, |stream, patience| stream.set_read_timeout(Some(patience)))?;
                (&*self.stream).read(into)
            }
        }

        impl Output for Socket<$stream> {
            fn write(&mut self, bufs: &[IoSlice<'_>], patience: Duration) -> io::Result<usize> {
                self.arm(patience, |stream, patience| stream.set_write_timeout(Some(patience)))?;
                match bufs {
                    [buf] => (&*self.stream).write(buf),
                    _ => gather::write(&*self.stream, bufs),
                }
            }

            fn half_close(&mut self) -> io::Result<()> {
                self.stream.shutdown(Shutdown::Write)
            }

            fn hang_up(&self) -> Option<Arc<dyn HangUp>> {
                Some(Arc::<$stream>::clone(&self.stream))
            }
        }

        impl HangUp for $stream {
            fn hang_up(&self) {
                // Fails if the peer has hung up already, which is as good.
                let _ = self.shutdown(Shutdown::Both);
            }
        }

        impl Transport for $stream {
            type Read = Socket<$stream>;
            type Write = Socket<$stream>;

            fn split(self) -> (Self::Read, Self::Write) {
                ($prepare)(&self);
                let stream = Arc::new(self);
                (Socket { stream: Arc::clone(&stream), armed: None }, Socket { stream, armed: None })
            }
        }
    };
}

// Frames are written when they are to be sent, in one piece: to hold back a small one for the sake of the next helps
// nobody. Should it fail, the connection works all the same.
socket!(TcpStream, |stream: &TcpStream| drop(stream.set_nodelay(true)));
#[cfg(unix)]
socket!(UnixStream, |_: &UnixStream| ());

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
