//! A transport in memory.

use core::pin::Pin;
use core::task::{Context, Poll};
use std::io::{self, IoSlice, Read, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::place::Placed;

/// Both directions of a connection.
#[derive(Debug)]
pub(super) struct Wire {
    pub(super) source: Source,
    pub(super) sink: Sink,
}

/// Reads the same bytes over and over, as a socket would whose queue is always full.
#[derive(Debug)]
pub(super) struct Source {
    script: Arc<Placed>,
    at: usize,
}

/// Takes all that is written: copies it once, as a socket would, and forgets it.
#[derive(Debug)]
pub(super) struct Sink {
    room: Placed,
    wrote: Arc<Wrote>,
}

/// What has been written.
#[derive(Debug, Default)]
pub(super) struct Wrote {
    count: AtomicU64,
    /// All of it, if it is to be checked.
    kept: Option<Mutex<Vec<u8>>>,
}

impl Wire {
    /// What is written is kept, if so asked.
    pub(super) fn new(script: Arc<Placed>, place: usize, keep: bool) -> Self {
        let wrote = Arc::new(Wrote { count: AtomicU64::new(0), kept: keep.then(Mutex::default) });
        Self { source: Source { script, at: 0 }, sink: Sink { room: Placed::new(&[0; CHUNK], place), wrote } }
    }

    pub(super) fn wrote(&self) -> Arc<Wrote> {
        Arc::clone(&self.sink.wrote)
    }
}

impl Wrote {
    /// How many bytes.
    pub(super) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// All of them, if they were kept.
    pub(super) fn kept(&self) -> Vec<u8> {
        let kept = self.kept.as_ref().map(|kept| kept.lock().unwrap_or_else(PoisonError::into_inner).clone());
        kept.unwrap_or_default()
    }
}

impl Source {
    /// The next bytes, at most so many.
    #[inline]
    fn next(&mut self, want: usize) -> io::Result<&[u8]> {
        if self.script.is_empty() {
            return Err(io::Error::other("a library that is to send reads"));
        }
        if self.at == self.script.len() {
            self.at = 0;
        }
        let rest = &self.script[self.at..];
        let next = &rest[..rest.len().min(want).min(CHUNK)];
        self.at += next.len();
        Ok(next)
    }
}

impl Sink {
    #[inline]
    fn take(&mut self, bytes: &[u8]) {
        for bytes in bytes.chunks(CHUNK) {
            let room = &mut self.room.bytes_mut()[..bytes.len()];
            room.chunks_mut(PIECE).zip(bytes.chunks(PIECE)).for_each(|(room, piece)| room.copy_from_slice(piece));
            core::hint::black_box(room);
        }
        // Nobody else counts: it need not be one step.
        self.wrote.count.store(self.wrote.count() + bytes.len() as u64, Ordering::Relaxed);
        if let Some(kept) = &self.wrote.kept {
            kept.lock().unwrap_or_else(PoisonError::into_inner).extend(bytes);
        }
    }
}

impl Read for Source {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let next = self.next(into.len())?;
        into.chunks_mut(PIECE)
            .zip(next.chunks(PIECE))
            .for_each(|(into, piece)| into[..piece.len()].copy_from_slice(piece));
        Ok(next.len())
    }
}

impl AsyncRead for Source {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let next = self.next(into.remaining())?;
        next.chunks(PIECE).for_each(|piece| into.put_slice(piece));
        Poll::Ready(Ok(()))
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.take(bytes);
        Ok(bytes.len())
    }

    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        parts.iter().for_each(|part| self.take(part));
        Ok(parts.iter().map(|part| part.len()).sum())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsyncWrite for Sink {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(self.write(bytes))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(self.write_vectored(parts))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

// Libraries that take a connection in one piece.

impl Read for Wire {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.source.read(into)
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.sink.write(bytes)
    }

    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        self.sink.write_vectored(parts)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.source).poll_read(cx, into)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(self.sink.write(bytes))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(self.sink.write_vectored(parts))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// The most that one read hands out, and that one copy writes to.
const CHUNK: usize = 64 * 1024;

/// So much is copied at a time. Copies of 2 KiB and more may be made in a way that hangs on the place in the page: that is to
/// show where a library copies, and not here.
const PIECE: usize = 1024;
