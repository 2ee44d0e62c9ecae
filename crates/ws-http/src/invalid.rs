//! What the calling program got wrong.

use core::fmt;

use crate::names;
use crate::uri::UriError;

/// A value that the calling program gave cannot be put on the wire.
///
/// Never caused by a peer: it is mended by reading the calling code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Invalid {
    /// A header name is not a token (RFC 9110, section 5.6.2).
    HeaderName,
    /// A header value holds a control character (CR, LF and NUL among them), or whitespace at an end.
    HeaderValue,
    /// A header that the handshake or the answer writes itself was given as a custom one.
    HandshakeHeader,
    /// A subprotocol is not a token, or was given twice.
    Protocol,
    /// The chosen subprotocol is not one the client offered.
    ProtocolNotOffered,
    /// An extension or parameter name, or a parameter value, is not a token.
    Extension,
    /// The extension in the answer is not one the client offered.
    ExtensionNotOffered,
    /// A cookie's name is not a token, or its value holds a character that RFC 6265 section 4.1.1 leaves out.
    Cookie,
    /// The text is not the serialization of one origin (RFC 6454, section 6.1).
    Origin,
    /// The text is no host name or address, with or without a port of 1 to 65535.
    Host,
    /// The status is not one of a final answer with a body: 200 to 599 without 204, 205 and 304.
    Status,
    /// The HTTP version is none of 0.9, 1.0, 1.1, 2.0 and 3.0.
    HttpVersion,
    /// The URI cannot be connected to.
    Uri(UriError),
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HeaderName => "header name is not a token",
            Self::HeaderValue => "header value holds a control character or outer whitespace",
            Self::HandshakeHeader => "header belongs to the handshake itself",
            Self::Protocol => "subprotocol is not a token, or is given twice",
            Self::ProtocolNotOffered => "subprotocol was not offered by the client",
            Self::Extension => "extension name or parameter is not a token",
            Self::ExtensionNotOffered => "extension was not offered by the client",
            Self::Cookie => "cookie name or value holds a forbidden character",
            Self::Origin => "not the serialization of an origin",
            Self::Host => "not a host with or without a port",
            Self::Status => "status cannot carry a final answer with a body",
            Self::HttpVersion => "not a version of HTTP",
            Self::Uri(error) => return error.fmt(f),
        })
    }
}

impl core::error::Error for Invalid {}

impl From<UriError> for Invalid {
    fn from(error: UriError) -> Self {
        Self::Uri(error)
    }
}

/// Checks a header field of the application's own in a handshake: as [`check_header`], and none that the handshake writes.
pub(crate) fn check_own_header(name: &str, value: &str) -> Result<(), Invalid> {
    check_header(name, value)?;
    if names::is_reserved(name) { Err(Invalid::HandshakeHeader) } else { Ok(()) }
}

/// Checks a custom header field: a token as name, a value that no parser can read as two fields or trim.
pub(crate) fn check_header(name: &str, value: &str) -> Result<(), Invalid> {
    if !crate::list::is_token(name.as_bytes()) {
        return Err(Invalid::HeaderName);
    }
    let outer = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    let bytes = value.as_bytes();
    let control = |byte: &u8| (*byte < b' ' && *byte != b'\t') || *byte == 0x7f;
    if bytes.iter().any(control) || outer(bytes.first()) || outer(bytes.last()) {
        return Err(Invalid::HeaderValue);
    }
    Ok(())
}
