//! Rounds: every server in turn, again and again, so that what slows the machine for a while slows all of them.

use core::time::Duration;
use std::io;

use crate::load::{Generator, Sample};
use crate::machine::Cores;
use crate::progress::Progress;
use crate::scenario::Load;
use crate::servers::{Server, Style};

/// What came of one server in a scenario.
#[derive(Debug)]
pub struct Row {
    /// The name of the server.
    pub name: String,
    /// What it is compared with.
    pub style: Style,
    /// A sample for each round, where it did not fail.
    pub samples: Vec<Option<Sample>>,
    /// Why it failed, the last time.
    pub failure: Option<String>,
}

/// How to measure.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// How many rounds.
    pub rounds: usize,
    /// How long each server is measured in a round.
    pub span: Duration,
    /// Where, if not anywhere.
    pub cores: Option<Cores>,
}

/// Measures all servers under a load.
pub fn run(servers: &[Server], load: Load, plan: Plan, progress: &mut Progress) -> Vec<Row> {
    let row = |server: &Server| Row { name: server.name.clone(), style: server.style, samples: vec![], failure: None };
    let mut rows: Vec<Row> = servers.iter().map(row).collect();
    for round in 1..=plan.rounds {
        for step in 0..servers.len() {
            // Every other round goes the other way: nobody always comes after the same one.
            let at = if round % 2 == 0 { servers.len() - 1 - step } else { step };
            let (server, row) = (&servers[at], &mut rows[at]);
            let sample = sample(server, load, plan);
            progress.step(&format!("{load}, round {round} of {}: {}", plan.rounds, said(&server.name, &sample)));
            match sample {
                Ok(sample) => row.samples.push(Some(sample)),
                Err(error) => {
                    row.samples.push(None);
                    row.failure = Some(error.to_string());
                }
            }
        }
    }
    rows
}

/// Starts a server afresh, so that no luck with the places of its memory lasts, and measures it once.
fn sample(server: &Server, load: Load, plan: Plan) -> io::Result<Sample> {
    let running = server.start(&[], plan.cores.map(|cores| cores.server))?;
    let generator = Generator::new(running.address, server.protocol, load, plan.cores.is_some())?;
    generator.measure(plan.span, running.child.id())
}

fn said(name: &str, sample: &io::Result<Sample>) -> String {
    match sample {
        Ok(sample) => format!("{name}, {:.0} messages/s", sample.rate),
        Err(error) => format!("{name} FAILED: {error}"),
    }
}
