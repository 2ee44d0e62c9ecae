//! AVX2 where the processor has it: the one file of the crate with `unsafe`, and that only to call.
//!
//! The loops are plain Rust over blocks, which the compiler turns into vectors when it may use AVX2. They are as
//! fast as the same loop in intrinsics. `swar` is the safe twin, and does the work for short payloads.
#![allow(unsafe_code)]

use std::arch::is_x86_feature_detected;

use super::{rotate, swar, xor};

/// As [`swar::apply`].
#[inline]
pub fn apply(key: u32, payload: &mut [u8]) {
    if payload.len() <= swar::SHORT_MAX { swar::apply(key, payload) } else { apply_wide(key, payload) }
}

/// As [`swar::copy`].
#[inline]
pub fn copy(key: u32, from: &[u8], to: &mut [u8]) {
    if from.len() <= swar::SHORT_MAX { swar::copy(key, from, to) } else { copy_wide(key, from, to) }
}

/// Out of line, so that the code for short payloads stays small where it is inlined.
#[inline(never)]
fn apply_wide(key: u32, payload: &mut [u8]) {
    if is_x86_feature_detected!("avx2") {
        // SAFETY: the function is safe but for the instructions it uses, which the processor was just found to have.
        unsafe { apply_avx2(key, payload) }
    } else {
        swar::apply(key, payload);
    }
}

/// Out of line as [`apply_wide`].
#[inline(never)]
fn copy_wide(key: u32, from: &[u8], to: &mut [u8]) {
    if is_x86_feature_detected!("avx2") {
        // SAFETY: the function is safe but for the instructions it uses, which the processor was just found to have.
        unsafe { copy_avx2(key, from, to) }
    } else {
        swar::copy(key, from, to);
    }
}

#[target_feature(enable = "avx2")]
fn apply_avx2(key: u32, payload: &mut [u8]) {
    let len = payload.len();
    let (Some(first), Some(last)) = (payload.first_chunk::<BLOCK>(), payload.last_chunk::<BLOCK>()) else {
        return swar::apply(key, payload);
    };
    // Read before the loops mask parts of them. The first covers what lies before the aligned body, the last what
    // the body leaves over.
    let (first, last) = (xor(first, key), xor(last, rotate(key, len)));
    let start = unaligned(payload);
    let key = rotate(key, start);
    let body = payload.get_mut(start..).unwrap_or_default();
    let (groups, rest) = body.as_chunks_mut::<GROUP>();
    for group in groups {
        *group = xor(group, key);
    }
    for block in rest.as_chunks_mut::<BLOCK>().0 {
        *block = xor(block, key);
    }
    if let Some(start) = payload.first_chunk_mut() {
        *start = first;
    }
    if let Some(end) = payload.last_chunk_mut() {
        *end = last;
    }
}

#[target_feature(enable = "avx2")]
fn copy_avx2(key: u32, from: &[u8], to: &mut [u8]) {
    let (Some(first), Some(last)) = (from.first_chunk::<BLOCK>(), from.last_chunk::<BLOCK>()) else {
        return swar::copy(key, from, to);
    };
    if let Some(start) = to.first_chunk_mut() {
        *start = xor(first, key);
    }
    if let Some(end) = to.last_chunk_mut() {
        *end = xor(last, rotate(key, from.len()));
    }
    // It is the stores that gain by being aligned.
    let start = unaligned(to);
    let key = rotate(key, start);
    let (groups, rest) = from.get(start..).unwrap_or_default().as_chunks::<GROUP>();
    let (to_groups, to_rest) = to.get_mut(start..).unwrap_or_default().as_chunks_mut::<GROUP>();
    for (to, group) in to_groups.iter_mut().zip(groups) {
        *to = xor(group, key);
    }
    for (to, block) in to_rest.as_chunks_mut::<BLOCK>().0.iter_mut().zip(rest.as_chunks().0) {
        *to = xor(block, key);
    }
}

/// How many bytes, less than a block, lie before the aligned part of a long payload; none are counted in a short one.
#[inline]
fn unaligned(payload: &[u8]) -> usize {
    if payload.len() < ALIGN_FROM { 0 } else { payload.as_ptr().align_offset(BLOCK) % BLOCK }
}

/// One vector, in bytes.
const BLOCK: usize = 32;
/// What one turn of the main loop masks, in bytes.
const GROUP: usize = 4 * BLOCK;
/// From this many bytes on the prologue gains more on a misaligned payload than it costs on an aligned one.
const ALIGN_FROM: usize = 1024;

#[cfg(test)]
mod tests {
    use super::{ALIGN_FROM, BLOCK, unaligned};

    #[test]
    fn a_long_payload_is_aligned_to_a_vector_from_wherever_it_lies() {
        let room = [0; ALIGN_FROM + BLOCK];
        for at in 0..BLOCK {
            let payload = &room[at..][..ALIGN_FROM];
            let skipped = unaligned(payload);
            assert!(skipped < BLOCK && payload[skipped..].as_ptr().addr().is_multiple_of(BLOCK), "from {at}");
            assert_eq!(unaligned(&payload[1..]), 0, "a shorter one is taken as it lies");
        }
    }
}
