//! A transport in memory that does what a script says, for blocking tests that never block.
//!
//! A [`Script`] says what the peer sends and how the transport behaves. [`Script::start`] makes a [`Transport`] of it,
//! which hands out a [`Reader`] and a [`Writer`] for the code under test and is itself the test's view of what happened.
//! Every operation, of either half, is counted; one of them can be made to fail ([`FailAt`]), and
//! [`fail_at_every_operation`] runs a scenario once for each.
//!
//! No call ever waits. Where a real transport would wait, time passes on the script's [`Clock`](crate::clock::Clock): as long as the wait
//! takes, or as long as the caller's patience lasts.
//!
//! ```
//! use std::io::{Read, Write};
//! use std::time::Duration;
//! use ws_testkit::naive::text;
//! use ws_testkit::transport::{Script, Step};
//!
//! let steps = [Step::Bytes(text("hi").masked([1, 2, 3, 4]).bytes()), Step::Wait(Duration::from_secs(60)), Step::Eof];
//! let transport = Script::new(steps).read_limit(5).start();
//! let (mut reader, mut writer) = transport.split();
//! let mut buf = [0; 64];
//! assert_eq!(reader.read(&mut buf).unwrap(), 5);
//! assert_eq!(reader.read(&mut buf).unwrap(), 3);
//! writer.write_all(&text("hi").bytes()).unwrap();
//! let patience = Some(Duration::from_secs(1));
//! assert_eq!(reader.read_for(&mut buf, patience).unwrap_err().kind(), std::io::ErrorKind::TimedOut);
//! assert_eq!(transport.clock().now(), Duration::from_secs(1));
//! ws_testkit::judge::check_sent_bytes(false, &transport.written()).unwrap();
//! ```

mod halves;
mod script;
mod state;

pub use halves::{Duplex, Reader, Transport, Writer};
pub use script::{FailAt, Fault, Script, Step};
pub use state::{Call, Op};

/// Runs a scenario once for every operation it makes, with that operation failing, until it makes fewer operations than
/// that; returns how many operations could be made to fail.
///
/// `run` starts its script with [`Script::fail_at`], judges what came of it, and returns the transport.
///
/// # Errors
///
/// When the scenario still meets the failure after 100,000 runs: it makes more operations each time.
pub fn fail_at_every_operation(how: Fault, mut run: impl FnMut(FailAt) -> Transport) -> Result<usize, String> {
    for op in 0..MOST_RUNS {
        if !run(FailAt { op, how }).met_the_failure() {
            return Ok(op);
        }
    }
    Err(format!("{how:?}: the scenario was still failing after {MOST_RUNS} runs"))
}

const MOST_RUNS: usize = 100_000;
