//! A driver over the receiving direction that keeps everything that happens.

use super::keys::Counter;
use crate::input::pieces;
use ws_conn::{
    Accept, CloseCode, Closed, Decode, Fault, Inbound, Outbound, Plain, Received, Receiving, Role, Shared, Step,
};
use ws_testkit::judge::Judge;
use ws_testkit::naive::{self, Frame};

/// What a receiver is told, and what it answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A whole message: its opcode and payload.
    Message(u8, Vec<u8>),
    /// A frame that went back to the sender.
    Reply(Frame),
    /// The end of the connection.
    End(Fault),
}

/// How the next message, or part of one, is received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Into a buffer that is as large as the limit.
    Message,
    /// Into a buffer that grows to the limit.
    Held,
    /// Lent where it lies, if it does; otherwise as `Held`.
    Lend,
    /// As it comes.
    Chunk,
    /// On the level of frames, as it comes.
    Frame,
    /// Not at all, from here on.
    Discard,
    /// As it comes, after what is left of the message in progress was given up.
    Skip,
    /// As it comes, after the operation in progress was given up.
    GiveUp,
    /// As it comes, now that a Close of this side is said to be under way.
    Linger,
}

impl Way {
    /// Whether what comes of a conversation in this one way depends on the conversation alone.
    pub(crate) fn is_steady(self) -> bool {
        !matches!(self, Self::Skip | Self::GiveUp | Self::Linger)
    }

    pub(crate) fn from_byte(byte: u8) -> Self {
        use Way::*;
        let ways = [Message, Held, Lend, Chunk, Frame, Discard, Skip, GiveUp, Linger];
        ways[usize::from(byte) % ways.len()]
    }
}

/// A connection whose other side is a string of bytes.
pub(crate) struct Driver<'w, D = Plain> {
    role: Role,
    ways: core::iter::Cycle<core::slice::Iter<'w, Way>>,
    way: Way,
    limit: usize,
    inbound: Inbound<D>,
    outbound: Outbound,
    shared: Shared,
    keys: Counter,
    buffer: Vec<u8>,
    /// What has come of a message, and whether a control frame is half seen on the level of frames.
    message: Vec<u8>,
    opcode: u8,
    in_control: bool,
    steps: usize,
    /// How many bytes an extension may make of one.
    growth: usize,
    wire: Vec<u8>,
    events: Vec<Event>,
}

impl<'w> Driver<'w> {
    /// Receives in these ways, in turn. `limit` is that of a message, and where there is none the size of the buffer.
    pub(crate) fn new(role: Role, accept: Accept, ways: &'w [Way], limit: usize) -> Self {
        Self::with(role, accept, ways, limit, Plain, 1)
    }
}

impl<'w, D: Decode> Driver<'w, D> {
    /// The same through an extension that makes at most so many bytes of one.
    pub(crate) fn with(role: Role, accept: Accept, ways: &'w [Way], limit: usize, decode: D, growth: usize) -> Self {
        let size = match ways {
            [] | [Way::Message] => limit,
            [Way::Held | Way::Lend | Way::Discard] => 0,
            // Without a byte of room these cannot go on.
            _ => limit.max(1),
        };
        let mut inbound = Inbound::with(role, decode);
        inbound.set_accept(accept);
        Self {
            role,
            ways: ways.iter().cycle(),
            way: Way::Message,
            limit,
            inbound,
            outbound: Outbound::new(role),
            shared: Shared::new(role),
            keys: Counter::default(),
            buffer: vec![0; size],
            message: Vec::new(),
            opcode: 0,
            in_control: false,
            steps: 0,
            growth,
            wire: Vec::new(),
            events: Vec::new(),
        }
    }

    /// Receives the bytes in pieces of these sizes, then the end of the stream. Whatever happens: no byte is taken that
    /// is not there, none is left when more is asked for, nothing comes after the end, and every answer is legal.
    pub(crate) fn receive(mut self, bytes: &[u8], sizes: &[u8]) -> Vec<Event> {
        let mut unread = Vec::new();
        for piece in pieces(bytes, sizes) {
            unread.extend_from_slice(piece);
            while self.step(&mut unread) {
                self.steps += 1;
                assert!(self.steps < 64 + 8 * bytes.len() * self.growth, "it goes round in circles");
            }
            if self.inbound.closed().is_some() {
                break;
            }
            assert!(unread.is_empty(), "{} bytes are left, and more is asked for", unread.len());
        }
        self.end(&mut unread);
        let judge = Judge::new(self.role == Role::Client);
        let mut sent = judge.bytes(&self.wire).expect("every answer is legal");
        sent.iter_mut().for_each(|frame| frame.mask = None);
        let replies = self.events.iter().filter_map(|event| match event {
            Event::Reply(frame) => Some(frame),
            _ => None,
        });
        assert!(sent.iter().eq(replies));
        self.events
    }

    /// Whether more can be done with what is there.
    fn step(&mut self, unread: &mut Vec<u8>) -> bool {
        // Discarding is for what comes until the connection is closed.
        if self.way != Way::Discard {
            self.way = self.ways.next().copied().unwrap_or(Way::Message);
        }
        match self.way {
            Way::Lend => {
                if let Some((used, opcode, range)) = self.inbound.lend(unread, self.limit) {
                    assert!(used <= unread.len() && range.end <= used && range.len() <= self.limit);
                    self.events.push(Event::Message(opcode.bits(), unread[range].to_vec()));
                    unread.drain(..used);
                    return true;
                }
            }
            Way::Skip => self.inbound.skip(),
            Way::GiveUp => {
                let got = self.inbound.take_got();
                self.message.extend_from_slice(&self.buffer[..got]);
            }
            Way::Linger => self.inbound.linger(),
            _ => {}
        }
        let (used, step) = self.inbound.push(&mut receiving(self.way, &mut self.buffer, self.limit), unread);
        let unread_len = unread.len();
        assert!(used <= unread_len, "it took what was not there");
        unread.drain(..used);
        match step {
            Step::Need(_) => return false,
            Step::Yield(_) => assert!(used < unread_len, "there is more to take"),
            Step::Room => {
                // What has to stay is what lies there; the rest is overwritten with something else.
                let got = self.inbound.got();
                assert!(got == self.buffer.len() && got < self.limit, "room is asked for, and there is some");
                self.buffer.resize((got * 2).clamp(1, self.limit), 0xee);
            }
            Step::Reply => return self.reply(),
            Step::Done(received) => self.done(received),
        }
        true
    }

    fn done(&mut self, received: Received) {
        let got = &self.buffer[..received.len];
        let opcode = received.opcode.bits();
        if self.way == Way::Frame && (self.in_control || opcode >= naive::CLOSE) {
            self.in_control = !received.fin;
            return;
        }
        self.message.extend_from_slice(got);
        if opcode != naive::CONTINUATION {
            self.opcode = opcode;
        }
        if received.fin {
            self.events.push(Event::Message(self.opcode, core::mem::take(&mut self.message)));
        }
    }

    /// Settles what is owed, and sends it; `false` at the end.
    fn reply(&mut self) -> bool {
        let settled = self.inbound.reply(&mut self.shared);
        if let Err(fault) = settled {
            if !fault.is_fatal() {
                // The level of frames was asked for in the middle of a message: the only misuse a receiver can commit.
                assert!(self.way == Way::Frame && self.inbound.closed().is_none(), "{fault}");
                return true;
            }
            self.events.push(Event::End(fault));
        }
        let mut room = [0; 2 * MIN_ROOM];
        let filled = self.outbound.replies(&mut self.shared, &mut self.keys, &mut room).expect("there are keys");
        assert!(!self.shared.owes(), "it all fits");
        self.wire.extend_from_slice(&room[..filled]);
        let frames = naive::read_all(&room[..filled]).expect("whole frames");
        self.events.extend(frames.into_iter().map(|frame| Event::Reply(Frame { mask: None, ..frame })));
        settled.is_ok()
    }

    /// Once it has ended it stays so: nothing more is taken, delivered or sent, and the status is always the same.
    fn end(&mut self, unread: &mut [u8]) {
        let before = self.inbound.closed();
        assert_eq!(before, self.shared.closed());
        let status = before.unwrap_or(Closed(CloseCode::ABNORMAL));
        assert_eq!(self.inbound.eof(&mut self.shared), Err(Fault::Closed(status)));
        for way in [Way::Message, Way::Held, Way::Lend, Way::Chunk, Way::Frame, Way::Discard] {
            assert_eq!(self.inbound.lend(unread, usize::MAX), None);
            let (used, step) = self.inbound.push(&mut receiving(way, &mut self.buffer, self.limit), unread);
            assert_eq!((used, step), (0, Step::Reply));
            assert_eq!(self.inbound.reply(&mut self.shared), Err(Fault::Closed(status)));
        }
        assert!(!self.shared.owes(), "nothing more is owed");
        assert_eq!((self.inbound.closed(), self.shared.closed()), (Some(status), Some(status)));
    }
}

fn receiving(way: Way, buffer: &mut [u8], limit: usize) -> Receiving<'_> {
    match way {
        Way::Message => Receiving::message(buffer),
        Way::Held | Way::Lend => Receiving::held(buffer, limit.max(buffer.len())),
        Way::Frame => Receiving::frame(buffer),
        Way::Discard => Receiving::discard(),
        Way::Chunk | Way::Skip | Way::GiveUp | Way::Linger => Receiving::chunk(buffer),
    }
}

/// What the sending direction needs to be sure of progress.
pub(crate) const MIN_ROOM: usize = Outbound::<Plain>::MIN_ROOM;
