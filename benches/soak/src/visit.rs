//! A visit of a client, and what came of it.

use core::error::Error;
use core::net::SocketAddr;

/// One visit of a client. The number is different each time.
pub(crate) type Visit = fn(SocketAddr, u64) -> Met;

/// The outcome of a visit: everything was as expected, or the error says what was not.
pub(crate) type Met = Result<(), Box<dyn Error>>;

/// Fails with the text of `what` unless `holds`.
pub(crate) fn expect(holds: bool, what: impl FnOnce() -> String) -> Met {
    if holds { Ok(()) } else { Err(what().into()) }
}
