//! What the benches share: payloads and where they lie, wire images, and transports in memory.

use core::ops::{Deref, DerefMut};
use core::time::Duration;
use std::io::{self, IoSlice};
use ws_conn::blocking::{Input, Output};
use ws_frame::{Header, Mask, Opcode};

/// The sizes that the benches go through, in bytes.
pub const SIZES: [usize; 5] = [16, 125, 1024, 16 * 1024, 1024 * 1024];

/// What a payload is made of.
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
    /// The opcode of its messages.
    #[must_use]
    pub const fn opcode(self) -> Opcode {
        match self {
            Self::Binary => Opcode::BINARY,
            _ => Opcode::TEXT,
        }
    }

    /// A payload of `size` bytes.
    #[must_use]
    pub fn payload(self, size: usize) -> Vec<u8> {
        match self {
            Self::Binary => (0..size).map(|at| (at * 7 + at / 251) as u8).collect(),
            Self::Ascii => (0..size).map(|at| b' ' + (at * 13 % 95) as u8).collect(),
            Self::Multibyte => {
                let text: Vec<u8> = "größe 👋 日本語 ж".bytes().cycle().take(size).collect();
                let valid = core::str::from_utf8(&text).map_or_else(|error| error.valid_up_to(), str::len);
                text.into_iter().take(valid).chain(core::iter::repeat_n(b'x', size - valid)).collect()
            }
        }
    }
}

/// A buffer that begins so many bytes after a place that is aligned for any kernel.
#[derive(Debug)]
pub struct Buffer {
    memory: Vec<u8>,
    start: usize,
}

impl Buffer {
    /// Holds a copy of some bytes.
    #[must_use]
    pub fn new(bytes: &[u8], offset: usize) -> Self {
        let mut memory = vec![0; bytes.len() + ALIGNED + offset];
        let start = memory.as_ptr().align_offset(ALIGNED) + offset;
        memory[start..][..bytes.len()].copy_from_slice(bytes);
        memory.truncate(start + bytes.len());
        Self { memory, start }
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.memory[self.start..]
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.memory[self.start..]
    }
}

/// One frame as a client sends it, or, without a key, a server.
#[must_use]
pub fn frame(kind: Kind, size: usize, key: Option<[u8; 4]>) -> Vec<u8> {
    let mut payload = kind.payload(size);
    let header = Header { fin: true, rsv: 0, opcode: kind.opcode(), mask: key, len: payload.len() as u64 };
    if let Some(key) = key {
        Mask::new(key).apply(&mut payload);
    }
    let mut wire = header.encode(&mut [0; Header::MAX]).to_vec();
    wire.append(&mut payload);
    wire
}

/// Reads the same frames over and over: about 256 KiB of them, or one.
#[derive(Debug)]
pub struct Cycle {
    wire: Vec<u8>,
    at: usize,
}

impl Cycle {
    /// Frames of a client, each with a key of its own.
    #[must_use]
    pub fn new(kind: Kind, size: usize) -> Self {
        let count = (256 * 1024 / (size + 8)).max(1) as u32;
        let wire = (0..count).flat_map(|at| frame(kind, size, Some(at.wrapping_mul(0x9E37_79B9).to_le_bytes())));
        Self { wire: wire.collect(), at: 0 }
    }
}

impl Input for Cycle {
    const TIMED: bool = false;

    fn read(&mut self, into: &mut [u8], _: Duration) -> io::Result<usize> {
        if self.at == self.wire.len() {
            self.at = 0;
        }
        let len = into.len().min(self.wire.len() - self.at);
        into[..len].copy_from_slice(&self.wire[self.at..self.at + len]);
        self.at += len;
        Ok(len)
    }
}

/// Takes whatever is written, by one copy, as a socket would.
#[derive(Debug, Default)]
pub struct Sink(Vec<u8>);

impl Output for Sink {
    const TIMED: bool = false;

    fn write(&mut self, bufs: &[IoSlice<'_>], _: Duration) -> io::Result<usize> {
        self.0.clear();
        bufs.iter().for_each(|buf| self.0.extend_from_slice(buf));
        Ok(self.0.len())
    }

    fn half_close(&mut self) -> io::Result<()> {
        Ok(())
    }
}

const ALIGNED: usize = 64;
