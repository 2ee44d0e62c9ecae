use self::pending::Pending;
use super::access::{Access, poll_share};
use super::conn::Conn;
use super::out::Out;
use crate::driver::error::Error;
use crate::extension::{Decode, Encode, Plain};
use crate::fault::{Closed, Fault, Misuse};
use crate::timeouts::{Timeouts, Wait};
use alloc::string::String;
use bytes::Bytes;
use core::pin::Pin;
use core::task::{Context, Poll, Waker, ready};
use futures_core::Stream;
use futures_sink::Sink;
use tokio::io::{AsyncRead, AsyncWrite};
use ws_frame::{CloseCode, Opcode, Utf8};

mod pending;

/// An owned message.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Message {
    opcode: Opcode,
    payload: Bytes,
}

impl Message {
    /// A message of any opcode that may be sent: 1 to 15, without Close.
    ///
    /// # Errors
    ///
    /// [`Misuse::Utf8`] for text that is not UTF-8, [`Misuse::ControlTooLong`] for a control frame of more than 125
    /// bytes, [`Misuse::Opcode`] for a continuation or a Close.
    pub fn new(opcode: Opcode, payload: impl Into<Bytes>) -> Result<Self, Misuse> {
        let payload = payload.into();
        match opcode {
            Opcode::CONTINUATION | Opcode::CLOSE => return Err(Misuse::Opcode),
            Opcode::TEXT => {
                let mut utf8 = Utf8::new();
                utf8.push(&payload).and_then(|()| utf8.finish()).map_err(|_| Misuse::Utf8)?;
            }
            _ if opcode.is_control() && payload.len() > 125 => return Err(Misuse::ControlTooLong),
            _ => {}
        }
        Ok(Self { opcode, payload })
    }

    /// A text message.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self { opcode: Opcode::TEXT, payload: text.into().into_bytes().into() }
    }

    /// A binary message.
    #[must_use]
    pub fn binary(payload: impl Into<Bytes>) -> Self {
        Self { opcode: Opcode::BINARY, payload: payload.into() }
    }

    /// The opcode.
    #[must_use]
    pub fn opcode(&self) -> Opcode {
        self.opcode
    }

    /// The text, if it is a text message.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        if self.opcode == Opcode::TEXT { core::str::from_utf8(&self.payload).ok() } else { None }
    }

    /// The payload.
    #[must_use]
    pub fn as_bytes(&self) -> &Bytes {
        &self.payload
    }

    /// The payload.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        self.payload
    }
}

/// A connection as a `Stream` and `Sink` of owned messages. Each message received is one allocation and one copy.
///
/// The stream ends when the connection is closed with a Close; everything else that ends it comes first as an error. The
/// status is at [`closed`](Conn::closed) of [`get_ref`](Self::get_ref). A sink that has been closed has sent a Close with
/// 1000; the stream goes on to the peer's.
///
/// What the sink has accepted is sent unless the connection ends: after [`Timeout`](Fault::Timeout) with [`Wait::Turn`]
/// it is still there, and the next call tries again. The sink has no place in the order of [`Sender`](super::Sender)s,
/// since nobody would notice that it gave it up: as long as others wait for the turn of a message, they go first.
///
/// Each message is one frame. One that is larger than the queue (64 KiB) goes out as the peer takes it, and nothing else is
/// sent meanwhile. Any poll of the sink or of the stream continues it, within the wire deadline; keep polling one of them.
///
/// # Panics
///
/// Calls that have to wait panic outside a tokio runtime, and in one without its timer (`enable_time`, or `enable_all`).
#[derive(Debug)]
pub struct Messages<R: AsyncRead + Unpin, W: AsyncWrite + Unpin, D: Decode = Plain, E: Encode = Plain> {
    conn: Conn<R, W, D, E>,
    timeouts: Timeouts,
    access: Access,
    pending: Option<Pending>,
    /// The place behind the last message in the queue.
    place: u64,
    ended: bool,
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin, D: Decode, E: Encode> Messages<R, W, D, E> {
    /// Over a connection, whose [limit](Conn::set_message_limit) holds.
    pub fn new(conn: Conn<R, W, D, E>, timeouts: Timeouts) -> Self {
        Self { conn, timeouts, access: Access::default(), pending: None, place: 0, ended: false }
    }

    /// The connection.
    pub fn get_ref(&self) -> &Conn<R, W, D, E> {
        &self.conn
    }

    /// The connection.
    pub fn get_mut(&mut self) -> &mut Conn<R, W, D, E> {
        &mut self.conn
    }

    /// Sends the message that was accepted, or puts it into the queue.
    fn poll_pending(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let Self { pending: Some(pending), access, conn, .. } = self else { return Poll::Ready(Ok(())) };
        ready!(poll_share(&conn.line, cx));
        let mut poll = pending.begin_poll();
        let mut result = access.poll_line(&conn.line, cx, |out, waker| poll.put(out, waker));
        poll.end(cx);
        if result.is_pending() {
            let line = &conn.line;
            result = access.poll_alarm(line, line.waker(), self.timeouts.wire, pending.has_begun()).map(Err);
        }
        let result = ready!(result);
        if let Err(Error::Fault(Fault::Timeout(Wait::Turn))) = result {
            return Poll::Ready(result.map(drop));
        }
        self.pending = None;
        self.place = result?;
        Poll::Ready(Ok(()))
    }

    /// Goes on with a message that is half out, since nobody tells that the sink was given up: others, the answers to Pings
    /// among them, wait for it. `true` if there is none.
    fn go_on(&mut self, cx: &mut Context<'_>) -> Result<bool, Error> {
        let Some(pending) = self.pending.as_mut().filter(|pending| pending.has_begun()) else { return Ok(true) };
        let line = &self.conn.line;
        let mut poll = pending.begin_poll();
        let result = line.locked(|out, waker| poll.put(out, waker));
        poll.end(cx);
        match result {
            Poll::Ready(Ok(place)) => {
                (self.pending, self.place) = (None, place);
                // The time of the call that is over says nothing about the next one.
                self.access.begin();
                Ok(true)
            }
            // The sink is told when it is polled.
            Poll::Ready(Err(_)) => Ok(true),
            Poll::Pending => match self.access.poll_alarm(line, line.waker(), self.timeouts.wire, true) {
                Poll::Ready(error) => Err(error),
                Poll::Pending => Ok(false),
            },
        }
    }

    fn poll_stream(&mut self, cx: &mut Context<'_>) -> Poll<Result<Message, Error>> {
        let mut nothing_to_do = self.go_on(cx)?;
        loop {
            if let Poll::Ready(result) = self.conn.poll_message(cx, self.timeouts) {
                let (opcode, place) = result?;
                let payload = place.lend(&mut self.conn.inbox, &mut self.conn.held);
                return Poll::Ready(Ok(Message { opcode, payload: Bytes::copy_from_slice(payload) }));
            }
            if nothing_to_do {
                return Poll::Pending;
            }
            // The transport may have become ready before the task was known, so that it is asked once more. If the message
            // is out then, the queue is the receiving direction's again.
            nothing_to_do = self.go_on(cx)?;
            if !nothing_to_do {
                return Poll::Pending;
            }
        }
    }
}

impl<R, W, D, E> Stream for Messages<R, W, D, E>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
    D: Decode + Unpin,
    E: Encode + Unpin,
{
    type Item = Result<Message, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if this.ended {
            return Poll::Ready(None);
        }
        match ready!(this.poll_stream(cx)) {
            Ok(message) => Poll::Ready(Some(Ok(message))),
            Err(error) => {
                this.ended = true;
                let in_order =
                    matches!(&error, Error::Fault(Fault::Closed(Closed(code))) if *code != CloseCode::ABNORMAL);
                Poll::Ready(if in_order { None } else { Some(Err(error)) })
            }
        }
    }
}

impl<R, W, D, E> Sink<Message> for Messages<R, W, D, E>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
    D: Decode + Unpin,
    E: Encode + Unpin,
{
    type Error = Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.poll_pending(cx)
    }

    fn start_send(mut self: Pin<&mut Self>, message: Message) -> Result<(), Error> {
        self.pending = Some(Pending::new(message));
        Ok(())
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        ready!(self.poll_pending(cx))?;
        let this = &mut *self;
        this.access.poll_flush_to(this.place, &this.conn.line, cx, this.timeouts.wire)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        ready!(self.poll_pending(cx))?;
        let this = &mut *self;
        this.conn.line.close(|shared| shared.close(CloseCode::NORMAL, ""))?;
        let send = |out: &mut Out<W, E>, waker: &Waker| out.poll_send(waker).map(|result| Ok(result?));
        match ready!(this.access.poll_queue(&this.conn.line, cx, this.timeouts.wire, send)) {
            // The peer was first: nothing is left to be closed.
            Err(Error::Fault(Fault::Closed(Closed(code)))) if code != CloseCode::ABNORMAL => Poll::Ready(Ok(())),
            result => Poll::Ready(result),
        }
    }
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin, D: Decode, E: Encode> Drop for Messages<R, W, D, E> {
    fn drop(&mut self) {
        self.access.leave(&self.conn.line);
    }
}
