use super::conn::Conn;
use super::share::Share;
use crate::driver::error::Error;
use crate::driver::pool::Chunk;
use crate::extension::{Decode, Encode};
use crate::shared::Ending as Order;
use alloc::boxed::Box;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;
use std::io;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// The end of a connection, and what is to be reported when it is through. It belongs to the connection, so that a call
/// that is dropped meanwhile leaves it to the next.
#[derive(Debug)]
pub(super) struct Ending {
    error: Error,
    stage: Stage,
    timer: Pin<Box<Sleep>>,
    budget: usize,
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    Flush,
    Shutdown,
    Drain,
}

impl Ending {
    pub(super) fn new(error: Error, patience: Duration) -> Self {
        Self { error, stage: Stage::Flush, timer: Box::pin(sleep(patience)), budget: DRAIN_BYTES }
    }
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin, D: Decode, E: Encode> Conn<R, W, D, E> {
    /// Sends what is owed, closes this direction, and reads until the peer closes its own, but not for long. Resolves to
    /// what ended the connection.
    #[cold]
    pub(super) fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<Error> {
        self.line.hub().note_reader(cx.waker());
        if let Some(ending) = &mut self.ending
            && !self.line.is_gone()
            && ending.timer.as_mut().poll(cx).is_pending()
        {
            ready!(self.poll_end_steps(cx));
        }
        self.hang_up();
        match self.ending.take() {
            Some(ending) => Poll::Ready(ending.error),
            None => Poll::Pending,
        }
    }

    /// Lets go of the transport.
    pub(super) fn hang_up(&mut self) {
        self.ended = true;
        self.inbox.take().into_iter().for_each(Chunk::give);
        self.line.abort();
        self.read = None;
    }

    fn poll_end_steps(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let owner = self.owner();
        let Some(ending) = &mut self.ending else { return Poll::Ready(()) };
        loop {
            match ending.stage {
                Stage::Flush => {
                    let mut out = self.line.lock();
                    if out.torn {
                        out.want();
                        return Poll::Pending;
                    }
                    let replied = out.queue_replies().is_ok();
                    let flushed = out.poll_flush(self.line.waker());
                    if ready!(flushed).is_ok() && replied && out.shared.owes() {
                        // There was no room for it; there is now.
                        continue;
                    }
                    ending.stage = match out.shared.ending() {
                        Order::HalfClose => Stage::Shutdown,
                        Order::Await => Stage::Drain,
                    };
                }
                Stage::Shutdown => {
                    ready!(self.line.lock().poll_shutdown(self.line.waker()));
                    ending.stage = Stage::Drain;
                }
                Stage::Drain => {
                    // In shares, after each of which the timer is looked at.
                    ready!(self.share.poll_spend_many(Share::READ, cx));
                    let mut waste = Chunk::take(owner);
                    let mut buf = ReadBuf::new(waste.room());
                    let result = match &mut self.read {
                        Some(read) => Pin::new(read).poll_read(cx, &mut buf),
                        None => Poll::Ready(Ok(())),
                    };
                    let read = buf.filled().len();
                    waste.fill(read);
                    waste.give();
                    if result.is_pending() {
                        self.share.renew();
                    }
                    match ready!(result) {
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                        Err(_) => return Poll::Ready(()),
                        Ok(()) => ending.budget = ending.budget.saturating_sub(read),
                    }
                    if read == 0 || ending.budget == 0 {
                        return Poll::Ready(());
                    }
                }
            }
        }
    }
}

/// How much a connection that has ended reads on, at most.
const DRAIN_BYTES: usize = 64 * 1024 * 1024;
