//! Plain words, in safe code: the kernel for short payloads everywhere, and for all where there is no wider one.
//!
//! A payload of up to 128 bytes is masked without a loop, as its first and its last part, which may overlap: all is
//! loaded before anything is stored. There is no prologue that aligns: processors of today do not mind, short payloads
//! do. The compiler joins the words to whatever vectors the target has.

use super::{rotate, xor};

/// Masks in place; the first byte of `key` in memory order is for the first byte of `payload`.
#[inline]
pub fn apply(key: u32, payload: &mut [u8]) {
    match payload.len() {
        0..4 => payload.iter_mut().zip(key.to_ne_bytes()).for_each(|(byte, key)| *byte ^= key),
        4..8 => apply_ends::<4>(key, payload),
        8..=16 => apply_ends::<8>(key, payload),
        17..=32 => apply_ends::<16>(key, payload),
        33..=64 => apply_ends::<32>(key, payload),
        65..=SHORT_MAX => apply_ends::<64>(key, payload),
        _ => apply_blocks::<64>(key, payload),
    }
}

/// Masks from one slice to another of the same length.
#[inline]
pub fn copy(key: u32, from: &[u8], to: &mut [u8]) {
    match from.len() {
        0..4 => to.iter_mut().zip(from).zip(key.to_ne_bytes()).for_each(|((to, byte), key)| *to = byte ^ key),
        4..8 => copy_ends::<4>(key, from, to),
        8..=16 => copy_ends::<8>(key, from, to),
        17..=32 => copy_ends::<16>(key, from, to),
        33..=64 => copy_ends::<32>(key, from, to),
        65..=SHORT_MAX => copy_ends::<64>(key, from, to),
        _ => copy_blocks::<64>(key, from, to),
    }
}

/// Masks `N` to 2 `N` bytes.
#[inline(always)]
fn apply_ends<const N: usize>(key: u32, payload: &mut [u8]) {
    let len = payload.len();
    let (Some(first), Some(last)) = (payload.first_chunk::<N>(), payload.last_chunk::<N>()) else { return };
    let (first, last) = (xor(first, key), xor(last, rotate(key, len)));
    if let Some(start) = payload.first_chunk_mut() {
        *start = first;
    }
    if let Some(end) = payload.last_chunk_mut() {
        *end = last;
    }
}

/// Masks `N` bytes or more; the last `N` may overlap the block before them.
#[inline(always)]
fn apply_blocks<const N: usize>(key: u32, payload: &mut [u8]) {
    let len = payload.len();
    let Some(last) = payload.last_chunk::<N>() else { return };
    let last = xor(last, rotate(key, len));
    for block in payload.as_chunks_mut::<N>().0 {
        *block = xor(block, key);
    }
    if let Some(end) = payload.last_chunk_mut() {
        *end = last;
    }
}

/// As [`apply_ends`].
#[inline(always)]
fn copy_ends<const N: usize>(key: u32, from: &[u8], to: &mut [u8]) {
    let (Some(first), Some(last)) = (from.first_chunk::<N>(), from.last_chunk::<N>()) else { return };
    if let Some(start) = to.first_chunk_mut() {
        *start = xor(first, key);
    }
    if let Some(end) = to.last_chunk_mut() {
        *end = xor(last, rotate(key, from.len()));
    }
}

/// As [`apply_blocks`].
#[inline(always)]
fn copy_blocks<const N: usize>(key: u32, from: &[u8], to: &mut [u8]) {
    let Some(last) = from.last_chunk::<N>() else { return };
    for (to, block) in to.as_chunks_mut::<N>().0.iter_mut().zip(from.as_chunks().0) {
        *to = xor(block, key);
    }
    if let Some(end) = to.last_chunk_mut() {
        *end = xor(last, rotate(key, from.len()));
    }
}

/// The longest payload, in bytes, that is masked without a loop.
pub(super) const SHORT_MAX: usize = 128;
