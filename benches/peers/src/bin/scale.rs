//! Opens very many idle connections to our server, and has each echo a message.

use clap::Parser;
use std::io;
use std::process::ExitCode;
use ws_peers::Result;
use ws_peers::crowd::MESSAGE;
use ws_peers::crowds::{Crowds, crowd_if_asked};
use ws_peers::machine::{Cores, available_memory, describe, pin};
use ws_peers::memory::settled;
use ws_peers::process::launch_if_asked;
use ws_peers::progress::Progress;
use ws_peers::servers::{self, Server};
use ws_peers::spread::{MOST, spread};
use ws_peers::table::grouped;
use ws_peers::wire::connect;

fn main() -> ExitCode {
    if let Some(ended) = launch_if_asked().or_else(crowd_if_asked) {
        return ended;
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
    /// How many processes share the connections, on either side: as few as the limit of descriptors allows, if not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=MOST as i64))]
    processes: Option<u8>,
    /// Which server: of ours, or the extra one
    #[arg(long, value_name = "NAME", default_value = "ws-stack")]
    server: String,
    /// A further WebSocket echo server, and how to start it on a port of 127.0.0.1
    #[arg(long, value_name = "NAME=COMMAND {port}", value_parser = Server::extra)]
    extra: Option<Server>,
}

fn measure(options: &Options) -> Result<()> {
    let conns = options.conns as usize;
    let shares = spread(conns, options.processes.map(usize::from))?;
    permit(conns)?;
    let server = named(options)?;

    let cores = Cores::find()?;
    if let Some(cores) = cores {
        pin(cores.load)?;
    }
    let start = |_: &_| server.start(&[], cores.map(|cores| cores.server));
    let running = shares.iter().map(start).collect::<io::Result<Vec<_>>>()?;
    let pids: Vec<_> = running.iter().map(|running| running.child.id()).collect();
    // What a server allocates once, for its first connection, is not to be counted.
    running.iter().try_for_each(|running| connect(running.address, server.protocol).map(drop))?;
    let addresses: Vec<_> = running.iter().map(|running| running.address).zip(shares).collect();
    let mut crowds = Crowds::start(&addresses, cores.map(|cores| cores.load))?;
    let (at_rest, machine) = (settled(&pids)?, available_memory());

    let mut progress = Progress::new(2 * conns.div_ceil(STEP));
    let mut say = |what: &str, told: &mut usize, done: usize| {
        if done - *told >= STEP || done == conns {
            *told = done;
            progress.step(&format!("{what}: {} of {}", grouped(done as f64), grouped(conns as f64)));
        }
    };
    let (mut opened, mut echoed) = (0, 0);
    let opening = crowds.open(|done| say("open", &mut opened, done))?;
    let idle = settled(&pids)?.saturating_sub(at_rest);
    // Both ends are on this machine, and what the kernel holds for them.
    let held = machine.zip(available_memory()).map(|(before, after)| before.saturating_sub(after));
    let speaking = crowds.speak(|done| say("echoed", &mut echoed, done))?;
    let spoken = settled(&pids)?.saturating_sub(at_rest);
    drop(progress);

    let count = conns as f64;
    let each = |bytes: u64| format!("{} B", grouped(bytes as f64 / count));
    println!("Machine: {}.\n", describe());
    println!("| {}, {} connections | |\n|---|---:|", server.name, grouped(count));
    println!("| processes that share them, on either side | {} |", pids.len());
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

/// The server that is to be measured. Ours is built for it.
fn named(options: &Options) -> Result<Server> {
    if let Some(extra) = options.extra.as_ref().filter(|extra| extra.name == options.server) {
        return Ok(extra.clone());
    }
    let ours = servers::ours(&servers::build()?);
    let names: Vec<_> = ours.iter().chain(&options.extra).map(|server| server.name.clone()).collect();
    let server = ours.into_iter().find(|server| server.name == options.server);
    server.ok_or_else(|| format!("no server is called '{}'; there are: {}", options.server, names.join(", ")).into())
}

/// Refuses what memory does not allow.
fn permit(conns: usize) -> Result<()> {
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

/// What a connection takes of the machine's memory, with room to spare.
const BYTES: u64 = 16 * 1024;

/// How often progress is told.
const STEP: usize = 2560;
