use alloc::vec;
use alloc::vec::Vec;

/// A buffer that begins 64 bytes into a page.
///
/// On some processors a copy of more than 2 KiB is many times slower when its target lies 1 to 31 bytes above its
/// source modulo 4096. Headers of 2 to 14 bytes shift payloads right into that zone when both buffers begin at the same
/// place of a page, as large allocations do; buffers that begin 64 bytes in stay clear of it.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    base: usize,
}

impl Buffer {
    /// A buffer of `len` bytes. They are zero once, here, and not again.
    pub(crate) fn new(len: usize) -> Self {
        let bytes = vec![0; len.saturating_add(PAGE).saturating_add(INSET)];
        let base = bytes.as_ptr().align_offset(PAGE).min(PAGE).saturating_add(INSET);
        Self { bytes, base }
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len().saturating_sub(PAGE + INSET)
    }

    #[inline]
    pub(crate) fn get(&self, range: core::ops::Range<usize>) -> &[u8] {
        self.bytes.get(self.within(range)).unwrap_or_default()
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, range: core::ops::Range<usize>) -> &mut [u8] {
        let range = self.within(range);
        self.bytes.get_mut(range).unwrap_or_default()
    }

    /// No range of a buffer is so large that this wraps; one that did would be a wrong place in it, or none, and no panic.
    #[inline]
    fn within(&self, range: core::ops::Range<usize>) -> core::ops::Range<usize> {
        self.base.wrapping_add(range.start)..self.base.wrapping_add(range.end)
    }

    /// The whole of it.
    #[inline]
    pub(crate) fn all_mut(&mut self) -> &mut [u8] {
        self.get_mut(0..self.len())
    }

    /// Shortens it to its first `len` bytes.
    #[cfg(feature = "tokio")]
    pub(crate) fn truncate(&mut self, len: usize) {
        if len < self.len() {
            self.bytes.truncate(len.saturating_add(PAGE + INSET));
        }
    }

    /// Another buffer, with the same first `kept` bytes.
    pub(crate) fn moved_to(&self, kept: usize, mut other: Self) -> Self {
        let kept = self.get(0..kept.min(self.len()));
        if let Some(front) = other.all_mut().get_mut(..kept.len()) {
            front.copy_from_slice(kept);
        }
        other
    }

    /// The size of the read and write buffers of a connection.
    pub(crate) const SIZE: usize = 64 * 1024;
}

const PAGE: usize = 4096;
const INSET: usize = 64;
