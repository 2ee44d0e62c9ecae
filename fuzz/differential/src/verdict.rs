//! What an implementation makes of a stream, and ours.

use core::fmt;
use ws_conn::{CloseCode, Closed, Fault, Inbound, Receiving, Role, Shared, Step, Violation};

/// The largest message, for everyone.
pub const LIMIT: usize = 1 << 20;

/// What came of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The messages that the application gets: opcodes and payloads.
    pub messages: Vec<(u8, Vec<u8>)>,
    /// The code of the Close that the peer is told; 1005 stands for none in it. Nothing as long as more may come.
    pub told: Option<u16>,
}

/// The messages by their opcodes and lengths.
impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let messages: Vec<_> = self.messages.iter().map(|(opcode, payload)| (opcode, payload.len())).collect();
        write!(f, "{messages:?}, told {:?}", self.told)
    }
}

/// Ours, and what decided it.
#[derive(Debug)]
pub struct Ours {
    pub verdict: Verdict,
    pub violation: Option<Violation>,
    /// Up to where the stream was read.
    pub read: usize,
}

/// What we make of a stream.
pub fn ours(role: Role, stream: &[u8]) -> Ours {
    let (mut inbound, mut shared) = (Inbound::new(role), Shared::new(role));
    let mut buffer = vec![0; LIMIT];
    let mut messages = Vec::new();
    let mut read = 0;
    let (told, violation) = loop {
        let (used, step) = inbound.push(&mut Receiving::message(&mut buffer), &stream[read..]);
        read += used;
        match step {
            Step::Need(_) => break (None, None),
            Step::Yield(_) => {}
            Step::Room => unreachable!("nothing is held"),
            Step::Done(message) => messages.push((message.opcode.bits(), buffer[..message.len].to_vec())),
            Step::Reply => match inbound.reply(&mut shared) {
                Ok(()) => {}
                Err(Fault::Violation(violation)) => break (Some(violation.code()), Some(violation)),
                Err(fault) => break (Some(fault.code()), None),
            },
        }
    };
    assert_eq!(shared.closed(), told.map(Closed));
    Ours { verdict: Verdict { messages, told: told.map(CloseCode::get) }, violation, read }
}
