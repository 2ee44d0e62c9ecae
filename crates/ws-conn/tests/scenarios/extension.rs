//! A toy extension: run-length coding. It grows what does not repeat, shrinks what does, and bombs as well as any.

use std::collections::VecDeque;
use ws_conn::{Coded, Decode, Encode, Fault, Violation};

/// The payload as pairs of a count (1 to 255) and a byte.
pub(crate) fn coded(payload: &[u8]) -> Vec<u8> {
    payload.chunk_by(|a, b| a == b).flat_map(|run| run.chunks(255)).flat_map(|run| [run.len() as u8, run[0]]).collect()
}

/// Turns pairs into runs. Takes as little or as much as it is given, in either direction.
#[derive(Debug, Default)]
pub(crate) struct Unroll {
    count: Option<u8>,
    run: Option<(u8, u8)>,
}

impl Decode for Unroll {
    const RSV: u8 = 4;

    fn decode(&mut self, input: &[u8], last: bool, out: &mut [u8]) -> Result<Coded, Fault> {
        let (mut read, mut wrote) = (0, 0);
        loop {
            if let Some((count, byte)) = self.run {
                let len = usize::from(count).min(out.len() - wrote);
                out[wrote..wrote + len].fill(byte);
                wrote += len;
                self.run = (usize::from(count) > len).then_some((count - len as u8, byte));
                if self.run.is_some() {
                    return Ok(Coded { read, wrote, end: false });
                }
            }
            let Some(&byte) = input.get(read) else { break };
            read += 1;
            match self.count.take() {
                None if byte == 0 => return Err(Violation::Extension.into()),
                None => self.count = Some(byte),
                Some(count) => self.run = Some((count, byte)),
            }
        }
        if last && self.count.is_some() {
            return Err(Violation::Extension.into());
        }
        Ok(Coded { read, wrote, end: last })
    }
}

/// Turns runs into pairs. Keeps the last run until it knows its end. Leaves alone what is announced as a single byte.
#[derive(Debug, Default)]
pub(crate) struct Roll {
    run: Option<(u8, u8)>,
    ready: VecDeque<u8>,
}

impl Encode for Roll {
    const RSV: u8 = 4;

    fn begin(&mut self, len: Option<usize>) -> bool {
        assert!(self.run.is_none() && self.ready.is_empty(), "something is left of the last message");
        len != Some(1)
    }

    fn encode(&mut self, input: &[u8], last: bool, out: &mut [u8]) -> Result<Coded, Fault> {
        let (mut read, mut wrote) = (0, 0);
        loop {
            while let (Some(place), Some(&byte)) = (out.get_mut(wrote), self.ready.front()) {
                *place = byte;
                wrote += 1;
                self.ready.pop_front();
            }
            if !self.ready.is_empty() {
                return Ok(Coded { read, wrote, end: false });
            }
            match (input.get(read), &mut self.run) {
                (Some(&byte), Some((count, of))) if *of == byte && *count < 255 => *count += 1,
                (Some(&byte), run) => {
                    let done = run.replace((1, byte));
                    self.ready.extend(done.into_iter().flat_map(|(count, byte)| [count, byte]));
                }
                (None, run) if last && run.is_some() => {
                    self.ready.extend(run.take().into_iter().flat_map(|(count, byte)| [count, byte]));
                    continue;
                }
                (None, _) => return Ok(Coded { read, wrote, end: last }),
            }
            read += 1;
        }
    }
}

/// An encoder that fails when it meets a `!`.
#[derive(Debug, Default)]
pub(crate) struct Fragile(Roll);

impl Encode for Fragile {
    const RSV: u8 = 4;

    fn begin(&mut self, len: Option<usize>) -> bool {
        self.0 = Roll::default();
        self.0.begin(len)
    }

    fn encode(&mut self, input: &[u8], last: bool, out: &mut [u8]) -> Result<Coded, Fault> {
        if input.contains(&b'!') { Err(Violation::Extension.into()) } else { self.0.encode(input, last, out) }
    }
}
