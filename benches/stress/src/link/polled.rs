//! The halves of a link for tasks.

use super::{Half, Side, State};
use core::pin::Pin;
use core::sync::atomic::Ordering;
use core::task::{Context, Poll, ready};
use std::io::{self, ErrorKind, IoSlice};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Both halves as one stream, which cannot be split again.
#[derive(Debug)]
pub(crate) struct Joined(pub(crate) Half, pub(crate) Half);

impl Half {
    /// Does something if it can be done at once, and otherwise notes who waits for it.
    fn poll<T>(
        &self,
        cx: &mut Context<'_>,
        act: impl FnOnce(&mut State) -> io::Result<Option<T>>,
    ) -> Poll<io::Result<T>> {
        let manners = &self.pipe().manners;
        let mut state = self.pipe().lock();
        self.before(&mut state)?;
        let spurious =
            if state.dice.one_in(manners.spurious) { state.wakers[self.other() as usize].clone() } else { None };
        if state.dice.one_in(manners.yields) {
            drop(state);
            self.link.events.fetch_add(1, Ordering::Relaxed);
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let done = act(&mut state)?;
        let place = &mut state.wakers[self.side as usize];
        let old = match done {
            None => place.replace(cx.waker().clone()),
            Some(_) if manners.forgets => place.take(),
            Some(_) => None,
        };
        // A write that has to wait may have handed on what was held back.
        let tells = done.is_some() || self.side == Side::Writer;
        drop(state);
        drop(old);
        self.link.events.fetch_add(1 + u64::from(spurious.is_some()), Ordering::Relaxed);
        if tells {
            self.link.tell(self.pipe, self.other());
        }
        if let Some(other) = spurious {
            other.wake();
        }
        done.map_or(Poll::Pending, |done| Poll::Ready(Ok(done)))
    }
}

impl AsyncRead for Half {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let read = ready!(self.poll(cx, |state| Ok(self.take(state, buf.initialize_unfilled()))))?;
        buf.advance(read);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Half {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll(cx, |state| self.put(state, [buf].into_iter()))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll(cx, |state| self.put(state, bufs.iter().map(|buf| &**buf)))
    }

    fn is_write_vectored(&self) -> bool {
        self.pipe().manners.gathers
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let manners = &self.pipe().manners;
        self.poll(cx, |state| match state.hand_on(manners) {
            false if state.deserted => Err(ErrorKind::BrokenPipe.into()),
            all => Ok(all.then_some(())),
        })
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.link.change(self.pipe, State::end);
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Joined {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Joined {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.1).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.1).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.1.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.1).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.1).poll_shutdown(cx)
    }
}
