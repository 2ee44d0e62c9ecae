//! A client for judges and benches: echoes what a server sends.
//!
//! ```text
//! testee_client echo ws://127.0.0.1:9001/
//! testee_client autobahn ws://127.0.0.1:9001 --agent ws-stack
//! ```

#[path = "testee/args.rs"]
mod args;
#[path = "testee/blocking/client.rs"]
mod blocking;
#[path = "testee/tokio/client.rs"]
mod tokio;

use args::{Driver, seconds};
use clap::{Args, Parser, Subcommand};
use core::error::Error;
use core::time::Duration;
use std::process::ExitCode;
use ws_stack::Timeouts;

fn main() -> ExitCode {
    let Options { command, patience, driver } = Options::parse();
    let ended = match command {
        Command::Echo { url } => echo(&url, &patience, driver),
        #[cfg(unix)]
        Command::Fork { url } => echo(&url, &patience, driver).and_then(|()| in_both(|| echo(&url, &patience, driver))),
        Command::Autobahn { url, agent } => match driver {
            Driver::Tokio => tokio::autobahn(&url, &agent, &patience),
            Driver::Blocking => blocking::autobahn(&url, &agent, &patience),
        },
    };
    ended.map_or_else(args::complain, |()| ExitCode::SUCCESS)
}

fn echo(url: &str, patience: &Patience, driver: Driver) -> Result<(), Box<dyn Error>> {
    let status = match driver {
        Driver::Tokio => tokio::echo(url, patience),
        Driver::Blocking => blocking::echo(url, patience),
    };
    status.map(|status| println!("closed with {status}"))
}

/// Runs this in a new process and in this one, which waits for the other.
#[cfg(unix)]
fn in_both(run: impl Fn() -> Result<(), Box<dyn Error>>) -> Result<(), Box<dyn Error>> {
    match fork::fork()? {
        fork::Fork::Child => run(),
        fork::Fork::Parent(child) => {
            run()?;
            if fork::waitpid(child)? == 0 { Ok(()) } else { Err("the other process has failed".into()) }
        }
    }
}

/// Echoes what a server sends.
#[derive(Parser)]
#[command(name = "testee_client")]
struct Options {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    patience: Patience,
    /// What to run over
    #[arg(long, global = true, value_name = "NAME", value_enum, default_value = "tokio")]
    driver: Driver,
}

#[derive(Args)]
struct Patience {
    /// How long connecting may take
    #[arg(long, global = true, value_name = "SECS", value_parser = seconds, default_value = "10")]
    connect_timeout: Duration,
    /// How long the opening handshake may take
    #[arg(long, global = true, value_name = "SECS", value_parser = seconds, default_value = "10")]
    handshake: Duration,
    /// How long the next message may take to begin
    #[arg(long, global = true, value_name = "SECS", value_parser = seconds, default_value = "60")]
    idle: Duration,
    /// How long a message may take from its first byte to its last, and a write to be taken
    #[arg(long, global = true, value_name = "SECS", value_parser = seconds, default_value = "30")]
    wire: Duration,
}

impl Patience {
    fn timeouts(&self) -> Timeouts {
        Timeouts::new(self.wire, self.idle)
    }
}

#[derive(Subcommand)]
enum Command {
    /// Echo on one connection until it is closed, and print the status
    Echo {
        /// Where to: ws://HOST:PORT/PATH
        url: String,
    },
    /// Echo on one connection, then fork and echo on one more in each process: for tests
    #[cfg(unix)]
    Fork {
        /// Where to: ws://HOST:PORT/PATH
        url: String,
    },
    /// Run all cases of a fuzzing server
    Autobahn {
        /// Where it is: ws://HOST:PORT
        url: String,
        /// The name to appear in the report
        #[arg(long, value_name = "NAME")]
        agent: String,
    },
}
