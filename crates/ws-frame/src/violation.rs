use core::{error, fmt};

use crate::CloseCode;

/// A rule of the protocol that the peer broke
///
/// It carries no payload and no position: one byte that says which rule, which close code answers it, and where
/// the rule stands. The codec itself reports some of them; those about the order of frames and about reserved values
/// are here for the layer that keeps state, so that the whole protocol has one vocabulary.
///
/// # RFC
///
/// A violation fails the connection,
/// [section 7.1.7](https://www.rfc-editor.org/rfc/rfc6455#section-7.1.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Violation {
    /// A reserved bit is set although no extension gave it a meaning.
    ReservedBits,
    /// A client sent a frame that is not masked.
    MaskMissing,
    /// A server sent a masked frame.
    MaskUnexpected,
    /// A control frame came without FIN.
    ControlFragmented,
    /// A control frame announced more than 125 bytes, or used the extended length that only those need.
    ControlTooLong,
    /// A payload length took more bytes than it needs.
    LengthNotMinimal,
    /// A 64-bit payload length has its most significant bit set.
    LengthSign,
    /// A new data frame came although a fragmented message is open: its continuation is missing.
    ContinuationMissing,
    /// A continuation came although no message is open.
    ContinuationUnexpected,
    /// An opcode that no RFC and no extension in use defines.
    ReservedOpcode,
    /// A Close payload of one byte: half a code.
    CloseLength,
    /// A Close with a code that must not be on the wire.
    CloseCode,
    /// Text, or the reason in a Close, that is not UTF-8.
    Utf8,
    /// Data that the extension in use cannot decode.
    Extension,
}

impl Violation {
    /// The code of the Close frame that answers the violation: 1007 for what a payload holds, 1002 for all else.
    #[inline]
    #[must_use]
    pub const fn code(self) -> CloseCode {
        match self {
            Self::Utf8 | Self::Extension => CloseCode::MALFORMED,
            _ => CloseCode::PROTOCOL_ERROR,
        }
    }

    /// The section of RFC 6455 that holds the rule, like `"5.2"`.
    #[must_use]
    pub const fn section(self) -> &'static str {
        match self {
            Self::MaskMissing | Self::MaskUnexpected => "5.1",
            Self::ReservedBits | Self::LengthNotMinimal | Self::LengthSign | Self::ReservedOpcode => "5.2",
            Self::ContinuationMissing | Self::ContinuationUnexpected => "5.4",
            Self::ControlFragmented | Self::ControlTooLong => "5.5",
            Self::CloseLength => "5.5.1",
            Self::CloseCode => "7.4",
            Self::Utf8 => "8.1",
            Self::Extension => "9.1",
        }
    }

    /// A short English sentence, at most 100 bytes, fit for the reason of a Close frame.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::ReservedBits => "reserved bit set without an extension",
            Self::MaskMissing => "frame from client is not masked",
            Self::MaskUnexpected => "frame from server is masked",
            Self::ControlFragmented => "control frame is fragmented",
            Self::ControlTooLong => "control frame is longer than 125 bytes",
            Self::LengthNotMinimal => "payload length is not minimally encoded",
            Self::LengthSign => "payload length has its most significant bit set",
            Self::ContinuationMissing => "new data frame inside a fragmented message",
            Self::ContinuationUnexpected => "continuation without a message",
            Self::ReservedOpcode => "opcode is reserved",
            Self::CloseLength => "close payload is one byte",
            Self::CloseCode => "close code must not be sent",
            Self::Utf8 => "text is not UTF-8",
            Self::Extension => "extension data cannot be decoded",
        }
    }
}

/// The [reason](Violation::reason)
impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.reason())
    }
}

impl error::Error for Violation {}

const _: () = assert!(size_of::<Violation>() == 1 && size_of::<Result<(), Violation>>() == 1);
