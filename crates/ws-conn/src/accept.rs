use ws_frame::Opcode;

/// Which opcodes a connection receives, as a bit mask of `1 << opcode`.
///
/// Close is always accepted, since a connection that refuses it cannot be closed in order. What is left out
/// is refused from the frame's header, before its payload: a *defined* opcode with close code 1003
/// ([`CloseCode::CANNOT_ACCEPT`](ws_frame::CloseCode::CANNOT_ACCEPT)), a *reserved* one with 1002, because
/// "If an unknown opcode is received, the receiving endpoint MUST _Fail the WebSocket Connection_"
/// (RFC 6455, section 5.2).
///
/// ```
/// use ws_conn::{Accept, Opcode};
///
/// let text_only = Accept::V13.without(Opcode::BINARY);
/// assert!(text_only.contains(Opcode::TEXT));
/// assert!(!text_only.contains(Opcode::BINARY));
/// assert!(text_only.contains(Opcode::CLOSE));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Accept(u16);

impl Accept {
    /// The six opcodes that version 13 of the protocol defines. The default.
    pub const V13: Self = Self(0x0707);

    /// Every opcode, the ten reserved ones included.
    ///
    /// Reserved data opcodes (3 to 7) are delivered like binary messages; reserved control opcodes (11 to 15)
    /// are seen by the low level only and skipped by the high level.
    pub const ALL: Self = Self(0xFFFF);

    /// A mask in the form `1 << opcode`; Close is added.
    #[must_use]
    pub const fn from_bits(bits: u16) -> Self {
        Self(bits | 1 << Opcode::CLOSE.bits())
    }

    /// The mask, with bit `1 << opcode` set for each opcode that is accepted.
    #[must_use]
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// This mask and one opcode more.
    #[must_use]
    pub const fn with(self, opcode: Opcode) -> Self {
        Self(self.0 | 1 << opcode.bits())
    }

    /// This mask without one opcode; leaving out Close changes nothing.
    #[must_use]
    pub const fn without(self, opcode: Opcode) -> Self {
        Self::from_bits(self.0 & !(1 << opcode.bits()))
    }

    /// Whether frames of this opcode are accepted.
    #[must_use]
    #[inline]
    pub const fn contains(self, opcode: Opcode) -> bool {
        self.0 >> opcode.bits() & 1 != 0
    }
}

impl Default for Accept {
    fn default() -> Self {
        Self::V13
    }
}
