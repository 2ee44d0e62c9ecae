//! Calls of a transport that come back without having done anything.

use std::io;

use super::error::Error;

/// How often an operation was interrupted. Where no deadline ends it, this number does.
#[derive(Debug, Default)]
pub(crate) struct Interruptions(u32);

impl Interruptions {
    /// Counts one more; the last that is tolerated becomes the error of the operation.
    pub(crate) fn count(&mut self, error: io::Error) -> Result<(), Error> {
        self.0 = self.0.saturating_add(1);
        if self.0 < MOST { Ok(()) } else { Err(error.into()) }
    }
}

/// A quarter of an hour of a profiler's signals, and less than a second of a transport that does nothing else.
const MOST: u32 = 1_000_000;
