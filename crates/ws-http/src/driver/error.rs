//! Why there is no connection.

use core::fmt;
use std::io;

use crate::client::Refused;
use crate::invalid::Invalid;
use crate::rejection::Rejection;

/// Why a handshake over a driver did not become a connection. The transport is closed when this is returned.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The client's request was refused, and the HTTP answer that says so was written as far as the client took it.
    Rejected(Rejection),
    /// The server's response does not make the connection a WebSocket.
    Refused(Refused),
    /// The calling program gave a value that cannot be put on the wire; nothing was written.
    Invalid(Invalid),
    /// The deadline for connecting, or for writing and reading the handshake, has passed.
    ///
    /// A server that waited for the request in vain reports [`Rejection::Timeout`] instead.
    Timeout,
    /// The transport failed. A peer that hangs up before its head is complete is
    /// [`UnexpectedEof`](io::ErrorKind::UnexpectedEof).
    Io(io::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rejected(rejection) => write!(f, "refused with HTTP status {}: {rejection}", rejection.status()),
            Self::Refused(refused) => refused.fmt(f),
            Self::Invalid(invalid) => invalid.fmt(f),
            Self::Timeout => f.write_str("handshake deadline passed"),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for Error {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Rejected(rejection) => Some(rejection),
            Self::Refused(refused) => Some(refused),
            Self::Invalid(invalid) => Some(invalid),
            Self::Timeout => None,
            Self::Io(error) => Some(error),
        }
    }
}

impl From<Rejection> for Error {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<Invalid> for Error {
    fn from(invalid: Invalid) -> Self {
        Self::Invalid(invalid)
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Error> for io::Error {
    /// Wraps what is no I/O error, so that a program with one error type keeps the cause.
    fn from(error: Error) -> Self {
        let kind = match error {
            Error::Io(error) => return error,
            Error::Timeout => io::ErrorKind::TimedOut,
            Error::Invalid(_) => io::ErrorKind::InvalidInput,
            Error::Rejected(_) => io::ErrorKind::InvalidData,
            Error::Refused(_) => io::ErrorKind::ConnectionRefused,
        };
        Self::new(kind, error)
    }
}
