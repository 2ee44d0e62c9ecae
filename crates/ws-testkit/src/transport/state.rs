//! What has happened on a scripted transport, and what happens next.

use core::time::Duration;
use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::net::Shutdown;

use super::script::{FailAt, Fault, Script, Step};
use crate::clock::Clock;

/// The kinds of operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// A read.
    Read,
    /// A write, gathered or not.
    Write,
    /// A flush.
    Flush,
    /// A shutdown of these directions.
    Shutdown(Shutdown),
}

/// One operation and what came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// What was done.
    pub op: Op,
    /// The bytes read or written (0 for the others), or the error.
    pub result: Result<usize, ErrorKind>,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) steps: VecDeque<Step>,
    pub(super) room: usize,
    pub(super) clock: Clock,
    pub(super) written: Vec<u8>,
    pub(super) calls: Vec<Call>,
    pub(super) read_shut: bool,
    pub(super) write_shut: bool,
    pub(super) met_the_failure: bool,
    pub(super) ran_dry: bool,
    read_limit: usize,
    write_limit: usize,
    write_takes: Duration,
    /// When the write began that is not done yet.
    write_began: Option<Duration>,
    fail_at: Option<FailAt>,
    reset: bool,
}

impl State {
    pub(super) fn new(script: Script) -> Self {
        Self {
            steps: script.steps.into(),
            room: script.room,
            clock: script.clock,
            written: Vec::new(),
            calls: Vec::new(),
            read_shut: false,
            write_shut: false,
            met_the_failure: false,
            ran_dry: false,
            read_limit: script.read_limit,
            write_limit: script.write_limit,
            write_takes: script.write_takes,
            write_began: None,
            fail_at: script.fail_at,
            reset: false,
        }
    }

    pub(super) fn read(&mut self, buf: &mut [u8], patience: Option<Duration>) -> io::Result<usize> {
        let (fault, patience) = (self.fault(), finite(patience));
        let result = self.interfere(fault, patience).and_then(|limit| {
            let limit = limit.min(self.read_limit);
            self.read_steps(buf.get_mut(..limit.min(buf.len())).unwrap_or_default(), patience)
        });
        self.record(Op::Read, result)
    }

    pub(super) fn write(&mut self, bytes: &[u8], patience: Option<Duration>) -> io::Result<usize> {
        let (fault, patience) = (self.fault(), finite(patience));
        let result = self.interfere(fault, patience).and_then(|limit| {
            if self.write_shut {
                return Err(ErrorKind::BrokenPipe.into());
            }
            if bytes.is_empty() {
                return Ok(0);
            }
            if self.room == 0 {
                return Err(self.block_for_ever(patience));
            }
            self.wait_to_write(patience)?;
            let len = bytes.len().min(limit).min(self.write_limit).min(self.room);
            self.written.extend(bytes.iter().take(len));
            self.room -= len;
            Ok(len)
        });
        self.record(Op::Write, result)
    }

    pub(super) fn flush(&mut self, patience: Option<Duration>) -> io::Result<()> {
        let (fault, patience) = (self.fault(), finite(patience));
        let result = self.interfere(fault, patience).map(|_| 0);
        self.record(Op::Flush, result).map(|_| ())
    }

    pub(super) fn shutdown(&mut self, how: Shutdown) -> io::Result<()> {
        let fault = self.fault();
        // A socket that was reset can still be shut down; on some systems that says `NotConnected`, which proves nothing.
        let result = match fault {
            None if self.reset => Ok(0),
            fault => self.interfere(fault, None).map(|_| 0),
        };
        if result.is_ok() {
            self.read_shut |= how != Shutdown::Write;
            self.write_shut |= how != Shutdown::Read;
        }
        self.record(Op::Shutdown(how), result).map(|_| ())
    }

    pub(super) fn count(&self, of: impl Fn(Op) -> bool) -> usize {
        self.calls.iter().filter(|call| of(call.op)).count()
    }

    fn read_steps(&mut self, buf: &mut [u8], mut patience: Option<Duration>) -> io::Result<usize> {
        loop {
            if self.read_shut || buf.is_empty() {
                return Ok(0);
            }
            match self.steps.pop_front() {
                None => return Err(self.block_for_ever(patience)),
                Some(Step::Eof) => {
                    self.steps.push_front(Step::Eof);
                    return Ok(0);
                }
                Some(Step::Bytes(mut bytes)) => {
                    let rest = bytes.split_off(bytes.len().min(buf.len()));
                    for (to, from) in buf.iter_mut().zip(&bytes) {
                        *to = *from;
                    }
                    if !rest.is_empty() {
                        self.steps.push_front(Step::Bytes(rest));
                    }
                    // No bytes at all would read as the end of the stream.
                    if !bytes.is_empty() {
                        return Ok(bytes.len());
                    }
                }
                Some(Step::Wait(wait)) => match patience {
                    Some(patience) if patience < wait => {
                        self.steps.push_front(Step::Wait(wait - patience));
                        return Err(self.time_out(Some(patience)));
                    }
                    _ => {
                        self.clock.advance(wait);
                        patience = patience.map(|patience| patience - wait);
                    }
                },
                Some(Step::Interrupted) => return Err(ErrorKind::Interrupted.into()),
                Some(Step::WouldBlock) => return Err(ErrorKind::WouldBlock.into()),
                Some(Step::TimedOut) => return Err(self.time_out(patience)),
                Some(Step::Error(kind)) => return Err(kind.into()),
            }
        }
    }

    /// Each write takes its time once, over as many impatient calls as it needs, and while others are made.
    fn wait_to_write(&mut self, patience: Option<Duration>) -> io::Result<()> {
        let now = self.clock.now();
        let began = *self.write_began.get_or_insert(now);
        let wait = self.write_takes.saturating_sub(now.saturating_sub(began));
        if patience.is_some_and(|patience| patience < wait) {
            return Err(self.time_out(patience));
        }
        self.write_began = None;
        self.clock.advance(wait);
        Ok(())
    }

    /// The fault meant for the operation that begins now.
    fn fault(&mut self) -> Option<Fault> {
        let fault = self.fail_at.filter(|fail_at| fail_at.op == self.calls.len()).map(|fail_at| fail_at.how);
        self.met_the_failure |= fault.is_some();
        fault
    }

    /// Fails as the fault says, or says how many bytes it leaves to the operation.
    fn interfere(&mut self, fault: Option<Fault>, patience: Option<Duration>) -> io::Result<usize> {
        self.reset |= fault == Some(Fault::Reset);
        if self.reset {
            return Err(ErrorKind::ConnectionReset.into());
        }
        match fault {
            None | Some(Fault::Reset) => Ok(usize::MAX),
            Some(Fault::Short) => Ok(1),
            Some(Fault::Error(kind)) => Err(kind.into()),
            Some(Fault::Interrupted) => Err(ErrorKind::Interrupted.into()),
            Some(Fault::TimedOut) => Err(self.time_out(patience)),
        }
    }

    fn block_for_ever(&mut self, patience: Option<Duration>) -> io::Error {
        if patience.is_some() {
            return self.time_out(patience);
        }
        self.ran_dry = true;
        io::Error::other("the script has nothing more: a real transport would block for ever")
    }

    fn time_out(&mut self, patience: Option<Duration>) -> io::Error {
        self.clock.advance(patience.unwrap_or_default());
        ErrorKind::TimedOut.into()
    }

    fn record(&mut self, op: Op, result: io::Result<usize>) -> io::Result<usize> {
        let outcome = result.as_ref().copied().map_err(io::Error::kind);
        self.calls.push(Call { op, result: outcome });
        result
    }
}

/// Patience that outlasts everyone is none at all: code that has no `Option` says "for ever" by a large number.
fn finite(patience: Option<Duration>) -> Option<Duration> {
    patience.filter(|&patience| patience < FOR_EVER)
}

/// A hundred years.
const FOR_EVER: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);
