use crate::driver::buffer::Buffer;
use core::ops::{Deref, DerefMut};
use ws_frame::Opcode;

/// A message that the connection lends until its next call.
#[derive(Debug)]
pub struct MessageRef<'c> {
    opcode: Opcode,
    payload: &'c mut [u8],
}

impl<'c> MessageRef<'c> {
    pub(super) fn new(opcode: Opcode, payload: &'c mut [u8]) -> Self {
        Self { opcode, payload }
    }

    /// The opcode of the message: 1 to 7.
    #[must_use]
    pub fn opcode(&self) -> Opcode {
        self.opcode
    }

    /// The payload as text: `None` if the message is not a text message. That it is UTF-8 was checked when it came; the
    /// check for the type is made here, at a fraction of the cost of reading it.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        if self.opcode == Opcode::TEXT { core::str::from_utf8(self.payload).ok() } else { None }
    }

    /// The payload, for as long as the loan goes.
    #[must_use]
    pub fn into_bytes(self) -> &'c mut [u8] {
        self.payload
    }
}

impl Deref for MessageRef<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.payload
    }
}

impl DerefMut for MessageRef<'_> {
    fn deref_mut(&mut self) -> &mut [u8] {
        self.payload
    }
}

/// The buffer of messages that do not lie in the read buffer as a whole. It grows with what has come, never with what is
/// announced, and is kept for the next message up to a size.
#[derive(Debug, Default)]
pub(super) struct Held(Buffer);

impl Held {
    pub(super) fn room(&mut self, limit: usize) -> &mut [u8] {
        let len = self.0.len().min(limit);
        self.0.get_mut(0..len)
    }

    /// Twice the room, with the same bytes at its front.
    pub(super) fn grow(&mut self, limit: usize) {
        let len = self.0.len();
        self.0 = self.0.grown(len, len.saturating_mul(2).max(Self::FIRST).min(limit.max(1)));
    }

    pub(super) fn get_mut(&mut self, len: usize) -> &mut [u8] {
        self.0.get_mut(0..len)
    }

    /// Lets go of a buffer that is larger than what is kept, when the message in it is done with.
    pub(super) fn recycle(&mut self) {
        if self.0.len() > Self::KEPT {
            self.0 = Buffer::default();
        }
    }

    const FIRST: usize = 16 * 1024;
    /// What is kept from one message to the next.
    const KEPT: usize = 2 * 1024 * 1024;
}
