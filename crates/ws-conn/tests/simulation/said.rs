//! The payloads of a simulation: made when they are needed, and compared by what is left of them.

use crate::plan::Said;
use ws_conn::Opcode;

impl Said {
    pub(crate) fn opcode(&self) -> Opcode {
        if self.text { Opcode::TEXT } else { Opcode::BINARY }
    }

    /// The payload: a name, which no other message has, then something that cannot be told from anything. An empty one
    /// has no name.
    pub(crate) fn payload(&self) -> Vec<u8> {
        if self.len == 0 {
            return Vec::new();
        }
        let mut payload = format!("{}{}:{} ", self.end, self.actor, self.number).into_bytes();
        // Runs, for an extension to make something of; characters of one to four bytes, for cuts to fall into.
        let runs = ["a", "é", "€", "😀", "....", "----------------"];
        let mut at = self.number;
        while payload.len() < self.len {
            at = at.wrapping_mul(5).wrapping_add(3);
            payload.extend_from_slice(runs[(at >> 3) % runs.len()].as_bytes());
        }
        if !self.text {
            payload.extend_from_slice(&[0xff, self.number as u8]);
        }
        payload
    }
}

/// A message as one compares it: the opcode, the length, and the bytes in a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Print {
    pub(crate) opcode: u8,
    pub(crate) len: usize,
    pub(crate) sum: u64,
}

impl Print {
    pub(crate) fn of(opcode: u8, payload: &[u8]) -> Self {
        let mut this = Self::begin(opcode);
        this.add(payload);
        this
    }

    pub(crate) fn begin(opcode: u8) -> Self {
        Self { opcode, len: 0, sum: 0xcbf2_9ce4_8422_2325 }
    }

    /// More bytes; FNV-1a.
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        self.len += bytes.len();
        for byte in bytes {
            self.sum = (self.sum ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}
