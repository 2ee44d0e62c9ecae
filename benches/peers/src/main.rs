//! Measures ws-stack beside other WebSocket libraries: see README.md.

use clap::Parser;
use core::time::Duration;
use std::path::PathBuf;
use std::process::ExitCode;
use ws_peers::machine::{Cores, pin};
use ws_peers::process::launch_if_asked;
use ws_peers::progress::Progress;
use ws_peers::report::Report;
use ws_peers::rounds::{self, Plan};
use ws_peers::scenario::{Load, Scenario};
use ws_peers::servers::{self, Server, serve_if_asked};
use ws_peers::{Result, library, memory, syscalls};

fn main() -> ExitCode {
    if let Some(failed) = launch_if_asked() {
        return failed;
    }
    let done = match serve_if_asked() {
        Some(error) => Err(error.into()),
        None => measure(Options::parse()),
    };
    done.map_or_else(
        |error| {
            eprintln!("{error}");
            ExitCode::FAILURE
        },
        |()| ExitCode::SUCCESS,
    )
}

/// Measures ws-stack beside other WebSocket libraries, over loopback.
#[derive(Parser)]
#[command(name = "peers")]
struct Options {
    /// How many rounds; in each of them every server has its turn
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..=1000))]
    rounds: u16,
    /// How long each server is under load in a round
    #[arg(long, value_name = "SECS", default_value = "1", value_parser = seconds)]
    secs: Duration,
    /// What to measure: all of it, if nothing is named
    #[arg(long, value_name = "NAME,...", value_enum, value_delimiter = ',')]
    scenario: Vec<Scenario>,
    /// Which servers to measure: all of them, if none is named; the raw ones they are compared with come in any case
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    peer: Vec<String>,
    /// A further WebSocket echo server, and how to start it on a port of 127.0.0.1; may be repeated
    #[arg(long, value_name = "NAME=COMMAND {port}", value_parser = Server::extra)]
    extra: Vec<Server>,
    /// How many idle connections to hold for their memory
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    conns: u32,
    /// Where to write tables and charts
    #[arg(long, value_name = "DIR", default_value = "target/peers")]
    out: PathBuf,
    /// One short round of everything, to see that it works: its figures say nothing
    #[arg(long, conflicts_with_all = ["rounds", "secs", "conns"])]
    quick: bool,
}

fn measure(mut options: Options) -> Result<()> {
    if options.quick {
        (options.rounds, options.secs, options.conns) = (1, Duration::from_millis(100), 500);
    }
    if options.scenario.is_empty() {
        options.scenario = clap::ValueEnum::value_variants().to_vec();
    }
    let servers = chosen(&options, servers::all(&servers::build()?)?)?;
    let report = Report::new(&options.out)?;
    let cores = Cores::find()?;
    match cores {
        Some(cores) => pin(cores.load)?,
        None => eprintln!("there is one core only: server and load generator share it"),
    }
    let plan = Plan { rounds: options.rounds.into(), span: options.secs, cores };
    for &scenario in &options.scenario {
        match scenario {
            Scenario::Memory => measure_memory(&servers, options.conns as usize, cores, &report)?,
            Scenario::Syscalls => measure_syscalls(&servers, cores, &report)?,
            Scenario::Library => measure_libraries(&options.peer, plan, &report)?,
            speed => {
                let Some(load) = speed.load() else { continue };
                let mut progress = Progress::new(servers.len() * plan.rounds);
                let rows = rounds::run(&servers, load, plan, &mut progress);
                drop(progress);
                report.speed(scenario, load, plan, &rows)?;
            }
        }
    }
    println!("tables and charts are in {}", options.out.display());
    Ok(())
}

fn measure_memory(servers: &[Server], wanted: usize, cores: Option<Cores>, report: &Report) -> Result<()> {
    let conns = memory::connections(wanted);
    if conns < wanted {
        eprintln!("the limit of descriptors allows {conns} connections, not {wanted}: `ulimit -n` raises it");
    }
    let mut progress = Progress::new(servers.len());
    let rows = memory::run(servers, conns, cores, &mut progress);
    drop(progress);
    Ok(report.memory(conns, rows)?)
}

fn measure_syscalls(servers: &[Server], cores: Option<Cores>, report: &Report) -> Result<()> {
    if let Some(why) = syscalls::missing() {
        eprintln!("system calls are skipped: {why}");
        return Ok(report.skipped(Scenario::Syscalls, &why)?);
    }
    let loads: Vec<Load> = [Scenario::I, Scenario::Iii].into_iter().filter_map(Scenario::load).collect();
    let mut progress = Progress::new(servers.len() * loads.len());
    let counts = loads.into_iter().map(|load| (load, syscalls::run(servers, load, cores, &mut progress))).collect();
    drop(progress);
    Ok(report.syscalls(counts)?)
}

fn measure_libraries(names: &[String], plan: Plan, report: &Report) -> Result<()> {
    let libraries = library::chosen(names);
    if libraries.is_empty() {
        eprintln!("none of the servers that are named is a library");
        return Ok(());
    }
    let mut progress = Progress::new(library::steps());
    let tables = library::run(&libraries, plan, &mut progress)?;
    drop(progress);
    let allocations = library::counted(&libraries).map_err(|error| error.to_string());
    Ok(report.library(plan, &tables, allocations)?)
}

/// The servers that are named, with the raw ones that they are compared with, and the extra ones.
fn chosen(options: &Options, all: Vec<Server>) -> Result<Vec<Server>> {
    let known = |name: &str| all.iter().chain(&options.extra).any(|server| server.name == name);
    let alone = |name: &str| library::chosen(&[]).iter().any(|library| library.name == name);
    if let Some(unknown) = options.peer.iter().find(|name| !known(name) && !alone(name)) {
        let names: Vec<_> = all.iter().map(|server| server.name.as_str()).collect();
        return Err(format!("no server is called '{unknown}'; there are: {}", names.join(", ")).into());
    }
    let named = |server: &&Server| options.peer.is_empty() || options.peer.contains(&server.name);
    let mut chosen: Vec<_> = all.iter().filter(named).chain(&options.extra).cloned().collect();
    let is_raw_of = |raw: &Server, of: &[Server]| of.iter().any(|server| server.style.raw() == raw.name);
    let missing = |raw: &&Server| is_raw_of(raw, &chosen) && !chosen.iter().any(|server| server.name == raw.name);
    let raw: Vec<_> = all.iter().filter(missing).cloned().collect();
    chosen.splice(0..0, raw);
    Ok(chosen)
}

/// Parses a span that is long enough to measure something, and not too long to wait for.
fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds")?;
    if !(0.05..=60.0).contains(&seconds) {
        return Err("from 0.05 to 60".into());
    }
    Ok(Duration::from_secs_f64(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;
    use std::path::Path;

    fn names(arguments: &[&str]) -> Result<Vec<String>> {
        let options = Options::try_parse_from([&["peers"], arguments].concat())?;
        let servers = chosen(&options, servers::all(Path::new("testee_server"))?)?;
        Ok(servers.into_iter().map(|server| server.name).collect())
    }

    #[test]
    fn the_options_make_sense() {
        Options::command().debug_assert();
        let options = Options::try_parse_from(["peers", "--scenario", "i,memory", "--secs", "0.5"]).unwrap();
        assert_eq!(options.scenario, [Scenario::I, Scenario::Memory]);
        assert_eq!(options.secs, Duration::from_millis(500));
        for wrong in [["--secs", "0"], ["--secs", "NaN"], ["--rounds", "0"], ["--scenario", "vi"], ["--extra", "x=y"]] {
            assert!(Options::try_parse_from([&["peers"][..], &wrong].concat()).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn servers_come_with_the_raw_ones_of_their_style() {
        assert_eq!(names(&["--peer", "yawc,soketto"]).unwrap(), ["raw-tokio", "yawc", "soketto"]);
        assert_eq!(names(&["--peer", "ws-stack+blocking"]).unwrap(), ["raw-threads", "ws-stack+blocking"]);
        assert_eq!(names(&["--peer", "raw-tokio"]).unwrap(), ["raw-tokio"]);
        assert_eq!(names(&["--peer", "x", "--extra", "x=./x {port}"]).unwrap(), ["raw-tokio", "x"]);
        assert!(names(&["--peer", "nobody"]).unwrap_err().to_string().contains("fastwebsockets"));
        assert!(names(&[]).unwrap().len() > 15);
    }
}
