pub mod swar;
#[cfg(all(feature = "simd", target_arch = "x86_64", not(ws_mask = "swar")))]
pub mod x86_64;

#[cfg(not(all(feature = "simd", target_arch = "x86_64", not(ws_mask = "swar"))))]
use self::swar as kernel;
#[cfg(all(feature = "simd", target_arch = "x86_64", not(ws_mask = "swar")))]
use self::x86_64 as kernel;

/// A masking key and the place in it
///
/// Masks and unmasks, which are the same operation. A payload may come in chunks of any length: each call goes on in
/// the key where the one before stopped.
///
/// # RFC
///
/// [Section 5.3](https://www.rfc-editor.org/rfc/rfc6455#section-5.3). A client takes a new key for every frame, from
/// a source that its peers cannot predict ([section 10.3](https://www.rfc-editor.org/rfc/rfc6455#section-10.3)); this
/// crate makes none.
///
/// # Examples
///
/// ```
/// let mut payload = *b"Hello";
/// let mut mask = ws_frame::Mask::new([0x37, 0xfa, 0x21, 0x3d]);
/// let (start, rest) = payload.split_at_mut(2);
/// mask.apply(start);
/// mask.apply(rest);
/// assert_eq!(payload, [0x7f, 0x9f, 0x4d, 0x51, 0x58]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mask {
    /// The key in memory order, rotated so that its first byte is for the next byte of the payload.
    key: u32,
}

impl Mask {
    /// Stands at the start of a payload.
    #[inline]
    #[must_use]
    pub const fn new(key: [u8; 4]) -> Self {
        Self { key: u32::from_ne_bytes(key) }
    }

    /// Masks or unmasks the next `payload.len()` bytes in place.
    #[inline(always)]
    pub fn apply(&mut self, payload: &mut [u8]) {
        // "Octet i of the transformed data ("transformed-octet-i") is the XOR of octet i of the original data
        // ("original-octet-i") with octet at index i modulo 4 of the masking key" -- RFC 6455, section 5.3
        kernel::apply(self.key, payload);
        self.skip(payload.len() as u64);
    }

    /// Masks or unmasks the next bytes from one place to another.
    ///
    /// The lengths should match; where they do not, the shorter counts: the rest of either slice is left as it is, and
    /// the place in the key moves by as many bytes as were written.
    #[inline]
    pub fn copy(&mut self, from: &[u8], to: &mut [u8]) {
        let len = from.len().min(to.len());
        if let (Some(from), Some(to)) = (from.get(..len), to.get_mut(..len)) {
            kernel::copy(self.key, from, to);
        }
        self.skip(len as u64);
    }

    /// Moves on by `n` bytes that are masked elsewhere, or not at all.
    #[inline]
    pub const fn skip(&mut self, n: u64) {
        self.key = rotate(self.key, n as usize);
    }

    /// The key as rotated now: its first byte is for the next byte of the payload.
    #[inline]
    #[must_use]
    pub const fn key(&self) -> [u8; 4] {
        self.key.to_ne_bytes()
    }
}

/// Turns a key in memory order by `n` bytes: byte `n` modulo 4 becomes the first.
#[inline]
const fn rotate(key: u32, n: usize) -> u32 {
    let bits = (n as u32 & 3) << 3;
    if cfg!(target_endian = "little") { key.rotate_right(bits) } else { key.rotate_left(bits) }
}

/// Masks a block of a fixed size, in words that the compiler is free to join.
#[inline(always)]
fn xor<const N: usize>(block: &[u8; N], key: u32) -> [u8; N] {
    const { assert!(N.is_multiple_of(4)) };
    // The key twice, in memory order whatever the byte order is.
    let twice = u64::from(key) << 32 | u64::from(key);
    let mut block = *block;
    let (words, rest) = block.as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ twice).to_ne_bytes();
    }
    for word in rest.as_chunks_mut::<4>().0 {
        *word = (u32::from_ne_bytes(*word) ^ key).to_ne_bytes();
    }
    block
}

/// The kernels themselves, for this crate's own tests; no part of the API.
#[doc(hidden)]
pub mod kernels {
    pub use super::swar;
    #[cfg(all(feature = "simd", target_arch = "x86_64", not(ws_mask = "swar")))]
    pub use super::x86_64;
}
