//! Two machines and the wires between them.

use super::driver::MIN_ROOM;
use super::keys::Counter;
use crate::input::Input;
use ws_conn::{CloseCode, Fault, Inbound, Opcode, Outbound, Receiving, Role, Sending, Shared, Step};
use ws_testkit::judge::Judge;
use ws_testkit::naive::{CLOSE, Frame, PING, PONG};

/// A client and a server do anything in any order, over wires that give out any number of bytes at a time: what one says
/// the other hears, what either sends is legal, and both end with one Close each and a status.
///
/// The input: the limit of the receivers' buffers, then operations. Each begins with a byte whose low bits say which (0:
/// message; 1, 2: fragment; 3: ping; 4: what is owed is sent; 5, 6: the other listens; 7: close) and whose high bit says
/// who (clear: the client).
pub fn pair(input: &[u8]) {
    let mut input = Input::new(input);
    let room = usize::from(input.byte()).max(1);
    let (mut client, mut server) = (Side::new(Role::Client, room), Side::new(Role::Server, room));
    for _ in 0..MOST {
        if input.is_empty() {
            break;
        }
        let op = input.byte();
        let (one, other) = if op & 0x80 == 0 { (&mut client, &mut server) } else { (&mut server, &mut client) };
        match op & 7 {
            0 => one.say(true, input.byte() | FIN, &input.payload()),
            1 | 2 => one.say(false, input.byte(), &input.payload()),
            3 => one.say(true, PING, input.counted()),
            4 => one.send_replies(),
            5 | 6 => other.listen(one, input.byte().into()),
            _ => one.close(CloseCode::new(input.u16()), input.counted()),
        }
    }
    if client.shared.closed().is_none() && server.shared.closed().is_none() {
        client.close(CloseCode::NORMAL, b"done");
    }
    for _ in 0..3 {
        client.send_replies();
        server.listen(&client, usize::MAX);
        server.send_replies();
        client.listen(&server, usize::MAX);
    }
    let (from_client, from_server) = (client.frames(), server.frames());
    client.assert_heard(&server, &from_client, &from_server);
    server.assert_heard(&client, &from_server, &from_client);
    if client.closed_itself != server.closed_itself {
        assert_eq!(client.inbound.closed(), server.inbound.closed(), "one status");
    }
}

/// One of the two.
struct Side {
    role: Role,
    inbound: Inbound,
    outbound: Outbound,
    shared: Shared,
    keys: Counter,
    /// Everything it put on the wire.
    wire: Vec<u8>,
    /// How much of the other's wire it has read.
    read: usize,
    saying: (u8, Vec<u8>),
    said: Vec<(u8, Vec<u8>)>,
    buffer: Vec<u8>,
    hearing: Vec<u8>,
    heard: Vec<(u8, Vec<u8>)>,
    closed_itself: bool,
}

impl Side {
    fn new(role: Role, room: usize) -> Self {
        Self {
            role,
            inbound: Inbound::new(role),
            outbound: Outbound::new(role),
            shared: Shared::new(role),
            keys: Counter::default(),
            wire: Vec::new(),
            read: 0,
            saying: (0, Vec::new()),
            said: Vec::new(),
            buffer: vec![0; room],
            hearing: Vec::new(),
            heard: Vec::new(),
            closed_itself: false,
        }
    }

    /// Sends a message, a fragment or a Ping, if it may.
    fn say(&mut self, whole: bool, flags: u8, payload: &[u8]) {
        // Pongs are left to the answers, and reserved opcodes to those who accept them.
        let opcode = Opcode::from_bits(flags & 0x0b);
        if opcode == Opcode::PONG || opcode.is_reserved() {
            return;
        }
        let fin = flags & FIN != 0;
        let begins = !self.outbound.is_open();
        let mut op = if whole { Sending::message(opcode, payload) } else { Sending::fragment(opcode, fin, payload) };
        loop {
            let mut room = [0xee; ROOM];
            let out = match self.outbound.next(&mut op, &mut self.keys, &mut room) {
                Ok(out) => out,
                Err(Fault::Closed(closed)) => return assert_eq!(Some(closed), self.shared.closed()),
                Err(fault) => return assert!(!fault.is_fatal(), "{fault}"),
            };
            self.wire.extend_from_slice(&room[..out.filled]);
            self.wire.extend_from_slice(out.then);
            if out.done {
                break;
            }
        }
        if opcode.is_data() {
            if begins {
                self.saying.0 = opcode.bits();
            }
            self.saying.1.extend_from_slice(payload);
            if whole || fin {
                self.said.push(core::mem::take(&mut self.saying));
            }
        }
    }

    fn close(&mut self, code: CloseCode, reason: &[u8]) {
        let first = self.shared.closed().is_none();
        let closed = self.shared.close(code, &String::from_utf8_lossy(reason));
        self.closed_itself |= first && closed.is_ok();
    }

    fn send_replies(&mut self) {
        let mut room = [0xee; 2 * MIN_ROOM];
        let filled = self.outbound.replies(&mut self.shared, &mut self.keys, &mut room).expect("there are keys");
        self.wire.extend_from_slice(&room[..filled]);
        assert!(!self.shared.owes());
    }

    /// Reads at most so many bytes of what the other side has sent.
    fn listen(&mut self, other: &Self, len: usize) {
        let until = other.wire.len().min(self.read.saturating_add(len));
        while self.inbound.closed().is_none() {
            let mut op = Receiving::chunk(&mut self.buffer);
            let (used, step) = self.inbound.push(&mut op, &other.wire[self.read..until]);
            self.read += used;
            match step {
                Step::Need(_) => return assert_eq!(self.read, until, "all of it is read before more is asked for"),
                Step::Yield(_) => {}
                Step::Done(received) => {
                    self.hearing.extend_from_slice(&self.buffer[..received.len]);
                    if received.fin {
                        self.heard.push((received.opcode.bits(), core::mem::take(&mut self.hearing)));
                    }
                }
                Step::Reply => {
                    if let Err(fault) = self.inbound.reply(&mut self.shared) {
                        assert_eq!(fault, Fault::Closed(self.shared.closed().expect("it has ended")));
                    }
                }
                Step::Room => unreachable!("nothing is held"),
            }
        }
        assert_eq!(self.read, other.wire.len(), "nothing follows a Close");
    }

    /// What it sent, as a strict reader sees it.
    fn frames(&self) -> Vec<Frame> {
        let frames = Judge::new(self.role == Role::Client).bytes(&self.wire).expect("what it sends is legal");
        assert_eq!(frames.iter().filter(|frame| frame.opcode == CLOSE).count(), 1, "one Close from each side");
        frames
    }

    fn assert_heard(&self, other: &Self, own: &[Frame], others: &[Frame]) {
        assert_eq!(self.heard, other.said);
        assert!(self.inbound.closed().is_some());
        assert_eq!(self.inbound.closed(), self.shared.closed());
        // Each Pong answers a Ping, in their order; a Ping that another overtook may go without.
        let mut pings = others.iter().filter(|frame| frame.opcode == PING);
        for pong in own.iter().filter(|frame| frame.opcode == PONG) {
            assert!(pings.any(|ping| ping.payload == pong.payload), "{pong:?} answers nothing");
        }
    }
}

const FIN: u8 = 0x10;
/// What a driver lends: enough for progress, and less than many payloads.
const ROOM: usize = 300;
/// The most operations of a run.
const MOST: usize = 64;
