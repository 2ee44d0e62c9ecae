use crate::driver::buffer::Buffer;
use alloc::vec::Vec;
use core::ops::{Deref, DerefMut};
use std::sync::{Mutex, MutexGuard, PoisonError};
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
/// announced.
///
/// A connection that waits for its next message holds none that is large: those go to a store of the process, from which
/// the next large message of any connection takes them.
#[derive(Debug, Default)]
pub(super) struct Held(Buffer);

impl Held {
    /// Lets go of a large buffer, when the message in it is done with.
    pub(super) fn recycle(&mut self) {
        if self.0.len() > Self::KEPT {
            let mut spare = spare();
            if spare.len() < Self::SPARE && self.0.len() <= Self::SPARE_SIZE {
                spare.push(core::mem::take(&mut self.0));
            } else {
                drop(spare);
                self.0 = Buffer::default();
            }
        }
    }

    pub(super) fn room(&mut self, limit: usize) -> &mut [u8] {
        let len = self.0.len().min(limit);
        self.0.get_mut(0..len)
    }

    /// Twice the room at least, with the same bytes at its front.
    #[cold]
    pub(super) fn grow(&mut self, limit: usize) {
        let len = self.0.len();
        let wanted = len.saturating_mul(2).max(Self::FIRST).min(limit.max(1));
        let spare = if wanted > Self::KEPT { spare().pop() } else { None };
        self.0 = match spare.filter(|spare| spare.len() >= wanted) {
            Some(spare) => self.0.moved_to(len, spare),
            None => self.0.moved_to(len, Buffer::new(wanted)),
        };
    }

    pub(super) fn get_mut(&mut self, len: usize) -> &mut [u8] {
        self.0.get_mut(0..len)
    }

    const FIRST: usize = 4 * 1024;
    /// What a connection keeps from one message to the next.
    const KEPT: usize = 16 * 1024;
    /// How many large buffers the process keeps, and of which size at most: 32 MiB in all.
    const SPARE: usize = 8;
    const SPARE_SIZE: usize = 4 * 1024 * 1024;
}

fn spare() -> MutexGuard<'static, Vec<Buffer>> {
    SPARE.lock().unwrap_or_else(PoisonError::into_inner)
}

static SPARE: Mutex<Vec<Buffer>> = Mutex::new(Vec::new());
