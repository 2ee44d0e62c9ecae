//! A client and a server, machine against machine: whatever is said arrives, and both end with a status.

use crate::plan::{Conversation, Counter, conversation, sizes};
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::VecDeque;
use ws_conn::{CloseCode, Fault, Inbound, Opcode, Outbound, Receiving, Role, Sending, Shared, Step};
use ws_testkit::judge::Judge;
use ws_testkit::naive::{CLOSE, Frame};

proptest! {
    #[test]
    fn what_a_pair_says_arrives_whatever_the_chunks_and_the_order(
        client in conversation(), server in conversation(), turns in vec(any::<bool>(), 1..12), sizes in sizes(),
    ) {
        let mut client = Side::new(Role::Client, &client);
        let mut server = Side::new(Role::Server, &server);
        let mut sizes = sizes.iter().cycle();
        for turn in turns.iter().cycle() {
            // Who has nothing left to say leaves the turn to the other.
            let turn = if client.to_say.is_empty() || server.to_say.is_empty() { server.to_say.is_empty() } else { *turn };
            let (one, other) = if turn { (&mut client, &mut server) } else { (&mut server, &mut client) };
            one.speak();
            other.listen(one, *sizes.next().unwrap());
            if client.to_say.is_empty() && server.to_say.is_empty() {
                break;
            }
        }
        if client.shared.closed().is_none() && server.shared.closed().is_none() {
            client.close(1000, "done");
        }
        while client.inbound.closed().is_none() || server.inbound.closed().is_none() {
            client.listen(&server, *sizes.next().unwrap());
            server.listen(&client, *sizes.next().unwrap());
        }

        for (side, other) in [(&client, &server), (&server, &client)] {
            prop_assert_eq!(&side.heard, &other.said, "{:?} hears what the other has said", side.role);
            prop_assert_eq!(side.inbound.closed(), side.shared.closed());
            prop_assert!(side.inbound.closed().is_some());
            let frames = Judge::new(side.role == Role::Client).bytes(&side.wire).map_err(TestCaseError::fail)?;
            let closes = frames.iter().filter(|frame| frame.opcode == CLOSE).count();
            prop_assert_eq!(closes, 1, "one Close from each side");
        }
        if client.closed_itself != server.closed_itself {
            prop_assert_eq!(client.inbound.closed(), server.inbound.closed(), "one status");
        }
    }
}

/// One of the two.
struct Side {
    role: Role,
    inbound: Inbound,
    outbound: Outbound,
    shared: Shared,
    keys: Counter,
    to_say: VecDeque<Frame>,
    /// Everything it put on the wire.
    wire: Vec<u8>,
    /// How much of the other's wire it has read.
    read: usize,
    saying: (u8, Vec<u8>),
    said: Vec<(u8, Vec<u8>)>,
    buffer: [u8; 1000],
    hearing: Vec<u8>,
    heard: Vec<(u8, Vec<u8>)>,
    closed_itself: bool,
}

impl Side {
    fn new(role: Role, conversation: &Conversation) -> Self {
        Self {
            role,
            inbound: Inbound::new(role),
            outbound: Outbound::new(role),
            shared: Shared::new(role),
            keys: Counter::default(),
            to_say: conversation.frames().into(),
            wire: Vec::new(),
            read: 0,
            saying: (0, Vec::new()),
            said: Vec::new(),
            buffer: [0; 1000],
            hearing: Vec::new(),
            heard: Vec::new(),
            closed_itself: false,
        }
    }

    /// Sends its next frame.
    fn speak(&mut self) {
        let Some(frame) = self.to_say.pop_front() else { return };
        if frame.opcode == CLOSE {
            let (code, reason) = frame.payload.split_at(2);
            return self.close(u16::from_be_bytes([code[0], code[1]]), core::str::from_utf8(reason).unwrap());
        }
        let mut op = Sending::fragment(Opcode::from_bits(frame.opcode), frame.fin, &frame.payload);
        loop {
            let mut room = [0xEE; 700];
            match self.outbound.next(&mut op, &mut self.keys, &mut room) {
                Ok(out) => {
                    self.wire.extend_from_slice(&room[..out.filled]);
                    self.wire.extend_from_slice(out.then);
                    if out.done {
                        break;
                    }
                }
                // The other side has closed meanwhile.
                Err(fault) => {
                    assert_eq!(fault, Fault::Closed(self.shared.closed().unwrap()));
                    return;
                }
            }
        }
        if !frame.is_control() {
            if frame.opcode != 0 {
                self.saying.0 = frame.opcode;
            }
            self.saying.1.extend_from_slice(&frame.payload);
            if frame.fin {
                let message = core::mem::take(&mut self.saying.1);
                self.said.push((self.saying.0, message));
            }
        }
    }

    fn close(&mut self, code: u16, reason: &str) {
        self.closed_itself = self.shared.closed().is_none();
        self.shared.close(CloseCode::new(code), reason).unwrap();
        self.send_replies();
    }

    /// Reads at most so many bytes of what the other side has sent.
    fn listen(&mut self, other: &Self, size: usize) {
        let until = other.wire.len().min(self.read + size);
        while self.inbound.closed().is_none() {
            let mut op = Receiving::chunk(&mut self.buffer);
            let (used, step) = self.inbound.push(&mut op, &other.wire[self.read..until]);
            self.read += used;
            match step {
                Step::Need(_) => {
                    assert_eq!(self.read, until);
                    return;
                }
                Step::Done(received) => {
                    self.hearing.extend_from_slice(&self.buffer[..received.len]);
                    if received.fin {
                        self.heard.push((received.opcode.bits(), core::mem::take(&mut self.hearing)));
                    }
                }
                Step::Reply => {
                    if let Err(fault) = self.inbound.reply(&mut self.shared) {
                        assert_eq!(fault, Fault::Closed(self.shared.closed().unwrap()), "{:?}", self.role);
                    }
                    self.send_replies();
                }
                Step::Yield(_) => {}
                Step::Room => unreachable!("nothing is held"),
            }
        }
        self.read = other.wire.len();
    }

    fn send_replies(&mut self) {
        let mut room = [0xEE; 300];
        let filled = self.outbound.replies(&mut self.shared, &mut self.keys, &mut room).unwrap();
        self.wire.extend_from_slice(&room[..filled]);
    }
}
