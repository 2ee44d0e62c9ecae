use crate::accept::Accept;
use crate::control::Control;
use crate::extension::{Decode, Plain};
use crate::fault::{Closed, Fault, Misuse};
use crate::receiving::{Kind, Received, Receiving, Step};
use crate::shared::Shared;
use crate::timeouts::{Need, Wait};
use ws_frame::{Close, CloseCode, Header, Mask, Opcode, Role, Utf8};

mod head;
mod payload;
mod single;

/// The receiving direction of a connection: from bytes of the wire to messages.
///
/// It owns no payload, performs no I/O, knows no clock and takes no lock. A driver lends it what it has read, with
/// [`push`](Self::push), and does what the returned [`Step`] says:
///
/// ```
/// use ws_conn::{Inbound, Opcode, Receiving, Role, Shared, Step};
///
/// let (mut inbound, mut shared) = (Inbound::new(Role::Server), Shared::new(Role::Server));
/// let wire = [0x81, 0x82, 1, 2, 3, 4, b'H' ^ 1, b'i' ^ 2]; // RFC 6455, section 5.2
/// let mut message = [0; 16];
/// let mut op = Receiving::message(&mut message);
/// let (used, step) = inbound.push(&mut op, &wire);
/// match step {
///     Step::Done(received) => assert_eq!((received.opcode, &message[..received.len]), (Opcode::TEXT, &b"Hi"[..])),
///     Step::Reply => inbound.reply(&mut shared)?, // then send what `shared` owes
///     _ => unreachable!("the whole message lies there"),
/// }
/// assert_eq!(used, wire.len());
/// # Ok::<(), ws_conn::Fault>(())
/// ```
#[derive(Debug)]
pub struct Inbound<D = Plain> {
    role: Role,
    accept: Accept,
    place: Place,
    /// A header that came in pieces: its first bytes.
    head: [u8; Header::MAX],
    head_len: u8,

    // The frame.
    left: u64,
    mask: Mask,
    fin: bool,
    frame: Opcode,
    /// Whether the low level has reported the frame's opcode.
    reported: bool,

    // The message.
    opcode: Opcode,
    open: bool,
    coded: bool,
    /// Whether the extension may hold output back, of input that it has taken.
    holds: bool,
    skipped: bool,
    /// Whether a part of the message was given out.
    parted: bool,
    text: bool,
    utf8: Utf8,
    /// Bytes of the operation that lie in the caller's buffer.
    got: usize,
    /// Frames, and blocks of discarded output, since the caller was last given something, or a [`Step::Yield`].
    passed: u8,

    control: Control,
    /// The payload of the Pong that is watched for.
    expected: Option<[u8; 4]>,
    news: Option<News>,
    over: Option<Closed>,
    wait: Wait,
    epoch: u32,
    decode: D,
}

/// Where in the stream of frames the next byte belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Head,
    Control,
    Payload,
    /// Behind the last frame of a message that an extension has not given out in full.
    Tail,
}

/// What [`Inbound::reply`] is to settle.
#[derive(Clone, Copy, Debug)]
enum News {
    Ping,
    Close(CloseCode),
    Fault(Fault),
}

impl Inbound {
    /// A connection without an extension, at its beginning; `role` is the role of this side.
    #[must_use]
    pub fn new(role: Role) -> Self {
        Self::with(role, Plain)
    }
}

impl<D: Decode> Inbound<D> {
    /// A connection with an extension that the opening handshake agreed on.
    #[must_use]
    pub fn with(role: Role, decode: D) -> Self {
        Self {
            role,
            accept: Accept::V13,
            place: Place::Head,
            head: [0; Header::MAX],
            head_len: 0,
            left: 0,
            mask: Mask::new([0; 4]),
            fin: false,
            frame: Opcode::CONTINUATION,
            reported: false,
            opcode: Opcode::CONTINUATION,
            open: false,
            coded: false,
            holds: false,
            skipped: false,
            parted: false,
            text: false,
            utf8: Utf8::new(),
            got: 0,
            passed: 0,
            control: Control::default(),
            expected: None,
            news: None,
            over: None,
            wait: Wait::Idle,
            epoch: 0,
            decode,
        }
    }

    /// Which opcodes are received from the next frame on.
    pub fn set_accept(&mut self, accept: Accept) {
        self.accept = accept;
    }

    /// Takes what it can from `input` and answers how many bytes that was, and what is to be done next.
    ///
    /// The bytes that were not taken are to be given again, with more behind them or not. Call it with what you have,
    /// even nothing, before reading. The input may be cut anywhere: the outcome is the same.
    #[inline(always)]
    pub fn push(&mut self, op: &mut Receiving<'_>, input: &[u8]) -> (usize, Step) {
        if op.kind == Kind::Message
            && let Some((header, range)) = self.single(input, op.limit)
        {
            return self.copy_single(op, &header, input, range);
        }
        let mut used = 0;
        match self.run(op, input, &mut used) {
            Ok(step) => (used, step),
            Err(fault) => (used, self.fault(fault)),
        }
    }

    /// Settles a [`Step::Reply`]: posts what is owed to the peer, and tells the caller what ended the connection.
    /// Afterwards `shared` may owe a frame, which is to be sent.
    ///
    /// # Errors
    ///
    /// What ended the connection: its cause the first time, [`Fault::Closed`] ever after.
    pub fn reply(&mut self, shared: &mut Shared) -> Result<(), Fault> {
        let fault = match self.news.take() {
            Some(News::Ping) => {
                shared.pong(self.control.as_slice());
                return Ok(());
            }
            Some(News::Close(code)) => Fault::Closed(shared.closed_by_peer(code)),
            Some(News::Fault(fault)) => shared.fail(fault),
            None => match self.over {
                Some(closed) => Fault::Closed(closed),
                None => return Ok(()),
            },
        };
        if fault.is_fatal() {
            self.over = Some(shared.closed().unwrap_or_else(|| Closed(fault.code())));
        }
        Err(fault)
    }

    /// The peer closed the transport: there is nothing more to come.
    ///
    /// # Errors
    ///
    /// [`Fault::Closed`]: with 1006, unless the status was set before.
    pub fn eof(&mut self, shared: &mut Shared) -> Result<(), Fault> {
        self.end(Fault::Closed(Closed(CloseCode::ABNORMAL)), shared)
    }

    /// The transport failed. `None` if that is the news, and the driver's own error tells it best: the status is 1006
    /// then. Otherwise what ended the connection before.
    pub fn lost(&mut self, shared: &mut Shared) -> Option<Fault> {
        let known = self.over.is_some() || shared.closed().is_some();
        self.eof(shared).err().filter(|_| known)
    }

    /// A wait took longer than its patience.
    ///
    /// # Errors
    ///
    /// [`Fault::Timeout`], and the peer is told 1008; [`Fault::Closed`] if the connection was closed before.
    pub fn expired(&mut self, need: Need, shared: &mut Shared) -> Result<(), Fault> {
        self.end(Fault::Timeout(need.wait), shared)
    }

    /// A Close of this side is under way: from now on the wait is for the peer's, whatever else it sends.
    pub fn linger(&mut self) {
        if self.wait != Wait::Linger {
            self.wait = Wait::Linger;
            self.epoch = self.epoch.wrapping_add(1);
        }
    }

    /// Gives up what is left of the message in progress, if there is one: it is discarded as it comes.
    pub fn skip(&mut self) {
        self.skipped = self.open;
        self.parted = false;
        self.got = 0;
    }

    /// Bytes of a message in progress that lie at the front of the operation's buffer. A driver that gives up an
    /// operation keeps them, to put them at the front of the next one's buffer.
    #[must_use]
    #[inline]
    pub fn got(&self) -> usize {
        self.got
    }

    /// The bytes that lie in the buffer of a given-up operation are delivered by the driver itself: the next operation
    /// begins behind them, if it is one for the parts of a message. Returns how many they are.
    pub fn take_got(&mut self) -> usize {
        self.parted |= self.got > 0;
        core::mem::take(&mut self.got)
    }

    /// Watches for the Pong that answers a Ping with this payload: see [`pong_came`](Self::pong_came).
    pub fn expect_pong(&mut self, payload: [u8; 4]) {
        self.expected = Some(payload);
    }

    /// Whether the expected Pong has come.
    #[must_use]
    pub fn pong_came(&self) -> bool {
        self.expected.is_none()
    }

    /// The opcode of the message in progress, from its first frame's header to its end.
    #[must_use]
    pub fn opcode(&self) -> Option<Opcode> {
        self.open.then_some(self.opcode)
    }

    /// The status the receiving direction ended with, once it has.
    #[must_use]
    pub fn closed(&self) -> Option<Closed> {
        self.over
    }

    /// The words of the peer's Close, once it has come; empty before, and where there are none.
    #[must_use]
    pub fn close_reason(&self) -> &str {
        match Close::parse(self.control.as_slice()) {
            Ok(Some(close)) if self.frame == Opcode::CLOSE && self.place == Place::Head => close.reason,
            _ => "",
        }
    }

    fn end(&mut self, fault: Fault, shared: &mut Shared) -> Result<(), Fault> {
        if self.over.is_none() {
            self.news = Some(News::Fault(fault));
        }
        self.reply(shared)
    }

    /// Keeps what ends the connection, to be settled.
    #[cold]
    fn fault(&mut self, fault: Fault) -> Step {
        self.news = Some(News::Fault(fault));
        Step::Reply
    }

    fn run(&mut self, op: &mut Receiving<'_>, input: &[u8], used: &mut usize) -> Result<Step, Fault> {
        if self.news.is_some() || self.over.is_some() {
            return Ok(Step::Reply);
        }
        if op.kind == Kind::Discard || self.parted && op.begins() {
            self.skip();
        }
        if self.got > 0 {
            if op.kind == Kind::Frame {
                return Err(Misuse::HalfReceived.into());
            }
            // What another operation had got may be more than this one takes.
            if self.got > op.limit {
                return Err(Fault::Overflow);
            }
        }
        loop {
            if self.holds
                && self.place != Place::Tail
                && let Some(step) = self.held_back(op)?
            {
                return Ok(step);
            }
            let rest = input.get(*used..).unwrap_or_default();
            if self.passed >= PASSED_MOST && !rest.is_empty() {
                return Ok(self.pause(op));
            }
            let step = match self.place {
                // What a stream has got so far is not to be lost to what ends the connection, nor is it to wait.
                Place::Head if self.got > 0 && op.kind == Kind::Chunk && !goes_on(rest) => Some(self.done(op, false)),
                Place::Head => match self.head(op, rest, used)? {
                    true => None,
                    false => Some(self.dry(op)),
                },
                Place::Control => self.control(op, rest, used)?,
                Place::Payload => self.payload(op, rest, used)?,
                Place::Tail => self.tail(op)?,
            };
            if let Some(step) = step {
                return Ok(step);
            }
        }
    }

    /// The input is used up.
    fn dry(&mut self, op: &Receiving<'_>) -> Step {
        if self.got > 0 && matches!(op.kind, Kind::Chunk | Kind::Frame) {
            return self.done(op, false);
        }
        self.need(op)
    }

    /// There is more input, but others may have waited for long.
    #[cold]
    fn pause(&mut self, op: &Receiving<'_>) -> Step {
        self.passed = 0;
        match self.dry(op) {
            Step::Need(need) => Step::Yield(need),
            done => done,
        }
    }

    fn need(&mut self, op: &Receiving<'_>) -> Step {
        if self.wait != Wait::Linger {
            let wait = if self.inside(op) { Wait::Wire } else { Wait::Idle };
            if self.wait != wait {
                self.wait = wait;
                self.epoch = self.epoch.wrapping_add(1);
            }
        }
        Step::Need(Need { wait: self.wait, epoch: self.epoch })
    }

    /// Whether a message has begun. A control frame between messages is part of the wait for the next one: it neither
    /// begins, extends nor ends a wait. On the level of frames it is what was waited for.
    fn inside(&self, op: &Receiving<'_>) -> bool {
        let head = self.place == Place::Head && self.head_len > 0;
        let data = self.head.first().is_some_and(|byte| Opcode::from_bits(byte & 0x0F).is_data());
        self.open || head && data || op.kind == Kind::Frame && (head || self.place != Place::Head)
    }

    /// What comes next is a new wait.
    #[inline]
    fn next_wait(&mut self) {
        if self.wait != Wait::Linger {
            self.epoch = self.epoch.wrapping_add(1);
        }
    }

    #[inline]
    fn done(&mut self, op: &Receiving<'_>, fin: bool) -> Step {
        let len = self.got;
        self.got = 0;
        self.passed = 0;
        self.parted |= op.kind == Kind::Chunk && !fin;
        self.next_wait();
        let opcode = match op.kind {
            Kind::Frame if self.reported => Opcode::CONTINUATION,
            Kind::Frame => self.frame,
            _ => self.opcode,
        };
        self.reported = true;
        Step::Done(Received { opcode, len, fin })
    }
}

/// How many frames pass before a [`Step::Yield`].
const PASSED_MOST: u8 = 64;

/// Whether the next frame is a continuation, as far as its first byte tells.
fn goes_on(rest: &[u8]) -> bool {
    rest.first().is_some_and(|byte| byte & 0x7F == 0)
}
