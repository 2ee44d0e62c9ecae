//! AVX2 and AVX-512 where the processor has them: the one file of the crate with `unsafe`, and that only to call.
//!
//! The loops are plain Rust over blocks, which the compiler turns into vectors when it may use them. They are as
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
    match Kernel::for_bytes(payload.len()) {
        // SAFETY: the function is safe but for the instructions it uses, which the processor was just found to have.
        Kernel::Avx512 => unsafe { apply_avx512(key, payload) },
        // SAFETY: as above.
        Kernel::Avx2 => unsafe { apply_avx2(key, payload) },
        Kernel::Words => swar::apply(key, payload),
    }
}

/// Out of line as [`apply_wide`].
#[inline(never)]
fn copy_wide(key: u32, from: &[u8], to: &mut [u8]) {
    match Kernel::for_bytes(from.len().saturating_mul(2)) {
        // SAFETY: the function is safe but for the instructions it uses, which the processor was just found to have.
        Kernel::Avx512 => unsafe { copy_avx512(key, from, to) },
        // SAFETY: as above.
        Kernel::Avx2 => unsafe { copy_avx2(key, from, to) },
        Kernel::Words => swar::copy(key, from, to),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kernel {
    Avx512,
    Avx2,
    Words,
}

impl Kernel {
    /// The one for so many bytes, read and written, of those that the processor has.
    #[inline]
    fn for_bytes(touched: usize) -> Self {
        // Processors with AVX-512 that lack VBMI, which is not used, lower their clock for it.
        let avx512 = || is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vbmi");
        Self::choose(touched, avx512, || is_x86_feature_detected!("avx2"))
    }

    #[inline(always)]
    fn choose(touched: usize, avx512: impl Fn() -> bool, avx2: impl Fn() -> bool) -> Self {
        if touched <= CACHED && avx512() {
            Self::Avx512
        } else if avx2() {
            Self::Avx2
        } else {
            Self::Words
        }
    }
}

#[target_feature(enable = "avx512f")]
fn apply_avx512(key: u32, payload: &mut [u8]) {
    apply_blocks::<64, 256>(key, payload, xor_bytes);
}

#[target_feature(enable = "avx2")]
fn apply_avx2(key: u32, payload: &mut [u8]) {
    apply_blocks::<32, 128>(key, payload, xor);
}

#[target_feature(enable = "avx512f")]
fn copy_avx512(key: u32, from: &[u8], to: &mut [u8]) {
    copy_blocks::<64, 256>(key, from, to, xor_bytes);
}

#[target_feature(enable = "avx2")]
fn copy_avx2(key: u32, from: &[u8], to: &mut [u8]) {
    copy_blocks::<32, 128>(key, from, to, xor);
}

/// Masks blocks of one vector, and groups of four, in a loop that is unrolled.
#[inline(always)]
fn apply_blocks<const BLOCK: usize, const GROUP: usize>(
    key: u32,
    payload: &mut [u8],
    xor: impl Fn(&[u8; BLOCK], u32) -> [u8; BLOCK],
) {
    let len = payload.len();
    let (Some(first), Some(last)) = (payload.first_chunk(), payload.last_chunk()) else {
        return swar::apply(key, payload);
    };
    // Read before the loops mask parts of them. The first covers what lies before the aligned body, the last what
    // the body leaves over.
    let (first, last) = (xor(first, key), xor(last, rotate(key, len)));
    let start = unaligned::<BLOCK>(payload);
    let key = rotate(key, start);
    let body = payload.get_mut(start..).unwrap_or_default();
    let (groups, rest) = body.as_chunks_mut::<GROUP>();
    for group in groups {
        group.as_chunks_mut().0.iter_mut().for_each(|block| *block = xor(block, key));
    }
    rest.as_chunks_mut().0.iter_mut().for_each(|block| *block = xor(block, key));
    if let Some(start) = payload.first_chunk_mut() {
        *start = first;
    }
    if let Some(end) = payload.last_chunk_mut() {
        *end = last;
    }
}

/// As [`apply_blocks`], from one slice to another.
#[inline(always)]
fn copy_blocks<const BLOCK: usize, const GROUP: usize>(
    key: u32,
    from: &[u8],
    to: &mut [u8],
    xor: impl Fn(&[u8; BLOCK], u32) -> [u8; BLOCK],
) {
    let (Some(first), Some(last)) = (from.first_chunk(), from.last_chunk()) else {
        return swar::copy(key, from, to);
    };
    if let Some(start) = to.first_chunk_mut() {
        *start = xor(first, key);
    }
    if let Some(end) = to.last_chunk_mut() {
        *end = xor(last, rotate(key, from.len()));
    }
    // It is the stores that gain by being aligned.
    let start = unaligned::<BLOCK>(to);
    let key = rotate(key, start);
    let (groups, rest) = from.get(start..).unwrap_or_default().as_chunks::<GROUP>();
    let (to_groups, to_rest) = to.get_mut(start..).unwrap_or_default().as_chunks_mut::<GROUP>();
    let copy = |from: &[u8], to: &mut [u8]| {
        to.as_chunks_mut().0.iter_mut().zip(from.as_chunks().0).for_each(|(to, block)| *to = xor(block, key));
    };
    to_groups.iter_mut().zip(groups).for_each(|(to, group)| copy(group, to));
    copy(rest, to_rest);
}

/// As [`xor`], byte by byte: the compiler takes whole vectors of 512 bits, where words tempt it to gather each from
/// eight places.
#[inline(always)]
fn xor_bytes<const BLOCK: usize>(block: &[u8; BLOCK], key: u32) -> [u8; BLOCK] {
    let mut keys = [0; BLOCK];
    keys.as_chunks_mut().0.iter_mut().for_each(|place| *place = key.to_ne_bytes());
    let mut block = *block;
    block.iter_mut().zip(keys).for_each(|(byte, key)| *byte ^= key);
    block
}

/// How many bytes, less than a block, lie before the aligned part of a long payload; none are counted in a short one.
#[inline]
fn unaligned<const BLOCK: usize>(payload: &[u8]) -> usize {
    if payload.len() < ALIGN_FROM {
        0
    } else {
        payload.as_ptr().align_offset(BLOCK).checked_rem(BLOCK).unwrap_or_default()
    }
}

/// What fits the first cache, in bytes read and written. Beyond, wider vectors gain nothing, and lose where they are not
/// aligned.
const CACHED: usize = 32 * 1024;
/// From this many bytes on the prologue gains more on a misaligned payload than it costs on an aligned one.
const ALIGN_FROM: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    /// The widest there is.
    const BLOCK: usize = 64;

    #[test]
    fn a_long_payload_is_aligned_to_a_vector_from_wherever_it_lies() {
        let room = [0; ALIGN_FROM + BLOCK];
        for at in 0..BLOCK {
            let payload = &room[at..][..ALIGN_FROM];
            let skipped = unaligned::<BLOCK>(payload);
            assert!(skipped < BLOCK && payload[skipped..].as_ptr().addr().is_multiple_of(BLOCK), "from {at}");
            assert_eq!(unaligned::<BLOCK>(&payload[1..]), 0, "a shorter one is taken as it lies");
        }
    }

    #[test]
    fn the_widest_kernel_is_for_what_fits_the_first_cache_and_each_for_processors_that_have_it() {
        for (touched, avx512, avx2, kernel) in [
            (32_768, true, true, Kernel::Avx512),
            (32_769, true, true, Kernel::Avx2),
            (32_769, true, false, Kernel::Words),
            (130, false, true, Kernel::Avx2),
            (32_769, false, true, Kernel::Avx2),
            (130, false, false, Kernel::Words),
        ] {
            assert_eq!(Kernel::choose(touched, || avx512, || avx2), kernel, "{touched}, {avx512}, {avx2}");
        }
    }

    /// Of the kernels a machine has, one is chosen: here each is tried.
    #[test]
    fn every_kernel_that_the_processor_has_masks_as_plain_words_do() {
        let key = u32::from_ne_bytes([0x37, 0xfa, 0x21, 0x3d]);
        let from: [u8; 1400] = core::array::from_fn(|at| (at * 7 + at / 256) as u8);
        for len in (0..=BLOCK).chain(129..=140).chain(250..=260).chain(500..=580).chain(1020..=1160) {
            for at in [0, 1, 31, 32, 33, 63, 64] {
                let payload = &from[at..][..len];
                let mut want = from;
                swar::apply(key, &mut want[at..][..len]);
                let check = |apply: unsafe fn(u32, &mut [u8]), copy: unsafe fn(u32, &[u8], &mut [u8])| {
                    let (mut masked, mut copied) = (from, from);
                    // SAFETY: each is given where the processor was found to have its instructions.
                    unsafe { apply(key, &mut masked[at..][..len]) };
                    // SAFETY: as above.
                    unsafe { copy(key, payload, &mut copied[at..][..len]) };
                    assert!(masked == want && copied == want, "{len} bytes at {at}");
                };
                if is_x86_feature_detected!("avx2") {
                    check(apply_avx2, copy_avx2);
                }
                if is_x86_feature_detected!("avx512f") {
                    check(apply_avx512, copy_avx512);
                }
            }
        }
    }
}
