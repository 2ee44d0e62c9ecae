//! What an idle connection costs a server, in resident memory.

use core::time::Duration;
use std::io;
use std::thread;

use crate::crowd::Crowd;
use crate::machine::{Cores, raise_descriptors};
use crate::process::resident;
use crate::progress::Progress;
use crate::servers::Server;
use crate::wire::connect;

/// What came of one server.
#[derive(Debug)]
pub struct Row {
    /// The name of the server.
    pub name: String,
    /// What was found, or why nothing was.
    pub outcome: Result<Memory, String>,
}

/// Resident memory of a server, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// Before any connection.
    pub at_rest: u64,
    /// For each connection, after the handshake.
    pub idle: u64,
    /// For each connection, after a message.
    pub spoken: u64,
}

/// How many connections the limit of descriptors allows, at most `wanted`. It is raised for that as far as it may be.
pub fn connections(wanted: usize) -> usize {
    let allowed = raise_descriptors(wanted as u64 + RESERVED);
    wanted.min(allowed.saturating_sub(RESERVED) as usize)
}

/// Measures all servers.
pub fn run(servers: &[Server], conns: usize, cores: Option<Cores>, progress: &mut Progress) -> Vec<Row> {
    let row = |server: &Server| {
        let outcome = measure(server, conns, cores).map_err(|error| error.to_string());
        progress.step(&match &outcome {
            Ok(memory) => format!("memory: {}, {} B for each of {conns} connections", server.name, memory.spoken),
            Err(error) => format!("memory: {} FAILED: {error}", server.name),
        });
        Row { name: server.name.clone(), outcome }
    };
    servers.iter().map(row).collect()
}

fn measure(server: &Server, conns: usize, cores: Option<Cores>) -> io::Result<Memory> {
    let running = server.start(&[], cores.map(|cores| cores.server))?;
    let pid = running.child.id();
    // What a server allocates once, for its first connection, is not to be counted.
    drop(connect(running.address, server.protocol)?);
    let at_rest = settled(&[pid])?;
    let (mut crowd, _) = Crowd::open(running.address, server.protocol, 0..conns, |_| {})?;
    let each = |now: u64| now.saturating_sub(at_rest) / (conns as u64).max(1);
    let idle = each(settled(&[pid])?);
    crowd.speak(|_| {})?;
    Ok(Memory { at_rest, idle, spoken: each(settled(&[pid])?) })
}

/// The resident memory of servers, together, that have had the time to finish what they do.
///
/// # Errors
///
/// When one of them has ended.
pub fn settled(pids: &[u32]) -> io::Result<u64> {
    thread::sleep(Duration::from_millis(700));
    pids.iter().map(|&pid| resident(pid)).sum()
}

/// The descriptors that are not connections: in this process or the server's.
pub const RESERVED: u64 = 64;
