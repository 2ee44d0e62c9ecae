//! The same bytes into ws-conn and into other implementations, in both roles: the same messages, and the same code told to
//! the peer. Where they differ, a rule of [`explain`] says why, and `docs/differential.md` which sentence of the RFC that
//! rests on. A difference that no rule explains is a failure.
//!
//! ```sh
//! cargo run --release --manifest-path fuzz/differential/Cargo.toml -- PYTHON STREAMS [SEED]
//! ```
//!
//! `PYTHON` is an interpreter that has the package `websockets`; `STREAMS` is how many are generated for each role.

mod explain;
mod peers;
mod streams;
mod verdict;

use explain::{RULES, explain};
use peers::Websockets;
use std::collections::BTreeMap;
use std::error::Error;
use std::process::ExitCode;
use streams::Streams;
use verdict::{Ours, Verdict, ours};
use ws_conn::Role;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (Some(python), Some(count)) = (arguments.first(), arguments.get(1)) else {
        return Err("two arguments: an interpreter of Python, and how many streams".into());
    };
    let (count, seed) = (count.parse()?, arguments.get(2).map_or(Ok(0), |seed| seed.parse())?);
    for rule in RULES {
        let row = format!("| {rule} |");
        assert!(TABLE.contains(&row), "docs/differential.md does not explain '{rule}'");
    }
    let mut websockets = Websockets::start(python)?;
    let mut tally = Tally::default();
    for role in [Role::Server, Role::Client] {
        let corpus = streams::corpus(role)?;
        let mut generated = Streams::new(role, seed, corpus.clone());
        let generated = (0..count).map(|_| generated.next());
        for stream in corpus.into_iter().chain(streams::closes(role)).chain(generated) {
            let ours = ours(role, &stream);
            tally.add(role, &stream, &ours, "tungstenite", &peers::tungstenite(role, &stream));
            tally.add(role, &stream, &ours, "websockets", &websockets.receive(role, &stream)?);
        }
    }
    tally.print();
    Ok(if tally.unexplained == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// How often what came out.
#[derive(Default)]
struct Tally {
    same: BTreeMap<&'static str, u64>,
    explained: BTreeMap<(&'static str, &'static str), u64>,
    unexplained: u64,
}

impl Tally {
    fn add(&mut self, role: Role, stream: &[u8], ours: &Ours, peer: &'static str, theirs: &Verdict) {
        if ours.verdict == *theirs {
            *self.same.entry(peer).or_default() += 1;
        } else if let Some(rule) = explain(stream, ours, theirs) {
            *self.explained.entry((rule, peer)).or_default() += 1;
        } else {
            self.unexplained += 1;
            if self.unexplained <= SHOWN {
                println!("{role:?} {}", peers::hex(stream));
                println!("    ws-conn: {}, {:?}, in the frame before byte {}", ours.verdict, ours.violation, ours.read);
                println!("    {peer}: {theirs}");
            }
        }
    }

    fn print(&self) {
        for (peer, count) in &self.same {
            println!("{count} streams: the same as {peer}");
        }
        for ((rule, peer), count) in &self.explained {
            println!("{count} streams: not as {peer}, by the rule '{rule}'");
        }
        println!("{} streams: not explained", self.unexplained);
    }
}

/// Where each rule has a row.
const TABLE: &str = include_str!("../../../docs/differential.md");

/// How many differences are shown.
const SHOWN: u64 = 10;
