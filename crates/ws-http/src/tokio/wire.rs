//! Both halves of a transport, and the deadline over them.

use core::future::poll_fn;
use core::mem::MaybeUninit;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::io;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, timeout_at};
use ws_conn::tokio::Transport;

use crate::driver::error::Error;
use crate::driver::incoming::{Head, Incoming};
use crate::driver::{CHUNK, DRAINED, LINGER};

/// The two halves of a transport before they are a connection.
pub(super) struct Wire<R, W> {
    pub(super) read: R,
    pub(super) write: W,
}

/// The end of a wait. The timer behind it is armed when something has to be waited for.
#[derive(Clone, Copy)]
pub(super) struct Deadline(Instant);

impl Deadline {
    pub(super) fn after(time: Duration) -> Self {
        let now = Instant::now();
        Self(now.checked_add(time.min(FOR_EVER)).unwrap_or(now))
    }

    /// Returns how long there is until the deadline.
    pub(super) fn left(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// Drops what is not done by then.
    pub(super) async fn bound<T>(self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        timeout_at(self.0, work).await.unwrap_or(Err(Error::Timeout))
    }
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin> Wire<R, W> {
    pub(super) fn new(stream: impl Transport<Read = R, Write = W>) -> Self {
        let (read, write) = stream.split();
        Self { read, write }
    }

    /// Reads a head, and what comes right behind it.
    pub(super) async fn read_head<H: Head>(
        &mut self,
        mut incoming: Incoming<H>,
        deadline: Deadline,
    ) -> Result<(H, Vec<u8>), Error> {
        deadline.bound(poll_fn(|cx| self.poll_read(cx, |bytes| incoming.push(bytes)))).await
    }

    /// Writes all of it and hands it on.
    pub(super) async fn write_all(&mut self, bytes: &[u8], deadline: Deadline) -> Result<(), Error> {
        let mut rest = bytes;
        deadline.bound(poll_fn(|cx| self.poll_write_all(cx, &mut rest))).await
    }

    /// Writes a last answer, closes this direction, and reads on for a while.
    ///
    /// A transport that is closed while input waits unread resets the connection, which may destroy the answer on its
    /// way to the peer (RFC 9112, section 9.6).
    pub(super) async fn write_last(mut self, answer: &[u8], patience: Duration) -> Result<(), Error> {
        let deadline = Deadline::after(patience.max(LINGER));
        self.write_all(answer, deadline).await?;
        let linger = Deadline::after(deadline.left().min(LINGER));
        // The answer is out: what becomes of the rest concerns nobody.
        let _ = linger.bound(self.half_close_and_drain()).await;
        Ok(())
    }

    /// Reads until the peer closes too, or has sent more than anybody needs to.
    async fn half_close_and_drain(&mut self) -> Result<(), Error> {
        poll_fn(|cx| Pin::new(&mut self.write).poll_shutdown(cx)).await?;
        let mut drained = 0usize;
        let mut take = |bytes: &[u8]| {
            drained = drained.saturating_add(bytes.len());
            Ok((bytes.is_empty() || drained >= DRAINED).then_some(()))
        };
        poll_fn(|cx| self.poll_read(cx, &mut take)).await
    }

    /// Reads until `take` has what it wants, through a buffer that lives no longer than one poll. At the end of the
    /// stream `take` is given no bytes.
    fn poll_read<T>(
        &mut self,
        cx: &mut Context<'_>,
        mut take: impl FnMut(&[u8]) -> Result<Option<T>, Error>,
    ) -> Poll<Result<T, Error>> {
        let mut room = [const { MaybeUninit::uninit() }; CHUNK];
        loop {
            let mut chunk = ReadBuf::uninit(&mut room);
            match Pin::new(&mut self.read).poll_read(cx, &mut chunk) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(())) => {
                    if let Some(taken) = take(chunk.filled()).transpose() {
                        return Poll::Ready(taken);
                    }
                }
                Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error.into())),
            }
        }
    }

    fn poll_write_all(&mut self, cx: &mut Context<'_>, rest: &mut &[u8]) -> Poll<Result<(), Error>> {
        loop {
            let done = if rest.is_empty() {
                Pin::new(&mut self.write).poll_flush(cx).map_ok(|()| None)
            } else {
                Pin::new(&mut self.write).poll_write(cx, rest).map_ok(Some)
            };
            match done {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(None)) => return Poll::Ready(Ok(())),
                Poll::Ready(Ok(Some(0))) => return Poll::Ready(Err(Error::Io(io::ErrorKind::WriteZero.into()))),
                Poll::Ready(Ok(Some(len))) => *rest = rest.get(len..).unwrap_or_default(),
                Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error.into())),
            }
        }
    }
}

/// Longer than any handshake is waited for, and short enough for every clock.
const FOR_EVER: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);
