//! Crowds in processes of their own, which open and speak when they are told to.

use core::net::SocketAddr;
use core::ops::Range;
use core::time::Duration;
use std::env;
use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Write, stdin};
use std::process::{ChildStdin, ChildStdout, ExitCode};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Instant;

use crate::crowd::Crowd;
use crate::process::Child;
use crate::wire::Protocol;

/// A crowd for each server, each a process: this program, started again.
#[derive(Debug)]
pub struct Crowds {
    workers: Vec<(Child, ChildStdin)>,
    /// The lines that the workers write; an error for one that has ended.
    said: Receiver<io::Result<String>>,
}

impl Crowds {
    /// Starts a process for each server, with the numbers of its connections. They connect when they are told to.
    ///
    /// It must be the main thread that calls, as with [`Child::start`].
    ///
    /// # Errors
    ///
    /// When one does not start.
    pub fn start(servers: &[(SocketAddr, Range<usize>)], core: Option<usize>) -> io::Result<Self> {
        let (tell, said) = channel();
        let worker = |(server, numbers): &(SocketAddr, Range<usize>)| {
            let words = [CROWD.into(), server.to_string(), numbers.start.to_string(), numbers.end.to_string()];
            let mut command: Vec<OsString> = vec![env::current_exe()?.into()];
            command.extend(words.map(Into::into));
            let (child, orders, lines) = Child::talk(&command, core)?;
            let tell = tell.clone();
            thread::spawn(move || hear_out(lines, &tell));
            Ok((child, orders))
        };
        let workers = servers.iter().map(worker).collect::<io::Result<_>>()?;
        let crowds = Self { workers, said };
        crowds.gather(|_| {})?;
        Ok(crowds)
    }

    /// Has all of them connect at once; answers how long it took until the last was done.
    ///
    /// # Errors
    ///
    /// As [`Crowd::open`].
    pub fn open(&mut self, opened: impl FnMut(usize)) -> io::Result<Duration> {
        self.order(OPEN, opened)
    }

    /// Has a message echoed on each connection; answers how long it took until the last was done.
    ///
    /// # Errors
    ///
    /// As [`Crowd::speak`].
    pub fn speak(&mut self, spoken: impl FnMut(usize)) -> io::Result<Duration> {
        self.order(SPEAK, spoken)
    }

    fn order(&mut self, order: &str, progress: impl FnMut(usize)) -> io::Result<Duration> {
        let started = Instant::now();
        for (_, orders) in &mut self.workers {
            writeln!(orders, "{order}")?;
        }
        self.gather(progress)?;
        Ok(started.elapsed())
    }

    /// Waits until each is done; tells how many connections are, all together.
    fn gather(&self, mut progress: impl FnMut(usize)) -> io::Result<()> {
        let (mut busy, mut count) = (self.workers.len(), 0);
        while busy > 0 {
            let line = self.said.recv().map_err(|_| ended())??;
            match line.parse::<usize>() {
                Ok(more) => {
                    count += more;
                    progress(count);
                }
                Err(_) if line == DONE => busy -= 1,
                Err(_) => return Err(io::Error::other(line)),
            }
        }
        Ok(())
    }
}

/// Hands on what a worker says, until it ends.
fn hear_out(lines: ChildStdout, tell: &Sender<io::Result<String>>) {
    for line in BufReader::new(lines).lines() {
        if tell.send(line).is_err() {
            return;
        }
    }
    // It fails when nobody waits any more.
    let _ = tell.send(Err(ended()));
}

fn ended() -> io::Error {
    io::Error::other("a process of the load generator has ended")
}

/// Becomes the crowd that [`Crowds::start`] put on the command line of this program; answers only when it is none, or ends.
///
/// It holds its connections until its standard input is at its end.
pub fn crowd_if_asked() -> Option<ExitCode> {
    let args = env::args_os().map(OsString::into_string).collect::<Result<Vec<_>, _>>().ok()?;
    let [_, crowd, server, start, end] = &args[..] else { return None };
    if crowd != CROWD {
        return None;
    }
    let (Ok(server), Ok(start), Ok(end)) = (server.parse(), start.parse(), end.parse()) else {
        eprintln!("{CROWD} ADDRESS START END");
        return Some(ExitCode::FAILURE);
    };
    let done = obey(server, start..end);
    Some(done.map_or_else(
        |error| {
            // The parent takes a line that it does not know for a failure.
            println!("{error}");
            ExitCode::FAILURE
        },
        |()| ExitCode::SUCCESS,
    ))
}

fn obey(server: SocketAddr, numbers: Range<usize>) -> io::Result<()> {
    let mut crowd = None;
    println!("{DONE}");
    for order in stdin().lines() {
        let mut before = 0;
        let say = |now: usize| {
            println!("{}", now - before);
            before = now;
        };
        match (order?.as_str(), &mut crowd) {
            (OPEN, crowd) => *crowd = Some(Crowd::open(server, Protocol::WebSocket, numbers.clone(), say)?.0),
            (SPEAK, Some(crowd)) => drop(crowd.speak(say)?),
            (order, _) => return Err(io::Error::other(format!("no such order: {order}"))),
        }
        println!("{DONE}");
    }
    Ok(())
}

/// The first argument of this program as a crowd.
const CROWD: &str = "crowd";

/// What a crowd is told.
const OPEN: &str = "open";
const SPEAK: &str = "speak";

/// What a crowd answers when it is ready, and after each order; before that come numbers of connections that are.
const DONE: &str = "done";
