//! TCP and Unix sockets as transports, with deadlines.

use super::io::{HangUp, Input, Output, Transport};
use alloc::sync::Arc;
use core::time::Duration;
#[cfg(not(unix))]
use std::io::Write;
use std::io::{self, IoSlice, Read};
use std::net::{Shutdown, TcpStream};
#[cfg(unix)]
use std::os::unix::net::UnixStream;

/// One half of a socket. Both share one descriptor.
///
/// The two halves wait side by side, each with its own time-out, so that the socket itself is in blocking mode:
/// [`split`](Transport::split) sees to that. The read time-out and the mode are the driver's.
#[derive(Debug)]
pub struct Socket<S> {
    stream: Arc<S>,
    /// The time-out that is installed for this direction.
    armed: Option<Duration>,
}

impl<S> Socket<S> {
    /// The socket itself, for its addresses and options.
    pub fn get_ref(&self) -> &S {
        &self.stream
    }

    fn halves(stream: S) -> (Self, Self) {
        let stream = Arc::new(stream);
        (Self { stream: Arc::clone(&stream), armed: None }, Self { stream, armed: None })
    }

    /// Installs the time-out, unless one is installed that is as good: no longer, and hardly shorter. The driver tries
    /// again after one that was too short.
    fn arm(&mut self, patience: Duration, install: impl FnOnce(&S, Duration) -> io::Result<()>) -> io::Result<()> {
        // Zero means no time-out to the operating system, and so does what it cannot express.
        let patience = patience.clamp(SHORTEST, Duration::from_secs(1 << 30));
        #[expect(clippy::arithmetic_side_effects, reason = "a Duration by a number that is not zero")]
        let tolerance = patience / 8;
        if self.armed.is_none_or(|armed| armed > patience || armed < patience.saturating_sub(tolerance)) {
            install(&self.stream, patience)?;
            self.armed = Some(patience);
        }
        Ok(())
    }
}

macro_rules! socket {
    ($stream:ty, $prepare:expr) => {
        impl Input for Socket<$stream> {
            const SEES_ROOM: bool = cfg!(unix);

            fn read(&mut self, into: &mut [u8], patience: Duration) -> io::Result<usize> {
                self.arm(patience, |stream, patience| stream.set_read_timeout(Some(patience)))?;
                (&*self.stream).read(into)
            }

            #[cfg(unix)]
            fn read_or_room(&mut self, into: &mut [u8], patience: Duration) -> io::Result<usize> {
                unix::read_or_room(&*self.stream, into, patience)
            }
        }

        impl Output for Socket<$stream> {
            #[cfg(unix)]
            fn write(&mut self, bufs: &[IoSlice<'_>], patience: Duration) -> io::Result<usize> {
                unix::write(&*self.stream, bufs, patience)
            }

            #[cfg(not(unix))]
            fn write(&mut self, bufs: &[IoSlice<'_>], patience: Duration) -> io::Result<usize> {
                self.arm(patience, |stream, patience| stream.set_write_timeout(Some(patience)))?;
                let mut stream = &*self.stream;
                if bufs.iter().map(|buf| buf.len()).sum::<usize>() <= MOST {
                    return stream.write_vectored(bufs);
                }
                // Not all of a long buffer, or the time-out would have begun before the last of it could be written.
                let first = bufs.iter().find(|buf| !buf.is_empty()).map_or(&[][..], |buf| buf);
                stream.write(first.get(..MOST).unwrap_or(first))
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
                // On some systems an accepted socket inherits the mode of its listener.
                let _ = self.set_nonblocking(false);
                ($prepare)(&self);
                Socket::halves(self)
            }
        }
    };
}

// Frames are written when they are to be sent, in one piece: to hold back a small one for the sake of the next helps
// nobody. Should it fail, the connection works all the same.
socket!(TcpStream, |stream: &TcpStream| drop(stream.set_nodelay(true)));
#[cfg(unix)]
socket!(UnixStream, |_: &UnixStream| ());

/// The time-out of a socket that takes the place of none at all.
const SHORTEST: Duration = Duration::from_millis(1);

/// How much is written by one call of a system that is to wait in it.
#[cfg(not(unix))]
const MOST: usize = 64 * 1024;

/// Calls that never wait, and waits for what they need. So the time of a write is the driver's, to the resolution of the
/// system's timers: a time-out that is installed in the socket (`SO_SNDTIMEO`) begins anew for each buffer that the peer
/// takes of a Unix socket.
#[cfg(unix)]
mod unix {
    use crate::driver::gather::NO_SIGNAL;
    use core::time::Duration;
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::io::Errno;
    use rustix::net::{RecvFlags, SendAncillaryBuffer, SendFlags, recv, send, sendmsg};
    use std::io::{self, IoSlice};
    use std::os::fd::AsFd;

    pub(super) fn write(socket: impl AsFd, bufs: &[IoSlice<'_>], patience: Duration) -> io::Result<usize> {
        let socket = socket.as_fd();
        let put = || match bufs {
            [buf] => send(socket, buf, FLAGS),
            _ => sendmsg(socket, bufs, &mut SendAncillaryBuffer::default(), FLAGS),
        };
        match put() {
            Err(Errno::AGAIN) if !patience.is_zero() => {
                wait(socket, PollFlags::OUT, patience)?;
                Ok(put()?)
            }
            result => Ok(result?),
        }
    }

    /// Waits for either direction, and reads if there is something.
    pub(super) fn read_or_room(socket: impl AsFd, into: &mut [u8], patience: Duration) -> io::Result<usize> {
        let socket = socket.as_fd();
        wait(socket, PollFlags::IN | PollFlags::OUT, patience)?;
        let (read, _) = recv(socket, into, RecvFlags::DONTWAIT)?;
        Ok(read)
    }

    /// Waits until the socket is ready, or has failed, which the next call tells.
    fn wait(socket: impl AsFd, ready: PollFlags, patience: Duration) -> io::Result<()> {
        // What the system cannot express is as good as no time-out.
        let timeout = Timespec::try_from(patience.min(LONGEST)).ok();
        match poll(&mut [PollFd::new(&socket, ready)], timeout.as_ref())? {
            0 => Err(io::ErrorKind::TimedOut.into()),
            _ => Ok(()),
        }
    }

    const FLAGS: SendFlags = SendFlags::DONTWAIT.union(NO_SIGNAL);

    /// Some systems count milliseconds, in 31 bits.
    const LONGEST: Duration = Duration::from_secs(1 << 20);
}
