//! What the command lines of both testees have in common.

use clap::ValueEnum;
use core::error::Error;
use core::time::Duration;
use std::process::ExitCode;

/// The drivers that a testee can run over.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Driver {
    /// tokio, a task for each connection.
    Tokio,
    /// Blocking sockets, a thread for each connection.
    Blocking,
}

/// Parses seconds, with a fraction if need be.
pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds")?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

/// Says why the program ends.
pub(crate) fn complain(error: Box<dyn Error>) -> ExitCode {
    eprintln!("{error}");
    ExitCode::FAILURE
}
