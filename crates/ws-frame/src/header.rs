use crate::{Opcode, Role, Violation};

/// The part of a frame before its payload, 2 to 14 bytes on the wire
///
/// [`parse`](Self::parse) is total: every string of bytes that is long enough *is* a header, and what is forbidden is
/// the affair of [`check`](Self::check). A proxy, a sniffer or a fuzzer can have the first without the second.
///
/// # RFC
///
/// [Section 5.2](https://www.rfc-editor.org/rfc/rfc6455#section-5.2).
///
/// # Examples
///
/// ```
/// use ws_frame::{Header, Opcode, Role, Violation};
///
/// let (header, size) = Header::parse(&[0x89, 0x00]).unwrap();
/// assert_eq!(header, Header { fin: true, rsv: 0, opcode: Opcode::PING, mask: None, len: 0 });
/// assert_eq!(size, 2);
/// assert_eq!(header.check(size, Role::Server), Ok(()));
/// assert_eq!(header.check(size, Role::Client), Err(Violation::MaskMissing));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Header {
    /// Whether this is the last frame of its message.
    pub fin: bool,
    /// The three reserved bits as a number: RSV1 is 4, RSV2 is 2, RSV3 is 1.
    pub rsv: u8,
    /// How the payload is to be read.
    pub opcode: Opcode,
    /// The masking key, present when the payload is masked.
    pub mask: Option<[u8; 4]>,
    /// The length of the payload in bytes.
    pub len: u64,
}

impl Header {
    /// Reads the header at the start of `bytes`, and its size in bytes; what follows it is ignored.
    ///
    /// `None` means only that `bytes` ends before the header does. Nothing is judged here: see
    /// [`check`](Self::check), and [`check_start`](Self::check_start) for what can be said before the header is whole.
    #[inline]
    #[must_use]
    pub const fn parse(bytes: &[u8]) -> Option<(Self, usize)> {
        let Some((&[first, second], rest)) = bytes.split_first_chunk() else { return None };
        // "if 0-125, that is the payload length. If 126, the following 2 bytes interpreted as a 16-bit unsigned
        // integer are the payload length. If 127, the following 8 bytes interpreted as a 64-bit unsigned integer
        // (the most significant bit MUST be 0) are the payload length. Multibyte length quantities are expressed in
        // network byte order." -- RFC 6455, section 5.2
        let (len, rest, size) = match second & LEN_BITS {
            LEN_16 => match rest.split_first_chunk() {
                Some((&len, rest)) => (u16::from_be_bytes(len) as u64, rest, 4),
                None => return None,
            },
            LEN_64 => match rest.split_first_chunk() {
                Some((&len, rest)) => (u64::from_be_bytes(len), rest, 10),
                None => return None,
            },
            len => (len as u64, rest, 2),
        };
        let (mask, size) = if second & MASK == 0 {
            (None, size)
        } else {
            match rest.first_chunk() {
                #[expect(clippy::arithmetic_side_effects, reason = "a size of 10 at most, and 4")]
                Some(&key) => (Some(key), size + 4),
                None => return None,
            }
        };
        let header = Self { fin: first & FIN != 0, rsv: first >> 4 & 7, opcode: Opcode::from_bits(first), mask, len };
        Some((header, size))
    }

    /// Judges what can be known of a header from its first bytes, so that a violation need not wait for the rest.
    ///
    /// `bytes` is the header as far as it came; anything after a whole header is ignored, no bytes at all are fine.
    /// The order of the rules is that of the wire, here and in [`check`](Self::check): a header fails for the same
    /// rule however it was cut. FIN is judged from 1 byte on, the mask and the length of a control frame from 2, the
    /// most significant bit of a 64-bit length from 3, the minimal encoding from 4 or 8.
    ///
    /// # Errors
    ///
    /// Those of [`check`](Self::check). `Ok` means only that nothing is wrong so far.
    #[inline]
    pub const fn check_start(bytes: &[u8], from: Role) -> Result<(), Violation> {
        let Some((&first, rest)) = bytes.split_first() else { return Ok(()) };
        let control = Opcode::from_bits(first).is_control();
        if control && first & FIN == 0 {
            return Err(Violation::ControlFragmented);
        }
        let Some((&second, rest)) = rest.split_first() else { return Ok(()) };
        if let Err(violation) = check_mask(second & MASK != 0, from) {
            return Err(violation);
        }
        let short = second & LEN_BITS;
        if short < LEN_16 {
            return Ok(());
        }
        if control {
            return Err(Violation::ControlTooLong);
        }
        if short == LEN_16 {
            return match *rest {
                [high, low, ..] if u16::from_be_bytes([high, low]) <= SHORT_MAX as u16 => {
                    Err(Violation::LengthNotMinimal)
                }
                _ => Ok(()),
            };
        }
        match *rest {
            [high, ..] if high & 0x80 != 0 => Err(Violation::LengthSign),
            [0, 0, 0, 0, 0, 0, ..] => Err(Violation::LengthNotMinimal),
            _ => Ok(()),
        }
    }

    /// Judges a whole header.
    ///
    /// `size` is what it took on the wire in bytes, as [`parse`](Self::parse) returned it, and `from` the role of its
    /// *sender*.
    ///
    /// Reserved bits and reserved opcodes are *not* judged here, since an extension may give them a meaning and a
    /// receiver chooses what it accepts; nor is the order of frames. The layer that knows reports
    /// [`ReservedBits`](Violation::ReservedBits), [`ReservedOpcode`](Violation::ReservedOpcode) and the like.
    ///
    /// # Errors
    ///
    /// The first of these, each answered with close code 1002:
    ///
    /// 1. [`ControlFragmented`](Violation::ControlFragmented): a control opcode without FIN.
    /// 2. [`MaskMissing`](Violation::MaskMissing), [`MaskUnexpected`](Violation::MaskUnexpected): a client masks, a
    ///    server does not.
    /// 3. [`ControlTooLong`](Violation::ControlTooLong): a control opcode with more than 125 bytes or an extended
    ///    length.
    /// 4. [`LengthSign`](Violation::LengthSign): the length is 2⁶³ or more.
    /// 5. [`LengthNotMinimal`](Violation::LengthNotMinimal): `size` is more than [`encoded_len`](Self::encoded_len).
    ///
    /// # RFC
    ///
    /// Sections [5.1](https://www.rfc-editor.org/rfc/rfc6455#section-5.1),
    /// [5.2](https://www.rfc-editor.org/rfc/rfc6455#section-5.2) and
    /// [5.5](https://www.rfc-editor.org/rfc/rfc6455#section-5.5).
    #[inline]
    pub const fn check(&self, size: usize, from: Role) -> Result<(), Violation> {
        // "All control frames MUST have a payload length of 125 bytes or less and MUST NOT be fragmented."
        // -- RFC 6455, section 5.5
        let control = self.opcode.is_control();
        if control && !self.fin {
            return Err(Violation::ControlFragmented);
        }
        if let Err(violation) = check_mask(self.mask.is_some(), from) {
            return Err(violation);
        }
        let minimal = size <= self.encoded_len();
        if control && (self.len > SHORT_MAX || !minimal) {
            return Err(Violation::ControlTooLong);
        }
        if self.len > LEN_MAX {
            return Err(Violation::LengthSign);
        }
        // "Note that in all cases, the minimal number of bytes MUST be used to encode the length"
        // -- RFC 6455, section 5.2
        if !minimal {
            return Err(Violation::LengthNotMinimal);
        }
        Ok(())
    }

    /// Writes the header at the start of `out` and returns the bytes written, [`encoded_len`](Self::encoded_len) of
    /// them.
    ///
    /// The length is always encoded minimally. Of `rsv` the low three bits count. Nothing is judged: a length of 2⁶³
    /// or more is encoded as it is, for the tests of others.
    #[inline]
    pub fn encode<'o>(&self, out: &'o mut [u8; Self::MAX]) -> &'o [u8] {
        let [first, second, rest @ ..] = out;
        *first = u8::from(self.fin) << 7 | (self.rsv & 7) << 4 | self.opcode.bits();
        let mask = if self.mask.is_some() { MASK } else { 0 };
        let key = match self.len {
            0..=125 => {
                *second = mask | self.len as u8;
                rest.first_chunk_mut()
            }
            126..=0xffff => {
                *second = mask | LEN_16;
                let [a, b, key @ ..] = rest;
                [*a, *b] = (self.len as u16).to_be_bytes();
                key.first_chunk_mut()
            }
            _ => {
                *second = mask | LEN_64;
                let [a, b, c, d, e, f, g, h, key @ ..] = rest;
                [*a, *b, *c, *d, *e, *f, *g, *h] = self.len.to_be_bytes();
                key.first_chunk_mut()
            }
        };
        if let (Some(key), Some(mask)) = (key, self.mask) {
            *key = mask;
        }
        out.get(..self.encoded_len()).unwrap_or_default()
    }

    /// The size of the header in bytes when encoded minimally, 2 to 14.
    #[inline]
    #[must_use]
    pub const fn encoded_len(&self) -> usize {
        let key: usize = if self.mask.is_some() { 4 } else { 0 };
        key.saturating_add(match self.len {
            0..=125 => 2,
            126..=0xffff => 4,
            _ => 10,
        })
    }

    /// The size of the largest header, in bytes: two, a 64-bit length and a masking key.
    pub const MAX: usize = 14;
}

#[inline]
const fn check_mask(masked: bool, from: Role) -> Result<(), Violation> {
    match (from, masked) {
        // "The server MUST close the connection upon receiving a frame that is not masked." -- RFC 6455, section 5.1
        (Role::Client, false) => Err(Violation::MaskMissing),
        // "A client MUST close a connection if it detects a masked frame." -- RFC 6455, section 5.1
        (Role::Server, true) => Err(Violation::MaskUnexpected),
        _ => Ok(()),
    }
}

const FIN: u8 = 0x80;
const MASK: u8 = 0x80;
const LEN_BITS: u8 = 0x7f;
const LEN_16: u8 = 126;
const LEN_64: u8 = 127;
/// The longest payload whose length fits the second byte, and the longest that a control frame may have.
const SHORT_MAX: u64 = 125;
/// "the most significant bit MUST be 0" -- RFC 6455, section 5.2
const LEN_MAX: u64 = u64::MAX >> 1;
