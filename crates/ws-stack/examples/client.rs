//! Sends lines from standard input to a server, and prints what comes.
//!
//! ```text
//! cargo run --release --example client -- ws://127.0.0.1:9001/
//! ```
//!
//! At the end of the input it closes with 1000. The exit code is 0 if that is the status in the end, not another one that
//! the server or a fault has set before, and if the server's Close has come too.

use clap::Parser;
use core::time::Duration;
use std::io::{self, BufRead, Write};
use std::net::TcpStream;
use std::process::ExitCode;
use std::thread;
use ws_stack::blocking::{Connect, MessageRef, Sender, Socket};
use ws_stack::{CloseCode, Error, Opcode, Timeouts};

/// How long sending a line may take, receiving a message, and closing.
const WIRE: Duration = Duration::from_secs(10);

/// The next message may take its time.
const TIMEOUTS: Timeouts = Timeouts::new(WIRE, Duration::MAX);

fn main() -> ExitCode {
    match run(Options::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Sends lines from standard input to a WebSocket server, and prints what comes.
#[derive(Parser)]
#[command(name = "client")]
struct Options {
    /// Where to: ws://HOST:PORT/PATH
    url: String,
    /// A subprotocol to offer, the preferred one first; may be repeated
    #[arg(long, value_name = "NAME")]
    subprotocol: Vec<String>,
    /// A header to send with the request; may be repeated
    #[arg(long, value_name = "NAME: VALUE", value_parser = header)]
    header: Vec<(String, String)>,
}

/// Answers whether the connection was closed in order.
fn run(options: Options) -> Result<bool, Box<dyn core::error::Error>> {
    let mut connect = Connect::to(&options.url)?;
    for name in &options.subprotocol {
        connect = connect.subprotocol(name);
    }
    for (name, value) in &options.header {
        connect = match name.as_str() {
            "Origin" => connect.origin(value),
            _ => connect.header(name, value),
        };
    }
    let connected = connect.open()?;
    let mut conn = connected.conn;
    let protocol = connected.protocol.map(|name| format!(", speaking {name}")).unwrap_or_default();
    eprintln!("connected to {}{protocol}", options.url);

    // The program ends with the connection, whether or not there is more input.
    let sender = conn.sender();
    thread::spawn(move || send_lines(&sender));
    let why = loop {
        match conn.message(TIMEOUTS) {
            Ok(message) => print(&message)?,
            Err(error) => break error,
        }
    };
    let Some(status) = why.closed() else { return Err(why.into()) };
    eprintln!("closed with {status} {:?}", conn.close_reason());
    Ok(status == CloseCode::NORMAL && conn.is_clean())
}

/// Sends each line as a text message, and a Close at the end.
fn send_lines(sender: &Sender<Socket<TcpStream>>) {
    for line in io::stdin().lock().split(b'\n') {
        let sent = line.map_err(Error::from).and_then(|line| sender.send(Opcode::TEXT, &line, WIRE));
        match sent {
            // Text must be UTF-8. Nothing was sent, and the connection goes on.
            Err(Error::Fault(fault)) if !fault.is_fatal() => eprintln!("line not sent: {fault}"),
            Err(_) => break,
            Ok(()) => {}
        }
    }
    let _ = sender.send_close(CloseCode::NORMAL, "", WIRE);
}

fn print(message: &MessageRef<'_>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match message.text() {
        Some(text) => writeln!(out, "{text}")?,
        None => {
            let (head, more) = message.split_at(message.len().min(32));
            write!(out, "{} bytes:", message.len())?;
            head.iter().try_for_each(|byte| write!(out, " {byte:02x}"))?;
            writeln!(out, "{}", if more.is_empty() { "" } else { " ..." })?;
        }
    }
    out.flush()
}

fn header(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once(':').ok_or("not NAME: VALUE")?;
    Ok((name.trim().into(), value.trim().into()))
}
