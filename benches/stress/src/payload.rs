//! Payloads that say who sent them, which of the sender's messages they are, how long they are, and what they sum up to.

use core::fmt;

/// Which message it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Name {
    /// The end that sends it: 0 or 1.
    pub(crate) end: u8,
    pub(crate) sender: u8,
    pub(crate) number: u32,
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}#{}", self.end, self.sender, self.number)
    }
}

/// The last message of an end.
pub(crate) const BYE: u8 = 255;
/// What the owner of a connection sends itself.
pub(crate) const OWNER: u8 = 254;

/// The shortest payload that has a name.
pub(crate) const HEADER: usize = 26;

/// A payload of a length: text, of one byte to a character. One that is too short for a name is empty.
pub(crate) fn build(name: Name, len: usize) -> Vec<u8> {
    if len < HEADER {
        return Vec::new();
    }
    let mut payload = format!("{:x}{:02x}{:06x}{len:08x}", name.end, name.sender, name.number).into_bytes();
    payload.resize(HEADER, b' ');
    let mut state = name.number.wrapping_mul(0x9e37_79b9) ^ u32::from(name.sender) << 8 ^ len as u32 | 1;
    payload.extend((HEADER..len).map(|_| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        b'A' + (state % 58) as u8
    }));
    let sum = sum(&payload);
    payload[SUM].copy_from_slice(format!("{sum:08x}").as_bytes());
    payload
}

/// The name of a payload that is whole, or `None` for an empty one.
pub(crate) fn read(payload: &[u8]) -> Result<Option<Name>, String> {
    if payload.is_empty() {
        return Ok(None);
    }
    let (name, len) = read_header(payload)?;
    if len != payload.len() {
        return Err(format!("{name:?} has {} bytes, and says {len}", payload.len()));
    }
    let mut unsigned = payload.to_vec();
    unsigned[SUM].fill(b' ');
    match hex(&payload[SUM]) == Some(sum(&unsigned)) {
        true => Ok(Some(name)),
        false => Err(format!("{name:?} of {len} bytes does not have its checksum")),
    }
}

/// The name at the front of a payload, and the length that belongs to it.
pub(crate) fn read_header(payload: &[u8]) -> Result<(Name, usize), String> {
    let header = payload.get(..HEADER).ok_or_else(|| format!("{payload:?} is too short for a name"))?;
    let name = || {
        Some((
            Name {
                end: hex(&header[..1])?.try_into().ok()?,
                sender: hex(&header[1..3])?.try_into().ok()?,
                number: hex(&header[3..9])?,
            },
            hex(&header[9..17])? as usize,
        ))
    };
    name().ok_or_else(|| format!("{:?} is no name", String::from_utf8_lossy(header)))
}

fn hex(digits: &[u8]) -> Option<u32> {
    u32::from_str_radix(core::str::from_utf8(digits).ok()?, 16).ok()
}

/// FNV-1a.
fn sum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |sum, byte| (sum ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

const SUM: core::ops::Range<usize> = 17..25;
