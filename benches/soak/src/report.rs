//! What became of the servers, in words and tables.

use core::fmt::Write;
use core::sync::atomic::Ordering;
use core::time::Duration;

use ws_testkit::live::Figures;

use crate::load::Load;

/// All that is known about one server.
pub(crate) struct Report {
    pub(crate) driver: &'static str,
    pub(crate) at_rest: Figures,
    /// After the last client had gone.
    pub(crate) at_end: Figures,
    pub(crate) rows: Vec<Row>,
    pub(crate) load: Load,
    /// What it wrote to its standard error.
    pub(crate) complaints: String,
}

/// One look at a server.
pub(crate) struct Row {
    pub(crate) at: Duration,
    pub(crate) figures: Figures,
    /// Visits so far, and those of them that met a surprise.
    pub(crate) rounds: u64,
    pub(crate) errors: u64,
}

impl Report {
    /// What is wrong, in a sentence each.
    pub(crate) fn verdict(&self) -> Result<(), Vec<String>> {
        let mut wrong = self.load.surprises();
        if !self.complaints.is_empty() {
            wrong.push(format!("the server has complained: {}", self.complaints.trim_end()));
        }
        if self.at_end.descriptors > self.at_rest.descriptors {
            wrong.push(format!(
                "{} descriptors are left, {} were at rest",
                self.at_end.descriptors, self.at_rest.descriptors
            ));
        }
        let (early, late) = (self.median_of_fifth(1), self.median_of_fifth(4));
        if late > early + early / 10 + SLACK {
            wrong.push(format!("memory has grown from {} to {} MiB", mib(early), mib(late)));
        }
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    }

    /// The memory in the middle of all looks in the first fifth of the time (0) to the last (4).
    pub(crate) fn median_of_fifth(&self, fifth: usize) -> u64 {
        let fifths = self.rows.len() / 5;
        let mut resident: Vec<u64> =
            self.rows.iter().skip(fifth * fifths).take(fifths).map(|row| row.figures.resident).collect();
        resident.sort_unstable();
        resident.get(resident.len() / 2).copied().unwrap_or_default()
    }
}

/// The page, with the chart beside it.
pub(crate) fn write(reports: &[Report], time: Duration, name: &str) -> String {
    let mut page = format!(
        "# Soak: {} minutes of everything at once\n\n\
         A `testee_server` over each driver, both at the same time and on the same machine, under all that clients do: those\n\
         without ill will, who expect that every message comes back and every Close is answered, and those with nothing\n\
         else, who expect to be cut off in the way that they deserve. An error is a client that met anything else.\n\n\
         ![resident memory, descriptors and errors over time]({name}.svg)\n\n",
        minutes(time)
    );
    for report in reports {
        let _ = write!(page, "## {}\n\n{}\n{}\n", report.driver, over_time(report), kinds(report));
        let _ = match report.verdict() {
            Ok(()) => writeln!(
                page,
                "Nobody met a surprise, every descriptor was given back, and memory did not grow after the first fifth of the\n\
                 time.\n"
            ),
            Err(wrong) => writeln!(page, "**Not as it should be:**\n\n- {}\n", wrong.join("\n- ")),
        };
    }
    let _ = write!(
        page,
        "## Again\n\n```sh\ncargo build --release -p ws-stack --example testee_server\n\
         cargo run --release -p ws-soak -- --minutes {} --out docs/{name}\n```\n",
        minutes(time)
    );
    page
}

fn over_time(report: &Report) -> String {
    let mut table = String::from(
        "| minute | resident, MiB | peak, MiB | descriptors | threads | core, s | visits | errors |\n\
         |--:|--:|--:|--:|--:|--:|--:|--:|\n",
    );
    let mut line = |at: &str, figures: &Figures, rounds: u64, errors: u64| {
        let Figures { resident, peak, descriptors, threads, cpu } = figures;
        let _ = writeln!(
            table,
            "| {at} | {} | {} | {descriptors} | {threads} | {:.1} | {rounds} | {errors} |",
            mib(*resident),
            mib(*peak),
            cpu.as_secs_f64()
        );
    };
    line("at rest", &report.at_rest, 0, 0);
    for row in report.rows.chunks(report.rows.len().div_ceil(LINES).max(1)).filter_map(<[Row]>::last) {
        line(&format!("{:.1}", row.at.as_secs_f64() / 60.0), &row.figures, row.rounds, row.errors);
    }
    let (rounds, errors) = report.load.totals();
    line("at the end", &report.at_end, rounds, errors);
    table
}

fn kinds(report: &Report) -> String {
    let mut table = String::from("| clients | visits | errors |\n|---|--:|--:|\n");
    for kind in report.load.kinds() {
        let (rounds, errors) = (kind.rounds.load(Ordering::Relaxed), kind.errors.load(Ordering::Relaxed));
        let _ = writeln!(table, "| {} | {rounds} | {errors} |", kind.name);
    }
    table
}

/// A number of mebibytes.
pub(crate) fn mib(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / (1 << 20) as f64)
}

fn minutes(time: Duration) -> f64 {
    (time.as_secs_f64() / 6.0).round() / 10.0
}

/// How many lines a table has over time.
const LINES: usize = 15;

/// What an allocator may come to hold for no reason that can be told.
const SLACK: u64 = 4 << 20;
