//! Messages put together from what the level of frames gives.

use crate::said::Print;
use ws_conn::Opcode;

/// What has come of a message, and of a control frame in its midst.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    control: bool,
    message: Option<Print>,
}

impl Parts {
    /// Whether something is half read.
    pub(crate) fn is_open(&self) -> bool {
        self.control || self.message.is_some()
    }

    /// How much of a message has come.
    pub(crate) fn len(&self) -> usize {
        self.message.map_or(0, |print| print.len)
    }

    /// Adds a part. What it is a part of is told by the first one. Answers a message that is complete.
    pub(crate) fn add(&mut self, opcode: Opcode, fin: bool, part: &[u8]) -> Option<Print> {
        if opcode.is_control() || self.control {
            self.control = !fin;
            return None;
        }
        let print = self.message.get_or_insert_with(|| Print::begin(opcode.bits()));
        print.add(part);
        self.message.take_if(|_| fin)
    }

    /// What is left of a message that will never be complete.
    pub(crate) fn rest(&mut self) -> Option<Print> {
        self.message.take()
    }
}
