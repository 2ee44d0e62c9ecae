use crate::timeouts::Wait;
use core::fmt;
use ws_frame::{CloseCode, Opcode, Violation};

/// The status a connection ended with: the first status code, whoever set it.
///
/// 1005 ([`CloseCode::NO_STATUS`]) stands for a Close without a code, 1006 ([`CloseCode::ABNORMAL`]) for an end
/// without a Close (RFC 6455, sections 7.1.5 and 7.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Closed(pub CloseCode);

/// Why a call did not succeed, as far as the protocol is concerned. Small and `Copy`; the peer's own words are
/// with the connection (`close_reason`).
///
/// The first call that fails gets the cause, every later one gets [`Fault::Closed`] with the status in effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// The connection is closed. The peer is told the status if it did not set it.
    Closed(Closed),
    /// The peer broke the protocol. It is told [`Violation::code`].
    Violation(Violation),
    /// The peer used a defined opcode that [`Accept`](crate::Accept) leaves out. It is told 1003.
    Refused(Opcode),
    /// A message is larger than the buffer or the limit it was to be received in. The peer is told 1009.
    Overflow,
    /// A deadline passed. The peer is told 1008, unless the wait was for [`Wait::Turn`]: then nothing was sent and
    /// the connection goes on.
    Timeout(Wait),
    /// The calling code asked for what the protocol forbids. The peer is told nothing and the connection goes on, but
    /// for a message that cannot be completed any more ([`Misuse::Encode`], [`Misuse::Unfinished`]): 1011.
    Misuse(Misuse),
}

/// What the calling code did wrong: mended by reading it, never caused by the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Misuse {
    /// A control frame with more than 125 bytes of payload (RFC 6455, section 5.5).
    ControlTooLong,
    /// A control frame in fragments (RFC 6455, section 5.5).
    ControlFragmented,
    /// An opcode that cannot begin a message: [`Opcode::CONTINUATION`], or a control opcode for a stream.
    Opcode,
    /// A data message while another one of this side is not finished (RFC 6455, section 5.4).
    MessageOpen,
    /// Text that is not UTF-8 (RFC 6455, section 5.6).
    Utf8,
    /// A close code that may not be sent, or a malformed Close payload (RFC 6455, section 7.4).
    Close,
    /// The low level of frames was asked for in the middle of a message that the high level had begun.
    HalfReceived,
    /// No masking key could be had, so that a client's frame cannot be sent (RFC 6455, section 10.3).
    NoKey,
    /// An extension failed to encode a message of this side.
    Encode,
    /// A fragment for a message that is finished.
    Finished,
    /// A message was begun and given up before its end, which ended the connection with 1011.
    Unfinished,
}

impl Fault {
    /// The status that the fault means for the connection, and that the peer is told where it can be.
    #[must_use]
    pub const fn code(&self) -> CloseCode {
        match self {
            Self::Closed(Closed(code)) => *code,
            Self::Violation(violation) => violation.code(),
            Self::Refused(_) => CloseCode::CANNOT_ACCEPT,
            Self::Overflow => CloseCode::TOO_BIG,
            Self::Timeout(_) => CloseCode::POLICY,
            Self::Misuse(_) => CloseCode::UNEXPECTED,
        }
    }

    /// The words that go with the code, at most 123 bytes.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Closed(_) => "",
            Self::Violation(violation) => violation.reason(),
            Self::Refused(_) => "opcode not accepted",
            Self::Overflow => "message too big",
            Self::Timeout(Wait::Idle) => "idle timeout",
            Self::Timeout(Wait::Wire) => "wire timeout",
            Self::Timeout(Wait::Linger) => "close timeout",
            Self::Timeout(Wait::Pong) => "keepalive timeout",
            Self::Timeout(Wait::Turn) => "timeout waiting for another message to end",
            Self::Misuse(misuse) => misuse.reason(),
        }
    }

    /// Whether the fault ends the connection, rather than the call alone.
    #[must_use]
    pub const fn is_fatal(&self) -> bool {
        match self {
            Self::Misuse(misuse) => matches!(misuse, Misuse::Encode | Misuse::Unfinished),
            Self::Timeout(wait) => !matches!(wait, Wait::Turn),
            _ => true,
        }
    }
}

impl Misuse {
    /// What was wrong, in words.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::ControlTooLong => "control frame with more than 125 bytes",
            Self::ControlFragmented => "control frame in fragments",
            Self::Opcode => "opcode cannot begin a message",
            Self::MessageOpen => "another message is not finished",
            Self::Utf8 => "text is not UTF-8",
            Self::Close => "close code or payload may not be sent",
            Self::HalfReceived => "a message is half received",
            Self::NoKey => "no masking key",
            Self::Encode => "extension failed to encode",
            Self::Finished => "message is finished",
            Self::Unfinished => "message given up before its end",
        }
    }
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "connection closed with {}", self.0)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed(closed) => closed.fmt(f),
            Self::Violation(violation) => write!(f, "peer broke the protocol: {violation}"),
            Self::Refused(opcode) => write!(f, "opcode not accepted: {opcode}"),
            other => f.write_str(other.reason()),
        }
    }
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason())
    }
}

impl core::error::Error for Closed {}
impl core::error::Error for Misuse {}
impl core::error::Error for Fault {}

impl From<Closed> for Fault {
    fn from(closed: Closed) -> Self {
        Self::Closed(closed)
    }
}

impl From<Violation> for Fault {
    #[inline]
    fn from(violation: Violation) -> Self {
        Self::Violation(violation)
    }
}

impl From<Misuse> for Fault {
    fn from(misuse: Misuse) -> Self {
        Self::Misuse(misuse)
    }
}

const _: () = assert!(size_of::<Fault>() <= 8);
