//! What the system says about a process.

use core::time::Duration;
use std::fs;
use std::io;

/// What a process holds, and what it has used.
#[derive(Clone, Copy, Debug)]
pub struct Figures {
    /// Resident memory, in bytes. The kernel's socket buffers are no part of it.
    pub resident: u64,
    /// The most that this has ever been.
    pub peak: u64,
    /// How many descriptors are open.
    pub descriptors: usize,
    /// How many threads there are.
    pub threads: usize,
    /// Time on a core, of all threads, those that have ended included; in steps of 10 milliseconds.
    pub cpu: Duration,
}

impl Figures {
    /// Asks the system.
    ///
    /// # Errors
    ///
    /// When there is no such process, or no `/proc` as Linux has it.
    pub fn of(pid: u32) -> io::Result<Self> {
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        let figures = || {
            Some(Self {
                resident: field(&status, "VmRSS:")? * KIB,
                peak: field(&status, "VmHWM:")? * KIB,
                descriptors: 0,
                threads: usize::try_from(field(&status, "Threads:")?).ok()?,
                cpu: cpu(&stat)?,
            })
        };
        let figures = figures().ok_or_else(|| io::Error::other(format!("process {pid} has ended: {status}")))?;
        Ok(Self { descriptors: fs::read_dir(format!("/proc/{pid}/fd"))?.count(), ..figures })
    }
}

/// The number in a line of `/proc/PID/status`.
fn field(status: &str, name: &str) -> Option<u64> {
    status.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
}

/// The user's and the system's time in `/proc/PID/stat`: fields 14 and 15. The second one, in parentheses, is a name.
fn cpu(stat: &str) -> Option<Duration> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    Some(Duration::from_millis((ticks()? + ticks()?) * MILLIS_PER_TICK))
}

const KIB: u64 = 1024;

/// Linux tells programs of 100 ticks a second, whatever it counts itself.
const MILLIS_PER_TICK: u64 = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_times_are_found_behind_any_name() {
        let stat = "7 (a) b) (c) S 1 7 7 0 -1 4194560 100 0 0 0 12 34 5 6 20 0 1 0 100 0";
        assert_eq!(cpu(stat), Some(Duration::from_millis(460)));
        assert_eq!(cpu("7 (a) S 1"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_holds_something() {
        let before = Figures::of(std::process::id()).unwrap();
        let _file = fs::File::open("/proc/self/status").unwrap();
        assert!(before.resident > 0 && before.peak >= before.resident && before.threads > 0);
        assert!(before.descriptors >= 3, "{before:?}");
    }
}
