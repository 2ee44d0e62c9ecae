//! The calls for a whole message, as futures: into the caller's buffer, and lent.

use super::conn::Conn;
use super::sender_mut::SenderMut;
use crate::driver::error::Error;
use crate::driver::message::MessageRef;
use crate::extension::{Decode, Encode};
use crate::receiving::{Received, Receiving};
use crate::timeouts::Timeouts;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite};

/// A call of `receive`. Dropped before its end it puts what lies in the caller's buffer back into the connection. The call
/// that takes up the message collects the rest there, so that to drop it costs nothing more.
pub(super) struct Parking<'c, 'b, R: AsyncRead + Unpin, W: AsyncWrite + Unpin, D: Decode, E: Encode> {
    conn: &'c mut Conn<R, W, D, E>,
    into: &'b mut [u8],
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The message goes into the caller's buffer.
    Direct,
    /// A dropped call has left the beginning of the message with the connection.
    Resumed,
    Done,
}

impl<'c, 'b, R: AsyncRead + Unpin, W: AsyncWrite + Unpin, D: Decode, E: Encode> Parking<'c, 'b, R, W, D, E> {
    #[inline]
    pub(super) fn new(conn: &'c mut Conn<R, W, D, E>, into: &'b mut [u8]) -> Self {
        let stage = if conn.is_parked() { Stage::Resumed } else { Stage::Direct };
        Self { conn, into, stage }
    }

    #[inline]
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, timeouts: Timeouts) -> Poll<Result<Received, Error>> {
        if self.stage == Stage::Resumed {
            return self.poll_resumed(cx, timeouts);
        }
        let result = self.conn.poll_receive(cx, &mut Receiving::message(self.into), timeouts);
        if result.is_ready() {
            self.stage = Stage::Done;
        }
        result
    }

    #[cold]
    fn poll_resumed(&mut self, cx: &mut Context<'_>, timeouts: Timeouts) -> Poll<Result<Received, Error>> {
        ready!(self.conn.share.poll_spend(cx));
        let result = ready!(self.conn.poll_rest(cx, self.into.len(), timeouts));
        self.stage = Stage::Done;
        if let Ok(received) = &result
            && let Some(into) = self.into.get_mut(..received.len)
        {
            into.copy_from_slice(self.conn.held.get_mut(received.len));
        }
        self.conn.held.recycle();
        self.conn.release();
        Poll::Ready(result)
    }
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin, D: Decode, E: Encode> Drop for Parking<'_, '_, R, W, D, E> {
    #[inline]
    fn drop(&mut self) {
        let got = self.conn.inbound.got();
        if self.stage == Stage::Direct && got > 0 {
            self.conn.held.put(self.into.get(..got).unwrap_or_default(), D::RSV != 0);
        }
    }
}

/// A call of `message`. It is written out so that what it lends is made in its place, and moved once.
pub(super) struct Lending<'c, R: AsyncRead + Unpin, W: AsyncWrite + Unpin, D: Decode, E: Encode> {
    conn: Option<&'c mut Conn<R, W, D, E>>,
    timeouts: Timeouts,
}

impl<'c, R: AsyncRead + Unpin, W: AsyncWrite + Unpin, D: Decode, E: Encode> Lending<'c, R, W, D, E> {
    #[inline]
    pub(super) fn new(conn: &'c mut Conn<R, W, D, E>, timeouts: Timeouts) -> Self {
        Self { conn: Some(conn), timeouts }
    }
}

impl<'c, R: AsyncRead + Unpin, W: AsyncWrite + Unpin, D: Decode, E: Encode> Future for Lending<'c, R, W, D, E> {
    type Output = Result<(MessageRef<'c>, SenderMut<'c, W, E>), Error>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(conn) = self.conn.take() else { return Poll::Pending };
        match conn.poll_message(cx, self.timeouts) {
            Poll::Ready(Ok((opcode, place))) => {
                let message = MessageRef::new(opcode, place.lend(&mut conn.inbox, &mut conn.held));
                Poll::Ready(Ok((message, SenderMut::new(&mut conn.line))))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                self.conn = Some(conn);
                Poll::Pending
            }
        }
    }
}
