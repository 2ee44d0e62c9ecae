use super::ending::Ending;
use super::frames::{Frames, WriteMode};
use super::io::Transport;
use super::keepalive::{Keepalive, Pulse};
use super::line::Line;
use super::reader::MessageReader;
use super::receive::Stalled;
use super::sender::Sender;
use super::sender_mut::SenderMut;
use super::share::Share;
use super::timers::Timers;
use super::whole::{Lending, Parking};
use crate::accept::Accept;
use crate::driver::error::Error;
use crate::driver::message::{Held, MessageRef};
use crate::driver::pool::Chunk;
use crate::driver::sync::Arc;
use crate::extension::{Decode, Encode, Plain};
use crate::fault::Closed;
use crate::inbound::Inbound;
use crate::receiving::{Received, Receiving};
use crate::timeouts::Timeouts;
use alloc::boxed::Box;
use core::fmt;
use core::future::poll_fn;
use core::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use ws_frame::{CloseCode, Role};

/// A WebSocket connection over tokio.
///
/// It receives; [`sender`](Self::sender) gives handles that send, from any task. Dropping it closes the transport, and
/// its senders get [`Fault::Closed`](crate::Fault::Closed) then; [`finish`](Self::finish) closes in order.
///
/// All calls that receive answer Pings and Closes of the peer, and send out what was [fed](Sender::feed) before they
/// wait. A call that ends the connection (a fault, or the peer's Close) sends the Close that is owed, closes its
/// direction of the transport and reads on for at most a [second](Self::DRAIN), so that unread input does not destroy
/// the Close on its way (RFC 6455, section 7.1.1).
///
/// Calls that find everything ready return to the runtime now and then all the same, so that other tasks run however fast
/// the peer sends. A call may be pending although a message is there; its task is woken then.
///
/// # Panics
///
/// Calls that have to wait panic outside a tokio runtime, and in one without its timer (`enable_time`, or `enable_all`).
///
/// # Cancel safety
///
/// Each call says what it leaves behind when its future is dropped. A future that is forgotten instead
/// ([`core::mem::forget`]), or a [`MessageReader`], loses its message: the rest of it is discarded.
pub struct Conn<R, W: AsyncWrite + Unpin, D: Decode = Plain, E: Encode = Plain> {
    /// `None` once the connection is over.
    pub(super) read: Option<R>,
    pub(super) inbox: Option<Box<Chunk>>,
    pub(super) inbound: Inbound<D>,
    pub(super) timers: Timers,
    pub(super) share: Share,
    /// A message in pieces: of `message`, or what a dropped `receive` had got.
    pub(super) held: Held,
    pub(super) limit: usize,
    pub(super) write_mode: WriteMode,
    pub(super) lingers: bool,
    pub(super) replied: bool,
    /// Since when the queue waits, and for which place in it.
    pub(super) stalled: Option<Box<Stalled>>,
    pub(super) pulse: Option<Box<Pulse>>,
    pub(super) ending: Option<Box<Ending>>,
    pub(super) ended: bool,
    pub(super) line: Arc<Line<W, E>>,
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin> Conn<R, W> {
    /// A connection over two halves, after the opening handshake; `role` is the role of this side.
    pub fn new(read: R, write: W, role: Role) -> Self {
        Self::with_extension(read, write, role, Plain, Plain)
    }

    /// A connection over a transport: a TCP or Unix socket, a pair of halves, or [`Whole`](super::Whole) of any other
    /// stream.
    pub fn over(transport: impl Transport<Read = R, Write = W>, role: Role) -> Self {
        let (read, write) = transport.split();
        Self::new(read, write, role)
    }
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin, D: Decode, E: Encode> Conn<R, W, D, E> {
    /// A connection with an extension that the opening handshake agreed on.
    pub fn with_extension(read: R, write: W, role: Role, decode: D, encode: E) -> Self {
        Self {
            read: Some(read),
            inbox: None,
            inbound: Inbound::with(role, decode),
            timers: Timers::default(),
            share: Share::default(),
            held: Held::default(),
            limit: Self::MESSAGE_LIMIT,
            write_mode: WriteMode::default(),
            lingers: false,
            replied: false,
            stalled: None,
            pulse: None,
            ending: None,
            ended: false,
            line: Arc::new(Line::new(write, role, encode)),
        }
    }

    /// Gives the connection bytes that were read behind the opening handshake.
    pub fn preload(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            match &mut self.inbox {
                Some(inbox) => inbox.push(bytes),
                None => self.inbox = Some(Chunk::holding(bytes)),
            }
        }
    }

    /// Which opcodes are received from the next frame on. [`Accept::V13`] at first.
    pub fn set_accept(&mut self, accept: Accept) {
        self.inbound.set_accept(accept);
    }

    /// The largest message that [`message`](Self::message) takes, in bytes. [`MESSAGE_LIMIT`](Self::MESSAGE_LIMIT) at
    /// first. The limit of [`receive`](Self::receive) is its buffer.
    pub fn set_message_limit(&mut self, bytes: usize) {
        self.limit = bytes;
    }

    /// Sends Pings while a call of this connection waits, and ends it with 1008 if the peer shows no sign of life. `None`
    /// stops it; it is off at first.
    pub fn set_keepalive(&mut self, keepalive: Option<Keepalive>) {
        self.pulse = keepalive.map(|keepalive| Box::new(Pulse::new(keepalive)));
    }

    /// The round-trip time of the last Ping of keepalive that was answered, to the microsecond.
    /// [`Sender::round_trip`] tells it while a call receives.
    #[must_use]
    pub fn round_trip(&self) -> Option<Duration> {
        self.line.round_trip()
    }

    /// A handle that sends. Clone it freely; any task may use it at any time.
    pub fn sender(&self) -> Sender<W, E> {
        Sender::new(Arc::clone(&self.line))
    }

    /// Sends without a handle, from the task that has the connection. No lock is taken as long as there is no
    /// [`Sender`], and no [`MessageWriter`](super::MessageWriter).
    pub fn sender_mut(&mut self) -> SenderMut<'_, W, E> {
        SenderMut::new(&mut self.line)
    }

    /// Receives a whole message into the caller's buffer, without allocating.
    ///
    /// # Errors
    ///
    /// [`Fault::Closed`](crate::Fault::Closed) when the peer has closed, with the first status code; the peer's reason
    /// is at [`close_reason`](Self::close_reason). [`Overflow`](crate::Fault::Overflow) for a message that is larger
    /// than the buffer: the peer is told 1009. [`Timeout`](crate::Fault::Timeout): 1008.
    /// [`Violation`](crate::Fault::Violation): its own code. [`Refused`](crate::Fault::Refused): 1003. I/O errors of
    /// the transport. All are final: the connection is closed, and every later call reports the status.
    ///
    /// # Cancel safety
    ///
    /// If this does not resolve, nothing is lost: what had come of the message goes first to the next call of `receive`,
    /// [`message`](Self::message) or [`receive_stream`](Self::receive_stream). Its deadlines go on.
    pub async fn receive(&mut self, into: &mut [u8], timeouts: Timeouts) -> Result<Received, Error> {
        let mut parking = Parking::new(self, into);
        poll_fn(|cx| parking.poll(cx, timeouts)).await
    }

    /// Receives a whole message and lends it until the next call: from the read buffer where it lies there, and
    /// otherwise from a buffer that grows with what has come, up to the limit.
    ///
    /// # Errors
    ///
    /// As [`receive`](Self::receive), with the [limit](Self::set_message_limit) in place of the buffer's size.
    ///
    /// # Cancel safety
    ///
    /// As [`receive`](Self::receive).
    pub async fn message(&mut self, timeouts: Timeouts) -> Result<MessageRef<'_>, Error> {
        Ok(self.message_and_sender(timeouts).await?.0)
    }

    /// As [`message`](Self::message), with what is needed to send while the message is lent: an answer that is made of
    /// it, or the message itself.
    ///
    /// # Errors
    ///
    /// As [`message`](Self::message).
    ///
    /// # Cancel safety
    ///
    /// As [`receive`](Self::receive).
    pub fn message_and_sender(
        &mut self,
        timeouts: Timeouts,
    ) -> impl Future<Output = Result<(MessageRef<'_>, SenderMut<'_, W, E>), Error>> + use<'_, R, W, D, E> {
        Lending::new(self, timeouts)
    }

    /// Waits for a message to begin and hands out a reader for its payload, of any length.
    ///
    /// The reader is to be read to its end. If it is dropped before, the rest of the message is discarded by the next
    /// call, within its wire deadline.
    ///
    /// # Errors
    ///
    /// As [`receive`](Self::receive), without a limit on the size.
    ///
    /// # Cancel safety
    ///
    /// As [`receive`](Self::receive).
    pub async fn receive_stream(&mut self, timeouts: Timeouts) -> Result<MessageReader<'_, R, W, D, E>, Error> {
        // What a dropped call had got is the message's beginning, unless the connection has ended since.
        let parked = self.is_parked() && self.inbound.closed().is_none();
        let opcode = match self.inbound.opcode().filter(|_| parked) {
            Some(opcode) => opcode,
            None => poll_fn(|cx| self.poll_receive(cx, &mut Receiving::chunk(&mut []), timeouts)).await?.opcode,
        };
        Ok(MessageReader::new(self, opcode, timeouts))
    }

    /// The low level: frames, one read or write at a time.
    pub fn frames(&mut self, timeouts: Timeouts) -> Frames<'_, R, W, D, E> {
        Frames::new(self, timeouts)
    }

    /// Closes the connection in order: sends a Close, discards what comes until the peer's Close, and hangs up, all of
    /// it within `linger`.
    ///
    /// Answers the status in effect, which is that of an earlier Close if there was one.
    ///
    /// # Errors
    ///
    /// [`Misuse::Close`](crate::Misuse::Close) for a code that may not be sent; nothing has happened then.
    ///
    /// # Cancel safety
    ///
    /// If this does not resolve, the connection is closing: it may be called again, or the connection dropped.
    pub async fn finish(&mut self, code: CloseCode, reason: &str, linger: Duration) -> Result<Closed, Error> {
        let closed = self.line.close(|shared| shared.close(code, reason))?;
        self.inbound.skip();
        let end = poll_fn(|cx| self.poll_receive(cx, &mut Receiving::discard(), Timeouts::new(linger, linger)));
        // However it ends, it ended.
        let _ = timeout(linger, end).await;
        self.hang_up();
        Ok(closed)
    }

    /// The status, once there is one.
    #[must_use]
    pub fn closed(&self) -> Option<Closed> {
        self.line.lock().shared.closed()
    }

    /// Whether the connection was closed in order: a Close has left, and the peer's has come (RFC 6455, section 7.1.4).
    #[must_use]
    pub fn is_clean(&self) -> bool {
        let out = self.line.lock();
        out.shared.is_clean() && !out.is_broken()
    }

    /// The reason in the peer's Close, once it has come; empty where there is none.
    #[must_use]
    pub fn close_reason(&self) -> &str {
        self.inbound.close_reason()
    }

    /// The receiving half of the transport, as long as there is one.
    pub fn get_ref(&self) -> Option<&R> {
        self.read.as_ref()
    }

    /// The limit of [`message`](Self::message), if nothing else is said: 1 MiB.
    pub const MESSAGE_LIMIT: usize = 1024 * 1024;

    /// How long a connection that has ended reads on, so that its last words reach the peer.
    pub const DRAIN: Duration = Duration::from_secs(1);
}

impl<R, W: AsyncWrite + Unpin, D: Decode, E: Encode> Drop for Conn<R, W, D, E> {
    fn drop(&mut self) {
        self.inbox.take().into_iter().for_each(Chunk::give);
        self.line.abort();
    }
}

impl<R, W: AsyncWrite + Unpin, D: Decode, E: Encode> fmt::Debug for Conn<R, W, D, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unread = self.inbox.as_ref().map_or(0, |inbox| inbox.unread().len());
        let closed = self.line.lock().shared.closed();
        f.debug_struct("Conn").field("closed", &closed).field("unread", &unread).finish_non_exhaustive()
    }
}
