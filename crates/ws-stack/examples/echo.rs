//! An echo server to try in a browser.
//!
//! ```text
//! cargo run --release --example echo
//! cargo run --release --example echo -- --driver blocking
//! ```
//!
//! One port serves both: a plain request for `/` gets a page, an upgrade request becomes a WebSocket. It must be for a
//! name of this server: another one than those of this machine is named by `--host`. Ctrl-C closes every connection with
//! 1001. It is there twice, over tokio and over blocking sockets; what both need is here.

#[path = "echo/blocking.rs"]
mod blocking;
#[path = "echo/tokio.rs"]
mod tokio;

use clap::{Parser, ValueEnum};
use core::net::SocketAddr;
use core::time::Duration;
use std::io;
use std::process::ExitCode;
use ws_stack::http::RequestHead;
use ws_stack::{Policy, Timeouts};

/// How long an opening handshake may take, and closing a connection.
const HANDSHAKE: Duration = Duration::from_secs(10);
const LINGER: Duration = Duration::from_secs(2);

/// How long a message may take, and how long the next one may take to begin.
const TIMEOUTS: Timeouts = Timeouts::new(Duration::from_secs(10), Duration::from_secs(3600));

/// Why connections are closed on Ctrl-C, beside 1001.
const SHUTDOWN: &str = "server is shutting down";

fn main() -> ExitCode {
    let options = Options::parse();
    match serve(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cannot serve on {}: {error}", options.listen);
            ExitCode::FAILURE
        }
    }
}

fn serve(options: &Options) -> io::Result<()> {
    // The default lets in this server's own page, and programs that are not browsers. What is its own is told by the names
    // that it is reached by: a name that somebody else points here is none of them.
    let hosts = THIS_MACHINE.into_iter().chain(options.host.iter().map(String::as_str));
    let policy = Policy::default().timeout(HANDSHAKE).hosts(hosts).map_err(io::Error::other)?;
    match options.driver {
        Driver::Tokio => tokio::serve(&options.listen, policy),
        Driver::Blocking => blocking::serve(&options.listen, policy),
    }
}

/// What every machine calls itself.
const THIS_MACHINE: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// Echoes messages, and serves a page to try it.
#[derive(Parser)]
#[command(name = "echo")]
struct Options {
    /// Where to listen; port 0 lets the system choose
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9001")]
    listen: String,
    /// A name that the server is reached by, beside localhost, 127.0.0.1 and [::1]; may be repeated
    #[arg(long, value_name = "HOST[:PORT]")]
    host: Vec<String>,
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
