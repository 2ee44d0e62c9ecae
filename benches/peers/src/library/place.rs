//! Bytes at a known place of a page.
//!
//! On some processors a copy is several times slower when its target lies a little above its source modulo the page size.
//! Where a library's buffers lie is the allocator's luck; so everything that is read or written here goes through eight places,
//! and the median does not hang on one of them.

use core::ops::Deref;

/// Bytes that begin in a chosen place of a page.
#[derive(Debug)]
pub(super) struct Placed {
    pub(super) memory: Vec<u8>,
    pub(super) start: usize,
}

impl Placed {
    /// A copy of some bytes in one of [`PLACES`]; a place beyond them is the first one again, and so on.
    pub(super) fn new(bytes: &[u8], place: usize) -> Self {
        let mut memory = vec![0; bytes.len() + 2 * PAGE];
        let start = memory.as_ptr().align_offset(PAGE) + FIRST + place % PLACES * (PAGE / PLACES);
        memory[start..][..bytes.len()].copy_from_slice(bytes);
        memory.truncate(start + bytes.len());
        Self { memory, start }
    }

    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.memory[self.start..]
    }
}

impl Deref for Placed {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.memory[self.start..]
    }
}

/// How many places there are.
pub(super) const PLACES: usize = 8;

const PAGE: usize = 4096;
const FIRST: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_spread_over_a_page() {
        let begins: Vec<_> = (0..PLACES).map(|place| Placed::new(b"bytes", place).as_ptr() as usize % PAGE).collect();
        assert_eq!(begins, [64, 576, 1088, 1600, 2112, 2624, 3136, 3648]);
        assert_eq!(*Placed::new(b"bytes", 9), *b"bytes");
    }
}
