//! An echo server to try in a browser.
//!
//! ```text
//! cargo run --release --example echo
//! cargo run --release --example echo -- --driver blocking
//! ```
//!
//! One port serves both: a plain request for `/` gets a page, an upgrade request becomes a WebSocket. Ctrl-C closes
//! every connection with 1001. It is there twice, over tokio and over blocking sockets; what both need is here.

#[path = "echo/blocking.rs"]
mod blocking;
#[path = "echo/tokio.rs"]
mod tokio;

use clap::{Parser, ValueEnum};
use core::net::SocketAddr;
use core::time::Duration;
use std::process::ExitCode;
use ws_stack::Timeouts;
use ws_stack::http::RequestHead;

/// How long an opening handshake may take, and closing a connection.
const HANDSHAKE: Duration = Duration::from_secs(10);
const LINGER: Duration = Duration::from_secs(2);

/// How long a message may take, and how long the next one may take to begin.
const TIMEOUTS: Timeouts = Timeouts::new(Duration::from_secs(10), Duration::from_secs(3600));

/// Why connections are closed on Ctrl-C, beside 1001.
const SHUTDOWN: &str = "server is shutting down";

fn main() -> ExitCode {
    let Options { listen, driver } = Options::parse();
    let served = match driver {
        Driver::Tokio => tokio::serve(&listen),
        Driver::Blocking => blocking::serve(&listen),
    };
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cannot serve on {listen}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Echoes messages, and serves a page to try it.
#[derive(Parser)]
#[command(name = "echo")]
struct Options {
    /// Where to listen; port 0 lets the system choose
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9001")]
    listen: String,
    /// What to run over
    #[arg(long, value_name = "NAME", value_enum, default_value = "tokio")]
    driver: Driver,
}

#[derive(Clone, Copy, ValueEnum)]
enum Driver {
    /// tokio, a task for each connection.
    Tokio,
    /// Blocking sockets, a thread for each connection.
    Blocking,
}

/// Whether a request is one for the page; any other may be a handshake.
fn wants_page(request: &RequestHead) -> bool {
    request.path() == "/" && request.header("Upgrade").is_none() && matches!(request.method(), "GET" | "HEAD")
}

const PAGE: &[u8] = include_bytes!("echo/page.html");
const HTML: &[(&str, &str)] = &[("Content-Type", "text/html; charset=utf-8")];

fn announce(address: SocketAddr) {
    println!("listening on ws://{address}/, with a page to try it at http://{address}/ (Ctrl-C ends)");
}
