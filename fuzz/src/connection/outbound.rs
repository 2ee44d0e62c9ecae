//! The sending direction, asked for anything, in any room.

use super::driver::MIN_ROOM;
use super::keys::Counter;
use crate::input::Input;
use ws_conn::{CloseCode, Fault, Inbound, Misuse, Opcode, Outbound, Receiving, Role, Sending, Shared, Step};
use ws_testkit::judge::Judge;
use ws_testkit::naive::{self, CLOSE, CONTINUATION, Frame};

/// Any operations, in any room: what is accepted is legal by the judge and arrives as it was given, what is refused would
/// have been illegal and leaves no trace.
///
/// The input: the role (even: server), the sizes of room (counted), then operations. Each begins with a byte whose low
/// bits say which (0, 1: message; 2, 3, 4: fragment; 5: the peer pings; 6: what is owed is sent; 7: close) and whose high
/// bit means, to a client, that no masking key can be had.
pub fn outbound(input: &[u8]) {
    let mut input = Input::new(input);
    let role = if input.byte() & 1 == 0 { Role::Server } else { Role::Client };
    let mut sender = Sender::new(role, input.counted());
    for _ in 0..MOST {
        if input.is_empty() {
            break;
        }
        let op = input.byte();
        sender.keys.dry = role == Role::Client && op & 0x80 != 0;
        match op & 7 {
            0 | 1 => sender.send(true, input.byte() | FIN, &input.payload()),
            2..=4 => sender.send(false, input.byte(), &input.payload()),
            5 => sender.pinged(input.counted()),
            6 => sender.send_replies(),
            _ => sender.close(CloseCode::new(input.u16()), input.counted()),
        }
    }
    let mut frames = judge(role).bytes(&sender.wire).expect("everything that is sent is legal");
    frames.iter_mut().for_each(|frame| frame.mask = None);
    assert_eq!(frames, sender.sent);
}

/// A driver, and beside it what it is to have sent.
struct Sender<'i> {
    role: Role,
    inbound: Inbound,
    outbound: Outbound,
    shared: Shared,
    keys: Counter,
    rooms: core::iter::Cycle<core::slice::Iter<'i, u8>>,
    wire: Vec<u8>,
    sent: Vec<Frame>,
    /// Where in what it has sent the message in fragments begins, or the last message ended.
    message_at: usize,
    pong: Option<Frame>,
    close: Option<Frame>,
    status: Option<CloseCode>,
}

impl<'i> Sender<'i> {
    fn new(role: Role, rooms: &'i [u8]) -> Self {
        Self {
            role,
            inbound: Inbound::new(role),
            outbound: Outbound::new(role),
            shared: Shared::new(role),
            keys: Counter::default(),
            rooms: rooms.iter().cycle(),
            wire: Vec::new(),
            sent: Vec::new(),
            message_at: 0,
            pong: None,
            close: None,
            status: None,
        }
    }

    /// A message or a fragment. Of the flags the low four bits are the opcode, the next is FIN, and two more say from
    /// which size on the payload is left where it is.
    fn send(&mut self, whole: bool, flags: u8, payload: &[u8]) {
        let (opcode, fin) = (Opcode::from_bits(flags), flags & FIN != 0);
        let op = if whole { Sending::message(opcode, payload) } else { Sending::fragment(opcode, fin, payload) };
        let mut op = match flags >> 5 & 3 {
            0 => op.gather_from(0),
            1 => op.gather_from(usize::MAX),
            _ => op,
        };

        let inside = opcode.is_data() && self.outbound.is_open();
        let frame = Frame {
            opcode: if inside && !whole { CONTINUATION } else { opcode.bits() },
            fin,
            ..Frame::new(0, payload)
        };
        let since: Vec<_> = self.sent[self.message_at..].iter().cloned().chain([frame.clone()]).collect();
        let legal = judge(Role::Server).frames(&since).is_ok();
        let before = self.wire.len();
        match self.drive(&mut op) {
            Ok(()) => {
                assert!(legal, "{frame:?} must not be sent");
                self.sent.push(frame);
                if opcode.is_data() && !self.outbound.is_open() {
                    self.message_at = self.sent.len();
                }
                return;
            }
            Err(Fault::Closed(closed)) => {
                assert_eq!(self.outbound.closed(), Some(closed));
                assert_eq!(Some(closed.0), self.status);
                assert!(!legal);
            }
            Err(Fault::Misuse(Misuse::NoKey)) => assert!(self.keys.dry),
            // A Close goes another way, and a whole message is no fragment, whatever its opcode is.
            Err(Fault::Misuse(Misuse::Close)) => assert_eq!(opcode.bits(), CLOSE),
            Err(Fault::Misuse(Misuse::MessageOpen)) => assert!(inside && whole),
            Err(Fault::Misuse(_)) => assert!(!legal, "{frame:?} may be sent"),
            Err(fault) => panic!("{fault}"),
        }
        assert_eq!(self.wire.len(), before, "something of what is refused was sent");
    }

    fn drive(&mut self, op: &mut Sending<'_>) -> Result<(), Fault> {
        loop {
            let mut room = self.room();
            let mut out = self.outbound.next(op, &mut self.keys, &mut room)?;
            if out.filled == 0 && !out.done {
                assert!(room.len() < MIN_ROOM, "no progress in {} bytes of room", room.len());
                room.resize(MIN_ROOM, 0xee);
                out = self.outbound.next(op, &mut self.keys, &mut room)?;
            }
            assert!(out.done || out.filled > 0, "no progress in {} bytes of room", room.len());
            assert!(out.then.is_empty() || self.role == Role::Server, "a client masks everything");
            self.wire.extend_from_slice(&room[..out.filled]);
            self.wire.extend_from_slice(out.then);
            if out.done {
                return Ok(());
            }
        }
    }

    fn room(&mut self) -> Vec<u8> {
        vec![0xee; self.rooms.next().map_or(MIN_ROOM, |size| usize::from(*size))]
    }

    fn pinged(&mut self, payload: &[u8]) {
        let ping = naive::ping(payload.get(..125).unwrap_or(payload));
        let pong = naive::pong(ping.payload.clone());
        let ping = if self.role == Role::Server { ping.masked([1, 2, 3, 4]) } else { ping };
        let (_, step) = self.inbound.push(&mut Receiving::discard(), &ping.bytes());
        assert_eq!(step, Step::Reply);
        assert_eq!(self.inbound.reply(&mut self.shared), Ok(()));
        if self.status.is_none() {
            self.pong = Some(pong);
        }
    }

    fn close(&mut self, code: CloseCode, reason: &[u8]) {
        let reason = String::from_utf8_lossy(reason);
        let closed = self.shared.close(code, &reason);
        if !code.may_be_sent() && code != CloseCode::NO_STATUS {
            return assert_eq!(closed, Err(Misuse::Close));
        }
        if self.status.is_none() {
            self.status = Some(code);
            let cut = (0..=reason.len().min(123)).rev().find(|at| reason.is_char_boundary(*at)).unwrap_or_default();
            let frame = naive::close(code.get(), &reason[..cut]);
            self.close = Some(if code == CloseCode::NO_STATUS { naive::close_empty() } else { frame });
        }
        assert_eq!(closed.map(|closed| Some(closed.0)), Ok(self.status));
    }

    fn send_replies(&mut self) {
        let mut rounds = 0;
        while self.shared.owes() {
            rounds += 1;
            assert!(rounds <= 2, "a Pong and a Close at most");
            let mut room = self.room();
            room.resize(room.len().max(MIN_ROOM), 0xee);
            match self.outbound.replies(&mut self.shared, &mut self.keys, &mut room) {
                Ok(filled) => {
                    assert!(filled > 0, "no progress in {} bytes of room", room.len());
                    self.wire.extend_from_slice(&room[..filled]);
                }
                Err(fault) => {
                    assert!(self.keys.dry);
                    return assert_eq!(fault, Misuse::NoKey.into());
                }
            }
        }
        self.sent.extend(self.pong.take());
        self.sent.extend(self.close.take());
    }
}

fn judge(role: Role) -> Judge {
    Judge::new(role == Role::Client).allow_reserved_opcodes()
}

const FIN: u8 = 0x10;
/// The most operations of a run.
const MOST: usize = 48;
