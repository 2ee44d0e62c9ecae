//! Mixes all that clients do, good and bad, for as long as wanted, and watches what the servers hold meanwhile.
//!
//! ```text
//! cargo build --release -p ws-stack --example testee_server
//! cargo run --release -p ws-soak -- --minutes 30 --out docs/soak
//! ```
//!
//! A `testee_server` over each driver is under the same load at the same time. What becomes of it is written to
//! `PREFIX.md` and `PREFIX.svg`. The exit code is 0 if every client met what it had to expect, and if the servers hold no
//! more in the end than after the first minutes. It reads `/proc`, and so runs on Linux only.
#![expect(clippy::disallowed_methods, reason = "a soak takes time, and waits between two looks")]

mod abusive;
mod chart;
mod load;
mod ordinary;
mod report;
mod visit;

use clap::Parser;
use core::error::Error;
use core::time::Duration;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;
use std::time::Instant;
use ws_testkit::live::{Figures, Server, example};

use load::Load;
use report::{Report, Row};

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Mixes all that clients do, good and bad, and watches the servers.
#[derive(Parser)]
#[command(name = "soak")]
struct Options {
    /// How long, in minutes, with a fraction if need be
    #[arg(long, default_value_t = 30.0)]
    minutes: f64,
    /// Where the report goes: PREFIX.md and PREFIX.svg
    #[arg(long, value_name = "PREFIX")]
    out: PathBuf,
    /// The built testee_server; beside this program, if it is not named
    #[arg(long, value_name = "PATH")]
    server: Option<PathBuf>,
}

/// Answers whether all went well.
fn run(options: &Options) -> Result<bool, Box<dyn Error>> {
    let program = options.server.clone().map_or_else(|| example("testee_server"), Ok)?;
    let time = Duration::try_from_secs_f64(options.minutes * 60.0)?;
    let subjects = DRIVERS.map(|driver| {
        let server = Server::start(&program, &[&["--listen", "127.0.0.1:0", "--driver", driver], FLAGS].concat());
        server.map(|server| Subject { driver, load: Load::new(server.address()), server })
    });
    let [one, other] = subjects;
    let subjects = [one?, other?];
    let at_rest = [subjects[0].server.figures()?, subjects[1].server.figures()?];

    let rows = thread::scope(|scope| {
        for subject in &subjects {
            subject.load.start(scope);
        }
        let rows = watch(&subjects, time);
        subjects.iter().for_each(|subject| subject.load.stop());
        rows
    })?;

    let mut reports = Vec::new();
    for ((subject, at_rest), rows) in subjects.into_iter().zip(at_rest).zip(rows) {
        let at_end = released(&subject.server, at_rest)?;
        let complaints = subject.server.complaints();
        reports.push(Report { driver: subject.driver, at_rest, at_end, rows, load: subject.load, complaints });
    }
    fs::write(options.out.with_extension("svg"), chart::draw(&reports))?;
    let name = options.out.file_name().unwrap_or_default().to_string_lossy();
    let text = report::write(&reports, time, &name);
    fs::write(options.out.with_extension("md"), &text)?;
    print!("{text}");
    Ok(reports.iter().all(|report| report.verdict().is_ok()))
}

/// A server and what is done to it.
struct Subject {
    driver: &'static str,
    server: Server,
    load: Load,
}

/// Looks at the servers now and then.
fn watch(subjects: &[Subject; 2], time: Duration) -> Result<[Vec<Row>; 2], Box<dyn Error>> {
    let (started, pause) = (Instant::now(), (time / SAMPLES).max(Duration::from_millis(500)));
    let mut rows = [Vec::new(), Vec::new()];
    while started.elapsed() < time {
        thread::sleep(pause.min(time.saturating_sub(started.elapsed())));
        for (subject, rows) in subjects.iter().zip(&mut rows) {
            let (rounds, errors) = subject.load.totals();
            rows.push(Row { at: started.elapsed(), figures: subject.server.figures()?, rounds, errors });
        }
    }
    Ok(rows)
}

/// What a server holds when it has got rid of its last clients: as few descriptors and threads as at rest, or what there
/// is after some time.
fn released(server: &Server, at_rest: Figures) -> Result<Figures, Box<dyn Error>> {
    let started = Instant::now();
    loop {
        let now = server.figures()?;
        // Over blocking sockets, the thread that accepts is there from the first connection on at the latest.
        let released = now.descriptors <= at_rest.descriptors && now.threads <= at_rest.threads.max(2);
        if released || started.elapsed() > RELEASED_WITHIN {
            return Ok(now);
        }
        thread::sleep(Duration::from_millis(100));
    }
}

const DRIVERS: [&str; 2] = ["tokio", "blocking"];

/// Deadlines that a client without ill will keeps on a machine with too much to do, and that come often.
const FLAGS: &[&str] = &["--handshake", "5", "--wire", "10", "--idle", "10", "--max-message", "1048576"];

/// How many looks, at most.
const SAMPLES: u32 = 360;

/// Longer than any deadline.
const RELEASED_WITHIN: Duration = Duration::from_secs(20);
