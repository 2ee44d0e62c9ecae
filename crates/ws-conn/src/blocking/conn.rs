use super::frames::{Frames, WriteMode};
use super::io::{Input, Output, Transport};
use super::line::Line;
use super::reader::MessageReader;
use super::sender::Sender;
use super::sender_mut::SenderMut;
use crate::accept::Accept;
use crate::driver::buffer::Buffer;
use crate::driver::deadline::{Deadline, Watch};
use crate::driver::error::Error;
use crate::driver::message::{Held, MessageRef};
use crate::driver::sync::Arc;
use crate::extension::{Decode, Encode, Plain};
use crate::fault::Closed;
use crate::inbound::Inbound;
use crate::receiving::{Received, Receiving};
use crate::timeouts::Timeouts;
use core::fmt;
use core::time::Duration;
use ws_frame::{CloseCode, Role};

/// A WebSocket connection over blocking I/O.
///
/// It receives; [`sender`](Self::sender) gives handles that send, from any thread. Dropping it closes the transport,
/// and its senders get [`Fault::Closed`](crate::Fault::Closed) then; [`finish`](Self::finish) closes in order.
///
/// All calls that receive answer Pings and Closes of the peer, and send out what was [fed](Sender::feed) before they
/// wait, as far as there is room: they do not wait for room while there is something to read, and no longer than `wire`
/// in all. A call that ends the connection (a fault, or the peer's Close) sends the Close that is owed, closes its
/// direction of the transport and reads on for at most a [second](Self::DRAIN), so that unread input does not destroy
/// the Close on its way (RFC 6455, section 7.1.1).
pub struct Conn<R: Input, W: Output, D: Decode = Plain, E: Encode = Plain> {
    pub(super) read: R,
    /// What was read and is not taken yet: `inbox[start..end]`.
    pub(super) inbox: Buffer,
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) inbound: Inbound<D>,
    pub(super) watch: Watch,
    /// Whether an answer to a Ping may lie in the queue.
    pub(super) replied: bool,
    pub(super) lingers: bool,
    /// Whether a call is in the transport. If it still says so when the next call begins, the transport has panicked.
    pub(super) in_transport: bool,
    /// Until when [`finish`](Self::finish) may take.
    pub(super) finishing: Deadline,
    pub(super) ended: bool,
    pub(super) limit: usize,
    pub(super) held: Held,
    pub(super) write_mode: WriteMode,
    pub(super) line: Arc<Line<W, E>>,
}

impl<R: Input, W: Output> Conn<R, W> {
    /// A connection over two halves, after the opening handshake; `role` is the role of this side.
    pub fn new(read: R, write: W, role: Role) -> Self {
        Self::with_extension(read, write, role, Plain, Plain)
    }

    /// A connection over a transport: a TCP or Unix socket, or a pair of `Read` and `Write`, which loses the deadlines.
    pub fn over(transport: impl Transport<Read = R, Write = W>, role: Role) -> Self {
        let (read, write) = transport.split();
        Self::new(read, write, role)
    }
}

impl<R: Input, W: Output, D: Decode, E: Encode> Conn<R, W, D, E> {
    /// A connection with an extension that the opening handshake agreed on.
    pub fn with_extension(read: R, write: W, role: Role, decode: D, encode: E) -> Self {
        Self {
            read,
            inbox: Buffer::default(),
            start: 0,
            end: 0,
            inbound: Inbound::with(role, decode),
            watch: Watch::default(),
            replied: false,
            lingers: false,
            in_transport: false,
            finishing: Deadline::NEVER,
            ended: false,
            limit: Self::MESSAGE_LIMIT,
            held: Held::default(),
            write_mode: WriteMode::default(),
            line: Arc::new(Line::new(write, role, encode)),
        }
    }

    /// Gives the connection bytes that were read behind the opening handshake.
    pub fn preload(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let unread = self.end.saturating_sub(self.start);
        let mut inbox = Buffer::new(unread.saturating_add(bytes.len()).max(Buffer::SIZE));
        inbox.get_mut(0..unread).copy_from_slice(self.inbox.get(self.start..self.end));
        self.start = 0;
        self.end = unread.saturating_add(bytes.len());
        inbox.get_mut(unread..self.end).copy_from_slice(bytes);
        self.inbox = inbox;
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

    /// A handle that sends. Clone it freely; any thread may use it at any time.
    pub fn sender(&self) -> Sender<W, E> {
        Sender::new(Arc::clone(&self.line))
    }

    /// Sends without a handle, from the thread that has the connection. No lock is taken as long as there is no
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
    #[inline]
    pub fn receive(&mut self, into: &mut [u8], timeouts: Timeouts) -> Result<Received, Error> {
        self.run(&mut Receiving::message(into), timeouts)
    }

    /// Receives a whole message and lends it until the next call: from the read buffer where it lies there, and
    /// otherwise from a buffer that grows with what has come, up to the limit.
    ///
    /// # Errors
    ///
    /// As [`receive`](Self::receive), with the [limit](Self::set_message_limit) in place of the buffer's size.
    pub fn message(&mut self, timeouts: Timeouts) -> Result<MessageRef<'_>, Error> {
        Ok(self.message_and_sender(timeouts)?.0)
    }

    /// Waits for a message to begin and hands out a reader for its payload, of any length.
    ///
    /// The reader is to be read to its end. If it is dropped before, the rest of the message is discarded by the next
    /// call, within its wire deadline.
    ///
    /// # Errors
    ///
    /// As [`receive`](Self::receive), without a limit on the size.
    pub fn receive_stream(&mut self, timeouts: Timeouts) -> Result<MessageReader<'_, R, W, D, E>, Error> {
        let begun = self.run(&mut Receiving::chunk(&mut []), timeouts)?;
        Ok(MessageReader::new(self, begun.opcode, timeouts))
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
    pub fn finish(&mut self, code: CloseCode, reason: &str, linger: Duration) -> Result<Closed, Error> {
        let deadline = if R::TIMED { Deadline::after(self.read.now(), linger) } else { Deadline::NEVER };
        let closed = self.line.close(code, reason, linger)?;
        let left = if R::TIMED { deadline.left(self.read.now()) } else { linger };
        self.finishing = deadline;
        // However it ends, it ended.
        let _ = self.run(&mut Receiving::discard(), Timeouts::new(left, left));
        self.end(left);
        Ok(closed)
    }

    /// The status, once there is one.
    pub fn closed(&self) -> Option<Closed> {
        self.line.shared().closed()
    }

    /// Whether the connection was closed in order: a Close has left, and the peer's has come (RFC 6455, section 7.1.4).
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.line.is_clean()
    }

    /// The reason in the peer's Close, once it has come; empty where there is none.
    pub fn close_reason(&self) -> &str {
        self.inbound.close_reason()
    }

    /// The receiving half of the transport.
    pub fn get_ref(&self) -> &R {
        &self.read
    }

    /// The limit of [`message`](Self::message), if nothing else is said: 1 MiB.
    pub const MESSAGE_LIMIT: usize = 1024 * 1024;

    /// How long a blocked read may take to notice what another thread does.
    pub const NOTICE: Duration = Duration::from_secs(1);

    /// How long a connection that has ended reads on, so that its last words reach the peer.
    pub const DRAIN: Duration = Duration::from_secs(1);
}

impl<R: Input, W: Output, D: Decode, E: Encode> Drop for Conn<R, W, D, E> {
    fn drop(&mut self) {
        self.line.abort();
    }
}

impl<R: Input, W: Output, D: Decode, E: Encode> fmt::Debug for Conn<R, W, D, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unread = self.end.saturating_sub(self.start);
        f.debug_struct("Conn").field("closed", &self.closed()).field("unread", &unread).finish_non_exhaustive()
    }
}
