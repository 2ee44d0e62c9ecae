//! What a message allocates.

use std::path::Path;
use std::process::{Command, Stdio};

use super::case::Case;
use super::measure::{Table, runtime};
use super::{Library, TASKS, Task};
use crate::Result;
use crate::artifact::built;

/// Counts by `measure`, which answers the calls to the allocator and the bytes asked for, what each message allocates.
///
/// It is the difference of two runs, of which one has twice the messages: what a connection allocates once is not in it.
///
/// # Errors
///
/// As [`run`].
pub fn allocations(
    libraries: &[&'static Library],
    mut measure: impl FnMut(&mut dyn FnMut()) -> (u64, u64),
) -> Result<Vec<Table<(f64, f64)>>> {
    let runtime = runtime()?;
    let mut tables = Vec::new();
    for task in TASKS.into_iter().filter(|task| !matches!(task, Task::Mask(_))) {
        let mut rows = Vec::new();
        for &library in libraries.iter().filter(|library| library.can(task)) {
            let mut cell = |&size: &usize| {
                let case = Case::new(task, size);
                let count = case.count(1_000_000).max(LEAST);
                let mut run = |count: usize| {
                    let mut outcome = Ok(0.0);
                    let figures = measure(&mut || outcome = case.play(library, count, 0, &runtime));
                    outcome.map(|_| figures).map_err(|error| error.to_string())
                };
                let (once, twice) = (run(count)?, run(2 * count)?);
                let each = |once: u64, twice: u64| twice.saturating_sub(once) as f64 / count as f64;
                Ok((each(once.0, twice.0), each(once.1, twice.1)))
            };
            rows.push((library.name, task.sizes().iter().map(&mut cell).collect()));
        }
        tables.push(Table { task, rows });
    }
    Ok(tables)
}

/// The tables of the program `allocations`, which is built for it.
///
/// # Errors
///
/// When it does not build or run.
pub fn counted(libraries: &[&'static Library]) -> Result<String> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let mut program = Command::new(built(PROGRAM, &manifest, &["--bin", PROGRAM])?);
    let output = program.args(libraries.iter().map(|library| library.name)).stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("{PROGRAM} has failed: {}", output.status).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// So many messages at least: with large ones a buffer takes some until it has grown.
const LEAST: usize = 32;

const PROGRAM: &str = "allocations";
