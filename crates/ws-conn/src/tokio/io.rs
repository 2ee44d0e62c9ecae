use crate::driver::hub::Hub;
use crate::driver::sync::Mutex;
use alloc::sync::Arc;
use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::io::{self, IoSlice};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, tcp};
#[cfg(unix)]
use tokio::net::{UnixStream, unix};

/// A transport that can be split into its two halves.
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
    type Write = tcp::OwnedWriteHalf;

    fn split(self) -> (Self::Read, Self::Write) {
        // Frames are written when they are to be sent, in one piece: to hold back a small one for the sake of the next
        // helps nobody. Should it fail, the connection works all the same.
        let _ = self.set_nodelay(true);
        self.into_split()
    }
}

#[cfg(unix)]
impl Transport for UnixStream {
    type Read = unix::OwnedReadHalf;
    type Write = unix::OwnedWriteHalf;

    fn split(self) -> (Self::Read, Self::Write) {
        self.into_split()
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
    /// `None` once the sending half is dropped.
    stream: Mutex<Option<S>>,
    hub: Arc<Hub>,
    waker: Waker,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Transport for Whole<S> {
    type Read = WholeRead<S>;
    type Write = WholeWrite<S>;

    fn split(self) -> (Self::Read, Self::Write) {
        let hub = Hub::new();
        let waker = Waker::from(Arc::clone(&hub));
        let both = Arc::new(Both { stream: Mutex::new(Some(self.0)), hub, waker });
        (WholeRead(Arc::clone(&both)), WholeWrite(both))
    }
}

impl<S> Both<S> {
    fn poll<T>(&self, poll: impl FnOnce(Pin<&mut S>, &mut Context<'_>) -> Poll<io::Result<T>>) -> Poll<io::Result<T>>
    where
        S: Unpin,
    {
        match &mut *self.stream.lock() {
            Some(stream) => poll(Pin::new(stream), &mut Context::from_waker(&self.waker)),
            None => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }
}

impl<S> Drop for WholeWrite<S> {
    fn drop(&mut self) {
        let stream = self.0.stream.lock().take();
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
        self.0.stream.lock().as_ref().is_some_and(AsyncWrite::is_write_vectored)
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
