//! HTTP versions.

/// An HTTP version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Version {
    /// The digit before the dot.
    pub major: u8,
    /// The digit after the dot.
    pub minor: u8,
}

impl Version {
    /// HTTP/1.1, in which alone an RFC 6455 handshake is spoken.
    pub const HTTP_11: Self = Self { major: 1, minor: 1 };
}
