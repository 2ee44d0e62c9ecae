//! What is done, while it goes on.

use std::io::{IsTerminal, Write, stderr};
use std::time::Instant;

/// A line on standard error for each step; on a terminal one line for all of them.
#[derive(Debug)]
pub struct Progress {
    steps: usize,
    done: usize,
    started: Instant,
    terminal: bool,
}

impl Progress {
    /// For work of so many steps.
    pub fn new(steps: usize) -> Self {
        Self { steps, done: 0, started: Instant::now(), terminal: stderr().is_terminal() }
    }

    /// Says that a step is done, and about how long the rest will take.
    pub fn step(&mut self, text: &str) {
        self.done += 1;
        let rest = self.started.elapsed() / self.done.try_into().unwrap_or(u32::MAX);
        let rest = rest.as_secs_f64() * self.steps.saturating_sub(self.done) as f64;
        let (minutes, seconds) = (rest as u64 / 60, rest as u64 % 60);
        self.say(&format!("[{}/{}, {minutes}:{seconds:02} left] {text}", self.done, self.steps));
    }

    fn say(&self, text: &str) {
        let (before, after) = if self.terminal { ("\r\x1b[K", "") } else { ("", "\n") };
        // Without a standard error nobody is there to be told.
        let _ = write!(stderr(), "{before}{text}{after}").and_then(|()| stderr().flush());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.terminal {
            eprintln!();
        }
    }
}
