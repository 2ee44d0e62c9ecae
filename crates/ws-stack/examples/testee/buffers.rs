//! Buffers for connections that receive into one of their own.

use std::sync::{Mutex, PoisonError};

/// The buffers of connections that have ended, for those to come.
///
/// A new one comes zeroed from the operating system, which gives it memory where a message touches it and nowhere else.
/// Were they given back to the allocator, it would zero the next one itself, and touch all of it.
#[derive(Debug)]
pub(crate) struct Buffers {
    len: usize,
    free: Mutex<Vec<Vec<u8>>>,
}

impl Buffers {
    pub(crate) fn new(len: usize) -> Self {
        Self { len, free: Mutex::new(Vec::new()) }
    }

    pub(crate) fn take(&self) -> Vec<u8> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        free.unwrap_or_else(|| vec![0; self.len])
    }

    pub(crate) fn give(&self, buffer: Vec<u8>) {
        self.free.lock().unwrap_or_else(PoisonError::into_inner).push(buffer);
    }
}
