//! Frames that lie ready, and where what is written goes.

use std::io;
use ws_conn::Role;
use ws_frame::{Header, Mask, Opcode};

/// Messages of one size, as the peer of a side sends them: so many of them in each read, without end.
pub(crate) struct Source {
    frames: Vec<u8>,
    /// The read that comes next finds nothing, as a socket does between two batches.
    pub(crate) dry: bool,
}

impl Source {
    pub(crate) fn new(role: Role, opcode: Opcode, size: usize) -> Self {
        let payload: Vec<u8> = (0..size).map(|at| (at * 7) as u8).collect();
        let key = (role == Role::Server).then_some([0x37, 0xfa, 0x21, 0x3d]);
        let header = Header { fin: true, rsv: 0, opcode, mask: key, len: size as u64 };
        let mut frame = header.encode(&mut [0; Header::MAX]).to_vec();
        frame.extend(&payload);
        if let Some(key) = key {
            let start = frame.len() - size;
            Mask::new(key).apply(&mut frame[start..]);
        }
        Self { frames: frame.repeat(BATCH), dry: false }
    }

    /// A batch of whole frames.
    pub(crate) fn batch(&self) -> &[u8] {
        &self.frames
    }
}

/// Takes everything at once.
#[derive(Default)]
pub(crate) struct Sink(u64);

impl Sink {
    pub(crate) fn take(&mut self, bytes: &[u8]) -> usize {
        self.0 += core::hint::black_box(bytes).len() as u64;
        bytes.len()
    }
}

/// For threads.
impl io::Read for Source {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let len = self.frames.len();
        into[..len].copy_from_slice(&self.frames);
        Ok(len)
    }
}

impl io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(self.take(bytes))
    }

    fn write_vectored(&mut self, parts: &[io::IoSlice<'_>]) -> io::Result<usize> {
        Ok(parts.iter().map(|part| self.take(part)).sum())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// How many frames a read brings.
const BATCH: usize = 16;
