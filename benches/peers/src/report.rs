//! The files that are written: a table and a chart for each scenario, and all tables in one.

use clap::ValueEnum;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::chart::{Bar, draw};
use crate::machine;
use crate::rounds::{self, Plan};
use crate::scenario::{Load, Scenario};
use crate::table::{self, grouped};
use crate::{crowd, library, memory, syscalls};

/// A directory of results. What an earlier run has left there of other scenarios, is kept.
#[derive(Debug)]
pub struct Report(PathBuf);

impl Report {
    /// Makes the directory.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    pub fn new(directory: &Path) -> io::Result<Self> {
        fs::create_dir_all(directory)?;
        Ok(Self(directory.into()))
    }

    /// Writes what the rounds of a scenario came to.
    ///
    /// # Errors
    ///
    /// When a file cannot be written; so it is with all of these methods.
    pub fn speed(&self, scenario: Scenario, load: Load, plan: Plan, rows: &[rounds::Row]) -> io::Result<()> {
        let summaries = table::summarize(rows);
        let bars = summaries.iter().map(|summary| {
            let figures = summary.figures.as_ref();
            let of_raw = figures.and_then(|figures| figures.of_raw);
            let of_raw = of_raw.map_or_else(String::new, |(ratio, raw)| format!(" ({ratio:.2} of {raw})"));
            let label = figures.map_or_else(|| "failed".into(), |figures| grouped(figures.rate) + &of_raw);
            Bar { name: summary.name.clone(), value: figures.map_or(0.0, |figures| figures.rate), label }
        });
        let seconds = plan.span.as_secs_f64();
        let rounds = match plan.rounds {
            1 => format!("one round of {seconds} s"),
            rounds => format!("median of {rounds} interleaved rounds of {seconds} s"),
        };
        let title = format!("({}) {load}", scenario.stem());
        self.chart(&scenario.stem(), &title, &format!("messages per second, {rounds}"), &bars.collect::<Vec<_>>())?;
        let pinned = match plan.cores {
            Some(_) => "server and load generator on a core each",
            None => "server and load generator on the same core, for there is no other",
        };
        self.section(
            scenario,
            &format!("### {title}\n\nMessages per second, {rounds}; {pinned}.\n\n{}", table::speed(&summaries)),
        )
    }

    /// Writes what idle connections cost.
    ///
    /// # Errors
    ///
    /// As [`Report::speed`].
    pub fn memory(&self, conns: usize, mut rows: Vec<memory::Row>) -> io::Result<()> {
        rows.sort_by_key(|row| row.outcome.as_ref().map_or(u64::MAX, |memory| memory.spoken));
        let bars = rows.iter().map(|row| {
            let spoken = row.outcome.as_ref().ok().map(|memory| memory.spoken as f64);
            let label = spoken.map_or_else(|| "failed".into(), |spoken| format!("{} B", grouped(spoken)));
            Bar { name: row.name.clone(), value: spoken.unwrap_or(0.0), label }
        });
        let title = format!("Memory of an idle connection, {} of them", grouped(conns as f64));
        let axis = "resident memory of the server per connection, after one message each";
        self.chart(&Scenario::Memory.stem(), &title, axis, &bars.collect::<Vec<_>>())?;
        let text = format!(
            "### {title}\n\nResident memory of the server, without the kernel's buffers. A message has {} B.\n\n{}",
            crowd::MESSAGE,
            table::memory(&rows)
        );
        self.section(Scenario::Memory, &text)
    }

    /// Writes how many system calls a message takes, under each load.
    ///
    /// # Errors
    ///
    /// As [`Report::speed`].
    pub fn syscalls(&self, counts: Vec<(Load, Vec<syscalls::Row>)>) -> io::Result<()> {
        let mut text = String::from(
            "### System calls per message\n\nCounted by strace, which slows the server down: where messages are pipelined, more of them come together than otherwise.\n",
        );
        for (load, mut rows) in counts {
            rows.sort_by(|a, b| a.total().unwrap_or(f64::MAX).total_cmp(&b.total().unwrap_or(f64::MAX)));
            text += &format!("\n#### {load}\n\n{}", table::syscalls(&rows));
            let bars = rows.iter().map(|row| {
                let label = row.total().map_or_else(|| "failed".into(), |total| format!("{total:.2}"));
                Bar { name: row.name.clone(), value: row.total().unwrap_or(0.0), label }
            });
            let title = format!("System calls per message: {load}");
            let stem = format!("{}-depth-{}", Scenario::Syscalls.stem(), load.depth);
            self.chart(&stem, &title, "of the server, counted by strace", &bars.collect::<Vec<_>>())?;
        }
        self.section(Scenario::Syscalls, &text)
    }

    /// Writes what the libraries take for a message, and what they allocate for it, in tables that are ready; or why that is not
    /// known.
    ///
    /// # Errors
    ///
    /// As [`Report::speed`].
    pub fn library(
        &self,
        plan: Plan,
        tables: &[library::Table<f64>],
        allocations: Result<String, String>,
    ) -> io::Result<()> {
        let samples = plan.rounds * library::SAMPLES;
        let mut text = format!(
            "### The libraries alone\n\nNanoseconds that the thread was on its core for a message, median of {samples} interleaved \
             samples. The last column is the geometric mean of what they are to the least ones.\n"
        );
        for table in tables {
            text += &format!("\n#### {}\n\n{}", table.task, library::time_table(table));
            let stem = format!("{}-{}", Scenario::Library.stem(), table.task.stem());
            let axis =
                format!("time for a message, as a multiple of the least; mean over the sizes, {samples} samples");
            self.chart(&stem, &table.task.to_string(), &axis, &library::bars(table))?;
        }
        text += "\n### What the libraries allocate for a message\n\nCalls to the allocator, and bytes asked for.\n\n";
        text += &allocations.unwrap_or_else(|why| format!("Skipped: {why}.\n"));
        self.section(Scenario::Library, &text)
    }

    /// Says that a scenario was left out, and why.
    ///
    /// # Errors
    ///
    /// As [`Report::speed`].
    pub fn skipped(&self, scenario: Scenario, why: &str) -> io::Result<()> {
        self.section(scenario, &format!("### {}\n\nSkipped: {why}.\n", scenario.stem()))
    }

    fn chart(&self, stem: &str, title: &str, axis: &str, bars: &[Bar]) -> io::Result<()> {
        fs::write(self.0.join(stem).with_extension("svg"), draw(title, axis, bars))
    }

    /// Writes one section, and all that there are into one file.
    fn section(&self, scenario: Scenario, text: &str) -> io::Result<()> {
        let file = |scenario: Scenario| self.0.join(scenario.stem()).with_extension("md");
        fs::write(file(scenario), text)?;
        println!("{text}");
        let mut all = format!("Machine: {}.\n\nPeers: {}.\n", machine::describe(), versions(LOCK).join(", "));
        for &scenario in Scenario::value_variants() {
            if let Ok(section) = fs::read_to_string(file(scenario)) {
                all = all + "\n" + &section;
            }
        }
        fs::write(self.0.join("results.md"), all)
    }
}

/// The peers with their versions, and the runtime.
fn versions(lock: &str) -> Vec<String> {
    let mut lines = lock.lines();
    let mut versions = Vec::new();
    while let Some(line) = lines.next() {
        let Some(name) = line.strip_prefix("name = \"").and_then(|name| name.strip_suffix('"')) else { continue };
        let version = lines.next().and_then(|line| line.strip_prefix("version = \"")?.strip_suffix('"'));
        if let Some(version) = version.filter(|_| PEERS.contains(&name)) {
            versions.push(format!("{name} {version}"));
        }
    }
    versions
}

const LOCK: &str = include_str!("../Cargo.lock");

const PEERS: [&str; 9] = [
    "fastwebsockets",
    "sockudo-ws",
    "soketto",
    "tokio",
    "tokio-tungstenite",
    "tokio-websockets",
    "tungstenite",
    "web-socket",
    "yawc",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_peer_has_a_version() {
        assert_eq!(versions(LOCK).len(), PEERS.len());
        assert_eq!(versions("[[package]]\nname = \"yawc\"\nversion = \"0.5.0\"\n"), ["yawc 0.5.0"]);
    }
}
