//! Tables in Markdown.

use core::fmt::Write;

use crate::rounds::Row;
use crate::stats::{median, ratio, spread};
use crate::{memory, syscalls};

/// What the rounds of a scenario come to.
#[derive(Debug)]
pub struct Summary {
    /// The name of the server.
    pub name: String,
    /// Its figures, unless every round has failed.
    pub figures: Option<Figures>,
    /// How many rounds have failed, and why the last one did.
    pub failed: Option<(usize, String)>,
}

/// The figures of a server that works.
#[derive(Debug)]
pub struct Figures {
    /// Messages in a second: the median.
    pub rate: f64,
    /// How far the rounds lie apart, as a share of that.
    pub spread: f64,
    /// What it is to the raw echo of its style in the same round: the median, and the name of that echo.
    pub of_raw: Option<(f64, &'static str)>,
    /// How long it was on its core for a message, in microseconds: the median.
    pub cpu_micros: f64,
}

/// Sums up the rounds, the fastest server first.
pub fn summarize(rows: &[Row]) -> Vec<Summary> {
    let rates = |row: &Row| row.samples.iter().map(|sample| Some(sample.as_ref()?.rate)).collect::<Vec<_>>();
    let figures = |row: &Row| {
        let good: Vec<_> = row.samples.iter().flatten().collect();
        let of = |value: fn(&&crate::load::Sample) -> f64| good.iter().map(value).collect::<Vec<_>>();
        let raw = rows.iter().find(|raw| raw.name == row.style.raw());
        let of_raw = raw.and_then(|raw| Some((ratio(&rates(row), &rates(raw))?, row.style.raw())));
        let rate = of(|sample| sample.rate);
        Some(Figures {
            rate: median(&rate)?,
            spread: spread(&rate)?,
            of_raw,
            cpu_micros: median(&of(|sample| sample.cpu_micros))?,
        })
    };
    let summary = |row: &Row| {
        let failures = row.samples.iter().filter(|sample| sample.is_none()).count();
        let failed = row.failure.clone().map(|why| (failures, why));
        Summary { name: row.name.clone(), figures: figures(row), failed }
    };
    let mut summaries: Vec<_> = rows.iter().map(summary).collect();
    let rate = |summary: &Summary| summary.figures.as_ref().map_or(0.0, |figures| figures.rate);
    summaries.sort_by(|a, b| rate(b).total_cmp(&rate(a)));
    summaries
}

/// The table of a scenario.
pub fn speed(summaries: &[Summary]) -> String {
    let mut table = String::from(
        "| server | messages/s | spread | of raw | server CPU, µs per message |\n|---|---:|---:|---:|---:|\n",
    );
    for Summary { name, figures, failed } in summaries {
        let failed = failed.as_ref().map(|(times, why)| format!("failed {times} times: {}", cell(why)));
        let row = match (figures, failed) {
            (Some(figures), failed) => {
                let of_raw = figures.of_raw.map_or_else(|| "-".into(), |(ratio, raw)| format!("{ratio:.2} of {raw}"));
                let failed = failed.map_or_else(String::new, |failed| format!(" ({failed})"));
                let (rate, spread) = (grouped(figures.rate), figures.spread * 100.0);
                format!("{rate}{failed} | {spread:.0} % | {of_raw} | {:.2}", figures.cpu_micros)
            }
            (None, failed) => format!("{} | | | ", failed.unwrap_or_default()),
        };
        line(&mut table, &format!("{} | {row}", bold(name)));
    }
    table
}

/// The table of what idle connections cost, the lightest first.
pub fn memory(rows: &[memory::Row]) -> String {
    let mut table = String::from(
        "| server | idle, B per connection | after a message each, B per connection | server at rest, KiB |\n\
         |---|---:|---:|---:|\n",
    );
    for row in rows {
        let figures = match &row.outcome {
            Ok(memory) => {
                let [idle, spoken, at_rest] =
                    [memory.idle, memory.spoken, memory.at_rest >> 10].map(|n| grouped(n as f64));
                format!("{idle} | {spoken} | {at_rest}")
            }
            Err(error) => format!("failed: {} | | ", cell(error)),
        };
        line(&mut table, &format!("{} | {figures}", bold(&row.name)));
    }
    table
}

/// The table of system calls, the fewest first.
pub fn syscalls(rows: &[syscalls::Row]) -> String {
    let mut table = String::from("| server | calls per message | which |\n|---|---:|---|\n");
    for row in rows {
        let figures = match &row.outcome {
            Ok(calls) => {
                let which: Vec<_> = calls.iter().map(|(name, count)| format!("{name} {count:.2}")).collect();
                format!("{:.2} | {}", row.total().unwrap_or(0.0), which.join(", "))
            }
            Err(error) => format!("failed: {} | ", cell(error)),
        };
        line(&mut table, &format!("{} | {figures}", bold(&row.name)));
    }
    table
}

pub(crate) fn line(table: &mut String, cells: &str) {
    let _ = writeln!(table, "| {cells} |");
}

/// Ours stands out.
pub(crate) fn bold(name: &str) -> String {
    if is_ours(name) { format!("**{name}**") } else { cell(name) }
}

/// Whether a server is one of ours.
pub fn is_ours(name: &str) -> bool {
    name.starts_with("ws-stack")
}

/// Text that does not end a cell.
pub(crate) fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

/// A whole number with its thousands apart.
pub fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::Sample;
    use crate::servers::Style;

    fn row(name: &str, rates: &[Option<f64>]) -> Row {
        let sample = |rate: &Option<f64>| rate.map(|rate| Sample { rate, cpu_micros: 2.0 });
        let failure = rates.contains(&None).then(|| "the server has hung up".into());
        Row { name: name.into(), style: Style::Tokio, samples: rates.iter().map(sample).collect(), failure }
    }

    #[test]
    fn a_table_is_sorted_and_shows_what_has_failed() {
        let rows = [
            row("broken", &[None, None]),
            row("raw-tokio", &[Some(2000.0), Some(1000.0)]),
            row("ws-stack", &[Some(1800.0), Some(900.0)]),
            row("shaky", &[None, Some(500.0)]),
        ];
        let expected = "\
| server | messages/s | spread | of raw | server CPU, µs per message |
|---|---:|---:|---:|---:|
| raw-tokio | 1,500 | 67 % | 1.00 of raw-tokio | 2.00 |
| **ws-stack** | 1,350 | 67 % | 0.90 of raw-tokio | 2.00 |
| shaky | 500 (failed 1 times: the server has hung up) | 0 % | 0.50 of raw-tokio | 2.00 |
| broken | failed 2 times: the server has hung up | | |  |
";
        assert_eq!(speed(&summarize(&rows)), expected);
    }

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!([0.0, 999.4, 1000.0, 1_234_567.0].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }
}
