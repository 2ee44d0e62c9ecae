//! Rounds over the libraries. Each library is verified before it is timed.

use tokio::runtime::{Builder, Runtime};

use super::case::Case;
use super::place::PLACES;
use super::{Library, TASKS, Task};
use crate::progress::Progress;
use crate::rounds::Plan;
use crate::stats::median;
use crate::{Result, scenario};

/// What came of a task.
#[derive(Debug)]
pub struct Table<V> {
    /// What was done.
    pub task: Task,
    /// Each library that takes part, and its figure for each size, or why there is none.
    pub rows: Vec<(&'static str, Vec<Result<V, String>>)>,
}

/// Measures how long a message takes, in nanoseconds: the median over all rounds, each of which goes through all places.
///
/// # Errors
///
/// When there can be no runtime. A library that fails has the reason in its row.
pub fn run(libraries: &[&'static Library], plan: Plan, progress: &mut Progress) -> Result<Vec<Table<f64>>> {
    let runtime = runtime()?;
    let mut tables = Vec::new();
    for task in TASKS {
        let taking_part: Vec<_> = libraries.iter().copied().filter(|library| library.can(task)).collect();
        let mut rows: Vec<_> = taking_part.iter().map(|library| (library.name, Vec::new())).collect();
        for &size in task.sizes() {
            let cells = cells(&taking_part, &Case::new(task, size), plan, &runtime);
            rows.iter_mut().zip(cells).for_each(|((_, row), cell)| row.push(cell));
            progress.step(&format!("{task}: {}", scenario::size(size)));
        }
        tables.push(Table { task, rows });
    }
    Ok(tables)
}

/// How many steps [`run`] has.
pub fn steps() -> usize {
    TASKS.iter().map(|task| task.sizes().len()).sum()
}

fn cells(libraries: &[&Library], case: &Case, plan: Plan, runtime: &Runtime) -> Vec<Result<f64, String>> {
    let verified = libraries.iter().map(|library| case.verify(library, runtime).map(|()| Vec::new()));
    let mut cells: Vec<Result<Vec<f64>, String>> =
        verified.map(|cell| cell.map_err(|error| error.to_string())).collect();
    let count = case.count((plan.span / SHARE).as_nanos() as usize);
    for round in 0..plan.rounds * SAMPLES {
        for step in 0..libraries.len() {
            // Every other round goes the other way, as with the servers.
            let at = if round % 2 == 1 { libraries.len() - 1 - step } else { step };
            let Ok(samples) = &mut cells[at] else { continue };
            match case.play(libraries[at], count, round, runtime) {
                Ok(nanos) => samples.push(nanos),
                Err(error) => cells[at] = Err(error.to_string()),
            }
        }
    }
    let median = |samples: Vec<f64>| median(&samples).ok_or_else(|| "no rounds".into());
    cells.into_iter().map(|cell| cell.and_then(median)).collect()
}

pub(super) fn runtime() -> Result<Runtime> {
    Ok(Builder::new_current_thread().enable_all().build()?)
}

/// A sample takes about this part of the span that a server is under load.
const SHARE: u32 = 400;

/// How many samples a round takes of each figure.
pub const SAMPLES: usize = PLACES;
