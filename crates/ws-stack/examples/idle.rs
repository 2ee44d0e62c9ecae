//! Says what idle connections cost a server, in resident memory: see docs/memory.md.
//!
//! ```text
//! idle ws://127.0.0.1:9001/ --pid $(pidof testee_server) --conns 10000
//! ```
//!
//! Both processes need as many descriptors (`ulimit -n`). It reads `/proc`, and so runs on Linux only.

use clap::Parser;
use core::error::Error;
use core::time::Duration;
use std::fs;
use tokio::time::sleep;
use ws_stack::{Connect, Opcode, Timeouts};

/// How long a call may take.
const SOON: Duration = Duration::from_secs(10);

/// The time a server is given to settle.
const PAUSE: Duration = Duration::from_millis(700);

/// Opens connections, and says what each costs the server.
#[derive(Parser)]
#[command(name = "idle")]
struct Options {
    /// Where to: ws://HOST:PORT/PATH, an echo
    url: String,
    /// The process of the server
    #[arg(long, value_name = "PID")]
    pid: u32,
    /// How many connections
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    conns: u64,
    /// The size of the message that each of them gets echoed then
    #[arg(long, value_name = "BYTES", default_value_t = 125)]
    message: usize,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let Options { url, pid, conns, message } = Options::parse();
    let connect = Connect::to(&url)?;
    // What the server allocates once, for its first connection, is not to be counted.
    drop(connect.open().await?);
    sleep(PAUSE).await;
    let at_rest = resident(pid)?;

    let mut open = Vec::new();
    for _ in 0..conns {
        open.push(connect.open().await?.conn);
    }
    sleep(PAUSE).await;
    let idle = resident(pid)?.saturating_sub(at_rest);

    let payload = vec![b'x'; message];
    for conn in &mut open {
        conn.sender_mut().send(Opcode::BINARY, &payload, SOON).await?;
        conn.set_message_limit(message);
        conn.message(Timeouts::new(SOON, SOON)).await?;
    }
    sleep(PAUSE).await;
    let spoken = resident(pid)?.saturating_sub(at_rest);

    println!("the server at rest: {at_rest} bytes");
    println!("each of {conns} connections: {} bytes", idle / conns.max(1));
    println!("each, after a message of {message} bytes: {} bytes", spoken / conns.max(1));
    Ok(())
}

/// The resident memory of a process, in bytes.
fn resident(pid: u32) -> Result<u64, Box<dyn Error>> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS in /proc/PID/status")?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kib * 1024)
}
