//! What is asked of the transport. Each call of it may panic, and may wake whom it knows.

use super::{ALL, CALLED, Out};
use crate::driver::deferred::Inside;
use crate::driver::hub::{OTHERS, WRITER};
use crate::driver::pool::Chunk;
use crate::extension::Encode;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll, Waker, ready};
use std::io::{self, IoSlice};
use tokio::io::AsyncWrite;

/// The sending direction while the transport is called. Dropped, which a panic of the transport does, it is the end of the
/// direction: what was to follow may be half out.
struct Unwinding<'o, W: AsyncWrite + Unpin, E: Encode>(&'o mut Out<W, E>);

impl<W: AsyncWrite + Unpin, E: Encode> Drop for Unwinding<'_, W, E> {
    fn drop(&mut self) {
        self.0.breaks();
    }
}

impl<W: AsyncWrite + Unpin, E: Encode> Out<W, E> {
    /// Writes the queue, and `then` behind it.
    #[inline]
    pub(in crate::tokio) fn poll_write(&mut self, waker: &Waker, then: &mut &[u8]) -> Poll<io::Result<()>> {
        self.call(|out| out.poll_write_inside(waker, then))
    }

    /// Writes the queue, and makes the transport hand on what it holds back.
    #[inline]
    pub(in crate::tokio) fn poll_flush(&mut self, waker: &Waker) -> Poll<io::Result<()>> {
        self.poll_flush_up_to(self.mark(), waker)
    }

    /// As [`poll_flush`](Self::poll_flush), up to a place: what was queued behind it may stay. What has left has left,
    /// whatever became of the transport since.
    pub(in crate::tokio) fn poll_flush_to(&mut self, mark: u64, waker: &Waker) -> Poll<io::Result<()>> {
        if self.has_left(mark) { Poll::Ready(Ok(())) } else { self.poll_flush_up_to(mark, waker) }
    }

    fn poll_flush_up_to(&mut self, mark: u64, waker: &Waker) -> Poll<io::Result<()>> {
        self.call(|out| out.poll_flush_inside(mark, waker))
    }

    /// Closes this direction of the transport.
    pub(in crate::tokio) fn poll_shutdown(&mut self, waker: &Waker) -> Poll<()> {
        self.wakes |= CALLED;
        self.call(|out| match &mut out.write {
            // Fails if the peer has hung up already, which is as good.
            Some(write) => Pin::new(write).poll_shutdown(&mut Context::from_waker(waker)).map(drop),
            None => Poll::Ready(()),
        })
    }

    /// Calls the transport.
    #[inline]
    fn call<T>(&mut self, act: impl FnOnce(&mut Self) -> Poll<T>) -> Poll<T> {
        let inside = Inside::enter();
        let guarded = Unwinding(self);
        let result = act(guarded.0);
        if result.is_pending() {
            guarded.0.wakes |= CALLED;
        }
        mem::forget(guarded);
        drop(inside);
        result
    }

    fn poll_write_inside(&mut self, waker: &Waker, then: &mut &[u8]) -> Poll<io::Result<()>> {
        let result = self.poll_write_some(waker, then);
        self.blocked = result.is_pending();
        if matches!(result, Poll::Ready(Err(_))) {
            self.breaks();
        }
        result
    }

    fn poll_flush_inside(&mut self, mark: u64, waker: &Waker) -> Poll<io::Result<()>> {
        let wrote = self.poll_write_inside(waker, &mut &[][..])?;
        if self.has_left(mark) {
            return Poll::Ready(Ok(()));
        }
        if self.written < mark {
            return Poll::Pending;
        }
        let Some(write) = &mut self.write else { return Poll::Pending };
        // TLS keeps ciphertext back until it is asked for.
        let mut tries = TRIES;
        let result = loop {
            match Pin::new(&mut *write).poll_flush(&mut Context::from_waker(waker)) {
                Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {
                    if !try_again(&mut tries, waker) {
                        break Poll::Pending;
                    }
                }
                result => break result,
            }
        };
        self.blocked = result.is_pending() || wrote.is_pending();
        match ready!(result) {
            Ok(()) => {
                self.flushed = self.written;
                self.wakes |= OTHERS | WRITER;
                Poll::Ready(Ok(()))
            }
            Err(error) => {
                self.breaks();
                Poll::Ready(Err(error))
            }
        }
    }

    fn poll_write_some(&mut self, waker: &Waker, then: &mut &[u8]) -> Poll<io::Result<()>> {
        let mut cx = Context::from_waker(waker);
        let mut tries = TRIES;
        loop {
            // What was queued may have been dropped with the transport: then it is not written.
            let (Some(write), false) = (&mut self.write, self.broken) else {
                return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
            };
            let queued = self.queue.as_deref().map_or(&[][..], Chunk::unread);
            if queued.is_empty() && then.is_empty() {
                self.empty_queue();
                return Poll::Ready(Ok(()));
            }
            let write = Pin::new(write);
            let wrote = if then.is_empty() {
                ready!(write.poll_write(&mut cx, queued))
            } else if queued.is_empty() {
                ready!(write.poll_write(&mut cx, then))
            } else if write.is_write_vectored() {
                ready!(write.poll_write_vectored(&mut cx, &[IoSlice::new(queued), IoSlice::new(then)]))
            } else {
                ready!(write.poll_write(&mut cx, queued))
            };
            let wrote = match wrote {
                Ok(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Ok(wrote) => wrote,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                    if try_again(&mut tries, waker) {
                        continue;
                    }
                    return Poll::Pending;
                }
                Err(error) => return Poll::Ready(Err(error)),
            };
            self.written = self.written.wrapping_add(wrote as u64);
            self.wakes |= OTHERS | WRITER;
            if then.is_empty() && wrote >= queued.len() {
                self.empty_queue();
                return Poll::Ready(Ok(()));
            }
            let of_queue = wrote.min(queued.len());
            if let Some(queue) = &mut self.queue {
                queue.skip(of_queue);
            }
            *then = then.get(wrote.saturating_sub(of_queue)..).unwrap_or_default();
        }
    }

    /// The transport failed.
    #[cold]
    fn breaks(&mut self) {
        self.broken = true;
        // A frame that broke off is nobody's any more.
        self.torn = false;
        self.wakes |= ALL;
        self.queue.take().into_iter().for_each(Chunk::give);
    }

    /// All of the queue is written. A buffer that was made for the frame that is half out stays for the rest of it.
    fn empty_queue(&mut self) {
        let queue = self.queue.take().and_then(Chunk::give_common);
        self.queue = queue.filter(|_| self.torn);
    }
}

/// Whether to repeat a call that was interrupted at once. A transport that has nothing else to say is asked again later.
#[cold]
fn try_again(tries: &mut u32, waker: &Waker) -> bool {
    *tries = tries.saturating_sub(1);
    if *tries == 0 {
        waker.wake_by_ref();
    }
    *tries > 0
}

/// How often a call of the transport is made in one poll if it is interrupted each time.
const TRIES: u32 = 16;
