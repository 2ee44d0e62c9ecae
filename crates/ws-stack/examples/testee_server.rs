//! An echo server for judges and benches: every limit is a flag.
//!
//! ```text
//! testee_server --listen 127.0.0.1:9001 --max-message 1048576 --guard /private=https://example.com
//! ```
//!
//! Some flags are there for tests alone: `--spin` makes it a program that has work to do, and `--nonblocking` and
//! `--sigpipe` put it into surroundings that a library may meet.
#![expect(clippy::disallowed_methods, reason = "work that takes a time is measured with the clock")]

#[path = "testee/args.rs"]
mod args;
#[path = "testee/blocking/server.rs"]
mod blocking;
#[path = "testee/buffers.rs"]
mod buffers;
#[path = "testee/tokio/server.rs"]
mod tokio;

use args::{Driver, seconds};
use clap::{CommandFactory, Parser, ValueEnum, error::ErrorKind};
use core::hint::spin_loop;
use core::num::{NonZero, ParseIntError};
use core::time::Duration;
use std::collections::HashMap;
use std::process::ExitCode;
use std::time::Instant;
use ws_stack::http::{Invalid, Origin, OriginPolicy};

fn main() -> ExitCode {
    let options = Options::parse();
    if options.origin.len() > 1 && options.origin.iter().any(|rule| !matches!(rule, OriginRule::Only(_))) {
        let why = "`same`, `same-https` and `any` stand alone; several origins are given as URLs";
        Options::command().error(ErrorKind::ArgumentConflict, why).exit();
    }
    #[cfg(unix)]
    if options.sigpipe {
        sigpipe::reset();
    }
    let served = match options.driver {
        Driver::Tokio => tokio::serve(options),
        Driver::Blocking => blocking::serve(options),
    };
    served.map_or_else(args::complain, |()| ExitCode::SUCCESS)
}

/// Echoes messages until it is killed.
#[derive(Parser)]
#[command(name = "testee_server")]
struct Options {
    /// Where to listen; port 0 lets the system choose
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9001")]
    listen: String,
    /// What to run over
    #[arg(long, value_name = "NAME", value_enum, default_value = "tokio")]
    driver: Driver,
    /// With tokio, how many threads the runtime has; over blocking sockets, how many accept connections
    #[arg(long, value_name = "N", default_value = "1")]
    workers: NonZero<usize>,
    /// How long an opening handshake may take
    #[arg(long, value_name = "SECS", value_parser = seconds, default_value = "10")]
    handshake: Duration,
    /// How long the next message may take to begin
    #[arg(long, value_name = "SECS", value_parser = seconds, default_value = "60")]
    idle: Duration,
    /// How long a message may take from its first byte to its last, and a write to be taken
    #[arg(long, value_name = "SECS", value_parser = seconds, default_value = "30")]
    wire: Duration,
    /// The largest message
    #[arg(long, value_name = "BYTES", default_value_t = 16 * 1024 * 1024)]
    max_message: usize,
    /// A name that the server is reached by; may be repeated. Without any, all names are let in
    #[arg(long, value_name = "HOST[:PORT]")]
    host: Vec<String>,
    /// Which pages may connect; give several URLs by repeating it
    #[arg(long, value_name = "same|same-https|any|URL", value_parser = origin_rule, default_value = "same")]
    origin: Vec<OriginRule>,
    /// Lets only pages of this origin connect to this path, and nobody who sends none; may be repeated
    #[arg(long, value_name = "PATH=URL", value_parser = guard)]
    guard: Vec<(String, Origin)>,
    /// A subprotocol to agree on, the preferred one first; may be repeated
    #[arg(long, value_name = "NAME")]
    subprotocol: Vec<String>,
    /// How long the program works on each message before it sends it back
    #[arg(long, value_name = "MICROS", value_parser = micros, default_value = "0")]
    spin: Duration,
    /// Over blocking sockets: makes each socket non-blocking, as some systems do when the one that listens is
    #[arg(long)]
    nonblocking: bool,
    /// Leaves SIGPIPE at its default, which ends the program, as it is in a program in C that uses the library
    #[cfg(unix)]
    #[arg(long)]
    sigpipe: bool,
    /// How to receive
    #[arg(long, value_enum, default_value = "message")]
    echo: Echo,
}

#[derive(Clone)]
enum OriginRule {
    Same,
    SameHttps,
    Any,
    Only(Origin),
}

#[derive(Clone, Copy, ValueEnum)]
enum Echo {
    /// Whole messages, lent by the connection.
    Message,
    /// Whole messages, in a buffer of --max-message bytes.
    Receive,
}

impl Options {
    fn origin_policy(&self) -> OriginPolicy {
        let mut origins = Vec::new();
        for rule in &self.origin {
            match rule {
                OriginRule::Same => return OriginPolicy::SameOrigin,
                OriginRule::SameHttps => return OriginPolicy::SameOriginHttps,
                OriginRule::Any => return OriginPolicy::Any,
                OriginRule::Only(origin) => origins.push(origin.clone()),
            }
        }
        OriginPolicy::Only(origins)
    }

    /// What the program does with a message besides sending it back.
    fn work(&self) {
        if !self.spin.is_zero() {
            let begun = Instant::now();
            while begun.elapsed() < self.spin {
                spin_loop();
            }
        }
    }

    /// The paths with rules of their own, each with all the origins that were named for it.
    fn guards(&self) -> HashMap<String, OriginPolicy> {
        let mut guards = HashMap::<String, Vec<Origin>>::new();
        for (path, origin) in &self.guard {
            guards.entry(path.clone()).or_default().push(origin.clone());
        }
        let strict = |origins: Vec<Origin>| {
            OriginPolicy::predicate(move |origin| origin.is_some_and(|origin| origins.contains(origin)))
        };
        guards.into_iter().map(|(path, origins)| (path, strict(origins))).collect()
    }
}

fn micros(text: &str) -> Result<Duration, ParseIntError> {
    text.parse().map(Duration::from_micros)
}

fn origin_rule(text: &str) -> Result<OriginRule, Invalid> {
    match text {
        "same" => Ok(OriginRule::Same),
        "same-https" => Ok(OriginRule::SameHttps),
        "any" => Ok(OriginRule::Any),
        url => url.parse().map(OriginRule::Only),
    }
}

fn guard(text: &str) -> Result<(String, Origin), String> {
    let (path, url) = text.split_once('=').filter(|(path, _)| path.starts_with('/')).ok_or("not PATH=URL")?;
    Ok((path.into(), url.parse().map_err(|error: Invalid| error.to_string())?))
}
