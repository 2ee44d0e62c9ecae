//! From the bytes of an input to numbers, flags and pieces.

/// A cursor over an input. At the end of it numbers are 0 and byte strings are short.
#[derive(Debug)]
pub(crate) struct Input<'i>(&'i [u8]);

impl<'i> Input<'i> {
    pub(crate) fn new(bytes: &'i [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn byte(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or_default()
    }

    pub(crate) fn u16(&mut self) -> u16 {
        u16::from_be_bytes([self.byte(), self.byte()])
    }

    /// The next `len` bytes, or what is left.
    pub(crate) fn take(&mut self, len: usize) -> &'i [u8] {
        let (taken, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// A byte that says how many, and so many bytes.
    pub(crate) fn counted(&mut self) -> &'i [u8] {
        let len = self.byte();
        self.take(len.into())
    }

    /// A payload that may be longer than the input: a byte that says how often its bytes are repeated (0 to 7 times
    /// more), then [`counted`](Self::counted) bytes.
    pub(crate) fn payload(&mut self) -> Vec<u8> {
        let times = 1 + usize::from(self.byte() & 7);
        self.counted().repeat(times)
    }

    pub(crate) fn rest(self) -> &'i [u8] {
        self.0
    }
}

/// The bytes in pieces of these sizes, over and over: never an empty one, and 255 stands for all that is left. Without
/// sizes they stay in one piece.
pub(crate) fn pieces<'b>(mut bytes: &'b [u8], sizes: &'b [u8]) -> impl Iterator<Item = &'b [u8]> {
    let mut sizes = sizes.iter().cycle();
    core::iter::from_fn(move || {
        let size = match sizes.next() {
            None | Some(255) => bytes.len(),
            Some(size) => usize::from(*size).clamp(1, bytes.len().max(1)),
        };
        let (piece, rest) = bytes.split_at_checked(size)?;
        bytes = rest;
        (!piece.is_empty()).then_some(piece)
    })
}
