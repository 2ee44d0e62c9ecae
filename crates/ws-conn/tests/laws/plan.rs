//! Conversations: what one side says, as frames, and what the other side is to make of them.

use proptest::collection::vec;
use proptest::prelude::*;
use ws_conn::Role;
use ws_testkit::naive::{self, BINARY, CONTINUATION, Frame, PING, PONG, TEXT};

/// What a receiver is told, and what it answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A message: its opcode and payload.
    Message(u8, Vec<u8>),
    /// A frame that went back to the sender.
    Reply(Frame),
    /// The end, with the status.
    Closed(u16),
    /// The end for a fault, in words, with the status.
    Fault(String, u16),
}

/// A message and how it is cut into frames: the control frames that go before each of them.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) text: bool,
    pub(crate) payload: Vec<u8>,
    /// Where the fragments end, modulo the length, and what goes before each.
    cuts: Vec<(usize, Vec<Frame>)>,
    before: Vec<Frame>,
}

impl Message {
    pub(crate) fn opcode(&self) -> u8 {
        if self.text { TEXT } else { BINARY }
    }

    /// The frames, unmasked.
    pub(crate) fn frames(&self) -> Vec<Frame> {
        let mut ends: Vec<_> = self.cuts.iter().map(|(at, before)| (at % (self.payload.len() + 1), before)).collect();
        ends.sort_by_key(|(at, _)| *at);
        let mut frames = self.before.clone();
        let (mut opcode, mut from) = (self.opcode(), 0);
        for (end, controls) in ends {
            frames.push(Frame::new(opcode, &self.payload[from..end]).not_final());
            frames.extend(controls.iter().cloned());
            (opcode, from) = (CONTINUATION, end);
        }
        frames.push(Frame::new(opcode, &self.payload[from..]));
        frames
    }
}

/// What one side says: messages, and at the end perhaps a Close.
#[derive(Clone, Debug)]
pub(crate) struct Conversation {
    pub(crate) messages: Vec<Message>,
    pub(crate) close: Option<(u16, String)>,
}

impl Conversation {
    pub(crate) fn frames(&self) -> Vec<Frame> {
        let close = self.close.iter().map(|(code, reason)| naive::close(*code, reason));
        self.messages.iter().flat_map(Message::frames).chain(close).collect()
    }

    /// What the receiver is told: every message, a Pong for every Ping, and the status.
    pub(crate) fn events(&self) -> Vec<Event> {
        let mut events = Vec::new();
        for message in &self.messages {
            let pings = message.frames().into_iter().filter(|frame| frame.opcode == PING);
            events.extend(pings.map(|ping| Event::Reply(naive::pong(ping.payload))));
            events.push(Event::Message(message.opcode(), message.payload.clone()));
        }
        if let Some((code, _)) = self.close {
            events.push(Event::Closed(code));
            events.push(Event::Reply(naive::close(code, "")));
        }
        events
    }

    /// The largest message.
    pub(crate) fn longest(&self) -> usize {
        self.messages.iter().map(|message| message.payload.len()).max().unwrap_or_default()
    }
}

/// The frames as this role puts them on the wire, each under a key of its own.
pub(crate) fn wire(from: Role, frames: &[Frame]) -> Vec<u8> {
    let mut keys = Counter::default();
    frames
        .iter()
        .flat_map(|frame| match from {
            Role::Client => frame.clone().masked(keys.next_key()).bytes(),
            Role::Server => frame.bytes(),
        })
        .collect()
}

/// The bytes in pieces of these sizes, over and over.
pub(crate) fn pieces<'b>(mut bytes: &'b [u8], sizes: &'b [usize]) -> impl Iterator<Item = &'b [u8]> {
    let mut sizes = sizes.iter().cycle();
    core::iter::from_fn(move || {
        let size = sizes.next().map_or(bytes.len(), |size| (*size).clamp(1, bytes.len().max(1)));
        let (piece, rest) = bytes.split_at_checked(size)?;
        bytes = rest;
        Some(piece)
    })
}

/// Masking keys that differ.
#[derive(Debug, Default)]
pub(crate) struct Counter(u32);

impl Counter {
    pub(crate) fn next_key(&mut self) -> [u8; 4] {
        self.0 = self.0.wrapping_add(0x9e37_79b9);
        self.0.to_be_bytes()
    }
}

impl ws_conn::Keys for Counter {
    fn key(&mut self) -> Option<[u8; 4]> {
        Some(self.next_key())
    }
}

pub(crate) fn conversation() -> impl Strategy<Value = Conversation> {
    let close = proptest::option::of((prop_oneof![1000..=1003u16, 1007..=1014u16, 3000..=4999u16], ".{0,30}"));
    (vec(message(), 0..5), close).prop_map(|(messages, close)| Conversation { messages, close })
}

pub(crate) fn message() -> impl Strategy<Value = Message> {
    let cuts = vec((any::<usize>(), controls()), 0..4);
    (payload(), cuts, controls()).prop_map(|((text, payload), cuts, before)| Message { text, payload, cuts, before })
}

/// Text or not, of lengths around every form of a header, mostly short.
pub(crate) fn payload() -> impl Strategy<Value = (bool, Vec<u8>)> {
    let text = prop_oneof![8 => ".{0,40}", 1 => ".{100,160}"];
    let len = prop_oneof![8 => 0..40usize, 2 => 120..130usize, 1 => 500..1500usize, 1 => 65_530..65_540usize];
    let binary =
        (len, any::<u8>()).prop_map(|(len, seed)| (0..len).map(|at| (at as u8).wrapping_mul(31) ^ seed).collect());
    prop_oneof![text.prop_map(|text| (true, text.into_bytes())), binary.prop_map(|bytes| (false, bytes))]
}

/// The sizes of pieces: from single bytes to more than any buffer here.
pub(crate) fn sizes() -> impl Strategy<Value = Vec<usize>> {
    vec(prop_oneof![4 => 1..4usize, 3 => 1..200usize, 1 => 1..100_000usize], 1..8)
}

fn controls() -> impl Strategy<Value = Vec<Frame>> {
    let opcode = prop_oneof![Just(PING), Just(PONG)];
    let payload = prop_oneof![vec(any::<u8>(), 0..8), vec(any::<u8>(), 120..=125)];
    vec((opcode, payload).prop_map(|(opcode, payload)| Frame::new(opcode, payload)), 0..3)
}
