//! The smallest driver: the state machine, bytes in pieces, and the laws of its waits.

use crate::app::{App, Parts, check_stream};
use crate::scenario::{Call, Event, Failure};
use std::collections::{HashSet, VecDeque};
use ws_conn::{
    Accept, CloseCode, Decode, Encode, Fault, Inbound, Keys, Misuse, Need, Opcode, Outbound, Received, Receiving, Role,
    Sending, Shared, Step, Wait,
};
use ws_testkit::chunks::Lcg;

pub(crate) struct Machine<'p, D, E> {
    inbound: Inbound<D>,
    outbound: Outbound<E>,
    shared: Shared,
    keys: Numbered,
    pieces: VecDeque<&'p [u8]>,
    unread: Vec<u8>,
    sent: Vec<u8>,
    /// The room that is lent for sending.
    room: Vec<u8>,
    parts: Parts,
    waits: Waits,
}

impl<'p, D: Decode, E: Encode> Machine<'p, D, E> {
    pub(crate) fn new(role: Role, decode: D, encode: E, pieces: &[&'p [u8]], room: usize) -> Self {
        Self {
            inbound: Inbound::with(role, decode),
            outbound: Outbound::with(role, encode),
            shared: Shared::new(role),
            keys: Numbered(Lcg::new(7)),
            pieces: pieces.iter().copied().collect(),
            unread: Vec::new(),
            sent: Vec::new(),
            room: vec![0; room],
            parts: Parts::default(),
            waits: Waits::default(),
        }
    }

    /// Runs an operation, made anew for each step, in a buffer that grows by `grow` bytes where it may.
    fn run(&mut self, op: Op, into: &mut Vec<u8>, grow: usize) -> Result<Received, Fault> {
        loop {
            let (used, step) = self.inbound.push(&mut op.over(into), &self.unread);
            self.unread.drain(..used);
            match step {
                Step::Done(received) => return Ok(received),
                Step::Yield(_) => {}
                Step::Room => into.resize(into.len() + grow, 0xEE),
                Step::Reply => {
                    let settled = self.inbound.reply(&mut self.shared);
                    self.replies();
                    settled?;
                }
                Step::Need(need) => {
                    assert!(self.unread.is_empty(), "asked for more with {} bytes unread", self.unread.len());
                    self.waits.note(need);
                    match self.pieces.pop_front() {
                        Some(piece) => self.unread.extend_from_slice(piece),
                        None => {
                            let settled = self.inbound.eof(&mut self.shared);
                            self.replies();
                            settled?;
                        }
                    }
                }
            }
        }
    }

    /// A call that receives one message and leaves nothing of it behind waits at most once for its beginning and once
    /// for the rest of it, however it is cut.
    fn run_whole(&mut self, op: Op, mut into: Vec<u8>, grow: usize) -> Result<Option<Event>, Failure> {
        self.waits.call.clear();
        let received = self.run(op, &mut into, grow)?;
        into.truncate(received.len);
        assert!(received.fin, "a whole message is not final");
        self.waits.check_whole();
        Ok(Some(Event::Message(received.opcode, into)))
    }

    fn stream(&mut self, chunk: usize, take: usize) -> Result<(Opcode, Vec<u8>, bool), Failure> {
        let opcode = self.run(Op::Chunk, &mut Vec::new(), 0)?.opcode;
        let mut payload = Vec::new();
        let mut fin = false;
        while !fin && payload.len() < take {
            let mut into = vec![0xEE; chunk.min(take - payload.len())];
            let received = self.run(Op::Chunk, &mut into, 0)?;
            assert_eq!(received.opcode, opcode);
            assert!(received.len > 0 || received.fin, "a chunk of nothing");
            payload.extend_from_slice(&into[..received.len]);
            check_stream(opcode, &payload);
            fin = received.fin;
        }
        Ok((opcode, payload, fin))
    }

    fn send(&mut self, mut op: Sending<'_>) -> Result<(), Failure> {
        if let Some(closed) = self.outbound.closed() {
            return Err(Fault::from(closed).into());
        }
        loop {
            let out = self.outbound.next(&mut op, &mut self.keys, &mut self.room);
            let out = out.map_err(|fault| self.fail(fault))?;
            self.sent.extend_from_slice(&self.room[..out.filled]);
            self.sent.extend_from_slice(out.then);
            if out.done {
                return Ok(());
            }
            assert!(out.filled > 0, "no progress");
        }
    }

    fn send_stream(&mut self, opcode: Opcode, fragments: &[Vec<u8>]) -> Result<(), Failure> {
        let mut begun = false;
        let mut send = || {
            for fragment in fragments.iter().filter(|fragment| !fragment.is_empty()) {
                self.send(Sending::fragment(opcode, false, fragment))?;
                begun = true;
            }
            self.send(Sending::fragment(opcode, true, &[]))
        };
        send().inspect_err(|_| {
            // Half a message must not pass for a whole one.
            if begun {
                self.fail(Misuse::Unfinished.into());
                self.inbound.linger();
            }
        })
    }

    /// As every driver does: a fault that is fatal becomes the status.
    fn fail(&mut self, fault: Fault) -> Failure {
        if fault.is_fatal() {
            self.shared.close(fault.code(), fault.reason()).unwrap();
            self.replies();
        }
        fault.into()
    }

    fn replies(&mut self) {
        loop {
            let filled = self.outbound.replies(&mut self.shared, &mut self.keys, &mut self.room).unwrap();
            self.sent.extend_from_slice(&self.room[..filled]);
            if !self.shared.owes() {
                break;
            }
            assert!(filled > 0, "no progress");
        }
        if let Some(closed) = self.shared.closed() {
            self.outbound.end(closed);
        }
    }

    fn close<F: Into<Fault>>(
        &mut self,
        close: impl FnOnce(&mut Shared) -> Result<ws_conn::Closed, F>,
    ) -> Result<(), Failure> {
        close(&mut self.shared).map_err(F::into)?;
        self.replies();
        self.inbound.linger();
        Ok(())
    }
}

impl<D: Decode, E: Encode> App for Machine<'_, D, E> {
    fn accept(&mut self, accept: Accept) {
        self.inbound.set_accept(accept);
    }

    fn call(&mut self, call: &Call) -> Result<Option<Event>, Failure> {
        match call {
            Call::Receive(len) => return self.run_whole(Op::Message, vec![0xEE; *len], 0),
            Call::Message(limit) => {
                return self.run_whole(Op::Held(*limit), Vec::new(), 7.min(*limit));
            }
            Call::Stream(chunk) => {
                let (opcode, payload, fin) = self.stream(*chunk, usize::MAX)?;
                assert!(fin);
                return Ok(Some(Event::Message(opcode, payload)));
            }
            Call::Prefix(chunk, take) => {
                let (opcode, payload, fin) = self.stream(*chunk, *take)?;
                if !fin {
                    self.inbound.skip();
                    self.waits.skipping = true;
                }
                return Ok(Some(Event::Prefix(opcode, payload)));
            }
            Call::Frames(chunk) => loop {
                let mut into = vec![0xEE; *chunk];
                let received = self.run(Op::Frame, &mut into, 0)?;
                if let Some(event) = self.parts.add(received.opcode, received.fin, &into[..received.len]) {
                    return Ok(Some(event));
                }
            },
            Call::Send(Opcode::CLOSE, payload) => {
                self.close(|shared| shared.send_close(payload))?;
            }
            Call::Send(opcode, payload) | Call::Feed(opcode, payload) => {
                self.send(Sending::message(*opcode, payload))?
            }
            Call::Flush => {}
            Call::SendStream(opcode, fragments) => {
                Sending::fragment(*opcode, false, &[]).check_stream().map_err(Fault::from)?;
                self.send_stream(*opcode, fragments)?;
            }
            Call::GiveUp(opcode, payload) => {
                if !payload.is_empty() {
                    self.send(Sending::fragment(*opcode, false, payload))?;
                    self.fail(Misuse::Unfinished.into());
                    self.inbound.linger();
                }
            }
            Call::SendFrame(opcode, fin, payload) => self.send(Sending::fragment(*opcode, *fin, payload))?,
            Call::Close(code, reason) => self.close(|shared| shared.close(CloseCode::new(*code), reason))?,
            Call::Finish(code, reason) => {
                self.close(|shared| shared.close(CloseCode::new(*code), reason))?;
                self.inbound.skip();
                let _ = self.run(Op::Discard, &mut Vec::new(), 0);
                return Err(self.shared.closed().map(Fault::from).unwrap().into());
            }
        }
        Ok(None)
    }

    fn status(&self) -> Option<u16> {
        self.shared.closed().map(|closed| closed.0.get())
    }

    fn sent(&mut self) -> Vec<u8> {
        self.sent.clone()
    }
}

/// An operation, to be made anew for each step.
#[derive(Clone, Copy)]
enum Op {
    Message,
    Held(usize),
    Chunk,
    Frame,
    Discard,
}

impl Op {
    fn over(self, into: &mut [u8]) -> Receiving<'_> {
        match self {
            Self::Message => Receiving::message(into),
            Self::Held(limit) => {
                let len = into.len().min(limit);
                Receiving::held(&mut into[..len], limit)
            }
            Self::Chunk => Receiving::chunk(into),
            Self::Frame => Receiving::frame(into),
            Self::Discard => Receiving::discard(),
        }
    }
}

/// The waits of a connection, in order. What holds for all scenarios and all ways of cutting is checked here.
#[derive(Debug, Default)]
struct Waits {
    last: Option<Need>,
    epochs: HashSet<u32>,
    /// Those of one call.
    call: Vec<Need>,
    skipping: bool,
}

impl Waits {
    fn note(&mut self, need: Need) {
        if self.last != Some(need) {
            assert!(self.epochs.insert(need.epoch), "{need:?} came again");
            if let Some(last) = self.last.replace(need) {
                assert!(last.wait != Wait::Linger, "{last:?} ended");
            }
        }
        if self.call.last() != Some(&need) {
            self.call.push(need);
        }
    }

    fn check_whole(&mut self) {
        let waits: Vec<Wait> = self.call.iter().map(|need| need.wait).collect();
        let legal: &[&[Wait]] = if core::mem::take(&mut self.skipping) {
            // First for the rest of the message that was given up.
            &[
                &[],
                &[Wait::Idle, Wait::Wire],
                &[Wait::Wire, Wait::Idle],
                &[Wait::Wire, Wait::Wire],
                &[Wait::Wire, Wait::Idle, Wait::Wire],
            ]
        } else {
            &[&[], &[Wait::Idle, Wait::Wire]]
        };
        let single = |waits: &[Wait]| matches!(waits, [_]);
        assert!(single(&waits) || legal.contains(&waits.as_slice()), "one message, too many waits: {:?}", self.call);
    }
}

/// Masking keys that are all different and never zero.
#[derive(Debug)]
struct Numbered(Lcg);

impl Keys for Numbered {
    fn key(&mut self) -> Option<[u8; 4]> {
        Some((self.0.number() | 1).to_be_bytes())
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}
