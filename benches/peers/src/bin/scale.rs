//! Opens very many idle connections to our server, and has each echo a message.

use clap::Parser;
use std::fs;
use std::process::ExitCode;
use ws_peers::Result;
use ws_peers::crowd::{Crowd, MESSAGE};
use ws_peers::machine::{Cores, available_memory, describe, pin, raise_descriptors};
use ws_peers::memory::{RESERVED, settled};
use ws_peers::process::launch_if_asked;
use ws_peers::progress::Progress;
use ws_peers::servers::{self, Server};
use ws_peers::table::grouped;
use ws_peers::wire::connect;

fn main() -> ExitCode {
    if let Some(failed) = launch_if_asked() {
        return failed;
    }
    match measure(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Opens idle connections to ws-stack, has each echo one message, and reports memory, accept rate and time.
#[derive(Parser)]
#[command(name = "scale")]
struct Options {
    /// How many connections
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    conns: u32,
    /// Which server: of ours, or the extra one
    #[arg(long, value_name = "NAME", default_value = "ws-stack")]
    server: String,
    /// A further WebSocket echo server, and how to start it on a port of 127.0.0.1
    #[arg(long, value_name = "NAME=COMMAND {port}", value_parser = Server::extra)]
    extra: Option<Server>,
}

fn measure(options: &Options) -> Result<()> {
    let conns = options.conns as usize;
    permit(conns)?;
    let servers = servers::ours(&servers::build()?).into_iter().chain(options.extra.clone());
    let names = || servers.clone().map(|server| server.name).collect::<Vec<_>>().join(", ");
    let server = servers.clone().find(|server| server.name == options.server);
    let server = server.ok_or_else(|| format!("no server is called '{}'; there are: {}", options.server, names()))?;

    let cores = Cores::find()?;
    if let Some(cores) = cores {
        pin(cores.load)?;
    }
    let running = server.start(&[], cores.map(|cores| cores.server))?;
    let pid = running.child.id();
    // What a server allocates once, for its first connection, is not to be counted.
    drop(connect(running.address, server.protocol)?);
    let (at_rest, machine) = (settled(pid)?, available_memory());
    let mut progress = Progress::new(2 * conns.div_ceil(STEP));
    let mut say = |what: &str, done: usize| {
        if done.is_multiple_of(STEP) || done == conns {
            progress.step(&format!("{what}: {} of {}", grouped(done as f64), grouped(conns as f64)));
        }
    };
    let (mut crowd, opening) = Crowd::open(running.address, server.protocol, conns, |done| say("open", done))?;
    let idle = settled(pid)?.saturating_sub(at_rest);
    // Both ends are on this machine, and what the kernel holds for them.
    let held = machine.zip(available_memory()).map(|(before, after)| before.saturating_sub(after));
    let speaking = crowd.speak(|done| say("echoed", done))?;
    let spoken = settled(pid)?.saturating_sub(at_rest);
    drop(progress);

    let count = conns as f64;
    let each = |bytes: u64| format!("{} B", grouped(bytes as f64 / count));
    println!("Machine: {}.\n", describe());
    println!("| {}, {} connections | |\n|---|---:|", server.name, grouped(count));
    println!("| opened, handshake included | {} per second |", grouped(count / opening.as_secs_f64()));
    println!("| resident memory of the server, per idle connection | {} |", each(idle));
    println!("| the same after a message of {MESSAGE} B each | {} |", each(spoken));
    println!(
        "| memory of the machine, both ends and the kernel's part, per connection | {} |",
        held.map_or_else(|| "-".into(), each)
    );
    println!("| a message to each and back, per message | {:.2} µs |", speaking.as_secs_f64() * 1e6 / count);
    Ok(())
}

/// Raises what limits the number of connections, or says why it may not.
fn permit(conns: usize) -> Result<()> {
    let wanted = conns as u64 + RESERVED;
    let allowed = raise_descriptors(wanted);
    if allowed < wanted {
        let most = allowed.saturating_sub(RESERVED);
        return Err(format!(
            "{conns} connections need {wanted} descriptors in this process and as many in the server, and this user may have \
             {allowed}.\nTo raise the limit, as administrator: `ulimit -Hn {wanted}` in the shell that starts this program, \
             `LimitNOFILE=` of its service, `--ulimit nofile=` of its container, or a line in /etc/security/limits.conf; \
             beyond /proc/sys/fs/nr_open (here {}) that first.\nUnder the present limit `--conns {most}` works.",
            read("/proc/sys/fs/nr_open")
        )
        .into());
    }
    let needed = conns as u64 * BYTES;
    match available_memory() {
        Some(available) if available < needed => Err(format!(
            "{conns} connections need about {} MiB, both ends and the kernel's part together, and {} MiB are to be had",
            needed >> 20,
            available >> 20
        )
        .into()),
        _ => Ok(()),
    }
}

fn read(path: &str) -> String {
    fs::read_to_string(path).map_or_else(|_| "unknown".into(), |text| text.trim().into())
}

/// What a connection takes of the machine's memory, with room to spare.
const BYTES: u64 = 16 * 1024;

/// How often progress is told.
const STEP: usize = 2560;
