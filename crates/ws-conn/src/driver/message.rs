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
    pub(crate) fn new(opcode: Opcode, payload: &'c mut [u8]) -> Self {
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
/// A connection that waits for its next message holds none, nor does one that is dropped leave with it: they go to a store
/// of the process, from which the next message of any connection takes them.
#[derive(Debug, Default)]
pub(crate) struct Held(Buffer);

impl Held {
    /// Lets go of the buffer, when the message in it is done with.
    #[inline]
    pub(crate) fn recycle(&mut self) {
        if self.0.len() > 0 {
            self.give();
        }
    }

    #[cold]
    fn give(&mut self) {
        let mut buffer = core::mem::take(&mut self.0);
        if buffer.len() > Self::SPARE_SIZE {
            return;
        }
        let mut spare = spare();
        if spare.len() < Self::SPARE {
            spare.push(buffer);
        } else if let Some(smallest) = spare.iter_mut().min_by_key(|spare| spare.len())
            && smallest.len() < buffer.len()
        {
            // Or small ones would fill the store, and large messages would find none.
            core::mem::swap(smallest, &mut buffer);
        }
    }

    pub(crate) fn room(&mut self, limit: usize) -> &mut [u8] {
        let len = self.0.len().min(limit);
        self.0.get_mut(0..len)
    }

    /// Twice the room at least, with the same bytes at its front. What others left in it is overwritten if it is `shown`: to
    /// an extension, which may claim to have filled more of it than it has. The state machine itself does not.
    #[cold]
    pub(crate) fn grow(&mut self, limit: usize, shown: bool) {
        let len = self.0.len();
        let wanted = len.saturating_mul(2).max(Self::FIRST).min(limit.max(1));
        self.0 = self.0.moved_to(len, buffer(wanted, shown));
    }

    /// Keeps the bytes of a message that was given up in its midst.
    #[cfg(feature = "tokio")]
    #[cold]
    pub(crate) fn put(&mut self, bytes: &[u8], shown: bool) {
        self.0 = buffer(bytes.len().max(Self::FIRST), shown);
        self.get_mut(bytes.len()).copy_from_slice(bytes);
    }

    /// Whether there is no buffer, and so nothing in it.
    #[cfg(feature = "tokio")]
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.len() == 0
    }

    pub(crate) fn get_mut(&mut self, len: usize) -> &mut [u8] {
        self.0.get_mut(0..len)
    }

    const FIRST: usize = 1024;
    /// How many buffers the process keeps, and of which size at most: 32 MiB in all.
    const SPARE: usize = 8;
    const SPARE_SIZE: usize = 4 * 1024 * 1024;
}

impl Drop for Held {
    fn drop(&mut self) {
        self.recycle();
    }
}

/// A buffer of at least the size that is wanted; it is zero if it is `shown`.
fn buffer(wanted: usize, shown: bool) -> Buffer {
    let Some(mut spare) = take_spare(wanted) else { return Buffer::new(wanted) };
    if shown {
        spare.all_mut().fill(0);
    }
    spare
}

/// The smallest of the buffers that is large enough.
fn take_spare(wanted: usize) -> Option<Buffer> {
    let mut spare = spare();
    let fitting = spare.iter().enumerate().filter(|(_, spare)| spare.len() >= wanted);
    let (at, _) = fitting.min_by_key(|(_, spare)| spare.len())?;
    Some(spare.swap_remove(at))
}

fn spare() -> MutexGuard<'static, Vec<Buffer>> {
    SPARE.lock().unwrap_or_else(PoisonError::into_inner)
}

static SPARE: Mutex<Vec<Buffer>> = Mutex::new(Vec::new());
