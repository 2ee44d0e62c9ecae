use super::conn::Conn;
use crate::driver::error::Error;
use crate::extension::{Decode, Encode, Plain};
use crate::receiving::Receiving;
use crate::timeouts::Timeouts;
use core::future::poll_fn;
use core::ops::Range;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::io;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use ws_frame::Opcode;

/// Reads the payload of one message as it comes, across its fragments. Control frames in between are answered.
///
/// The end of the stream is the end of the message, and nothing else: a connection that ends before is an error. Text is
/// checked as it comes. Each read waits at most as long as `wire`.
///
/// A reader that is dropped before the end, or forgotten, leaves the rest of the message to be discarded by the next call
/// of the connection.
#[derive(Debug)]
pub struct MessageReader<'c, R: AsyncRead + Unpin, W: AsyncWrite + Unpin, D: Decode = Plain, E: Encode = Plain> {
    conn: &'c mut Conn<R, W, D, E>,
    opcode: Opcode,
    timeouts: Timeouts,
    /// What a dropped `receive` had got of the message, in the connection's keeping.
    parked: Range<usize>,
    ended: bool,
}

impl<'c, R: AsyncRead + Unpin, W: AsyncWrite + Unpin, D: Decode, E: Encode> MessageReader<'c, R, W, D, E> {
    pub(super) fn new(conn: &'c mut Conn<R, W, D, E>, opcode: Opcode, timeouts: Timeouts) -> Self {
        let parked = 0..conn.inbound.take_got();
        Self { conn, opcode, timeouts, parked, ended: false }
    }

    /// The opcode of the message: 1 to 7.
    #[must_use]
    pub fn opcode(&self) -> Opcode {
        self.opcode
    }

    /// Reads at least one byte; none at the end of the message, or into an empty buffer.
    ///
    /// # Errors
    ///
    /// As [`Conn::receive`], without a limit on the size.
    ///
    /// # Cancel safety
    ///
    /// If this does not resolve, nothing was read.
    pub async fn read_chunk(&mut self, into: &mut [u8]) -> Result<usize, Error> {
        poll_fn(|cx| self.poll_chunk(cx, into)).await
    }

    fn poll_chunk(&mut self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<Result<usize, Error>> {
        if self.ended || into.is_empty() {
            return Poll::Ready(Ok(0));
        }
        if !self.parked.is_empty() {
            ready!(self.conn.share.poll_spend(cx));
            let parked = self.conn.held.get_mut(self.parked.end);
            let parked = parked.get(self.parked.clone()).unwrap_or_default();
            let len = into.len().min(parked.len());
            into.iter_mut().zip(parked).for_each(|(to, from)| *to = *from);
            self.parked.start = self.parked.start.saturating_add(len);
            return Poll::Ready(Ok(len));
        }
        let received = ready!(self.conn.poll_receive(cx, &mut Receiving::chunk(into), self.timeouts))?;
        self.ended = received.fin;
        Poll::Ready(Ok(received.len))
    }
}

/// As [`read_chunk`](MessageReader::read_chunk); the [`Fault`](crate::Fault) is the source of the error.
impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin, D: Decode, E: Encode> AsyncRead for MessageReader<'_, R, W, D, E> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let read = ready!(self.poll_chunk(cx, buf.initialize_unfilled()))?;
        buf.advance(read);
        Poll::Ready(Ok(()))
    }
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin, D: Decode, E: Encode> Drop for MessageReader<'_, R, W, D, E> {
    fn drop(&mut self) {
        self.conn.held.recycle();
        if !self.ended {
            self.conn.inbound.skip();
        }
    }
}
