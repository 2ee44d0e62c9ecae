//! What all who take part in a case share: the plan, what was sent and received, who waits for what, and what went wrong.

use crate::draw::PATIENCE;
use crate::ledger::{Ledger, Outcome};
use crate::payload::{self, Name};
use crate::plan::{Ending, Plan, Shape};
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;
use tokio::sync::Notify;
use ws_conn::{Closed, Error, Fault, Opcode, Wait};

#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) plan: Plan,
    /// By the end that sends.
    pub(crate) ledgers: [Ledger; 2],
    /// By the end that listens: the last message of the other one has come.
    pub(crate) byes: [Signal; 2],
    /// By the end whose owner has done all that it was to do.
    pub(crate) acted: [Signal; 2],
    /// Which ends have closed in order.
    pub(crate) clean: [AtomicBool; 2],
    pub(crate) meter: Meter,
    /// To be joined when all is over.
    pub(crate) threads: Mutex<Vec<JoinHandle<()>>>,
    waits: Mutex<BTreeMap<u64, (String, Instant)>>,
    failures: Mutex<Vec<String>>,
}

/// What is counted, of all ends together.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    /// Calls begun, and polls of their futures.
    pub(crate) calls: AtomicU64,
    pub(crate) polls: AtomicU64,
    /// Wake-ups that the futures have got.
    pub(crate) wakes: AtomicU64,
    pub(crate) dropped: AtomicU64,
    pub(crate) moved: AtomicU64,
    pub(crate) panics: AtomicU64,
}

/// Something that happens once, or never will.
#[derive(Debug, Default)]
pub(crate) struct Signal {
    given: Mutex<bool>,
    changed: Condvar,
    notify: Notify,
}

/// Somebody waits, until this is dropped.
pub(crate) struct Waiting<'t> {
    table: &'t Table,
    key: u64,
}

impl Table {
    pub(crate) fn new(plan: Plan) -> Self {
        Self {
            plan,
            ledgers: Default::default(),
            byes: Default::default(),
            acted: Default::default(),
            clean: Default::default(),
            meter: Meter::default(),
            threads: Mutex::default(),
            waits: Mutex::default(),
            failures: Mutex::default(),
        }
    }

    /// A new message of a sender, and its opcode and payload.
    pub(crate) fn compose(&self, end: usize, sender: u8, len: usize, text: bool) -> (Name, Opcode, Vec<u8>) {
        let is_empty = len < payload::HEADER;
        let name = Name { end: end as u8, sender, number: self.ledgers[end].begin(sender, is_empty) };
        (name, if text { Opcode::TEXT } else { Opcode::BINARY }, payload::build(name, len))
    }

    /// What became of a call that sends a message; `None` if it was dropped. Returns whether the sender goes on.
    pub(crate) fn sent(&self, name: Name, flushes: bool, result: Option<Result<(), Error>>) -> bool {
        let ledger = &self.ledgers[usize::from(name.end)];
        match result {
            None => true,
            Some(Ok(())) => {
                ledger.settle(name, if flushes { Outcome::Sent } else { Outcome::Fed });
                if flushes {
                    ledger.flushed(name.sender);
                }
                true
            }
            Some(Err(error)) => {
                let turn = matches!(error, Error::Fault(Fault::Timeout(Wait::Turn)));
                if turn {
                    ledger.settle(name, Outcome::Not);
                }
                self.met(&format!("{name:?}"), &error);
                turn
            }
        }
    }

    /// A whole message has come to an end.
    pub(crate) fn heard(&self, end: usize, message: &[u8]) {
        match payload::read(message) {
            Ok(name) => self.heard_name(end, name),
            Err(why) => self.fail(format!("end {end} has received something else: {why}")),
        }
    }

    pub(crate) fn heard_name(&self, end: usize, name: Option<Name>) {
        if let Some(name) = name.filter(|name| usize::from(name.end) == end) {
            self.fail(format!("end {end} has received its own {name:?}"));
        }
        self.ledgers[1 - end].heard(name);
        if name.is_some_and(|name| name.sender == payload::BYE) {
            self.byes[end].set();
        }
    }

    /// A call has failed: that needs a reason.
    pub(crate) fn met(&self, who: &str, error: &Error) {
        let legal = match error {
            Error::Fault(Fault::Timeout(Wait::Turn)) => {
                self.plan.shape == Shape::Turns || self.plan.ending == Ending::Panics
            }
            Error::Fault(Fault::Timeout(_)) => self.plan.ending == Ending::Panics,
            Error::Fault(Fault::Closed(_)) | Error::Io(_) => !self.plan.is_calm(),
            _ => false,
        };
        if !legal {
            self.fail(format!("{who} has failed without a reason: {error}"));
        }
    }

    /// A connection is over, and says how.
    pub(crate) fn over(&self, end: usize, error: Option<&Error>, closed: Option<Closed>, clean: bool) {
        if let Some(error) = error
            && error.closed().is_none()
        {
            self.met(&format!("the receiver of end {end}"), error);
        }
        match closed {
            None => self.fail(format!("end {end} is over, and has no status")),
            Some(closed) if self.plan.is_calm() && !(clean && closed.0.get() == 1000) => {
                self.fail(format!("end {end} was closed with {closed}, clean: {clean}, without a reason"));
            }
            Some(_) => self.clean[end].store(clean, Ordering::Relaxed),
        }
        self.leave(end);
    }

    /// Nobody has to wait for this end any more.
    pub(crate) fn leave(&self, end: usize) {
        self.byes[end].set();
        self.acted[end].set();
    }

    pub(crate) fn fail(&self, why: String) {
        lock(&self.failures).push(why);
    }

    pub(crate) fn failures(&self) -> Vec<String> {
        lock(&self.failures).clone()
    }

    /// Notes who waits, for the case that it waits for ever.
    pub(crate) fn wait(&self, what: String) -> Waiting<'_> {
        let key = self.meter.calls.fetch_add(1, Ordering::Relaxed);
        lock(&self.waits).insert(key, (what, Instant::now()));
        Waiting { table: self, key }
    }

    /// Who waits, and since when.
    pub(crate) fn waiting(&self) -> Vec<String> {
        lock(&self.waits).values().map(|(what, since)| format!("{what}, for {:.1?}", since.elapsed())).collect()
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let Some((what, since)) = lock(&self.table.waits).remove(&self.key) else { return };
        let took = since.elapsed();
        if self.table.plan.is_calm() && took > PATIENCE / 2 {
            // Not because there was so much to do.
            self.table.fail(format!("{what} took {took:.1?}"));
        }
    }
}

impl Signal {
    pub(crate) fn set(&self) {
        *lock(&self.given) = true;
        self.changed.notify_all();
        self.notify.notify_one();
    }

    pub(crate) fn is_set(&self) -> bool {
        *lock(&self.given)
    }

    /// Waits for it, on a thread.
    pub(crate) fn wait(&self) {
        let given = lock(&self.given);
        drop(self.changed.wait_while(given, |given| !*given));
    }

    /// Waits for it, in a task; one at a time does.
    pub(crate) async fn given(&self) {
        while !self.is_set() {
            self.notify.notified().await;
        }
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
