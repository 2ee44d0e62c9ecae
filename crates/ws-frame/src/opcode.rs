use core::fmt;

/// The four bits that say how the payload of a frame is to be read
///
/// All sixteen values exist, the reserved ones included: an extension may define them, and a receiver without such
/// an extension must be able to name what it refuses.
///
/// # RFC
///
/// [Section 5.2](https://www.rfc-editor.org/rfc/rfc6455#section-5.2) defines the values,
/// [section 11.8](https://www.rfc-editor.org/rfc/rfc6455#section-11.8) the registry.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Opcode(u8);

impl Opcode {
    /// Reads the low four bits; the upper four are ignored, so that the first byte of a frame can be given as it is.
    #[inline]
    #[must_use]
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits & 0xf)
    }

    /// The value on the wire, 0 to 15.
    #[inline]
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Whether frames of this kind carry control: 8 to 15, reserved ones included.
    ///
    /// They are not fragmented, may come between the fragments of a message, and hold at most 125 bytes.
    #[inline]
    #[must_use]
    pub const fn is_control(self) -> bool {
        // "Control frames are identified by opcodes where the most significant bit of the opcode is 1."
        // -- RFC 6455, section 5.5
        self.0 & 0x8 != 0
    }

    /// Whether frames of this kind carry data: 0 to 7, reserved ones and the continuation included.
    #[inline]
    #[must_use]
    pub const fn is_data(self) -> bool {
        !self.is_control()
    }

    /// Whether RFC 6455 leaves the value undefined: 3 to 7 and 11 to 15.
    #[inline]
    #[must_use]
    pub const fn is_reserved(self) -> bool {
        self.0 & 0x7 > 2
    }

    const fn name(self) -> &'static str {
        match self.0 {
            0 => "continuation",
            1 => "text",
            2 => "binary",
            3 => "reserved 3",
            4 => "reserved 4",
            5 => "reserved 5",
            6 => "reserved 6",
            7 => "reserved 7",
            8 => "close",
            9 => "ping",
            10 => "pong",
            11 => "reserved 11",
            12 => "reserved 12",
            13 => "reserved 13",
            14 => "reserved 14",
            _ => "reserved 15",
        }
    }

    /// A further fragment of the message that is open.
    pub const CONTINUATION: Self = Self(0);
    /// Begins a message of UTF-8 text.
    pub const TEXT: Self = Self(1);
    /// Begins a message of arbitrary bytes.
    pub const BINARY: Self = Self(2);
    /// Reserved for a data frame yet to be defined.
    pub const RESERVED_3: Self = Self(3);
    /// Reserved for a data frame yet to be defined.
    pub const RESERVED_4: Self = Self(4);
    /// Reserved for a data frame yet to be defined.
    pub const RESERVED_5: Self = Self(5);
    /// Reserved for a data frame yet to be defined.
    pub const RESERVED_6: Self = Self(6);
    /// Reserved for a data frame yet to be defined.
    pub const RESERVED_7: Self = Self(7);
    /// Ends the connection; see [`Close`](crate::Close) for its payload.
    pub const CLOSE: Self = Self(8);
    /// Asks for a pong with the same payload.
    pub const PING: Self = Self(9);
    /// Answers a ping, or comes unasked as a sign of life.
    pub const PONG: Self = Self(10);
    /// Reserved for a control frame yet to be defined.
    pub const RESERVED_11: Self = Self(11);
    /// Reserved for a control frame yet to be defined.
    pub const RESERVED_12: Self = Self(12);
    /// Reserved for a control frame yet to be defined.
    pub const RESERVED_13: Self = Self(13);
    /// Reserved for a control frame yet to be defined.
    pub const RESERVED_14: Self = Self(14);
    /// Reserved for a control frame yet to be defined.
    pub const RESERVED_15: Self = Self(15);
}

/// The name, like `text` or `reserved 11`
impl fmt::Display for Opcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The name, like `text` or `reserved 11`
impl fmt::Debug for Opcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
