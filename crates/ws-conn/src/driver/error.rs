use crate::fault::{Closed, Fault, Misuse};
use core::fmt;
use std::io;
use ws_frame::CloseCode;

/// Why a call of a driver did not succeed.
#[derive(Debug)]
#[non_exhaustive]
// A tag of four bytes lets results be copied in pieces that do not overlap. With one of two bytes, which the compiler
// would choose, every call that sends waits for its own stores: 5 ns. The layout is no promise.
#[repr(u32)]
pub enum Error {
    /// What the protocol has to say.
    Fault(Fault),
    /// The transport failed. The status of the connection is 1006 unless it was set before.
    Io(io::Error),
}

impl Error {
    /// The status, if the connection is closed: the first status code, whoever set it.
    ///
    /// A cause (a violation, a deadline) is reported once, by the call that met it, and is not `closed`; the calls after
    /// it are.
    #[must_use]
    pub fn closed(&self) -> Option<CloseCode> {
        match self {
            Self::Fault(Fault::Closed(Closed(code))) => Some(*code),
            _ => None,
        }
    }

    /// Whether a deadline passed.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::Fault(Fault::Timeout(_)))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fault(fault) => fault.fmt(f),
            Self::Io(error) => write!(f, "transport failed: {error}"),
        }
    }
}

impl core::error::Error for Error {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Fault(fault) => Some(fault),
            Self::Io(error) => Some(error),
        }
    }
}

impl From<Fault> for Error {
    #[inline]
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Misuse> for Error {
    fn from(misuse: Misuse) -> Self {
        Self::Fault(misuse.into())
    }
}

impl From<Closed> for Error {
    fn from(closed: Closed) -> Self {
        Self::Fault(closed.into())
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// For the streams, which are `Read` and `Write`: the fault is the source of the I/O error.
impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let fault = match error {
            Error::Io(error) => return error,
            Error::Fault(fault) => fault,
        };
        let kind = match fault {
            Fault::Closed(Closed(CloseCode::ABNORMAL)) => io::ErrorKind::UnexpectedEof,
            Fault::Closed(_) => io::ErrorKind::ConnectionAborted,
            Fault::Timeout(_) => io::ErrorKind::TimedOut,
            Fault::Misuse(_) => io::ErrorKind::InvalidInput,
            _ => io::ErrorKind::InvalidData,
        };
        Self::new(kind, fault)
    }
}

const _: () = assert!(size_of::<Error>() <= 16);
