//! How many system calls a server makes for each message, counted by strace.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::load::Generator;
use crate::machine::Cores;
use crate::progress::Progress;
use crate::scenario::Load;
use crate::servers::Server;

/// What came of one server.
#[derive(Debug)]
pub struct Row {
    /// The name of the server.
    pub name: String,
    /// The calls for each message, by name, the most frequent first; or why there are none.
    pub outcome: Result<Vec<(String, f64)>, String>,
}

impl Row {
    /// All calls for each message.
    pub fn total(&self) -> Option<f64> {
        Some(total(self.outcome.as_ref().ok()?))
    }
}

fn total(calls: &[(String, f64)]) -> f64 {
    calls.iter().map(|call| call.1).sum()
}

/// Why it cannot be done, if it cannot.
pub fn missing() -> Option<String> {
    let strace = Command::new("strace").args(["-c", "-o", "/dev/null", "true"]).stderr(Stdio::piped()).output();
    match strace {
        Ok(output) if output.status.success() => None,
        Ok(output) => Some(String::from_utf8_lossy(&output.stderr).lines().next().unwrap_or("strace fails").into()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Some("strace is not installed".into()),
        Err(error) => Some(format!("strace: {error}")),
    }
}

/// Counts for all servers.
pub fn run(servers: &[Server], load: Load, cores: Option<Cores>, progress: &mut Progress) -> Vec<Row> {
    let row = |server: &Server| {
        let outcome = count(server, load, cores).map_err(|error| error.to_string());
        progress.step(&match &outcome {
            Ok(calls) => {
                format!("system calls, {load}: {}, {:.2}", server.name, total(calls))
            }
            Err(error) => format!("system calls, {load}: {} FAILED: {error}", server.name),
        });
        Row { name: server.name.clone(), outcome }
    };
    servers.iter().map(row).collect()
}

/// The difference between many messages and few: what a server does at its start, and for each connection, cancels out.
fn count(server: &Server, load: Load, cores: Option<Cores>) -> crate::Result<Vec<(String, f64)>> {
    let few = (load.conns * load.depth) as u64;
    let (few, calls_of_few) = traced(server, load, few, cores)?;
    let (many, calls_of_many) = traced(server, load, few + MESSAGES, cores)?;
    let calls = calls_of_many.into_iter().map(|(name, many_calls)| {
        let few_calls = calls_of_few.iter().find(|(few, _)| *few == name).map_or(0, |call| call.1);
        (name, many_calls.saturating_sub(few_calls) as f64 / (many - few) as f64)
    });
    // What is left are calls that have nothing to do with messages, such as those of a timer.
    let mut calls: Vec<_> = calls.filter(|call| call.1 >= 0.005).collect();
    calls.sort_by(|a, b| b.1.total_cmp(&a.1));
    Ok(calls)
}

/// Has messages echoed by a server that is traced; answers how many, and its calls.
fn traced(
    server: &Server,
    load: Load,
    messages: u64,
    cores: Option<Cores>,
) -> crate::Result<(u64, Vec<(String, u64)>)> {
    let summary = Summary::new();
    let mut strace = ["strace", "-f", "-c", "-qq", "-o"].map(OsString::from).to_vec();
    strace.push(summary.0.clone().into());
    let running = server.start(&strace, cores.map(|cores| cores.server))?;
    let generator = Generator::new(running.address, server.protocol, load, cores.is_some())?;
    let messages = generator.count(messages)?;

    // strace writes its summary when the server has ended.
    let strace = running.child.id();
    let children = fs::read_to_string(format!("/proc/{strace}/task/{strace}/children"))?;
    let child = children.split_whitespace().next().and_then(|pid| pid.parse().ok()).and_then(Pid::from_raw);
    kill_process(child.ok_or("strace has no child")?, Signal::KILL)?;
    running.child.wait()?;
    Ok((messages, parse(&fs::read_to_string(&summary.0)?)))
}

/// Reads lines such as ` 45.12    0.012345           6      2000       123 recvfrom`: the errors may be missing.
fn parse(summary: &str) -> Vec<(String, u64)> {
    let call = |line: &str| {
        let words: Vec<_> = line.split_whitespace().collect();
        let [share, _, _, calls, .., name] = &words[..] else { return None };
        share.parse::<f64>().ok()?;
        (*name != "total").then_some(((*name).into(), calls.parse().ok()?))
    };
    summary.lines().filter_map(call).collect()
}

/// A file that is gone when this is.
struct Summary(PathBuf);

impl Summary {
    fn new() -> Self {
        Self(std::env::temp_dir().join(format!("ws-peers-{}.strace", std::process::id())))
    }
}

impl Drop for Summary {
    fn drop(&mut self) {
        let _ = fs::remove_file(Path::new(&self.0));
    }
}

/// How many messages are counted.
const MESSAGES: u64 = 3200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_is_read_with_and_without_errors() {
        let summary = "\
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 60.10    0.024600          12      2001           recvfrom
 39.90    0.016300           8      2000         1 sendto
------ ----------- ----------- --------- --------- ----------------
100.00    0.040900          10      4001         1 total
";
        assert_eq!(parse(summary), [("recvfrom".into(), 2001), ("sendto".into(), 2000)]);
    }
}
