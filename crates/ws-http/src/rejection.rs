//! Why a request is refused, and the HTTP answer that says so.

use core::fmt;

use crate::reader::HeadError;
use crate::response::write_response;

/// Why a server refuses a request: each value is exactly one HTTP answer.
///
/// Neither the value nor its answer holds a text of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rejection {
    /// The head breaks the rules of its HTTP version (400).
    Malformed,
    /// The head is longer than [`Limits::bytes`](crate::Limits::bytes) (431).
    HeadTooLong,
    /// The head has more field lines than [`Limits::fields`](crate::Limits::fields) (431).
    TooManyFields,
    /// Another HTTP version than 1.1 (505).
    HttpVersion,
    /// Another method than GET over HTTP/1.1 (405).
    Method,
    /// Another method than CONNECT over HTTP/2 or 3 (405).
    NotConnect,
    /// A CONNECT whose `:protocol` is missing or is not `websocket` (501).
    ConnectProtocol,
    /// No Host, several of them, or one that names no host; over HTTP/2 and 3, an `:authority` that is missing, names no
    /// host, or is another than Host (400).
    Host,
    /// A body is announced (400).
    Body,
    /// The request does not ask for an upgrade to `websocket` (426).
    NotUpgrade,
    /// Sec-WebSocket-Version is not 13 (426).
    Version,
    /// Sec-WebSocket-Version of a CONNECT is not 13 (400: the fields that 426 asks for belong to HTTP/1.1).
    ConnectVersion,
    /// Sec-WebSocket-Version stands there more than once (400).
    VersionRepeated,
    /// Sec-WebSocket-Key is not there once, or is not 16 bytes in base64 (400).
    Key,
    /// Sec-WebSocket-Protocol is not a list of tokens that differ (400).
    Protocols,
    /// Sec-WebSocket-Extensions breaks its grammar (400).
    Extensions,
    /// Origin stands there more than once (400).
    OriginRepeated,
    /// The origin may not connect, or is none (403).
    Origin,
    /// Host is none of the names that the server is reached by (421).
    Misdirected,
    /// The request did not come in time (408).
    Timeout,
}

impl Rejection {
    /// Returns the HTTP status code of the answer.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Malformed
            | Self::Host
            | Self::Body
            | Self::ConnectVersion
            | Self::VersionRepeated
            | Self::Key
            | Self::Protocols
            | Self::Extensions
            | Self::OriginRepeated => 400,
            Self::Origin => 403,
            Self::Method | Self::NotConnect => 405,
            Self::Timeout => 408,
            Self::Misdirected => 421,
            Self::NotUpgrade | Self::Version => 426,
            Self::HeadTooLong | Self::TooManyFields => 431,
            Self::ConnectProtocol => 501,
            Self::HttpVersion => 505,
        }
    }

    /// Returns one line for the reader of the answer, and for a log.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Malformed => "malformed HTTP request",
            Self::HeadTooLong => "request head too long",
            Self::TooManyFields => "too many header fields",
            Self::HttpVersion => "HTTP version is not 1.1",
            Self::Method => "method is not GET",
            Self::NotConnect => "method is not CONNECT",
            Self::ConnectProtocol => "protocol of the CONNECT is not websocket",
            Self::Host => "Host is missing, repeated or malformed",
            Self::Body => "an upgrade request has no body",
            Self::NotUpgrade => "not an upgrade to websocket",
            Self::Version => "WebSocket version is not 13",
            Self::ConnectVersion => "WebSocket version of the CONNECT is not 13",
            Self::VersionRepeated => "Sec-WebSocket-Version is repeated",
            Self::Key => "Sec-WebSocket-Key is missing, repeated or malformed",
            Self::Protocols => "Sec-WebSocket-Protocol is malformed or repeats a name",
            Self::Extensions => "Sec-WebSocket-Extensions is malformed",
            Self::OriginRepeated => "Origin is repeated",
            Self::Origin => "origin not allowed",
            Self::Misdirected => "Host is not a name of this server",
            Self::Timeout => "request did not come in time",
        }
    }

    /// Returns the header fields that this status asks for, to be added to the answer of an HTTP server of your own.
    #[must_use]
    pub const fn headers(self) -> &'static [(&'static str, &'static str)] {
        match self {
            // "The origin server MUST generate an Allow header field in a 405 response" -- RFC 9110, section 15.5.6
            Self::Method => &[("Allow", "GET")],
            Self::NotConnect => &[("Allow", "CONNECT")],
            // "The server MUST send an Upgrade header field in a 426 response to indicate the required protocol(s)"
            // -- RFC 9110, section 15.5.22
            // RFC 6455 section 4.4 has the server name the versions it speaks.
            Self::NotUpgrade | Self::Version => {
                &[("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Version", "13")]
            }
            Self::ConnectVersion => &[("Sec-WebSocket-Version", "13")],
            _ => &[],
        }
    }

    /// Returns the whole answer: delimited, closing the connection, with the reason as its text.
    #[must_use]
    pub fn response(self) -> Vec<u8> {
        self.to_bytes(false)
    }

    /// Returns the answer to a request with the method HEAD: the same without its body.
    #[must_use]
    pub fn response_to_head(self) -> Vec<u8> {
        self.to_bytes(true)
    }

    fn to_bytes(self, head_only: bool) -> Vec<u8> {
        let headers = [CONTENT_TYPE].into_iter().chain(self.headers().iter().copied());
        write_response(self.status(), headers, self.body().as_bytes(), head_only)
    }

    /// Returns the text that says so to a reader.
    pub(crate) fn body(self) -> String {
        format!("{} {}\n", self.status(), self.reason())
    }
}

/// What the text of a refusal is.
pub(crate) const CONTENT_TYPE: (&str, &str) = ("Content-Type", "text/plain; charset=utf-8");

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason())
    }
}

impl core::error::Error for Rejection {}

impl From<HeadError> for Rejection {
    fn from(error: HeadError) -> Self {
        match error {
            HeadError::Malformed => Self::Malformed,
            HeadError::TooLong => Self::HeadTooLong,
            HeadError::TooManyFields => Self::TooManyFields,
            HeadError::Version => Self::HttpVersion,
        }
    }
}
