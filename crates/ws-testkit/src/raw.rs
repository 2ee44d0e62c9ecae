//! Bytes no honest peer sends. What an honest one sends comes from [`crate::naive::encode`].

use crate::naive::{self, Frame};

/// The frame with its length in 16 bits, whether or not fewer would do; `None` if it does not fit into 16 bits.
#[must_use]
pub fn with_16_bit_length(frame: &Frame) -> Option<Vec<u8>> {
    let len = u16::try_from(frame.payload.len()).ok()?;
    let mut bytes = vec![naive::first_byte(frame), mask_bit(frame.mask) + 126];
    bytes.extend(len.to_be_bytes());
    naive::push_payload(&mut bytes, frame);
    Some(bytes)
}

/// The frame with its length in 64 bits, whether or not fewer would do.
#[must_use]
pub fn with_64_bit_length(frame: &Frame) -> Vec<u8> {
    let mut bytes = announced_in_64_bits(frame, frame.payload.len() as u64);
    bytes.extend(match frame.mask {
        Some(key) => naive::masked(&frame.payload, key),
        None => frame.payload.clone(),
    });
    bytes
}

/// The frame with its length in 64 bits of which the first is set, against RFC 6455, section 5.2: "the most
/// significant bit MUST be 0".
#[must_use]
pub fn with_top_bit_length(frame: &Frame) -> Vec<u8> {
    let mut bytes = announced_in_64_bits(frame, frame.payload.len() as u64 | 1 << 63);
    bytes.extend(match frame.mask {
        Some(key) => naive::masked(&frame.payload, key),
        None => frame.payload.clone(),
    });
    bytes
}

/// The header of a frame like `frame`, its masking key included, that announces `len` bytes in the shortest form, and
/// no payload after it.
#[must_use]
pub fn announced(frame: &Frame, len: u64) -> Vec<u8> {
    let mut bytes = vec![naive::first_byte(frame)];
    let mask = mask_bit(frame.mask);
    match (u8::try_from(len), u16::try_from(len)) {
        (Ok(short @ 0..=125), _) => bytes.push(mask + short),
        (_, Ok(medium)) => {
            bytes.push(mask + 126);
            bytes.extend(medium.to_be_bytes());
        }
        _ => return announced_in_64_bits(frame, len),
    }
    bytes.extend(frame.mask.iter().flatten());
    bytes
}

/// The header of a frame like `frame`, its masking key included, that announces `len` bytes in 64 bits.
fn announced_in_64_bits(frame: &Frame, len: u64) -> Vec<u8> {
    let mut bytes = vec![naive::first_byte(frame), mask_bit(frame.mask) + 127];
    bytes.extend(len.to_be_bytes());
    bytes.extend(frame.mask.iter().flatten());
    bytes
}

fn mask_bit(mask: Option<[u8; 4]>) -> u8 {
    if mask.is_some() { 0x80 } else { 0 }
}
