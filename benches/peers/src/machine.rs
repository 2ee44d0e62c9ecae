//! The machine: its cores, its limits, and its description in words.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use std::fs;
use std::io;
use std::process::Command;

use crate::proc_text::kib;

/// The cores that the two sides run on, each alone on its own.
#[derive(Clone, Copy, Debug)]
pub struct Cores {
    /// The server's.
    pub server: usize,
    /// The load generator's.
    pub load: usize,
}

impl Cores {
    /// The first two cores that this process may run on; none, if there is but one.
    ///
    /// # Errors
    ///
    /// When the system does not say.
    pub fn find() -> io::Result<Option<Self>> {
        let allowed = sched_getaffinity(None)?;
        let mut cores = (0..CpuSet::MAX_CPU).filter(|&core| allowed.is_set(core));
        Ok(cores.next().zip(cores.next()).map(|(server, load)| Self { server, load }))
    }
}

/// Binds this thread, and what it will start, to a core.
///
/// # Errors
///
/// When there is no such core, or it may not be used.
pub fn pin(core: usize) -> io::Result<()> {
    if core >= CpuSet::MAX_CPU {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut set = CpuSet::new();
    set.set(core);
    Ok(sched_setaffinity(None, &set)?)
}

/// Raises the limit of open descriptors to what is wanted, for this process and those that it starts, as far as that is
/// allowed; answers the limit that holds then.
pub fn raise_descriptors(wanted: u64) -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let (soft, hard) = (limit.current.unwrap_or(u64::MAX), limit.maximum.unwrap_or(u64::MAX));
    if wanted <= soft {
        return soft;
    }
    let to = |current, maximum| Rlimit { current: Some(current), maximum: Some(maximum) };
    // Only the administrator may raise the hard limit; anyone may raise the soft one up to it.
    if wanted > hard && setrlimit(Resource::Nofile, to(wanted, wanted)).is_ok() {
        return wanted;
    }
    let within = wanted.min(hard);
    let maximum = Rlimit { current: Some(within), maximum: limit.maximum };
    if setrlimit(Resource::Nofile, maximum).is_ok() { within } else { soft }
}

/// The memory that could be had without swapping, in bytes.
pub fn available_memory() -> Option<u64> {
    kib(&fs::read_to_string("/proc/meminfo").ok()?, "MemAvailable:")
}

/// The machine in a sentence.
pub fn describe() -> String {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let cpuinfo = read("/proc/cpuinfo");
    let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("an unnamed processor", |(_, name)| name.trim());
    let cores = cpuinfo.lines().filter(|line| line.starts_with("processor")).count();
    let memory = kib(&read("/proc/meminfo"), "MemTotal:").unwrap_or(0) >> 20;
    let kernel = read("/proc/sys/kernel/osrelease");
    format!("{cores} cores of {model}, {memory} MiB of memory, Linux {}, {}", kernel.trim(), compiler())
}

fn compiler() -> String {
    let version =
        Command::new("rustc").arg("--version").output().ok().and_then(|out| String::from_utf8(out.stdout).ok());
    version.map_or_else(|| "rustc of an unknown version".into(), |version| version.trim().into())
}
