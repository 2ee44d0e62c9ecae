//! What a scenario consists of, and what came of it.

use ws_conn::{Accept, Closed, Fault, Opcode, Role};
use ws_testkit::naive::{self, CLOSE, Frame};
use ws_testkit::raw;

/// One conversation, as data.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    pub(crate) name: String,
    /// The roles of our side in which it is played.
    pub(crate) roles: &'static [Role],
    pub(crate) accept: Accept,
    /// Whether the toy extension is in use, in both directions.
    pub(crate) extension: bool,
    /// Whether it is left to the driver how many fragments a message of ours has.
    pub(crate) merges: bool,
    /// What the peer sends, before it closes its direction of the transport.
    pub(crate) peer: Vec<Peer>,
    /// What the application does. The last call is repeated until the connection ends.
    pub(crate) calls: Vec<Call>,
    /// What the calls gave, in order.
    pub(crate) events: Vec<Event>,
    /// What the last call failed with.
    pub(crate) fault: Fault,
    /// What we must have sent, unmasked.
    pub(crate) sent: Vec<Frame>,
    /// The status in the end.
    pub(crate) status: u16,
}

/// Something that the peer sends.
#[derive(Clone, Debug)]
pub(crate) enum Peer {
    /// A frame, masked if the peer is a client.
    Frame(Frame),
    /// A frame with the mask that it has, or has not.
    Exact(Frame),
    /// The header of a frame that announces so many bytes, and then the frame's payload.
    Announced(u64, Frame),
    /// A frame in a form that no honest peer sends.
    Raw(fn(&Frame) -> Vec<u8>, Frame),
}

/// Something that the application does.
#[derive(Clone, Debug)]
pub(crate) enum Call {
    /// Receives a message into a buffer of so many bytes.
    Receive(usize),
    /// Borrows a message of at most so many bytes.
    Message(usize),
    /// Reads a message as a stream, so many bytes at a time.
    Stream(usize),
    /// Reads the first so many bytes (the second number) of a message as a stream and gives up the rest.
    Prefix(usize, usize),
    /// Reads on the level of frames, so many bytes at a time, until a control frame or a message is at its end.
    Frames(usize),
    Send(Opcode, Vec<u8>),
    Feed(Opcode, Vec<u8>),
    Flush,
    /// Sends a message as a stream, in these fragments.
    SendStream(Opcode, Vec<Vec<u8>>),
    /// Begins a message as a stream and gives it up.
    GiveUp(Opcode, Vec<u8>),
    /// Sends one frame on the level of frames.
    SendFrame(Opcode, bool, Vec<u8>),
    Close(u16, String),
    /// Closes and waits for the peer's Close. The connection has ended then.
    Finish(u16, String),
}

/// Something that a call gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A whole message.
    Message(Opcode, Vec<u8>),
    /// The beginning of a message whose rest was given up.
    Prefix(Opcode, Vec<u8>),
    /// A control frame, on the level of frames.
    Control(Opcode, Vec<u8>),
    /// A call failed, and the application went on.
    Failed(Failure),
}

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    Fault(Fault),
    Io(std::io::ErrorKind),
}

/// What came of a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) events: Vec<Event>,
    pub(crate) failure: Failure,
    pub(crate) status: u16,
    /// The bytes we sent.
    pub(crate) sent: Vec<u8>,
}

/// A scenario to be filled in: played in both roles, with [`Accept::V13`]; the peer sends nothing and is gone.
pub(crate) fn scenario(name: impl Into<String>) -> Scenario {
    Scenario {
        name: name.into(),
        roles: &[Role::Server, Role::Client],
        accept: Accept::V13,
        extension: false,
        merges: false,
        peer: Vec::new(),
        calls: vec![Call::Receive(1000)],
        events: Vec::new(),
        fault: closed(1006),
        sent: Vec::new(),
        status: 1006,
    }
}

impl Scenario {
    /// Played in this role of ours only.
    pub(crate) fn only(mut self, role: Role) -> Self {
        self.roles = if role == Role::Server { &[Role::Server] } else { &[Role::Client] };
        self
    }

    pub(crate) fn accept(mut self, accept: Accept) -> Self {
        self.accept = accept;
        self
    }

    pub(crate) fn extension(mut self) -> Self {
        self.extension = true;
        self
    }

    pub(crate) fn peer<P: Into<Peer>>(mut self, peer: impl IntoIterator<Item = P>) -> Self {
        self.peer.extend(peer.into_iter().map(Into::into));
        self
    }

    pub(crate) fn calls(mut self, calls: impl IntoIterator<Item = Call>) -> Self {
        self.calls = calls.into_iter().collect();
        self
    }

    pub(crate) fn gives(mut self, events: impl IntoIterator<Item = Event>) -> Self {
        self.events = events.into_iter().collect();
        self
    }

    pub(crate) fn gives_more(mut self, events: impl IntoIterator<Item = Event>) -> Self {
        self.events.extend(events);
        self
    }

    /// What we send, before what the end of the scenario adds.
    pub(crate) fn sends(mut self, frames: impl IntoIterator<Item = Frame>) -> Self {
        self.sent = frames.into_iter().collect();
        self
    }

    pub(crate) fn sends_more(mut self, frames: impl IntoIterator<Item = Frame>) -> Self {
        self.sent.extend(frames);
        self
    }

    /// The last call fails with this, and the peer is told this code with the words that belong to the fault.
    pub(crate) fn fails(mut self, fault: impl Into<Fault>, code: u16) -> Self {
        self.fault = fault.into();
        self.status = code;
        self.sent.push(naive::close(code, self.fault.reason()));
        self
    }

    /// The peer closed with this code, or without one (1005), and gets the same back.
    pub(crate) fn closed_by_peer(mut self, code: u16) -> Self {
        self.sent.push(if code == 1005 { naive::close_empty() } else { naive::close(code, "") });
        self.closed_with(code)
    }

    /// The last call reports this status; nothing more is sent.
    pub(crate) fn closed_with(mut self, code: u16) -> Self {
        self.fault = closed(code);
        self.status = code;
        self
    }

    /// What the peer sends, as bytes, when our side has this role.
    pub(crate) fn wire(&self, role: Role) -> Vec<u8> {
        let key = |at: usize| (role == Role::Server).then_some([0x5A ^ at as u8, 0x13, 0xC7, 0x80 | at as u8]);
        let frames = self.peer.iter().enumerate();
        frames.flat_map(|(at, peer)| peer.bytes(key(at))).collect()
    }

    /// Judges an outcome, all of it.
    pub(crate) fn check(&self, role: Role, outcome: &Outcome) -> Result<(), String> {
        same("gave", &outcome.events, &self.events)?;
        same("failed with", &outcome.failure, &Failure::Fault(self.fault))?;
        same("status", &outcome.status, &self.status)?;
        same("sent", &self.frames(role, &outcome.sent)?, &self.merged(self.sent.clone()))
    }

    /// What we sent, judged and unmasked.
    pub(crate) fn frames(&self, role: Role, sent: &[u8]) -> Result<Vec<Frame>, String> {
        let mut judge = ws_testkit::judge::Judge::new(role == Role::Client).allow_reserved_opcodes();
        if self.extension {
            judge = judge.allow_rsv(4);
        }
        let mut frames = judge.bytes(sent).map_err(|rule| format!("sent an illegal frame: {rule}"))?;
        frames.iter_mut().for_each(|frame| frame.mask = None);
        Ok(self.merged(frames))
    }

    /// Where it depends on the room how many fragments a message has they are put together: with an extension, and where
    /// the driver says so.
    fn merged(&self, frames: Vec<Frame>) -> Vec<Frame> {
        if !self.extension && !self.merges {
            return frames;
        }
        let mut merged: Vec<Frame> = Vec::new();
        for frame in frames {
            match merged.iter_mut().rev().find(|known| !known.is_control()) {
                Some(open) if !frame.is_control() && !open.fin => {
                    open.payload.extend(frame.payload);
                    open.fin = frame.fin;
                }
                _ => merged.push(frame),
            }
        }
        merged
    }
}

impl Peer {
    fn bytes(&self, key: Option<[u8; 4]>) -> Vec<u8> {
        match self {
            Self::Frame(frame) => with(frame, key).bytes(),
            Self::Exact(frame) => frame.bytes(),
            Self::Raw(bytes, frame) => bytes(&with(frame, key)),
            Self::Announced(len, frame) => {
                let mut bytes = raw::announced(&with(frame, key), *len);
                bytes.extend(key.map_or_else(|| frame.payload.clone(), |key| naive::masked(&frame.payload, key)));
                bytes
            }
        }
    }
}

impl From<Frame> for Peer {
    fn from(frame: Frame) -> Self {
        Self::Frame(frame)
    }
}

impl Call {
    /// Whether a failure of this call ends the scenario.
    pub(crate) fn receives(&self) -> bool {
        matches!(
            self,
            Self::Receive(_)
                | Self::Message(_)
                | Self::Stream(_)
                | Self::Prefix(..)
                | Self::Frames(_)
                | Self::Finish(..)
        )
    }
}

impl Event {
    /// Whether it is something that the peer sent.
    pub(crate) fn is_delivery(&self) -> bool {
        !matches!(self, Self::Failed(_))
    }
}

pub(crate) fn closed(code: u16) -> Fault {
    Fault::Closed(Closed(ws_conn::CloseCode::new(code)))
}

pub(crate) fn same<T: PartialEq + core::fmt::Debug>(what: &str, is: &T, must: &T) -> Result<(), String> {
    if is == must {
        return Ok(());
    }
    let short = |value: &T| format!("{value:?}").chars().take(600).collect::<String>();
    Err(format!("{what}\n    {}\n  instead of\n    {}", short(is), short(must)))
}

/// Whether a Close of ours is the last thing on the wire.
pub(crate) fn ends_with_close(frames: &[Frame]) -> bool {
    frames.last().is_some_and(|frame| frame.opcode == CLOSE)
}

fn with(frame: &Frame, key: Option<[u8; 4]>) -> Frame {
    Frame { mask: key, ..frame.clone() }
}
