use crate::Violation;

/// Checks that a text is UTF-8 while it comes, in chunks of any length
///
/// An impossible byte is an error at once, also inside a character that is not complete: `E0 80` fails before its
/// third byte comes. A character that is split between chunks is not kept, only what may follow; none of its bytes is
/// validated twice.
///
/// # RFC
///
/// [RFC 6455, section 8.1](https://www.rfc-editor.org/rfc/rfc6455#section-8.1);
/// [RFC 3629, section 4](https://www.rfc-editor.org/rfc/rfc3629#section-4) has the grammar.
///
/// # Examples
///
/// ```
/// use ws_frame::{Utf8, Violation};
///
/// let mut text = Utf8::new();
/// text.push(b"gr\xc3")?;
/// text.push(b"\xbcn")?;
/// text.finish()?;
///
/// assert_eq!(Utf8::new().push(b"\xed\xa0"), Err(Violation::Utf8));
/// # Ok::<(), Violation>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Utf8 {
    /// How many bytes the character that is open still needs; 0 between characters.
    need: u8,
    /// The least value of its next byte.
    low: u8,
    /// The greatest value of its next byte.
    high: u8,
}

impl Utf8 {
    /// Stands at the start of a text.
    #[inline]
    #[must_use]
    pub const fn new() -> Self {
        Self { need: 0, low: CONTINUATION_LOW, high: CONTINUATION_HIGH }
    }

    /// Checks a text that is there as a whole.
    ///
    /// # Errors
    ///
    /// [`Utf8`](Violation::Utf8) when it is not UTF-8 from its first byte to its last; answered with 1007.
    #[inline]
    pub fn check(text: &[u8]) -> Result<(), Violation> {
        let mut utf8 = Self::new();
        utf8.push(text)?;
        utf8.finish()
    }

    /// Checks the next bytes of the text.
    ///
    /// # Errors
    ///
    /// [`Utf8`](Violation::Utf8) when no text begins with the bytes so far; answered with 1007. After an error the
    /// value is of no further use.
    #[inline]
    pub fn push(&mut self, chunk: &[u8]) -> Result<(), Violation> {
        if self.is_complete() && chunk.len() <= SMALL && is_ascii(chunk) {
            return Ok(());
        }
        self.push_any(chunk)
    }

    /// Ends the text.
    ///
    /// # Errors
    ///
    /// [`Utf8`](Violation::Utf8) when the last character is not complete; answered with 1007.
    #[inline]
    pub const fn finish(self) -> Result<(), Violation> {
        if self.is_complete() { Ok(()) } else { Err(Violation::Utf8) }
    }

    /// Whether the text may end here, that is, not inside a character.
    #[inline]
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.need == 0
    }

    fn push_any(&mut self, mut chunk: &[u8]) -> Result<(), Violation> {
        while self.need != 0 {
            let Some((&byte, rest)) = chunk.split_first() else { return Ok(()) };
            self.go_on(byte)?;
            chunk = rest;
        }
        // The start of a split character is cut off before the rest is checked, not found by checking it.
        let end = chunk.len().saturating_sub(incomplete(chunk));
        let (body, tail) = chunk.split_at_checked(end).unwrap_or_default();
        check(body)?;
        if let Some((&first, rest)) = tail.split_first() {
            *self = Self::begin(first)?;
            for &byte in rest {
                self.go_on(byte)?;
            }
        }
        Ok(())
    }

    /// Takes the first byte of a character of several bytes.
    fn begin(byte: u8) -> Result<Self, Violation> {
        // The rows of the table of well-formed sequences in RFC 3629, section 4: a few first bytes narrow the second.
        let (need, low, high) = match byte {
            0xc2..=0xdf => (1, CONTINUATION_LOW, CONTINUATION_HIGH),
            0xe0 => (2, 0xa0, CONTINUATION_HIGH),
            0xed => (2, CONTINUATION_LOW, 0x9f),
            0xe1..=0xef => (2, CONTINUATION_LOW, CONTINUATION_HIGH),
            0xf0 => (3, 0x90, CONTINUATION_HIGH),
            0xf1..=0xf3 => (3, CONTINUATION_LOW, CONTINUATION_HIGH),
            0xf4 => (3, CONTINUATION_LOW, 0x8f),
            _ => return Err(Violation::Utf8),
        };
        Ok(Self { need, low, high })
    }

    /// Takes a further byte of the character that is open.
    fn go_on(&mut self, byte: u8) -> Result<(), Violation> {
        if !(self.low..=self.high).contains(&byte) {
            return Err(Violation::Utf8);
        }
        *self = Self { need: self.need.saturating_sub(1), ..Self::new() };
        Ok(())
    }
}

impl Default for Utf8 {
    fn default() -> Self {
        Self::new()
    }
}

/// Looks for ASCII a word at a time, the last word overlapping the one before: faster than `core` where the length is
/// not round.
#[inline]
fn is_ascii(chunk: &[u8]) -> bool {
    let bits = if let Some(last) = chunk.last_chunk() {
        let words = chunk.as_chunks().0.iter().map(|word| u64::from_ne_bytes(*word));
        words.fold(u64::from_ne_bytes(*last), |bits, word| bits | word)
    } else if let (Some(first), Some(last)) = (chunk.first_chunk(), chunk.last_chunk()) {
        u64::from(u32::from_ne_bytes(*first) | u32::from_ne_bytes(*last))
    } else {
        chunk.iter().fold(0, |bits, byte| bits | u64::from(*byte))
    };
    bits & HIGH_BITS == 0
}

/// Counts the bytes at the end of `chunk`, 0 to 3, that begin a character and do not complete it.
///
/// Where those bytes are not well-formed the count is of no matter: they fail wherever they are checked.
const fn incomplete(chunk: &[u8]) -> usize {
    match *chunk {
        [.., 0xc0..=0xff] => 1,
        [.., 0xe0..=0xff, 0x80..=0xbf] => 2,
        [.., 0xf0..=0xff, 0x80..=0xbf, 0x80..=0xbf] => 3,
        _ => 0,
    }
}

/// Checks whole characters in one go.
fn check(body: &[u8]) -> Result<(), Violation> {
    #[cfg(feature = "simd")]
    let valid = simdutf8::basic::from_utf8(body).is_ok();
    #[cfg(not(feature = "simd"))]
    let valid = core::str::from_utf8(body).is_ok();
    if valid { Ok(()) } else { Err(Violation::Utf8) }
}

const CONTINUATION_LOW: u8 = 0x80;
const CONTINUATION_HIGH: u8 = 0xbf;
/// The bit that no byte of ASCII has, in each byte of a word.
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;
/// Up to this many bytes a look for ASCII alone comes first; most short texts are.
const SMALL: usize = 128;

const _: () = assert!(size_of::<Utf8>() <= 8);

#[cfg(test)]
mod tests {
    use super::{SMALL, is_ascii};

    #[test]
    fn ascii_is_what_std_takes_for_it() {
        for len in 0..=SMALL {
            let mut text = [b'~'; SMALL];
            assert_eq!(is_ascii(&text[..len]), text[..len].is_ascii(), "{len} bytes");
            for at in 0..len {
                text[at] = 0x80;
                assert_eq!(is_ascii(&text[..len]), text[..len].is_ascii(), "another byte at {at} of {len}");
                text[at] = b'~';
            }
        }
    }
}
