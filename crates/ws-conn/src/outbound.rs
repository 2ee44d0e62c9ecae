use crate::extension::{Encode, Plain};
use crate::fault::{Closed, Fault, Misuse};
use crate::shared::Shared;
use core::mem;
use ws_frame::{Header, Mask, Opcode, Role, Utf8};

mod coded;
mod single;

/// The sending direction of a connection: from messages to bytes of the wire.
///
/// It puts frames into room that the driver lends, and leaves the payload of large frames of a server where it is, to
/// be written behind that room. The driver writes the bytes in the order it gets them.
///
/// ```
/// use ws_conn::{Opcode, Outbound, Role, Sending};
///
/// let mut outbound = Outbound::new(Role::Server);
/// let mut room = [0; 64];
/// let out = outbound.next(&mut Sending::message(Opcode::TEXT, b"Hi"), &mut (), &mut room)?;
/// assert!(out.done && out.then.is_empty());
/// assert_eq!(room[..out.filled], [0x81, 2, b'H', b'i']); // RFC 6455, section 5.2
/// # Ok::<(), ws_conn::Fault>(())
/// ```
#[derive(Debug)]
pub struct Outbound<E = Plain> {
    role: Role,
    /// Whether a message in fragments has begun.
    open: bool,
    /// Whether a frame of it is on its way: what comes next is a continuation.
    begun: bool,
    coded: bool,
    text: bool,
    utf8: Utf8,
    opcode: Opcode,
    closed: Option<Closed>,
    encode: E,
}

/// An operation of sending, as a value: what is sent, and how far that went.
#[derive(Debug)]
pub struct Sending<'m> {
    opcode: Opcode,
    fin: bool,
    whole: bool,
    payload: &'m [u8],
    gather: usize,
    /// The masking of a frame whose header is out.
    mask: Option<Mask>,
    begun: bool,
}

/// What one step of [`Outbound::next`] yields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Out<'m> {
    /// Bytes that were put at the front of the room.
    pub filled: usize,
    /// Payload that follows them on the wire. It must be written as it is before anything else, or copied.
    pub then: &'m [u8],
    /// Whether that is all. If not, the room was too small: it has to be emptied and the step repeated. Nothing of the
    /// operation is on the wire as long as nothing was filled.
    pub done: bool,
}

/// Where a client's masking keys come from.
///
/// "The masking key needs to be unpredictable; thus, the masking key MUST be derived from a strong source of entropy,
/// and the masking key for a given frame MUST NOT make it simple for a server/proxy to predict the masking key for a
/// subsequent frame." (RFC 6455, section 5.3)
pub trait Keys {
    /// The key of the next frame; `None` if none can be had.
    fn key(&mut self) -> Option<[u8; 4]>;
}

/// For a server, which needs no keys.
impl Keys for () {
    fn key(&mut self) -> Option<[u8; 4]> {
        None
    }
}

impl<'m> Sending<'m> {
    /// A whole message, or a control frame, in one frame.
    #[must_use]
    #[inline]
    pub const fn message(opcode: Opcode, payload: &'m [u8]) -> Self {
        Self { opcode, fin: true, whole: true, payload, gather: Self::GATHER, mask: None, begun: false }
    }

    /// As [`message`](Self::message), for one that may wait in the driver's queue for others: it is gathered from
    /// [`GATHER_QUEUED`](Self::GATHER_QUEUED) on.
    #[must_use]
    #[inline]
    pub const fn queued(opcode: Opcode, payload: &'m [u8]) -> Self {
        Self::message(opcode, payload).gather_from(Self::GATHER_QUEUED)
    }

    /// A fragment of a message, the last one with `fin`. The opcode counts for the first fragment of a message; that
    /// of the others is a continuation by itself. A control frame may be sent between fragments, with `fin`.
    #[must_use]
    #[inline]
    pub const fn fragment(opcode: Opcode, fin: bool, payload: &'m [u8]) -> Self {
        Self { opcode, fin, whole: false, payload, gather: Self::GATHER, mask: None, begun: false }
    }

    /// From which size on a server's payload is left where it is, in place of being copied behind its header.
    #[must_use]
    #[inline]
    pub const fn gather_from(mut self, len: usize) -> Self {
        self.gather = len;
        self
    }

    /// Whether this is a Close frame: then its payload is for [`Shared::send_close`], and `next` refuses it.
    #[must_use]
    #[inline]
    pub fn is_close(&self) -> bool {
        self.opcode == Opcode::CLOSE
    }

    /// What is still to be sent of the payload.
    #[must_use]
    #[inline]
    pub const fn payload(&self) -> &'m [u8] {
        self.payload
    }

    /// The same operation, with what is left of its payload somewhere else in memory.
    #[cfg(feature = "messages")]
    pub(crate) fn with_payload<'n>(self, payload: &'n [u8]) -> Sending<'n> {
        let Self { opcode, fin, whole, gather, mask, begun, .. } = self;
        Sending { opcode, fin, whole, payload, gather, mask, begun }
    }

    /// Whether this belongs to a message, of which there can be one at a time, rather than being a control frame.
    #[must_use]
    #[inline]
    pub fn is_data(&self) -> bool {
        self.opcode.is_data()
    }

    /// Whether a part of it may be on the wire, so that the rest has to follow.
    #[must_use]
    pub const fn has_begun(&self) -> bool {
        self.begun
    }

    /// Whether a message in fragments may begin with this.
    ///
    /// # Errors
    ///
    /// [`Misuse::Opcode`] for a control opcode, or a continuation.
    pub fn check_stream(&self) -> Result<(), Misuse> {
        if self.is_data() && self.opcode != Opcode::CONTINUATION { Ok(()) } else { Err(Misuse::Opcode) }
    }

    /// The size from which a payload is gathered, if nothing else is said: below, a copy costs less than the second
    /// part of a gathered write.
    pub const GATHER: usize = 1024;

    /// The size from which a payload is gathered that may wait for others: below, a copy costs less than a write of its
    /// own.
    pub const GATHER_QUEUED: usize = 12 * 1024;
}

impl Outbound {
    /// A connection without an extension, at its beginning; `role` is the role of this side.
    #[must_use]
    pub fn new(role: Role) -> Self {
        Self::with(role, Plain)
    }
}

impl<E: Encode> Outbound<E> {
    /// A connection with an extension that the opening handshake agreed on.
    #[must_use]
    pub fn with(role: Role, encode: E) -> Self {
        Self {
            role,
            open: false,
            begun: false,
            coded: false,
            text: false,
            utf8: Utf8::new(),
            opcode: Opcode::CONTINUATION,
            closed: None,
            encode,
        }
    }

    /// Puts the next part of the operation into `room`, which needs at least [`MIN_ROOM`](Self::MIN_ROOM) bytes for
    /// progress.
    ///
    /// Between two operations, and only there, the frames that are owed may be put into the room: see
    /// [`replies`](Self::replies).
    ///
    /// # Errors
    ///
    /// [`Fault::Closed`] once a Close is sent; [`Fault::Misuse`] for what must not be sent, and then nothing of it is.
    #[inline]
    pub fn next<'m>(&mut self, op: &mut Sending<'m>, keys: &mut impl Keys, room: &mut [u8]) -> Result<Out<'m>, Fault> {
        match self.single(op, keys, room) {
            Some(filled) => Ok(Out { filled, then: &[], done: true }),
            None => self.next_any(op, keys, room),
        }
    }

    /// Out of line, so that the short way stays small where it is inlined.
    #[inline(never)]
    fn next_any<'m>(&mut self, op: &mut Sending<'m>, keys: &mut impl Keys, room: &mut [u8]) -> Result<Out<'m>, Fault> {
        if op.begun {
            if self.coded && op.is_data() {
                let key = self.key(keys)?;
                return self.next_coded(op, key, room);
            }
            return Ok(op.go_on(room, 0));
        }
        // "The application MUST NOT send any more data frames after sending a Close frame." -- RFC 6455, section 5.5.1
        if let Some(closed) = self.closed {
            return Err(closed.into());
        }
        if room.len() < Header::MAX {
            return Ok(Out { filled: 0, then: &[], done: false });
        }
        // Before anything is taken note of: without a key nothing has happened.
        let key = self.key(keys)?;
        if op.is_data() {
            self.check_data(op)?;
            if self.coded {
                return self.next_coded(op, key, room);
            }
        } else {
            check_control(op)?;
        }

        let opcode = if self.begun && op.is_data() { Opcode::CONTINUATION } else { op.opcode };
        let header = Header { fin: op.fin, rsv: 0, opcode, mask: key, len: op.payload.len() as u64 };
        let Some((head, body)) = room.split_first_chunk_mut() else {
            return Ok(Out { filled: 0, then: &[], done: false });
        };
        let size = header.encode(head).len();
        if let Some(key) = key {
            op.mask = Some(Mask::new(key));
        } else if op.payload.len() >= op.gather || op.payload.len() > body.len() {
            self.sent(op);
            return Ok(Out { filled: size, then: mem::take(&mut op.payload), done: true });
        }
        self.sent(op);
        Ok(op.go_on(room, size))
    }

    /// Puts the frames that are owed into `room`: a Pong, then a Close, after which nothing more is sent. Answers how
    /// many bytes that makes. What does not fit stays owed.
    ///
    /// To be called between operations, not while one is under way.
    ///
    /// # Errors
    ///
    /// [`Misuse::NoKey`] if a client has no masking key; nothing was put into the room then.
    pub fn replies(&mut self, shared: &mut Shared, keys: &mut impl Keys, room: &mut [u8]) -> Result<usize, Fault> {
        let mut filled = 0;
        if self.closed.is_some() {
            return Ok(filled);
        }
        if let Some(payload) = shared.pong_owed() {
            filled = self.put_control(Opcode::PONG, payload, keys, room)?;
            if filled == 0 {
                return Ok(0);
            }
            shared.pong_sent();
        }
        if let Some(payload) = shared.close_owed() {
            let rest = room.get_mut(filled..).unwrap_or_default();
            let size = match self.put_control(Opcode::CLOSE, payload, keys, rest) {
                // The Pong lies in the room, and is to go out. The Close stays owed.
                Err(_) if filled > 0 => 0,
                size => size?,
            };
            if size > 0 {
                shared.close_sent();
                self.closed = shared.closed();
            }
            filled = filled.saturating_add(size);
        }
        Ok(filled)
    }

    /// The status, if this direction has ended.
    #[must_use]
    #[inline]
    pub fn closed(&self) -> Option<Closed> {
        self.closed
    }

    /// Ends this direction: whatever is sent from now on is answered with the status.
    pub fn end(&mut self, closed: Closed) {
        self.closed.get_or_insert(closed);
    }

    /// Whether a message in fragments has begun and is not finished.
    #[must_use]
    #[inline]
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// Whether the frames that an operation has put into the room may be taken out again, as long as none of their bytes
    /// are written: it is as if there had been no such operation then.
    #[must_use]
    pub const fn may_take_back(&self, op: &Sending<'_>) -> bool {
        op.whole && E::RSV == 0
    }

    /// What `next` and `replies` need to be sure of progress: the largest control frame of a client.
    pub const MIN_ROOM: usize = Header::MAX + 125;

    /// The order of fragments and the validity of text, before anything is put anywhere.
    #[inline]
    fn check_data(&mut self, op: &Sending<'_>) -> Result<(), Misuse> {
        if op.whole || !self.open {
            if self.open {
                return Err(Misuse::MessageOpen);
            }
            if op.opcode == Opcode::CONTINUATION {
                return Err(Misuse::Opcode);
            }
            self.text = op.opcode == Opcode::TEXT;
            self.utf8 = Utf8::new();
        }
        if self.text {
            // A copy is advanced, so that a refused fragment leaves the message as it was.
            let mut utf8 = self.utf8;
            let valid = utf8.push(op.payload).and_then(|()| if op.fin { utf8.finish() } else { Ok(()) });
            valid.map_err(|_| Misuse::Utf8)?;
            self.utf8 = utf8;
        }
        if !self.open {
            self.coded = E::RSV != 0 && self.encode.begin(op.whole.then_some(op.payload.len()));
            self.begun = false;
            self.opcode = op.opcode;
        }
        Ok(())
    }

    /// A frame's header is out.
    #[inline]
    fn sent(&mut self, op: &mut Sending<'_>) {
        op.begun = true;
        if op.is_data() {
            self.open = !op.fin;
            self.begun = !op.fin;
        }
    }

    #[inline]
    fn key(&self, keys: &mut impl Keys) -> Result<Option<[u8; 4]>, Misuse> {
        match self.role {
            Role::Server => Ok(None),
            Role::Client => keys.key().map(Some).ok_or(Misuse::NoKey),
        }
    }

    fn put_control(
        &self,
        opcode: Opcode,
        payload: &[u8],
        keys: &mut impl Keys,
        room: &mut [u8],
    ) -> Result<usize, Fault> {
        if room.len() < Self::MIN_ROOM {
            return Ok(0);
        }
        let key = self.key(keys)?;
        let header = Header { fin: true, rsv: 0, opcode, mask: key, len: payload.len() as u64 };
        let Some((head, _)) = room.split_first_chunk_mut() else { return Ok(0) };
        let size = header.encode(head).len();
        let mut op = Sending::message(opcode, payload);
        op.mask = key.map(Mask::new);
        Ok(op.go_on(room, size).filled)
    }
}

impl<'m> Sending<'m> {
    /// Copies payload, masked if need be, into the room behind the first `at` bytes.
    #[inline]
    fn go_on(&mut self, room: &mut [u8], at: usize) -> Out<'m> {
        let body = room.get_mut(at..).unwrap_or_default();
        let (now, later) = self.payload.split_at_checked(body.len()).unwrap_or((self.payload, &[]));
        if let Some(body) = body.get_mut(..now.len()) {
            match &mut self.mask {
                Some(mask) => mask.copy(now, body),
                None => body.copy_from_slice(now),
            }
        }
        self.payload = later;
        Out { filled: at.saturating_add(now.len()), then: &[], done: later.is_empty() }
    }
}

fn check_control(op: &Sending<'_>) -> Result<(), Misuse> {
    // "All control frames MUST have a payload length of 125 bytes or less and MUST NOT be fragmented."
    // -- RFC 6455, section 5.5
    if op.payload.len() > 125 {
        return Err(Misuse::ControlTooLong);
    }
    if !op.fin {
        return Err(Misuse::ControlFragmented);
    }
    // A Close goes by way of `Shared`, where the first status code wins.
    if op.is_close() { Err(Misuse::Close) } else { Ok(()) }
}
