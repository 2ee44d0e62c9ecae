//! A frame reader and writer that follow RFC 6455, section 5, byte by byte.
//!
//! Written to be checked by eye against the RFC and by nothing else: no tables, no words, no tricks, no speed.

/// The opcode of a continuation frame (RFC 6455, section 5.2).
pub const CONTINUATION: u8 = 0x0;
/// The opcode of a text frame (RFC 6455, section 5.2).
pub const TEXT: u8 = 0x1;
/// The opcode of a binary frame (RFC 6455, section 5.2).
pub const BINARY: u8 = 0x2;
/// The opcode of a Close frame (RFC 6455, section 5.2).
pub const CLOSE: u8 = 0x8;
/// The opcode of a Ping frame (RFC 6455, section 5.2).
pub const PING: u8 = 0x9;
/// The opcode of a Pong frame (RFC 6455, section 5.2).
pub const PONG: u8 = 0xA;

/// One frame, its payload unmasked. Nothing is checked: a frame may be as illegal as a test needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The FIN bit.
    pub fin: bool,
    /// The three reserved bits, 0 to 7: RSV1 is 4, RSV2 is 2, RSV3 is 1.
    pub rsv: u8,
    /// The opcode, 0 to 15.
    pub opcode: u8,
    /// The masking key of a masked frame.
    pub mask: Option<[u8; 4]>,
    /// The payload, unmasked.
    pub payload: Vec<u8>,
}

impl Frame {
    /// A final, unmasked frame without reserved bits.
    #[must_use]
    pub fn new(opcode: u8, payload: impl Into<Vec<u8>>) -> Self {
        Self { fin: true, rsv: 0, opcode, mask: None, payload: payload.into() }
    }

    /// The same frame masked with `key`, as a client sends it.
    #[must_use]
    pub fn masked(mut self, key: [u8; 4]) -> Self {
        self.mask = Some(key);
        self
    }

    /// The same frame without FIN.
    #[must_use]
    pub fn not_final(mut self) -> Self {
        self.fin = false;
        self
    }

    /// The same frame with another opcode, 0 to 15.
    #[must_use]
    pub fn opcode(mut self, opcode: u8) -> Self {
        self.opcode = opcode;
        self
    }

    /// The same frame with these reserved bits, 0 to 7: RSV1 is 4, RSV2 is 2, RSV3 is 1.
    #[must_use]
    pub fn rsv(mut self, rsv: u8) -> Self {
        self.rsv = rsv;
        self
    }

    /// The frame as it goes on the wire; [`encode`] as a method.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        encode(self)
    }

    /// Whether the opcode is one of the control opcodes, defined or reserved (RFC 6455, section 5.5).
    #[must_use]
    pub fn is_control(&self) -> bool {
        // "Control frames are identified by opcodes where the most significant bit of the opcode is 1."
        //     -- RFC 6455, section 5.5
        self.opcode & 0x8 != 0
    }

    /// The status code of a Close payload: its first two bytes.
    #[must_use]
    pub fn close_code(&self) -> Option<u16> {
        match (self.opcode, self.payload.as_slice()) {
            (CLOSE, [high, low, ..]) => Some(u16::from_be_bytes([*high, *low])),
            _ => None,
        }
    }
}

/// A whole text message in one frame.
#[must_use]
pub fn text(payload: &str) -> Frame {
    Frame::new(TEXT, payload)
}

/// A whole binary message in one frame.
#[must_use]
pub fn binary(payload: impl Into<Vec<u8>>) -> Frame {
    Frame::new(BINARY, payload)
}

/// The last fragment of a message; [`Frame::not_final`] makes it one in the middle.
#[must_use]
pub fn continuation(payload: impl Into<Vec<u8>>) -> Frame {
    Frame::new(CONTINUATION, payload)
}

/// A Ping frame.
#[must_use]
pub fn ping(payload: impl Into<Vec<u8>>) -> Frame {
    Frame::new(PING, payload)
}

/// A Pong frame.
#[must_use]
pub fn pong(payload: impl Into<Vec<u8>>) -> Frame {
    Frame::new(PONG, payload)
}

/// A Close frame with a status code and a reason.
#[must_use]
pub fn close(code: u16, reason: &str) -> Frame {
    let mut payload = code.to_be_bytes().to_vec();
    payload.extend_from_slice(reason.as_bytes());
    Frame::new(CLOSE, payload)
}

/// A Close frame without a payload.
#[must_use]
pub fn close_empty() -> Frame {
    Frame::new(CLOSE, [])
}

/// Every frame on the wire, one after the other.
#[must_use]
pub fn encode_all(frames: &[Frame]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for frame in frames {
        bytes.extend(encode(frame));
    }
    bytes
}

/// The frame on the wire, its length in the shortest form.
#[must_use]
pub fn encode(frame: &Frame) -> Vec<u8> {
    let len = frame.payload.len();
    let mut bytes = vec![first_byte(frame)];
    let mask_bit = if frame.mask.is_some() { 0x80 } else { 0 };
    if len <= 125 {
        bytes.push(mask_bit + len as u8);
    } else if len <= 0xFFFF {
        bytes.push(mask_bit + 126);
        bytes.push((len / 256) as u8);
        bytes.push((len % 256) as u8);
    } else {
        bytes.push(mask_bit + 127);
        let mut rest = len as u64;
        let mut digits = Vec::new();
        for _ in 0..8 {
            digits.insert(0, (rest % 256) as u8);
            rest /= 256;
        }
        bytes.extend(digits);
    }
    push_payload(&mut bytes, frame);
    bytes
}

/// FIN, the reserved bits and the opcode.
pub(crate) fn first_byte(frame: &Frame) -> u8 {
    let fin = if frame.fin { 0x80 } else { 0 };
    fin + (frame.rsv & 0x7) * 0x10 + (frame.opcode & 0xF)
}

/// The masking key, if there is one, and the payload under it.
pub(crate) fn push_payload(bytes: &mut Vec<u8>, frame: &Frame) {
    match frame.mask {
        None => bytes.extend_from_slice(&frame.payload),
        Some(key) => {
            bytes.extend_from_slice(&key);
            bytes.extend(masked(&frame.payload, key));
        }
    }
}

/// The payload masked, or unmasked, which is the same (RFC 6455, section 5.3).
#[must_use]
pub fn masked(payload: &[u8], key: [u8; 4]) -> Vec<u8> {
    let mut out = Vec::new();
    // "Octet i of the transformed data ("transformed-octet-i") is the XOR of octet i of the original data
    // ("original-octet-i") with octet at index i modulo 4 of the masking key" -- RFC 6455, section 5.3
    for (octet, key) in payload.iter().zip(key.iter().cycle()) {
        out.push(octet ^ key);
    }
    out
}

/// The first frame of `bytes` and how many bytes it takes; `None` if it is not all there.
///
/// Lengths in a longer form than necessary are read as they stand; [`read_all`] refuses them. A length that no memory
/// can hold never becomes a frame.
#[must_use]
pub fn read(bytes: &[u8]) -> Option<(Frame, usize)> {
    let mut input = bytes.iter().copied();
    let first = input.next()?;
    let second = input.next()?;
    let mut len = u64::from(second % 0x80);
    let extended = match len {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    if extended > 0 {
        len = 0;
        for _ in 0..extended {
            len = len * 256 + u64::from(input.next()?);
        }
    }
    let mut mask = None;
    if second >= 0x80 {
        mask = Some([input.next()?, input.next()?, input.next()?, input.next()?]);
    }
    let rest = input.len();
    if len > rest as u64 {
        return None;
    }
    let mut payload: Vec<u8> = input.take(len as usize).collect();
    if let Some(key) = mask {
        payload = masked(&payload, key);
    }
    let frame = Frame { fin: first >= 0x80, rsv: first / 0x10 % 8, opcode: first % 0x10, mask, payload };
    Some((frame, bytes.len() - (rest - len as usize)))
}

/// Every frame of `bytes`, each with its length in the shortest form and the last one whole.
///
/// # Errors
///
/// A sentence that says which frame, at which byte, is cut off or has a length in a longer form than necessary
/// ("the minimal number of bytes MUST be used to encode the length", RFC 6455, section 5.2).
pub fn read_all(bytes: &[u8]) -> Result<Vec<Frame>, String> {
    let mut frames = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let at = bytes.len() - rest.len();
        let Some((frame, len)) = read(rest) else {
            return Err(format!("frame {} at byte {at} is cut off after {} bytes", frames.len(), rest.len()));
        };
        let (taken, after) = rest.split_at_checked(len).ok_or("read took more than there was")?;
        // The writer above knows only the shortest form, so the longer ones do not come back as they went in.
        if encode(&frame) != taken {
            return Err(format!("frame {} at byte {at}: its length is not in the shortest form", frames.len()));
        }
        frames.push(frame);
        rest = after;
    }
    Ok(frames)
}
