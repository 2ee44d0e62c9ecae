//! What is written down of each end, by whoever works with it; what holds for a single call is checked here.

use crate::link::Link;
use crate::parts::Parts;
use crate::plan::{Do, End, Plan, Said};
use crate::said::Print;
use core::fmt::Debug;
use core::time::Duration;
use std::io::ErrorKind;
use std::sync::{Arc, Mutex, MutexGuard};
use ws_conn::{Closed, Error, Fault, Misuse};

/// One end as its actors see it. Clones are the same one.
#[derive(Clone)]
pub(crate) struct Book {
    pub(crate) plan: Arc<Plan>,
    pub(crate) link: Link,
    pub(crate) end: usize,
    pub(crate) prints: bool,
    log: Arc<Mutex<Log>>,
}

/// What has happened at one end.
#[derive(Debug, Default)]
pub(crate) struct Log {
    pub(crate) tried: Vec<(Said, Outcome)>,
    /// Those that are sent when something later is.
    fed: Vec<usize>,
    pub(crate) heard: Vec<Heard>,
    pub(crate) status: Option<u16>,
    pub(crate) clean: bool,
    /// What ended the receiving. Nothing if the connection was dropped, or closed without a look at what came.
    pub(crate) over: Option<Fault>,
    pub(crate) aborted: bool,
    /// A message may have met a buffer that was too small for it.
    small: bool,
    pub(crate) calls: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The wire has it.
    Sent,
    /// The wire has it if it has anything later.
    Fed,
    /// It was given up, or the connection ended.
    Open,
    /// The wire has it not.
    Not,
}

/// A message that was received, or what came of it before it was given up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heard {
    pub(crate) print: Print,
    pub(crate) whole: bool,
}

/// A call in progress.
pub(crate) struct Call {
    act: Do,
    tried: usize,
    fed: usize,
}

impl Book {
    pub(crate) fn new(plan: &Arc<Plan>, link: &Link, end: usize, prints: bool) -> Self {
        Self { plan: Arc::clone(plan), link: link.clone(), end, prints, log: Arc::default() }
    }

    pub(crate) fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap()
    }

    pub(crate) fn of(&self) -> &End {
        &self.plan.ends[self.end]
    }

    pub(crate) fn say(&self, what: impl FnOnce() -> String) {
        if self.prints {
            let now = self.link.time.now();
            println!("{:>10.3} s  {:?} {}", now.as_secs_f64(), self.of().role, what());
        }
    }

    /// Something is about to be sent.
    pub(crate) fn begin(&self, actor: usize, act: &Do) -> Call {
        let mut log = self.log();
        log.calls += 1;
        let (tried, fed) = (log.tried.len(), log.fed.len());
        if let Do::Send(said) | Do::Feed(said) | Do::Stream(said, _) | Do::HalfStream(said) = act {
            log.tried.push((*said, Outcome::Open));
        }
        drop(log);
        self.say(|| format!("{actor}: {act:?} ..."));
        Call { act: act.clone(), tried, fed }
    }

    /// It was sent, or it failed, or (`None`) it was dropped.
    pub(crate) fn done(&self, actor: usize, call: &Call, result: Option<&Result<(), Error>>) {
        self.say(|| format!("{actor}: {:?} -> {result:?}", call.act));
        let mut log = self.log();
        match (&call.act, result) {
            (Do::HalfStream(_), _) | (_, Some(Err(Error::Fault(Fault::Timeout(ws_conn::Wait::Turn))))) => {
                log.tried[call.tried..].iter_mut().take(1).for_each(|(_, outcome)| *outcome = Outcome::Not);
            }
            (Do::Feed(_), Some(Ok(()))) => {
                log.tried[call.tried].1 = Outcome::Fed;
                log.fed.push(call.tried);
            }
            (Do::Send(_) | Do::Stream(..), Some(Ok(()))) => {
                log.tried[call.tried].1 = Outcome::Sent;
                log.flushed(call.fed);
            }
            (Do::Flush, Some(Ok(()))) => log.flushed(call.fed),
            _ => {}
        }
        drop(log);
        if let Some(Err(error)) = result {
            self.check(error);
        }
    }

    /// Something was received, if only in part.
    pub(crate) fn heard(&self, print: Print, whole: bool) {
        self.say(|| format!("0: heard {print:?}{}", if whole { "" } else { ", in part" }));
        self.log().heard.push(Heard { print, whole });
    }

    /// The next message may not fit.
    pub(crate) fn small(&self) {
        self.log().small = true;
    }

    /// Every message has a status at its end, and the first stays.
    pub(crate) fn status(&self, closed: Option<Closed>) {
        let closed = closed.map(|closed| closed.0.get());
        let mut log = self.log();
        assert!(log.status.is_none() || log.status == closed, "the status was {:?} and is {closed:?}", log.status);
        log.status = closed;
    }

    /// A call took no longer than it may.
    pub(crate) fn took(&self, what: impl Debug, since: Duration, most: Duration) {
        let took = self.link.time.now() - since;
        assert!(took <= most + ROUNDING, "{what:?} took {took:?}, and may take {most:?}");
    }

    /// A call that receives has failed. Answers whether the connection is over.
    pub(crate) fn failed(&self, error: &Error, parts: &mut Parts) -> bool {
        self.say(|| format!("0: -> {error}"));
        self.check(error);
        let fault = match error {
            Error::Fault(fault) if !fault.is_fatal() => return false,
            Error::Fault(fault) => Some(*fault),
            _ => None,
        };
        if let Some(print) = parts.rest() {
            self.heard(print, false);
        }
        self.log().over = fault;
        true
    }

    /// What may go wrong where nobody breaks the protocol.
    pub(crate) fn check(&self, error: &Error) {
        let log = self.log();
        match error {
            Error::Fault(fault) => {
                let legal = match fault {
                    Fault::Closed(_) | Fault::Timeout(_) => true,
                    Fault::Overflow => log.small,
                    Fault::Misuse(misuse) => *misuse == Misuse::HalfReceived,
                    _ => false,
                };
                assert!(legal, "{fault}: nobody gave a reason");
                let status = log.status.filter(|_| fault.is_fatal());
                assert!(status.is_none_or(|status| status == fault.code().get()), "{fault}, but {status:?}");
            }
            Error::Io(error) => {
                let broken = self.link.is_broken();
                let legal = match error.kind() {
                    ErrorKind::ConnectionReset => broken,
                    ErrorKind::BrokenPipe => broken || self.link.is_closed(self.end),
                    _ => false,
                };
                assert!(legal, "{error}: nobody gave a reason");
            }
            other => panic!("a new kind of error: {other}"),
        }
    }
}

impl Log {
    /// What was fed before is sent.
    fn flushed(&mut self, fed: usize) {
        for at in &self.fed[..fed] {
            self.tried[*at].1 = Outcome::Sent;
        }
    }
}

/// The runtime's clock ticks in milliseconds, and a call may have several timers.
const ROUNDING: Duration = Duration::from_millis(5);
