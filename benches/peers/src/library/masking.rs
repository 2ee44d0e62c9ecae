//! Payloads that are masked where they are, in turns.
//!
//! In turns, since no program masks the same bytes again at once: then what was just stored is loaded, and how the stores and
//! the loads happen to meet is most of the time.

use core::hint::black_box;

use super::meter::Meter;

/// Some payloads, as many as fit the first cache, or one.
pub(super) struct Payloads {
    room: Vec<u8>,
    first: usize,
    apart: usize,
    len: usize,
    count: usize,
}

impl Payloads {
    /// Each of them so long, and so many bytes behind a multiple of 64.
    pub(super) fn new(len: usize, off: usize) -> Self {
        let count = (CACHE / len).clamp(1, MOST);
        let apart = (len + off).next_multiple_of(64) + 64;
        let room = vec![0x2e; apart * count + 64];
        let first = room.as_ptr().align_offset(64) + off;
        Self { room, first, apart, len, count }
    }

    /// Masks one after the other with a key of its own each, until the meter has enough.
    pub(super) fn play(mut self, mask: fn(&mut [u8], [u8; 4]), meter: &mut Meter) {
        let mask = black_box(mask);
        let (mut at, mut key) = (0, 1_u32);
        while meter.more() {
            let start = self.first + at * self.apart;
            mask(black_box(&mut self.room[start..start + self.len]), key.to_le_bytes());
            key = key.wrapping_mul(0x9e37_79b1).wrapping_add(1);
            at = if at + 1 == self.count { 0 } else { at + 1 };
        }
    }
}

/// Whether a routine masks as it must, at this length and the shorter ones around it, from each place to begin.
pub(super) fn check(mask: fn(&mut [u8], [u8; 4]), payload: &[u8]) -> Result<(), &'static str> {
    let key = [0x37, 0xfa, 0x21, 0x3d];
    for len in payload.len().saturating_sub(8)..=payload.len() {
        for off in 0..4 {
            let mut masked = vec![0; off + len];
            masked[off..].copy_from_slice(&payload[..len]);
            mask(&mut masked[off..], key);
            let expected = payload[..len].iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key);
            if !masked[off..].iter().copied().eq(expected) {
                return Err("masks something else");
            }
        }
    }
    Ok(())
}

/// How much of the first cache the payloads take.
const CACHE: usize = 32 * 1024;
const MOST: usize = 8;
