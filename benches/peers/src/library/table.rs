//! The tables and charts of the libraries alone.

use crate::chart::Bar;
use crate::scenario;
use crate::table::{bold, cell, grouped, line};

use super::Table;

/// How long a message takes, the fastest library first.
pub fn time_table(table: &Table<f64>) -> String {
    let mut ranked: Vec<_> = table.rows.iter().zip(factors(table)).collect();
    ranked.sort_by(|(_, a), (_, b)| a.unwrap_or(f64::MAX).total_cmp(&b.unwrap_or(f64::MAX)));
    let rows = ranked.into_iter().map(|((name, cells), factor)| {
        let factor = factor.map_or_else(|| "-".into(), |factor| format!("{factor:.2}"));
        let cells = cells.iter().map(|value| value.as_ref().map_or_else(|why| failed(why), |&nanos| said(nanos)));
        (*name, cells.chain([factor]).collect())
    });
    markdown(table.task.sizes(), &["of the fastest"], rows)
}

/// What a message allocates.
pub fn allocation_table(table: &Table<(f64, f64)>) -> String {
    let rows = table.rows.iter().map(|(name, cells)| {
        let said = |&(calls, bytes): &(f64, f64)| match calls {
            0.0 => "0".into(),
            ..0.01 => format!("< 0.01 ({} B)", grouped(bytes)),
            _ => format!("{calls:.2} ({} B)", grouped(bytes)),
        };
        (*name, cells.iter().map(|value| value.as_ref().map_or_else(|why| failed(why), said)).collect())
    });
    markdown(table.task.sizes(), &[], rows)
}

/// What is drawn of a table, the fastest library first.
pub fn bars(table: &Table<f64>) -> Vec<Bar> {
    let mut bars: Vec<_> = table.rows.iter().zip(factors(table)).collect();
    bars.sort_by(|(_, a), (_, b)| a.unwrap_or(f64::MAX).total_cmp(&b.unwrap_or(f64::MAX)));
    let bar = |((name, _), factor): (&(&str, _), Option<f64>)| Bar {
        name: (*name).into(),
        value: factor.unwrap_or(0.0),
        label: factor.map_or_else(|| "failed".into(), |factor| format!("{factor:.2}")),
    };
    bars.into_iter().map(bar).collect()
}

/// For each library how many times as long it takes as the fastest, by the geometric mean over the sizes; none for one that has
/// failed with any of them.
fn factors(table: &Table<f64>) -> Vec<Option<f64>> {
    let least = |size: usize| {
        let all = table.rows.iter().filter_map(|(_, cells)| cells.get(size)?.as_ref().ok().copied());
        all.fold(f64::INFINITY, f64::min)
    };
    let factor = |(_, cells): &(_, Vec<Result<f64, _>>)| {
        let logarithms = cells.iter().enumerate().map(|(size, cell)| Some((cell.as_ref().ok()? / least(size)).ln()));
        Some((logarithms.sum::<Option<f64>>()? / cells.len() as f64).exp())
    };
    table.rows.iter().map(factor).collect()
}

fn markdown<'r>(sizes: &[usize], more: &[&str], rows: impl Iterator<Item = (&'r str, Vec<String>)>) -> String {
    let mut heads = vec!["library".into()];
    heads.extend(sizes.iter().map(|&size| scenario::size(size)));
    heads.extend(more.iter().map(|&head| head.into()));
    let mut table = String::new();
    line(&mut table, &heads.join(" | "));
    table += &format!("|---|{}\n", "---:|".repeat(heads.len() - 1));
    for (name, cells) in rows {
        line(&mut table, &format!("{} | {}", bold(name), cells.join(" | ")));
    }
    table
}

fn said(nanos: f64) -> String {
    if nanos < 100.0 { format!("{nanos:.1}") } else { grouped(nanos) }
}

fn failed(why: &str) -> String {
    format!("failed: {}", cell(why))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::{Side, Task};

    fn table<V>(rows: Vec<(&'static str, Vec<Result<V, String>>)>) -> Table<V> {
        Table { task: Task::Send(Side::Server, 16), rows }
    }

    #[test]
    fn the_fastest_comes_first_and_what_has_failed_last() {
        let table = table(vec![
            ("broken", vec![Err("a message is not what was sent".into()), Ok(10.0), Ok(10.0)]),
            ("slow", vec![Ok(40.0), Ok(40.0), Ok(4000.0)]),
            ("ws-stack", vec![Ok(20.0), Ok(20.0), Ok(2000.0)]),
        ]);
        let expected = "\
| library | 16 B | 125 B | 1 KiB | of the fastest |
|---|---:|---:|---:|---:|
| **ws-stack** | 20.0 | 20.0 | 2,000 | 7.37 |
| slow | 40.0 | 40.0 | 4,000 | 14.74 |
| broken | failed: a message is not what was sent | 10.0 | 10.0 | - |
";
        assert_eq!(time_table(&table), expected);
        let bars: Vec<_> = bars(&table).into_iter().map(|bar| (bar.name, bar.label)).collect();
        assert_eq!(bars[0], ("ws-stack".into(), "7.37".into()));
        assert_eq!(bars[2], ("broken".into(), "failed".into()));
    }

    #[test]
    fn allocations_are_told_with_their_bytes() {
        let table = table(vec![("ws-stack", vec![Ok((0.0, 0.0)), Ok((1.0, 2048.0)), Ok((0.001, 65.5))])]);
        let text = allocation_table(&table);
        assert!(text.ends_with("| **ws-stack** | 0 | 1.00 (2,048 B) | < 0.01 (66 B) |\n"), "{text}");
    }
}
