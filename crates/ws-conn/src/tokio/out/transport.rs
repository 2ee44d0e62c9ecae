//! What is asked of the transport. Each call of it may panic, and may wake whom it knows.

use super::{ALL, CALLED, Out};
use crate::driver::deferred;
use crate::driver::hub::{OTHERS, WRITER};
use crate::driver::pool::Chunk;
use crate::extension::Encode;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::io::{self, IoSlice};
use tokio::io::AsyncWrite;

/// The sending direction while the transport is called. Dropped, which a panic of the transport does, it is the end of the
/// direction: what was to follow may be half out.
struct Calling<'o, W: AsyncWrite + Unpin, E: Encode>(&'o mut Out<W, E>);

impl<'o, W: AsyncWrite + Unpin, E: Encode> Calling<'o, W, E> {
    #[inline(always)]
    fn begin(out: &'o mut Out<W, E>) -> Self {
        deferred::enter();
        Self(out)
    }

    #[inline(always)]
    fn end(self) {
        mem::forget(self);
        deferred::leave();
    }
}

impl<W: AsyncWrite + Unpin, E: Encode> Drop for Calling<'_, W, E> {
    fn drop(&mut self) {
        deferred::leave();
        self.0.breaks();
    }
}

impl<W: AsyncWrite + Unpin, E: Encode> Out<W, E> {
    /// Writes the queue, and `then` behind it.
    #[inline]
    pub(in crate::tokio) fn poll_write(&mut self, waker: &Waker, then: &mut &[u8]) -> Poll<io::Result<()>> {
        let calling = Calling::begin(self);
        let result = calling.0.poll_write_inside(waker, then);
        calling.end();
        if result.is_ready() {
            self.wakes |= OTHERS | WRITER;
        }
        result
    }

    /// Writes the queue, and makes the transport hand on what it holds back.
    #[inline(always)]
    pub(in crate::tokio) fn poll_flush(&mut self, waker: &Waker) -> Poll<io::Result<()>> {
        let calling = Calling::begin(self);
        let result = match calling.0.poll_write_inside(waker, &mut &[][..]) {
            Poll::Ready(Ok(())) => calling.0.poll_hand_on_inside(waker),
            wrote => wrote,
        };
        calling.end();
        result
    }

    /// Makes the transport hand on what it holds back: there is nothing to write.
    #[inline(never)]
    pub(in crate::tokio) fn poll_hand_on(&mut self, waker: &Waker) -> Poll<io::Result<()>> {
        let calling = Calling::begin(self);
        let result = calling.0.poll_hand_on_inside(waker);
        calling.end();
        result
    }

    /// As [`poll_flush`](Self::poll_flush), up to a place: what was queued behind it may stay. What has left has left,
    /// whatever became of the transport since.
    pub(in crate::tokio) fn poll_flush_to(&mut self, mark: u64, waker: &Waker) -> Poll<io::Result<()>> {
        if self.has_left(mark) {
            return Poll::Ready(Ok(()));
        }
        let calling = Calling::begin(self);
        let result = match calling.0.poll_write_inside(waker, &mut &[][..]) {
            Poll::Pending if calling.0.written < mark => Poll::Pending,
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            wrote => {
                let flushed = calling.0.poll_hand_on_inside(waker);
                calling.0.blocked |= wrote.is_pending();
                flushed
            }
        };
        calling.end();
        result
    }

    /// Closes this direction of the transport.
    pub(in crate::tokio) fn poll_shutdown(&mut self, waker: &Waker) -> Poll<()> {
        self.wakes |= CALLED;
        let calling = Calling::begin(self);
        let result = match &mut calling.0.write {
            // Fails if the peer has hung up already, which is as good.
            Some(write) => Pin::new(write).poll_shutdown(&mut Context::from_waker(waker)).map(drop),
            None => Poll::Ready(()),
        };
        calling.end();
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

    /// TLS keeps ciphertext back until it is asked for.
    #[inline(always)]
    fn poll_hand_on_inside(&mut self, waker: &Waker) -> Poll<io::Result<()>> {
        if self.flushed == self.written {
            return Poll::Ready(Ok(()));
        }
        let Some(write) = &mut self.write else { return Poll::Pending };
        let mut tries = TRIES;
        loop {
            match Pin::new(&mut *write).poll_flush(&mut Context::from_waker(waker)) {
                Poll::Ready(Ok(())) => {
                    self.flushed = self.written;
                    self.wakes |= OTHERS | WRITER;
                    return Poll::Ready(Ok(()));
                }
                Poll::Ready(Err(error)) if error.kind() != io::ErrorKind::Interrupted => {
                    self.breaks();
                    return Poll::Ready(Err(error));
                }
                Poll::Ready(Err(_)) if try_again(&mut tries, waker) => {}
                _ => {
                    self.blocked = true;
                    self.wakes |= CALLED;
                    return Poll::Pending;
                }
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
                write.poll_write(&mut cx, queued)
            } else if queued.is_empty() {
                write.poll_write(&mut cx, then)
            } else if write.is_write_vectored() {
                write.poll_write_vectored(&mut cx, &[IoSlice::new(queued), IoSlice::new(then)])
            } else {
                write.poll_write(&mut cx, queued)
            };
            let wrote = match wrote {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(wrote)) => wrote,
                Poll::Ready(Err(error)) if error.kind() != io::ErrorKind::Interrupted => {
                    return Poll::Ready(Err(error));
                }
                Poll::Ready(Err(_)) if try_again(&mut tries, waker) => continue,
                _ => {
                    self.wakes |= CALLED;
                    return Poll::Pending;
                }
            };
            self.written = self.written.wrapping_add(wrote as u64);
            if then.is_empty() && wrote >= queued.len() {
                self.empty_queue();
                return Poll::Ready(Ok(()));
            }
            let of_queue = wrote.min(queued.len());
            if let Some(queue) = &mut self.queue {
                queue.skip(of_queue);
            }
            *then = then.get(wrote.saturating_sub(of_queue)..).unwrap_or_default();
            self.wakes |= OTHERS | WRITER;
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
    #[inline]
    fn empty_queue(&mut self) {
        let queue = self.queue.take();
        if self.torn {
            self.queue = queue.and_then(Chunk::give_common);
        } else {
            queue.into_iter().for_each(Chunk::give);
        }
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
