//! Sending: any operations, in any room, make frames that a strict reader accepts, and they carry what was sent.

use crate::plan::{Counter, payload};
use proptest::collection::vec;
use proptest::prelude::*;
use ws_conn::{
    CloseCode, Fault, Inbound, Keys, Misuse, Opcode, Outbound, Plain, Receiving, Role, Sending, Shared, Step,
};
use ws_testkit::judge::Judge;
use ws_testkit::naive::{self, Frame};

proptest! {
    #[test]
    fn any_operations_in_any_room_carry_what_was_sent(
        ops in vec(op(), 0..20),
        rooms in vec(prop_oneof![Just(Outbound::<Plain>::MIN_ROOM), 139..200usize, 139..5000usize], 1..6),
        keyless in vec(any::<bool>(), 1..8),
    ) {
        for role in [Role::Client, Role::Server] {
            let mut sender = Sender::new(role, &rooms, &keyless);
            ops.iter().for_each(|op| sender.run(op));
            let judge = Judge::new(role == Role::Client);
            let mut frames = judge.bytes(&sender.wire).map_err(TestCaseError::fail)?;
            frames.iter_mut().for_each(|frame| frame.mask = None);
            prop_assert_eq!(frames, sender.expected);
        }
    }
}

/// One byte less room than the short way asks for: what it would have done, the long way does.
#[test]
fn the_short_way_makes_the_same_frames_as_the_long_one() {
    let payloads: [&[u8]; 7] = [b"", b"a", b"\xff", "ü".as_bytes(), b"\xc3", &[b'x'; 117], &[b'x'; 118]];
    for role in [Role::Client, Role::Server] {
        for (opcode, payload) in (0..16).flat_map(|bits| payloads.map(|payload| (Opcode::from_bits(bits), payload))) {
            for gather in [0, 1, 118, 1024] {
                for keys in [0, 9] {
                    let [short, long] = [Outbound::<Plain>::MIN_ROOM, Outbound::<Plain>::MIN_ROOM - 1].map(|size| {
                        let (mut outbound, mut keys) = (Outbound::new(role), Few(keys));
                        let mut op = Sending::message(opcode, payload).gather_from(gather);
                        let mut room = vec![0; size];
                        let first = outbound.next(&mut op, &mut keys, &mut room);
                        let first = first.map(|out| ([&room[..out.filled], out.then].concat(), out.done));
                        let mut room = [0; 300];
                        let mut next = Sending::message(Opcode::TEXT, b"next");
                        let next =
                            outbound.next(&mut next, &mut keys, &mut room).map(|out| room[..out.filled].to_vec());
                        (first, op.has_begun(), op.payload(), outbound.is_open(), next)
                    });
                    assert_eq!(short, long, "{role:?}, {opcode:?}, {payload:?}, {gather}");
                }
            }
        }
    }
}

/// The room for a header is asked for before anything is done, a key drawn among it.
#[test]
fn fourteen_bytes_of_room_begin_a_frame_and_thirteen_change_nothing() {
    let (mut outbound, mut keys) = (Outbound::new(Role::Client), Few(1));
    let mut op = Sending::fragment(Opcode::BINARY, true, &[b'x'; 300]);
    let out = outbound.next(&mut op, &mut keys, &mut [0; 13]).unwrap();
    assert_eq!((out.filled, out.done, op.has_begun(), keys.0), (0, false, false, 1));
    let out = outbound.next(&mut op, &mut keys, &mut [0; 14]).unwrap();
    assert_eq!((out.filled, out.done, op.has_begun(), keys.0), (14, false, true, 0));
}

/// What the room takes behind the longest header, that is.
#[test]
fn what_the_room_takes_is_copied_and_what_it_does_not_take_is_left_where_it_is() {
    let payload = [b'x'; 300];
    for (room, copied) in [(313, 0), (314, 300), (315, 300)] {
        let mut op = Sending::fragment(Opcode::BINARY, true, &payload).gather_from(usize::MAX);
        let out = Outbound::new(Role::Server).next(&mut op, &mut (), &mut vec![0; room]).unwrap();
        assert_eq!((out.filled, out.then.len(), out.done), (4 + copied, 300 - copied, true), "{room} bytes of room");
    }
}

/// The short way is for what it can do to the end.
#[test]
fn one_key_is_drawn_for_a_frame_whatever_its_length_and_its_room() {
    for (len, room) in [(0, 14), (100, 14), (100, 50), (100, 138), (100, 139), (125, 139), (126, 139), (300, 200)] {
        let (mut outbound, mut keys) = (Outbound::new(Role::Client), Few(1));
        let payload = vec![b'x'; len];
        let mut op = Sending::message(Opcode::BINARY, &payload);
        let mut filled = 0;
        loop {
            let out = outbound.next(&mut op, &mut keys, &mut vec![0; room]).unwrap();
            filled += out.filled;
            if out.done {
                break;
            }
        }
        assert_eq!((filled, keys.0), (if len < 126 { 6 } else { 8 } + len, 0), "{len} bytes, {room} of room");
    }
}

#[test]
fn from_the_length_on_that_was_asked_for_a_payload_is_left_where_it_is() {
    for (len, left) in [(99, 0), (100, 100), (101, 101), (125, 125)] {
        let payload = vec![b'x'; len];
        let mut op = Sending::message(Opcode::BINARY, &payload).gather_from(100);
        let out = Outbound::new(Role::Server).next(&mut op, &mut (), &mut [0; 200]).unwrap();
        assert_eq!((out.filled, out.then.len(), out.done), (2 + len - left, left, true), "{len}");
    }
}

/// Keys that run out.
pub(crate) struct Few(pub(crate) usize);

impl Keys for Few {
    fn key(&mut self) -> Option<[u8; 4]> {
        self.0 = self.0.checked_sub(1)?;
        Some([1, 2, 3, 4])
    }
}

#[test]
fn a_pong_goes_out_although_there_is_no_key_for_the_close_behind_it() {
    let (mut inbound, mut outbound) = (Inbound::new(Role::Client), Outbound::new(Role::Client));
    let (mut shared, mut room, mut wire) = (Shared::new(Role::Client), [0; 512], Vec::new());
    let _ = inbound.push(&mut Receiving::discard(), &naive::ping("p").bytes());
    inbound.reply(&mut shared).unwrap();
    shared.close(CloseCode::GOING_AWAY, "").unwrap();
    for (keys, left) in [(1, true), (1, false)] {
        let filled = outbound.replies(&mut shared, &mut Few(keys), &mut room).unwrap();
        wire.extend_from_slice(&room[..filled]);
        assert_eq!(shared.owes(), left);
    }
    let mut frames = naive::read_all(&wire).unwrap();
    frames.iter_mut().for_each(|frame| frame.mask = None);
    assert_eq!(frames, [naive::pong("p"), naive::close(1001, "")]);
}

#[derive(Clone, Debug)]
enum Op {
    Message(u8, Vec<u8>),
    /// Opcode, FIN, payload.
    Fragment(u8, bool, Vec<u8>),
    /// The peer sends a Ping, which is answered some time.
    Pinged(Vec<u8>),
    /// What is owed is sent.
    Replies,
    Close(u16, String),
}

fn op() -> impl Strategy<Value = Op> {
    let opcode = || prop_oneof![6 => 0..=2u8, 1 => 8..=10u8];
    // Text that is not, and text that is cut within a character, among others.
    let bytes = || {
        prop_oneof![
            4 => payload().prop_map(|(_, payload)| payload),
            1 => "[é€😀]{0,9}".prop_flat_map(|text| (Just(text.clone()), 0..=text.len()))
                .prop_map(|(text, at)| text.as_bytes()[at..].to_vec()),
            1 => "[é€😀]{0,9}".prop_flat_map(|text| (Just(text.clone()), 0..=text.len()))
                .prop_map(|(text, at)| text.as_bytes()[..at].to_vec()),
            1 => vec(any::<u8>(), 0..130),
        ]
    };
    prop_oneof![
        8 => (opcode(), bytes()).prop_map(|(opcode, payload)| Op::Message(opcode, payload)),
        12 => (opcode(), any::<bool>(), bytes()).prop_map(|(opcode, fin, payload)| Op::Fragment(opcode, fin, payload)),
        4 => vec(any::<u8>(), 0..=125).prop_map(Op::Pinged),
        4 => Just(Op::Replies),
        1 => (1000..5000u16, ".{0,60}").prop_map(|(code, reason)| Op::Close(code, reason)),
    ]
}

/// A driver, and beside it what it is to do.
struct Sender<'r> {
    role: Role,
    outbound: Outbound,
    inbound: Inbound,
    shared: Shared,
    keys: Sometimes,
    rooms: core::iter::Cycle<core::slice::Iter<'r, usize>>,
    keyless: core::iter::Cycle<core::slice::Iter<'r, bool>>,
    wire: Vec<u8>,
    expected: Vec<Frame>,
    /// The message in fragments that is open, if it is text and what of it went.
    open: Option<(bool, Vec<u8>)>,
    pong: Option<Vec<u8>>,
    close: Option<Frame>,
    status: Option<CloseCode>,
}

/// Keys that differ, where there are any.
#[derive(Default)]
struct Sometimes {
    counter: Counter,
    none: bool,
}

impl Keys for Sometimes {
    fn key(&mut self) -> Option<[u8; 4]> {
        (!self.none).then(|| self.counter.next_key())
    }
}

impl<'r> Sender<'r> {
    fn new(role: Role, rooms: &'r [usize], keyless: &'r [bool]) -> Self {
        Self {
            role,
            outbound: Outbound::new(role),
            inbound: Inbound::new(role),
            shared: Shared::new(role),
            keys: Sometimes::default(),
            rooms: rooms.iter().cycle(),
            keyless: keyless.iter().cycle(),
            wire: Vec::new(),
            expected: Vec::new(),
            open: None,
            pong: None,
            close: None,
            status: None,
        }
    }

    fn run(&mut self, op: &Op) {
        self.keys.none = self.role == Role::Client && self.keyless.next() == Some(&true);
        match op {
            Op::Message(opcode, payload) => self.send(*opcode, true, true, payload),
            Op::Fragment(opcode, fin, payload) => self.send(*opcode, *fin, false, payload),
            Op::Pinged(payload) => self.pinged(payload),
            Op::Replies => self.replies(),
            Op::Close(code, reason) => self.close(CloseCode::new(*code), reason),
        }
    }

    fn send(&mut self, opcode: u8, fin: bool, whole: bool, payload: &[u8]) {
        let expected = self.verdict(opcode, fin, whole, payload);
        let bits = Opcode::from_bits(opcode);
        let op = if whole { Sending::message(bits, payload) } else { Sending::fragment(bits, fin, payload) };
        // Never gathered, always gathered, and as the machine likes it.
        let mut op = match payload.len() % 3 {
            0 => op.gather_from(usize::MAX),
            1 => op.gather_from(0),
            _ => op,
        };
        let before = self.wire.len();
        let done = self.drive(&mut op);
        assert_eq!(done, expected);
        if let Err(fault) = done {
            assert!(!fault.is_fatal() || matches!(fault, Fault::Closed(_)), "{fault}");
            assert_eq!(self.wire.len(), before, "something of what is refused was sent");
            return;
        }
        let data = opcode < 8;
        let continued = data && self.open.is_some();
        let opcode_sent = if continued { naive::CONTINUATION } else { opcode };
        let mut frame = Frame::new(opcode_sent, payload);
        frame.fin = fin;
        self.expected.push(frame);
        if data {
            let (_, sent) = self.open.get_or_insert((opcode == naive::TEXT, Vec::new()));
            sent.extend_from_slice(payload);
            if fin {
                self.open = None;
            }
        }
    }

    fn drive(&mut self, op: &mut Sending<'_>) -> Result<(), Fault> {
        loop {
            let mut room = vec![0xEE; *self.rooms.next().unwrap()];
            let out = self.outbound.next(op, &mut self.keys, &mut room)?;
            assert!(out.done || out.filled > 0, "no progress in {} bytes of room", room.len());
            self.wire.extend_from_slice(&room[..out.filled]);
            self.wire.extend_from_slice(out.then);
            if out.done {
                return Ok(());
            }
        }
    }

    /// What is to come of it.
    fn verdict(&self, opcode: u8, fin: bool, whole: bool, payload: &[u8]) -> Result<(), Fault> {
        if let Some(closed) = self.outbound.closed() {
            assert_eq!(Some(closed.0), self.status);
            return Err(closed.into());
        }
        if self.keys.none {
            return Err(Misuse::NoKey.into());
        }
        if opcode >= 8 {
            let too_long = payload.len() > 125;
            return match opcode {
                _ if too_long => Err(Misuse::ControlTooLong.into()),
                _ if !fin => Err(Misuse::ControlFragmented.into()),
                naive::CLOSE => Err(Misuse::Close.into()),
                _ => Ok(()),
            };
        }
        let (text, mut sent) = match &self.open {
            Some(_) if whole => return Err(Misuse::MessageOpen.into()),
            Some(open) => open.clone(),
            None if opcode == naive::CONTINUATION => return Err(Misuse::Opcode.into()),
            None => (opcode == naive::TEXT, Vec::new()),
        };
        sent.extend_from_slice(payload);
        match core::str::from_utf8(&sent) {
            Err(error) if text && (fin || error.error_len().is_some()) => Err(Misuse::Utf8.into()),
            _ => Ok(()),
        }
    }

    fn pinged(&mut self, payload: &[u8]) {
        let ping = naive::ping(payload);
        let ping = if self.role == Role::Server { ping.masked([1, 2, 3, 4]) } else { ping };
        let (_, step) = self.inbound.push(&mut Receiving::discard(), &ping.bytes());
        assert_eq!(step, Step::Reply);
        self.inbound.reply(&mut self.shared).unwrap();
        if self.status.is_none() {
            self.pong = Some(payload.to_vec());
        }
    }

    fn close(&mut self, code: CloseCode, reason: &str) {
        let closed = self.shared.close(code, reason);
        if !code.may_be_sent() && code != CloseCode::NO_STATUS {
            assert_eq!(closed, Err(Misuse::Close));
            return;
        }
        if self.status.is_none() {
            self.status = Some(code);
            let cut = (0..=123.min(reason.len())).rev().find(|at| reason.is_char_boundary(*at)).unwrap();
            let frame = naive::close(code.get(), &reason[..cut]);
            self.close = Some(if code == CloseCode::NO_STATUS { naive::close_empty() } else { frame });
        }
        assert_eq!(closed.map(|closed| Some(closed.0)), Ok(self.status));
    }

    fn replies(&mut self) {
        while self.shared.owes() {
            let mut room = vec![0xEE; *self.rooms.next().unwrap()];
            match self.outbound.replies(&mut self.shared, &mut self.keys, &mut room) {
                Ok(filled) => {
                    assert!(filled > 0, "no progress in {} bytes of room", room.len());
                    self.wire.extend_from_slice(&room[..filled]);
                }
                Err(fault) => {
                    assert!(self.keys.none, "{fault}");
                    assert_eq!(fault, Misuse::NoKey.into());
                    return;
                }
            }
        }
        self.expected.extend(self.pong.take().map(naive::pong));
        self.expected.extend(self.close.take());
    }
}
