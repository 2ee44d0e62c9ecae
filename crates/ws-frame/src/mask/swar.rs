//! Plain words, in safe code: the kernel for small payloads everywhere, and for all payloads without a wider one.

use super::twice;

/// Masks in place; `key` is in memory order and its first byte is for the first byte.
#[inline]
pub fn apply(key: u32, payload: &mut [u8]) {
    let (words, rest) = payload.as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ twice(key)).to_ne_bytes();
    }
    let (words, rest) = rest.as_chunks_mut::<4>();
    for word in words {
        *word = (u32::from_ne_bytes(*word) ^ key).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(key.to_ne_bytes()) {
        *byte ^= key;
    }
}

/// Masks from one slice to the other, as far as the shorter goes.
#[inline]
pub fn copy(key: u32, from: &[u8], to: &mut [u8]) {
    let (words, rest) = from.as_chunks::<8>();
    let (to_words, to_rest) = to.as_chunks_mut::<8>();
    for (to, word) in to_words.iter_mut().zip(words) {
        *to = (u64::from_ne_bytes(*word) ^ twice(key)).to_ne_bytes();
    }
    let (words, rest) = rest.as_chunks::<4>();
    let (to_words, to_rest) = to_rest.as_chunks_mut::<4>();
    for (to, word) in to_words.iter_mut().zip(words) {
        *to = (u32::from_ne_bytes(*word) ^ key).to_ne_bytes();
    }
    for ((to, byte), key) in to_rest.iter_mut().zip(rest).zip(key.to_ne_bytes()) {
        *to = byte ^ key;
    }
}
