use core::fmt;

/// Why a connection ended, as a number
///
/// Some values never travel: they stand for what an endpoint saw rather than for what its peer said. See
/// [`may_be_sent`](Self::may_be_sent).
///
/// # RFC
///
/// [Section 7.4](https://www.rfc-editor.org/rfc/rfc6455#section-7.4); 1012 to 1014 come from the
/// [IANA registry](https://www.iana.org/assignments/websocket/websocket.xhtml#close-code-number).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CloseCode(u16);

impl CloseCode {
    /// Any number, whether or not it may be sent.
    #[inline]
    #[must_use]
    pub const fn new(code: u16) -> Self {
        Self(code)
    }

    /// The number.
    #[inline]
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }

    /// Whether the code may stand in a Close frame: 1000 to 1003, 1007 to 1014, 3000 to 4999.
    ///
    /// It is the same question in both directions: what may not be sent is a violation when received.
    ///
    /// # RFC
    ///
    /// [Section 7.4.1](https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1) forbids 1005, 1006 and 1015 on the wire
    /// and reserves 1004; [section 7.4.2](https://www.rfc-editor.org/rfc/rfc6455#section-7.4.2) gives the ranges.
    #[inline]
    #[must_use]
    pub const fn may_be_sent(self) -> bool {
        matches!(self.0, 1000..=1003 | 1007..=1014 | 3000..=4999)
    }

    const fn meaning(self) -> Option<&'static str> {
        Some(match self {
            Self::NORMAL => "normal closure",
            Self::GOING_AWAY => "going away",
            Self::PROTOCOL_ERROR => "protocol error",
            Self::CANNOT_ACCEPT => "cannot accept",
            Self::NO_STATUS => "no status",
            Self::ABNORMAL => "abnormal closure",
            Self::MALFORMED => "malformed payload",
            Self::POLICY => "policy violation",
            Self::TOO_BIG => "message too big",
            Self::WANT_EXTENSION => "extension wanted",
            Self::UNEXPECTED => "unexpected condition",
            Self::SERVICE_RESTART => "service restart",
            Self::TRY_AGAIN_LATER => "try again later",
            Self::BAD_GATEWAY => "bad gateway",
            Self::TLS_HANDSHAKE => "TLS handshake",
            _ => return None,
        })
    }

    /// 1000: the purpose of the connection has been fulfilled.
    pub const NORMAL: Self = Self(1000);
    /// 1001: the server goes down, or the browser leaves the page.
    pub const GOING_AWAY: Self = Self(1001);
    /// 1002: the peer broke the protocol.
    pub const PROTOCOL_ERROR: Self = Self(1002);
    /// 1003: a kind of data that this endpoint does not take.
    pub const CANNOT_ACCEPT: Self = Self(1003);
    /// 1005: the Close frame held no code. Never on the wire.
    pub const NO_STATUS: Self = Self(1005);
    /// 1006: the connection ended without a Close frame. Never on the wire.
    pub const ABNORMAL: Self = Self(1006);
    /// 1007: data that does not fit the type of the message, such as text that is not UTF-8.
    pub const MALFORMED: Self = Self(1007);
    /// 1008: a message that breaks this endpoint's policy; the generic refusal.
    pub const POLICY: Self = Self(1008);
    /// 1009: a message too big to process.
    pub const TOO_BIG: Self = Self(1009);
    /// 1010: the client wanted an extension that the server did not grant.
    pub const WANT_EXTENSION: Self = Self(1010);
    /// 1011: a condition in this endpoint prevents it from going on.
    pub const UNEXPECTED: Self = Self(1011);
    /// 1012: the service restarts; a client may reconnect.
    pub const SERVICE_RESTART: Self = Self(1012);
    /// 1013: the service is overloaded; a client may try another address or come back later.
    pub const TRY_AGAIN_LATER: Self = Self(1013);
    /// 1014: a gateway got an invalid answer from its upstream.
    pub const BAD_GATEWAY: Self = Self(1014);
    /// 1015: the TLS handshake failed. Never on the wire.
    pub const TLS_HANDSHAKE: Self = Self(1015);
}

/// The number, and its meaning where it has a registered one: `1002 (protocol error)`, `4000`
impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.meaning() {
            Some(meaning) => write!(f, "{} ({meaning})", self.0),
            None => write!(f, "{}", self.0),
        }
    }
}
