//! Child processes that end with this one, and what the system knows about them.

use rustix::process::{Signal, getppid, set_parent_process_death_signal};
use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{ChildStdin, ChildStdout, Command, ExitCode, ExitStatus, Stdio};

use crate::machine::pin;
use crate::proc_text::kib;

/// A process that is killed when this value is dropped, and by the kernel when this process ends in any other way.
#[derive(Debug)]
pub struct Child(std::process::Child);

impl Child {
    /// Starts a command, bound to a core if one is given.
    ///
    /// It must be the main thread that calls: the kernel takes the end of the thread for the end of the process.
    ///
    /// # Errors
    ///
    /// When the system starts no process. A program that is missing is told on its standard error, and by its status.
    pub fn start(command: &[OsString], core: Option<usize>) -> io::Result<Self> {
        launch_of(command, core)?.stdin(Stdio::null()).stdout(Stdio::null()).spawn().map(Self)
    }

    /// Starts a command as [`Child::start`] does, with a pipe to its standard input and one from its standard output.
    ///
    /// # Errors
    ///
    /// As [`Child::start`].
    pub fn talk(command: &[OsString], core: Option<usize>) -> io::Result<(Self, ChildStdin, ChildStdout)> {
        let mut child = launch_of(command, core)?.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let child = Self(child);
        let (into, from) = pipes.ok_or_else(|| io::Error::other("a process without its pipes"))?;
        Ok((child, into, from))
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// How it has ended, if it has.
    ///
    /// # Errors
    ///
    /// When the system does not say.
    pub fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.0.try_wait()
    }

    /// Waits until it has ended of itself.
    ///
    /// # Errors
    ///
    /// When the system does not say.
    pub fn wait(mut self) -> io::Result<ExitStatus> {
        self.0.wait()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // Both fail only when it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn launch_of(command: &[OsString], core: Option<usize>) -> io::Result<Command> {
    let mut launch = Command::new(env::current_exe()?);
    launch.args(launcher(core, Some(std::process::id()))).args(command);
    Ok(launch)
}

/// What makes this program, before a command, a process that ends with its parent and then becomes that command.
///
/// Pinning, and dying with the parent, is asked for between fork and exec. Without `unsafe` that takes a program.
pub(crate) fn launcher(core: Option<usize>, parent: Option<u32>) -> [String; 3] {
    [
        LAUNCH.into(),
        core.map_or_else(|| ANY.into(), |core| core.to_string()),
        parent.map_or_else(|| ANY.into(), |pid| pid.to_string()),
    ]
}

/// Becomes the command that [`Child::start`] put on the command line of this program; answers only when it is none, or fails.
///
/// To be called first in `main`.
pub fn launch_if_asked() -> Option<ExitCode> {
    let mut args = env::args_os().skip(1);
    if args.next()? != LAUNCH {
        return None;
    }
    let error = launch(args).err()?;
    eprintln!("{error}");
    Some(ExitCode::FAILURE)
}

fn launch(mut args: impl Iterator<Item = OsString>) -> crate::Result<()> {
    let mut number = || args.next().and_then(|arg| arg.into_string().ok()).ok_or("launch CORE PARENT COMMAND");
    let (core, parent) = (number()?, number()?);
    if core != ANY {
        pin(core.parse()?)?;
    }
    set_parent_process_death_signal(Some(Signal::KILL))?;
    // It may have ended before it could be heard of.
    if parent != ANY && getppid().map(|pid| pid.to_string()) != Some(parent) {
        return Err("the harness has ended".into());
    }
    let program = args.next().ok_or("launch CORE PARENT COMMAND")?;
    let error = Command::new(&program).args(args).exec();
    Err(format!("cannot run {}: {error}", program.display()).into())
}

/// The resident memory of a process, in bytes: without the kernel's buffers.
///
/// # Errors
///
/// When there is no such process.
pub fn resident(pid: u32) -> io::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    kib(&status, "VmRSS:").ok_or_else(|| io::Error::other("no VmRSS in /proc/PID/status"))
}

/// How long the threads of a process have been on a core, in nanoseconds; 0 where the kernel keeps no count.
pub fn cpu_time(pid: u32) -> u64 {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else { return 0 };
    let stats = threads.flatten().filter_map(|thread| fs::read_to_string(thread.path().join("schedstat")).ok());
    stats.filter_map(|stat| stat.split_whitespace().next()?.parse::<u64>().ok()).sum()
}

/// The first argument of a program that is to become another.
const LAUNCH: &str = "launch";

const ANY: &str = "any";
