#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

pub use ws_conn::{Accept, CloseCode, Closed, Error, Fault, Misuse, Opcode, Received, Role, Timeouts, Violation, Wait};

/// The frame codec: headers, masking, UTF-8, close payloads. `no_std`, without allocation.
pub use ws_frame as frame;

/// The state machine, for drivers of one's own. `no_std`, without I/O, clock, lock or allocation.
pub use ws_conn as conn;

/// The opening handshake without I/O, for HTTP servers and clients of one's own.
#[cfg(feature = "http")]
#[cfg_attr(docsrs, doc(cfg(feature = "http")))]
pub use ws_http as http;

/// Connections over blocking I/O, and the opening handshake over them.
#[cfg(feature = "blocking")]
#[cfg_attr(docsrs, doc(cfg(feature = "blocking")))]
pub mod blocking {
    pub use ws_conn::blocking::*;
    #[cfg(feature = "http")]
    pub use ws_http::blocking::*;
}
