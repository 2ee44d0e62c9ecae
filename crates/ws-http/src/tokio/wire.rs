//! Both halves of a transport, and the deadline over them.

use core::future::poll_fn;
use core::mem::MaybeUninit;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::io;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::task::consume_budget;
use tokio::time::{Instant, timeout_at};
use ws_conn::tokio::Transport;

use crate::driver::error::Error;
use crate::driver::incoming::{Head, Incoming};
use crate::driver::interruptions::Interruptions;
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
        deadline.bound(self.read_until(|bytes| incoming.push(bytes))).await
    }

    /// Writes all of it and hands it on.
    pub(super) async fn write_all(&mut self, bytes: &[u8], deadline: Deadline) -> Result<(), Error> {
        deadline.bound(self.write_and_flush(bytes)).await
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
        self.read_until(|bytes| {
            drained = drained.saturating_add(bytes.len());
            Ok((bytes.is_empty() || drained >= DRAINED).then_some(()))
        })
        .await
    }

    /// Reads until `take` has what it wants. At the end of the stream `take` is given no bytes.
    ///
    /// A transport that is always ready takes part in the runtime's budget: the task yields now and then.
    async fn read_until<T>(&mut self, mut take: impl FnMut(&[u8]) -> Result<Option<T>, Error>) -> Result<T, Error> {
        let mut interruptions = Interruptions::default();
        loop {
            match poll_fn(|cx| self.poll_read(cx, &mut take)).await {
                Ok(taken) => {
                    if let Some(taken) = taken? {
                        return Ok(taken);
                    }
                }
                Err(error) => retry(&mut interruptions, error)?,
            }
            consume_budget().await;
        }
    }

    /// Gives `take` what one read brings, through a buffer that lives no longer than the poll.
    fn poll_read<T>(&mut self, cx: &mut Context<'_>, take: impl FnOnce(&[u8]) -> T) -> Poll<io::Result<T>> {
        let mut room = [const { MaybeUninit::uninit() }; CHUNK];
        let mut chunk = ReadBuf::uninit(&mut room);
        Pin::new(&mut self.read).poll_read(cx, &mut chunk).map_ok(|()| take(chunk.filled()))
    }

    /// Writes all of it and hands it on. Yields as [`read_until`](Self::read_until) does.
    async fn write_and_flush(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let (mut rest, mut interruptions) = (bytes, Interruptions::default());
        loop {
            let done = if rest.is_empty() {
                poll_fn(|cx| Pin::new(&mut self.write).poll_flush(cx)).await.map(|()| None)
            } else {
                poll_fn(|cx| Pin::new(&mut self.write).poll_write(cx, rest)).await.map(Some)
            };
            match done {
                Ok(None) => return Ok(()),
                Ok(Some(0)) => return Err(Error::Io(io::ErrorKind::WriteZero.into())),
                Ok(Some(len)) => rest = rest.get(len..).unwrap_or_default(),
                Err(error) => retry(&mut interruptions, error)?,
            }
            consume_budget().await;
        }
    }
}

/// Whether to try again: after an interruption. Their number is limited for the sake of a task that runs without a budget:
/// it never yields here, and no deadline ends it.
fn retry(interruptions: &mut Interruptions, error: io::Error) -> Result<(), Error> {
    if error.kind() == io::ErrorKind::Interrupted { interruptions.count(error) } else { Err(error.into()) }
}

/// Longer than any handshake is waited for, and short enough for every clock.
const FOR_EVER: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);
