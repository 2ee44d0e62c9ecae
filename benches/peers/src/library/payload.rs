//! The messages: what they are made of, as a library reads them, and as it must have written them.

use bytes::Bytes;

use super::place::Placed;
use super::side::Side;
use crate::wire::{Xorshift, frame};

/// What a message is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Bytes of any value.
    Binary,
    /// Text of one-byte characters.
    Ascii,
    /// Text of characters of one to four bytes.
    Multibyte,
}

impl Kind {
    /// Whether it is text.
    pub(super) fn is_text(self) -> bool {
        self != Self::Binary
    }

    /// A payload of so many bytes.
    pub(super) fn payload(self, size: usize) -> Vec<u8> {
        let mut random = Xorshift(0x1234_5678_9abc_def1);
        let mut any = |below: u64| (random.next() % below) as usize;
        match self {
            Self::Binary => (0..size).map(|_| any(256) as u8).collect(),
            Self::Ascii => (0..size).map(|_| b' ' + any(95) as u8).collect(),
            Self::Multibyte => {
                let mut text = String::with_capacity(size);
                while text.len() < size {
                    let next = CHARACTERS[any(CHARACTERS.len() as u64)];
                    text.push(if text.len() + next.len_utf8() > size { 'x' } else { next });
                }
                text.into()
            }
        }
    }

    fn opcode(self) -> u8 {
        if self.is_text() { TEXT } else { BINARY }
    }
}

/// Frames of a client with the same payload, each with a key of its own: about 256 KiB of them, or one.
pub(super) fn script(kind: Kind, payload: &[u8]) -> Vec<u8> {
    let mut random = Xorshift(0x9e37_79b9_7f4a_7c15);
    let count = (SCRIPT / (payload.len() + 8)).max(1);
    let mut key = || (random.next() as u32).to_le_bytes();
    (0..count).flat_map(|_| frame(kind.opcode(), payload, Some(key()))).collect()
}

/// A binary message as a caller holds it that sends it again and again.
#[derive(Debug)]
pub(super) struct Message {
    /// For libraries that take a share of it.
    pub(super) shared: Bytes,
}

impl Message {
    pub(super) fn new(payload: &[u8], place: usize) -> Self {
        let Placed { memory, start } = Placed::new(payload, place);
        Self { shared: Bytes::from(memory).slice(start..) }
    }

    /// For libraries that borrow it.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.shared
    }
}

/// How long the frame of a message is.
pub(super) fn frame_len(side: Side, payload: usize) -> usize {
    let key = if side == Side::Client { 4 } else { 0 };
    payload
        + key
        + if payload < 126 {
            2
        } else if payload < 65536 {
            4
        } else {
            10
        }
}

/// Checks what a library has written: so many binary messages in one frame each, with this payload.
///
/// # Errors
///
/// What is wrong with it.
pub(super) fn check(mut wrote: &[u8], side: Side, payload: &[u8], count: usize) -> Result<(), String> {
    let mut keys = Vec::new();
    for at in 1..=count {
        let (whole, rest) = wrote
            .split_at_checked(frame_len(side, payload.len()))
            .ok_or_else(|| format!("{} bytes are missing from message {at} on", wrote.len()))?;
        let key = (side == Side::Client).then(|| {
            let key = whole.len() - payload.len() - 4;
            [whole[key], whole[key + 1], whole[key + 2], whole[key + 3]]
        });
        if whole != frame(BINARY, payload, key) {
            return Err(format!("message {at} is not what was to be sent"));
        }
        if let Some(key) = key {
            // "When preparing a masked frame, the client MUST pick a fresh masking key from the set of allowed 32-bit
            // values." -- RFC 6455, section 5.3
            if keys.contains(&key) {
                return Err(format!("message {at} is masked with a key that was used before"));
            }
            keys.push(key);
        }
        wrote = rest;
    }
    if wrote.is_empty() { Ok(()) } else { Err(format!("{} bytes more than the messages", wrote.len())) }
}

const TEXT: u8 = 1;
const BINARY: u8 = 2;

const SCRIPT: usize = 256 * 1024;

const CHARACTERS: [char; 10] = ['a', ' ', 'é', 'ß', 'ж', '€', '日', '本', '語', '👋'];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_are_as_long_as_asked_for_and_text_is_text() {
        for kind in [Kind::Binary, Kind::Ascii, Kind::Multibyte] {
            for size in [16, 125, 1024] {
                let payload = kind.payload(size);
                assert_eq!(payload.len(), size);
                assert!(!kind.is_text() || str::from_utf8(&payload).is_ok());
                assert_eq!(payload.is_ascii(), kind == Kind::Ascii);
            }
        }
    }

    #[test]
    fn what_is_written_is_checked() {
        for (side, keys) in [(Side::Server, [None; 2]), (Side::Client, [Some([9, 8, 7, 6]), Some([5, 4, 3, 2])])] {
            for size in [5, 126, 65536] {
                let payload = Kind::Binary.payload(size);
                let wrote = keys.map(|key| frame(BINARY, &payload, key)).concat();
                assert_eq!(wrote.len(), 2 * frame_len(side, size));
                assert_eq!(check(&wrote, side, &payload, 2), Ok(()));
                assert!(check(&wrote, side, &payload, 1).unwrap_err().contains("more than"));
                assert!(check(&wrote, side, &payload, 3).unwrap_err().contains("missing"));
                let mut wrong = wrote.clone();
                *wrong.last_mut().unwrap() ^= 1;
                assert_eq!(check(&wrong, side, &payload, 2), Err("message 2 is not what was to be sent".into()));
                let again = frame(BINARY, &payload, keys[0]).repeat(2);
                let used = "message 2 is masked with a key that was used before";
                assert_eq!(check(&again, side, &payload, 2).err().as_deref(), keys[0].map(|_| used));
                wrong[0] ^= 1;
                assert_eq!(check(&wrong, side, &payload, 2), Err("message 1 is not what was to be sent".into()));
            }
        }
    }
}
