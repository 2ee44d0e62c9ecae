use crate::timeouts::Need;
use ws_frame::Opcode;

/// An operation of receiving, as a value: where the bytes go, and how much of the conversation the call is for.
///
/// The progress is the [`Inbound`](crate::Inbound)'s. A driver may make the value anew for each call of
/// [`Inbound::push`](crate::Inbound::push), as long as the bytes that lie in the buffer stay there until the operation
/// is done.
#[derive(Debug)]
pub struct Receiving<'b> {
    pub(crate) into: &'b mut [u8],
    pub(crate) kind: Kind,
    pub(crate) limit: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Message,
    Held,
    Chunk,
    Frame,
    Discard,
}

/// What the state machine asks of its driver next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// All input is used up: more is needed, within the patience that belongs to the wait.
    Need(Need),
    /// Much input has gone by in this operation without completing it: Pings, say, or empty fragments. Push again. A driver
    /// that shares its thread lets others run first; the patience that belongs to the wait holds in the meantime.
    Yield(Need),
    /// The buffer of a [`Receiving::held`] is full: a larger one is needed, with the same bytes at its front.
    Room,
    /// Something is owed to the peer, to the caller, or to both: [`Inbound::reply`](crate::Inbound::reply) settles it.
    Reply,
    /// The operation is done.
    Done(Received),
}

/// What was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Received {
    /// The opcode of the message. On the level of frames that of the frame, and [`Opcode::CONTINUATION`] for what
    /// follows the first part of a frame.
    pub opcode: Opcode,
    /// How many bytes lie in the buffer.
    pub len: usize,
    /// Whether the message ends with them.
    pub fin: bool,
}

/// What the last read on the level of frames was about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ReadMode {
    /// The opcode of the frame; [`Opcode::CONTINUATION`] for what follows its first part.
    pub opcode: Opcode,
    /// Whether the message is received in full.
    pub fin: bool,
}

/// Before the first read.
impl Default for ReadMode {
    fn default() -> Self {
        Self { opcode: Opcode::CONTINUATION, fin: true }
    }
}

impl<'b> Receiving<'b> {
    /// A whole message. One that does not fit is refused with 1009, by its header where that tells. What is left of one that
    /// was given out in parts is discarded first.
    #[inline]
    pub fn message(into: &'b mut [u8]) -> Self {
        let limit = into.len();
        Self { into, kind: Kind::Message, limit }
    }

    /// A whole message of at most `limit` bytes, in a buffer that grows: [`Step::Room`] asks for more. What is left of one
    /// that was given out in parts is discarded first.
    #[inline]
    pub fn held(into: &'b mut [u8], limit: usize) -> Self {
        Self { into, kind: Kind::Held, limit }
    }

    /// As much of a message as came, at least one byte or its end. An empty buffer waits for a message to begin, and
    /// discards what is left of the one before.
    #[inline]
    pub fn chunk(into: &'b mut [u8]) -> Self {
        Self { into, kind: Kind::Chunk, limit: usize::MAX }
    }

    /// As much of one frame as came: Pings and Pongs too, which are not answered. Text is not checked.
    #[inline]
    pub fn frame(into: &'b mut [u8]) -> Self {
        Self { into, kind: Kind::Frame, limit: usize::MAX }
    }
}

impl Receiving<'_> {
    /// Whether it begins with a message, and not in the midst of one that others have had a part of.
    #[inline]
    pub(crate) fn begins(&self) -> bool {
        match self.kind {
            Kind::Message | Kind::Held => true,
            Kind::Chunk => self.into.is_empty(),
            Kind::Frame | Kind::Discard => false,
        }
    }
}

impl Receiving<'static> {
    /// Nothing: whatever comes is discarded until the connection is closed. An operation that takes its place before
    /// begins with the next message.
    #[must_use]
    pub fn discard() -> Self {
        Receiving { into: &mut [], kind: Kind::Discard, limit: usize::MAX }
    }
}
