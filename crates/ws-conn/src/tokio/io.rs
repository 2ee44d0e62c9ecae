use crate::driver::deferred;
#[cfg(unix)]
use crate::driver::gather;
use crate::driver::hub::Hub;
use crate::driver::sync::Lock;
use alloc::sync::Arc;
use core::fmt;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll, Waker, ready};
use std::io::{self, IoSlice};
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::{TcpStream, tcp};
#[cfg(unix)]
use tokio::net::{UnixStream, unix};

/// A transport that can be split into its two halves.
///
/// A large payload is written together with what goes before it, by
/// [`poll_write_vectored`](AsyncWrite::poll_write_vectored) of the sending half. On Unix that of tokio's own halves raises
/// SIGPIPE if the peer has hung up, which ends a process that does not ignore that signal: Rust's own `main` makes it
/// ignored, a program in another language may not. Give a whole socket rather than a pair of its halves: it is split into a
/// [`SocketWrite`], which raises no signal.
pub trait Transport {
    /// The receiving half.
    type Read: AsyncRead + Unpin;
    /// The sending half. Dropping it closes its direction.
    type Write: AsyncWrite + Unpin;

    /// Splits it.
    fn split(self) -> (Self::Read, Self::Write);
}

impl Transport for TcpStream {
    type Read = tcp::OwnedReadHalf;
    type Write = SocketWrite<tcp::OwnedWriteHalf>;

    fn split(self) -> (Self::Read, Self::Write) {
        // Frames are written when they are to be sent, in one piece: to hold back a small one for the sake of the next
        // helps nobody. Should it fail, the connection works all the same.
        let _ = self.set_nodelay(true);
        let (read, write) = self.into_split();
        (read, SocketWrite(write))
    }
}

#[cfg(unix)]
impl Transport for UnixStream {
    type Read = unix::OwnedReadHalf;
    type Write = SocketWrite<unix::OwnedWriteHalf>;

    fn split(self) -> (Self::Read, Self::Write) {
        let (read, write) = self.into_split();
        (read, SocketWrite(write))
    }
}

/// Two halves that are there already.
impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin> Transport for (R, W) {
    type Read = R;
    type Write = W;

    fn split(self) -> (R, W) {
        self
    }
}

/// The sending half of a TCP or Unix socket: as tokio's own half, but for SIGPIPE, which it never raises.
#[derive(Debug)]
pub struct SocketWrite<H>(H);

impl<H> SocketWrite<H> {
    /// Tokio's half, for the addresses and options of the socket.
    pub fn get_ref(&self) -> &H {
        &self.0
    }
}

macro_rules! socket_write {
    ($half:ty) => {
        impl AsyncWrite for SocketWrite<$half> {
            #[inline]
            fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
                Pin::new(&mut self.0).poll_write(cx, buf)
            }

            #[cfg(unix)]
            fn poll_write_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bufs: &[IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                let socket = self.0.as_ref();
                loop {
                    ready!(socket.poll_write_ready(cx))?;
                    match socket.try_io(Interest::WRITABLE, || gather::write(socket, bufs)) {
                        // It is not ready any more, and is waited for.
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                        result => return Poll::Ready(result),
                    }
                }
            }

            #[cfg(not(unix))]
            fn poll_write_vectored(
                mut self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bufs: &[IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                Pin::new(&mut self.0).poll_write_vectored(cx, bufs)
            }

            #[inline]
            fn is_write_vectored(&self) -> bool {
                self.0.is_write_vectored()
            }

            #[inline]
            fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                Pin::new(&mut self.0).poll_flush(cx)
            }

            fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                Pin::new(&mut self.0).poll_shutdown(cx)
            }
        }
    };
}

socket_write!(tcp::OwnedWriteHalf);
#[cfg(unix)]
socket_write!(unix::OwnedWriteHalf);

/// Any stream that cannot be split: TLS, an in-memory duplex, a stream of another library.
///
/// Both halves go through one mutex, held for one poll. Reading such a stream may write, and writing it may read; so it is
/// polled with one waker, which wakes both sides. The stream is dropped with its sending half, or with both.
#[derive(Debug)]
pub struct Whole<S>(pub S);

/// The receiving half of a [`Whole`].
pub struct WholeRead<S>(Arc<Both<S>>);

/// The sending half of a [`Whole`].
pub struct WholeWrite<S>(Arc<Both<S>>);

struct Both<S> {
    stream: Lock<Shared<S>>,
    hub: Arc<Hub>,
    waker: Waker,
}

struct Shared<S> {
    /// `None` once the sending half is dropped.
    stream: Option<S>,
    /// A call of the stream panicked: it is not called any more.
    broken: bool,
}

/// Dropped, which a panic of the stream does, it is the end of the stream.
struct Unwinding<'s, S>(&'s mut Shared<S>);

impl<S> Drop for Unwinding<'_, S> {
    fn drop(&mut self) {
        deferred::leave();
        self.0.broken = true;
    }
}

/// Dropped, which a panic of the stream does, it wakes both sides to find out.
struct Wakes<'s>(&'s Waker);

impl Drop for Wakes<'_> {
    fn drop(&mut self) {
        self.0.wake_by_ref();
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Transport for Whole<S> {
    type Read = WholeRead<S>;
    type Write = WholeWrite<S>;

    fn split(self) -> (Self::Read, Self::Write) {
        let hub = Hub::new();
        let waker = Waker::from(Arc::clone(&hub));
        let stream = Lock::new(Shared { stream: Some(self.0), broken: false });
        let both = Arc::new(Both { stream, hub, waker });
        (WholeRead(Arc::clone(&both)), WholeWrite(both))
    }
}

impl<S> Both<S> {
    fn poll<T>(&self, poll: impl FnOnce(Pin<&mut S>, &mut Context<'_>) -> Poll<io::Result<T>>) -> Poll<io::Result<T>>
    where
        S: Unpin,
    {
        let wakes = Wakes(&self.waker);
        let result = self.stream.lock().poll(&self.waker, poll);
        mem::forget(wakes);
        deferred::wake();
        result
    }
}

impl<S: Unpin> Shared<S> {
    fn poll<T>(
        &mut self,
        waker: &Waker,
        poll: impl FnOnce(Pin<&mut S>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        deferred::enter();
        let guarded = Unwinding(self);
        let result = match guarded.0 {
            Self { stream: Some(stream), broken: false } => poll(Pin::new(stream), &mut Context::from_waker(waker)),
            _ => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        };
        mem::forget(guarded);
        deferred::leave();
        result
    }
}

impl<S> Drop for WholeWrite<S> {
    fn drop(&mut self) {
        let stream = self.0.stream.lock().stream.take();
        drop(stream);
        self.0.waker.wake_by_ref();
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for WholeRead<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        // Known before the stream is asked: the other half may be polled, and woken, at the same time.
        self.0.hub.note_reader(cx.waker());
        self.0.poll(|stream, cx| stream.poll_read(cx, buf))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for WholeWrite<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.0.hub.note_writer(cx.waker());
        self.0.poll(|stream, cx| stream.poll_write(cx, buf))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.0.hub.note_writer(cx.waker());
        self.0.poll(|stream, cx| stream.poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        self.0.stream.lock().stream.as_ref().is_some_and(AsyncWrite::is_write_vectored)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.hub.note_writer(cx.waker());
        self.0.poll(|stream, cx| stream.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.hub.note_writer(cx.waker());
        self.0.poll(|stream, cx| stream.poll_shutdown(cx))
    }
}

impl<S> fmt::Debug for WholeRead<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WholeRead").finish_non_exhaustive()
    }
}

impl<S> fmt::Debug for WholeWrite<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WholeWrite").finish_non_exhaustive()
    }
}
