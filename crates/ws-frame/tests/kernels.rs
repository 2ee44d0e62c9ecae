//! One body of tests, bound to the naive kernel and to each of ours.

mod naive;

use ws_frame::{Mask, kernels};

type Apply = fn(u32, &mut [u8]);
type Copy = fn(u32, &[u8], &mut [u8]);

/// Binds the body to a kernel.
macro_rules! bind {
    ($name:ident, $apply:expr, $copy:expr) => {
        mod $name {
            use super::*;

            #[test]
            fn masks_in_place_at_every_length_and_offset() {
                super::masks_in_place($apply);
            }

            #[test]
            fn copies_at_every_length_and_both_offsets() {
                super::copies($copy);
            }
        }
    };
}

bind!(
    naive_kernel,
    |key, payload| payload.copy_from_slice(&naive::mask(key.to_ne_bytes(), 0, payload)),
    |key, from, to| to.copy_from_slice(&naive::mask(key.to_ne_bytes(), 0, from))
);
bind!(swar, kernels::swar::apply, kernels::swar::copy);
#[cfg(all(feature = "simd", target_arch = "x86_64", not(ws_mask = "swar")))]
bind!(x86_64, kernels::x86_64::apply, kernels::x86_64::copy);
bind!(chosen, |key, payload| Mask::new(key.to_ne_bytes()).apply(payload), |key, from, to| Mask::new(key.to_ne_bytes())
    .copy(from, to));

/// Each length up to one of the widest groups, and those around two and around each change of strategy.
fn lengths() -> impl Iterator<Item = usize> {
    let long = (506..=518).chain(1020..=1030).chain(1151..=1155).chain(4095..=4097);
    (0..=260).chain(long).chain(16383..=16385).chain(32767..=32769).step_by(STEP)
}

/// Miri takes a thousand times as long, and gets every so many-th length.
const STEP: usize = if cfg!(miri) { 7 } else { 1 };

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
/// More than the widest vector, so that the place of the payload takes every value modulo it.
const OFFSETS: usize = 65;

fn bytes(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i * 7 + i / 256) as u8).collect()
}

fn masks_in_place(apply: Apply) {
    let key = u32::from_ne_bytes(KEY);
    for len in lengths() {
        let offsets = if len <= 260 { 17 } else { OFFSETS };
        for at in 0..offsets {
            let before = bytes(at + len + 40);
            let mut after = before.clone();
            apply(key, &mut after[at..at + len]);
            assert_eq!(after[at..at + len], naive::mask(KEY, 0, &before[at..at + len]), "{len} bytes at {at}");
            assert_eq!(after[..at], before[..at], "before {len} bytes at {at}");
            assert_eq!(after[at + len..], before[at + len..], "after {len} bytes at {at}");
        }
    }
}

fn copies(copy: Copy) {
    let key = u32::from_ne_bytes(KEY);
    for len in lengths() {
        let from = bytes(len + OFFSETS);
        let want: Vec<Vec<u8>> = (0..OFFSETS).map(|at| naive::mask(KEY, 0, &from[at..at + len])).collect();
        for to_at in 0..OFFSETS {
            // Equal offsets, and unequal ones.
            for from_at in [to_at, (to_at * 5 + 1) % OFFSETS] {
                let mut to = vec![0xee; to_at + len + 40];
                copy(key, &from[from_at..from_at + len], &mut to[to_at..to_at + len]);
                assert_eq!(to[to_at..to_at + len], want[from_at], "{len} bytes from {from_at} to {to_at}");
                assert!(to[..to_at].iter().all(|byte| *byte == 0xee), "before {len} bytes at {to_at}");
                assert!(to[to_at + len..].iter().all(|byte| *byte == 0xee), "after {len} bytes at {to_at}");
            }
        }
    }
}

#[test]
fn every_split_in_two_masks_as_one_piece() {
    for len in (0..=260).step_by(STEP) {
        let plain = bytes(len);
        let want = naive::mask(KEY, 0, &plain);
        for cut in 0..=len {
            let mut mask = Mask::new(KEY);
            let mut payload = plain.clone();
            let (start, rest) = payload.split_at_mut(cut);
            mask.apply(start);
            mask.apply(rest);
            assert_eq!(payload, want, "{len} cut at {cut}");

            let mut mask = Mask::new(KEY);
            let mut copied = vec![0; len];
            mask.copy(&plain[..cut], &mut copied[..cut]);
            mask.copy(&plain[cut..], &mut copied[cut..]);
            assert_eq!(copied, want, "{len} cut at {cut}");
        }
    }
}

#[test]
fn copy_stops_at_the_shorter_and_so_does_the_place_in_the_key() {
    for (from_len, to_len) in [(0, 5), (5, 0), (7, 300), (300, 7), (200, 201), (2000, 1999)] {
        let from = bytes(from_len);
        let shorter = from_len.min(to_len);
        let mut to = vec![0xee; to_len];
        let mut mask = Mask::new(KEY);
        mask.copy(&from, &mut to);
        assert_eq!(to[..shorter], naive::mask(KEY, 0, &from[..shorter]));
        assert!(to[shorter..].iter().all(|byte| *byte == 0xee));
        let mut moved = Mask::new(KEY);
        moved.skip(shorter as u64);
        assert_eq!(mask, moved, "{from_len} into {to_len}");
    }
}
