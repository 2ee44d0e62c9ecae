//! Programs as child processes.

use core::net::SocketAddr;
use core::time::Duration;
use std::env;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::channel;
use std::thread::{self, JoinHandle};

use super::figures::Figures;

/// Where cargo has put an example: beside the program that runs, or the test.
///
/// # Errors
///
/// When it is not there: cargo builds examples with all the tests of a package, and not with one of them alone.
pub fn example(name: &str) -> io::Result<PathBuf> {
    let own = env::current_exe()?;
    let found = own.ancestors().skip(1).take(2).map(|folder| folder.join("examples").join(name));
    let build = format!("there is no example {name} beside {}: build the examples of its package first", own.display());
    found.into_iter().find(|path| path.is_file()).ok_or_else(|| io::Error::other(build))
}

/// A program under test. It is killed when this value is dropped.
#[derive(Debug)]
pub struct Program {
    child: Child,
    complaints: Option<JoinHandle<String>>,
}

impl Program {
    /// Starts it. What it writes to its standard output is left to the caller; on its standard error it complains.
    ///
    /// # Errors
    ///
    /// When the system does not start it.
    pub fn start(program: &Path, args: &[&str]) -> io::Result<Self> {
        let mut command = Command::new(program);
        command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let complaints = child.stderr.take().map(|mut stderr| {
            thread::spawn(move || {
                let mut text = Vec::new();
                let _ = stderr.read_to_end(&mut text);
                String::from_utf8_lossy(&text).into_owned()
            })
        });
        Ok(Self { child, complaints })
    }

    /// What it holds and has used.
    ///
    /// # Errors
    ///
    /// When it has ended.
    pub fn figures(&self) -> io::Result<Figures> {
        Figures::of(self.child.id())
    }

    /// Waits until it ends of itself.
    ///
    /// # Errors
    ///
    /// When it does not within that time.
    pub fn finish(mut self, within: Duration) -> io::Result<Finished> {
        let (tell, told) = channel();
        let stdout = self.child.stdout.take();
        thread::spawn(move || {
            let mut said = String::new();
            let read = stdout.map(|mut stdout| stdout.read_to_string(&mut said));
            tell.send(read.transpose().map(|_| said))
        });
        let said = told.recv_timeout(within).map_err(|_| ErrorKind::TimedOut)??;
        Ok(Finished { status: self.child.wait()?, said, complaints: self.complaints() })
    }

    /// Ends it, and returns what it has complained about, panics among it.
    pub fn complaints(mut self) -> String {
        self.end();
        self.complaints.take().and_then(|thread| thread.join().ok()).unwrap_or_default()
    }

    fn end(&mut self) {
        // Both fail only when it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.end();
    }
}

/// How a program has ended.
#[derive(Debug)]
pub struct Finished {
    /// Its exit status.
    pub status: ExitStatus,
    /// What it wrote to its standard output.
    pub said: String,
    /// What it wrote to its standard error, panics among it.
    pub complaints: String,
}

/// A server under test, listening.
#[derive(Debug)]
pub struct Server {
    program: Program,
    address: SocketAddr,
}

impl Server {
    /// Starts a server, and waits until it says `listening on ADDRESS`.
    ///
    /// # Errors
    ///
    /// When the system does not start it, or when it says something else first.
    pub fn start(program: &Path, args: &[&str]) -> io::Result<Self> {
        let mut program = Program::start(program, args)?;
        let mut said = String::new();
        if let Some(stdout) = program.child.stdout.as_mut() {
            BufReader::new(stdout).read_line(&mut said)?;
        }
        match said.trim_end().strip_prefix("listening on ").and_then(|address| address.parse().ok()) {
            Some(address) => Ok(Self { program, address }),
            None => Err(io::Error::other(format!("the server said {said:?}, and {:?}", program.complaints()))),
        }
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it holds and has used.
    ///
    /// # Errors
    ///
    /// When it has ended.
    pub fn figures(&self) -> io::Result<Figures> {
        self.program.figures()
    }

    /// Ends it, and returns what it has complained about, panics among it.
    #[must_use]
    pub fn complaints(self) -> String {
        self.program.complaints()
    }
}
