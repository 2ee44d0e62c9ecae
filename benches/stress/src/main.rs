//! Drives connections from real threads and tasks, over transports that misbehave, and checks what arrives.
//!
//! ```text
//! cargo run --release -p ws-stress -- --seed 1 --minutes 20
//! ```
//!
//! README.md says what a case is made of and what is checked. The plan of a case follows from the seed and its number; the
//! order of threads is the system's. An end, or a transport, is in a file of its own, for tasks and for threads.
#![forbid(unsafe_code)]
#![expect(clippy::disallowed_methods, reason = "real threads in real time are what this is about")]

mod blocking_end;
mod dice;
mod draw;
mod fate;
#[cfg(test)]
mod faults;
mod large;
mod ledger;
mod link;
mod memory;
mod payload;
mod plan;
mod raw_end;
mod run;
mod sink_end;
mod sockets;
mod table;
mod tokio_end;
mod tokio_sender;
mod wire;

#[path = "../../../crates/ws-testkit/src/chunks.rs"]
#[allow(dead_code, unreachable_pub, reason = "the test kit's, of which a part is needed")]
mod chunks;
#[path = "../../../crates/ws-testkit/src/judge.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    clippy::wrong_self_convention,
    reason = "the test kit's, of which a part is needed"
)]
mod judge;
#[path = "../../../crates/ws-testkit/src/naive.rs"]
#[allow(dead_code, unreachable_pub, reason = "the test kit's, of which a part is needed")]
mod naive;

use clap::Parser;
use core::time::Duration;
use link::Planned;
use memory::Memory;
use plan::{Driver, Plan};
use run::Report;
use std::panic;
use std::process::ExitCode;
use std::time::Instant;

/// Drives connections from real threads and tasks, over transports that misbehave, and checks what arrives.
#[derive(Parser)]
#[command(name = "stress")]
struct Options {
    /// What the cases are made from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// For how long new cases begin
    #[arg(long, default_value_t = 1.0)]
    minutes: f64,
    /// One driver; both in turns, if it is not named
    #[arg(long)]
    driver: Option<Driver>,
    /// This case alone
    #[arg(long)]
    case: Option<u64>,
    /// How often each case runs
    #[arg(long, default_value_t = 1)]
    repeat: u64,
    /// After so many cases that fail it ends
    #[arg(long, default_value_t = 10)]
    failures: u64,
}

fn main() -> ExitCode {
    let options = Options::parse();
    silence_planned_panics();
    memory::fill_store(LIMIT);
    let begun = Instant::now();
    let time = Duration::try_from_secs_f64(options.minutes * 60.0).unwrap_or(Duration::MAX);
    let drivers = options.driver.map_or_else(|| vec![Driver::Tokio, Driver::Blocking], |driver| vec![driver]);
    let mut sum = Sum::default();
    'cases: for case in options.case.unwrap_or_default().. {
        for driver in &drivers {
            for _ in 0..options.repeat {
                if options.case.is_none() && begun.elapsed() >= time || sum.failed >= options.failures {
                    break 'cases;
                }
                if !sum.add(Plan::of(options.seed, case, *driver)) {
                    break 'cases;
                }
            }
        }
        if options.case.is_some() {
            break;
        }
    }
    println!("{} cases, {} failed, in {:.0?}", sum.cases, sum.failed, begun.elapsed());
    println!("{:?}", sum.total);
    if sum.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// All cases so far.
#[derive(Default)]
struct Sum {
    cases: u64,
    failed: u64,
    total: Report,
}

impl Sum {
    /// Runs a case. Returns whether another one can follow.
    fn add(&mut self, plan: Plan) -> bool {
        let Plan { seed, case, driver, .. } = plan;
        let most = plan.most_memory();
        let shown = format!("{plan}");
        let memory = Memory::begin();
        let mut report = run::run(plan);
        report.peak = memory.peak() as u64;
        // The first case makes what the program keeps for all.
        if report.failures.is_empty() && self.cases > 0 {
            report.failures.extend(memory::check(memory.peak(), most, memory.kept()).err());
        }
        self.cases += 1;
        if !report.failures.is_empty() {
            self.failed += 1;
            let driver = format!("{driver:?}").to_lowercase();
            println!("case {case} of seed {seed} over {driver} has failed:");
            for why in &report.failures {
                println!("  - {why}");
            }
            let command = "cargo run --release -p ws-stress --";
            println!("{shown}  again: {command} --seed {seed} --driver {driver} --case {case} --repeat 100");
        }
        let is_stuck = report.is_stuck;
        report.failures.clear();
        self.total = core::mem::take(&mut self.total) + report;
        !is_stuck
    }
}

/// The limit of messages: more than any has.
const LIMIT: usize = 2 << 20;

/// What panics by intent says nothing.
fn silence_planned_panics() {
    let others = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if !info.payload().is::<Planned>() {
            others(info);
        }
    }));
}
