//! Receiving: any fragmentation, any interleaved control frames and any chunking make the same events.

use crate::plan::{Conversation, Counter, Event, conversation, pieces, sizes, wire};
use proptest::collection::vec;
use proptest::prelude::*;
use ws_conn::{Fault, Inbound, Opcode, Outbound, Received, Receiving, Role, Shared, Step};
use ws_testkit::naive;

proptest! {
    #[test]
    fn any_conversation_makes_the_same_events_in_any_chunks(
        said in conversation(), sizes in sizes(), room in 1..300usize,
    ) {
        for role in [Role::Client, Role::Server] {
            let wire = wire(role.peer(), &said.frames());
            for way in [Way::Message, Way::Held, Way::Lend, Way::Chunk(room), Way::Frame(room)] {
                let events = Receiver::new(role, way, said.longest()).receive(&wire, &sizes);
                prop_assert_eq!(&events, &expected(&said, way), "{:?} {:?}", role, way);
            }
            let events = Receiver::new(role, Way::Discard, 0).receive(&wire, &sizes);
            let mut replies = said.events();
            replies.retain(|event| !matches!(event, Event::Message(..)));
            prop_assert_eq!(events, replies);
        }
    }

    /// Also for what breaks the rules: where it is cut changes neither what is told nor what is answered.
    #[test]
    fn any_bytes_make_the_same_events_in_any_chunks(
        said in conversation(), bent in vec((any::<prop::sample::Index>(), any::<u8>()), 0..4), sizes in sizes(),
        limit in prop_oneof![0..200usize, Just(100_000)],
    ) {
        for role in [Role::Client, Role::Server] {
            let mut wire = wire(role.peer(), &said.frames());
            for (at, bits) in &bent {
                if !wire.is_empty() {
                    let at = at.index(wire.len());
                    wire[at] ^= bits;
                }
            }
            for way in [Way::Message, Way::Held, Way::Lend, Way::Discard] {
                let whole = Receiver::new(role, way, limit).receive(&wire, &[]);
                let cut = Receiver::new(role, way, limit).receive(&wire, &sizes);
                prop_assert_eq!(&whole, &cut, "{:?} {:?}", role, way);
                let bytewise = Receiver::new(role, way, limit).receive(&wire, &[1]);
                prop_assert_eq!(&whole, &bytewise, "{:?} {:?}, byte by byte", role, way);
            }
            let message = Receiver::new(role, Way::Message, limit).receive(&wire, &[]);
            let held = Receiver::new(role, Way::Held, limit).receive(&wire, &[]);
            prop_assert_eq!(&message, &held, "a buffer that grows makes no difference");
            let lent = Receiver::new(role, Way::Lend, limit).receive(&wire, &[]);
            prop_assert_eq!(&message, &lent, "lending makes no difference");
        }
    }

    #[test]
    fn noise_is_refused_or_understood_but_nothing_else(
        noise in vec(any::<u8>(), 0..200), sizes in sizes(), room in 1..40usize,
    ) {
        for role in [Role::Client, Role::Server] {
            for way in [Way::Message, Way::Held, Way::Lend, Way::Chunk(room), Way::Frame(room), Way::Discard] {
                let events = Receiver::new(role, way, 100).receive(&noise, &sizes);
                let ends = events.iter().filter(|event| matches!(event, Event::Closed(_) | Event::Fault(..))).count();
                prop_assert!(ends <= 1, "{:?}", events);
            }
        }
    }
}

#[test]
fn section_5_2_a_header_is_refused_at_the_byte_that_shows_it() {
    for (first, second) in (0..=u8::MAX).flat_map(|first| [126, 127, 254, 255].map(|second| (first, second))) {
        let (fin, opcode) = (first & 0x80 != 0, first & 0x0F);
        let control = opcode >= 8;
        let reserved = !matches!(opcode, 0..=2 | 8..=10);
        let mut inbound = Inbound::new(Role::Client);
        let (_, step) = inbound.push(&mut Receiving::discard(), &[first]);
        let wrong = first & 0x70 != 0 || reserved || opcode == naive::CONTINUATION || control && !fin;
        assert_eq!(step == Step::Reply, wrong, "{first:x}");
        if !wrong {
            let (_, step) = inbound.push(&mut Receiving::discard(), &[second]);
            assert_eq!(step == Step::Reply, control || second & 0x80 != 0, "{first:x} {second:x}");
        }
    }
}

/// Fragments that lie in the input are one part of a stream, however small they are. What they are not followed by yet,
/// and what is no fragment, is not waited for.
#[test]
fn a_stream_gets_all_fragments_that_have_come_at_once() {
    let fragments = [naive::binary("a").not_final(), naive::continuation("").not_final(), naive::continuation("bc")];
    let ping = naive::ping("p");
    let mut into = [0; 9];
    let (_, step) = Inbound::new(Role::Client).push(&mut Receiving::chunk(&mut into), &naive::encode_all(&fragments));
    assert_eq!(step, Step::Done(Received { opcode: Opcode::BINARY, len: 3, fin: true }));
    assert_eq!(into[..3], *b"abc");
    for said in [&fragments[..1], &fragments[..2], &[fragments[0].clone(), ping, fragments[2].clone()]] {
        let mut into = [0; 9];
        let (_, step) = Inbound::new(Role::Client).push(&mut Receiving::chunk(&mut into), &naive::encode_all(said));
        assert_eq!(step, Step::Done(Received { opcode: Opcode::BINARY, len: 1, fin: false }), "{said:?}");
    }
}

/// What a discard has met of a message takes the rest along, and nothing of the next one.
#[test]
fn a_discard_gives_up_the_message_in_progress_and_no_other() {
    let frames = [naive::text("abc").not_final(), naive::continuation("def"), naive::binary("next")];
    let wire = wire(Role::Client, &frames);
    for from in 0..=HEADER + "abc".len() {
        for to in from.max(HEADER)..=wire.len() {
            let (mut inbound, mut buffer) = (Inbound::new(Role::Server), [0; 16]);
            let _ = inbound.push(&mut Receiving::message(&mut buffer), &wire[..from]);
            let (used, step) = inbound.push(&mut Receiving::discard(), &wire[from..to]);
            assert!(used == to - from && matches!(step, Step::Need(_)), "{from}..{to}: {step:?}");
            let (_, step) = inbound.push(&mut Receiving::message(&mut buffer), &wire[to..]);
            let received = match step {
                Step::Done(received) => Some((received.opcode, &buffer[..received.len])),
                _ => None,
            };
            let untouched = to < wire.len() - "next".len();
            assert_eq!(received, untouched.then_some((Opcode::BINARY, &b"next"[..])), "{from}..{to}");
        }
    }
}

/// The size of a short masked header.
const HEADER: usize = 6;

/// The level of frames answers no Ping.
fn expected(said: &Conversation, way: Way) -> Vec<Event> {
    let mut events = said.events();
    if matches!(way, Way::Frame(_)) {
        events.retain(|event| !matches!(event, Event::Reply(frame) if frame.opcode == naive::PONG));
    }
    events
}

/// How messages are received.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// Into a buffer that is as large as the limit.
    Message,
    /// Into a buffer that grows.
    Held,
    /// Lent where they lie, if they do.
    Lend,
    /// As they come, so many bytes at a time.
    Chunk(usize),
    /// On the level of frames, so many bytes at a time.
    Frame(usize),
    Discard,
}

/// A driver that keeps everything that happens.
struct Receiver {
    inbound: Inbound,
    outbound: Outbound,
    shared: Shared,
    keys: Counter,
    way: Way,
    limit: usize,
    buffer: Vec<u8>,
    /// What has come of a message, and the control frame of which the level of frames has seen a part.
    message: Vec<u8>,
    opcode: u8,
    in_control: bool,
    role: Role,
    events: Vec<Event>,
}

impl Receiver {
    fn new(role: Role, way: Way, limit: usize) -> Self {
        let size = match way {
            Way::Message => limit,
            Way::Chunk(room) | Way::Frame(room) => room,
            Way::Held | Way::Lend | Way::Discard => 0,
        };
        Self {
            inbound: Inbound::new(role),
            outbound: Outbound::new(role),
            shared: Shared::new(role),
            keys: Counter::default(),
            way,
            limit,
            buffer: vec![0; size],
            message: Vec::new(),
            opcode: 0,
            in_control: false,
            role,
            events: Vec::new(),
        }
    }

    fn receive(mut self, wire: &[u8], sizes: &[usize]) -> Vec<Event> {
        let mut unread = Vec::new();
        for piece in pieces(wire, sizes).take_while(|piece| !piece.is_empty()) {
            unread.extend_from_slice(piece);
            while self.step(&mut unread) {}
            if self.inbound.closed().is_some() {
                break;
            }
            assert!(unread.is_empty(), "{} bytes are left, and more is asked for", unread.len());
        }
        self.events
    }

    /// Whether more can be done with what is there.
    fn step(&mut self, unread: &mut Vec<u8>) -> bool {
        if matches!(self.way, Way::Lend)
            && let Some((used, opcode, range)) = self.inbound.lend(unread, self.limit)
        {
            self.events.push(Event::Message(opcode.bits(), unread[range].to_vec()));
            unread.drain(..used);
            return true;
        }
        let mut op = match self.way {
            Way::Message => Receiving::message(&mut self.buffer),
            Way::Held | Way::Lend => Receiving::held(&mut self.buffer, self.limit),
            Way::Chunk(_) => Receiving::chunk(&mut self.buffer),
            Way::Frame(_) => Receiving::frame(&mut self.buffer),
            Way::Discard => Receiving::discard(),
        };
        let (used, step) = self.inbound.push(&mut op, unread);
        assert!(used <= unread.len(), "it took what was not there");
        unread.drain(..used);
        match step {
            Step::Need(_) => return false,
            Step::Yield(_) => {}
            Step::Room => {
                // What has to stay is what lies there; the rest is overwritten with something else.
                let len = self.buffer.len();
                self.buffer.resize((len * 2).clamp(1, self.limit), 0xEE);
            }
            Step::Reply => return self.reply(),
            Step::Done(received) => self.done(received),
        }
        true
    }

    fn done(&mut self, received: Received) {
        let got = &self.buffer[..received.len];
        let opcode = received.opcode.bits();
        if matches!(self.way, Way::Frame(_)) && (self.in_control || opcode >= 8) {
            self.in_control = !received.fin;
            return;
        }
        self.message.extend_from_slice(got);
        if opcode != 0 {
            self.opcode = opcode;
        }
        if received.fin {
            self.events.push(Event::Message(self.opcode, core::mem::take(&mut self.message)));
        }
    }

    fn reply(&mut self) -> bool {
        let settled = self.inbound.reply(&mut self.shared);
        if let Err(fault) = settled {
            let code = fault.code().get();
            self.events.push(match fault {
                Fault::Closed(_) => Event::Closed(code),
                fault => Event::Fault(fault.to_string(), code),
            });
        }
        let mut room = [0; 512];
        let filled = self.outbound.replies(&mut self.shared, &mut self.keys, &mut room).unwrap();
        assert!(!self.shared.owes());
        for mut frame in naive::read_all(&room[..filled]).unwrap() {
            assert_eq!(frame.mask.take().is_some(), self.role == Role::Client);
            self.events.push(Event::Reply(frame));
        }
        settled.is_ok()
    }
}
