//! Clients that come again and again, each kind in threads of its own.

use core::net::SocketAddr;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::Scope;

use crate::visit::Visit;
use crate::{abusive, ordinary};

/// All that is done to a server.
pub(crate) struct Load {
    address: SocketAddr,
    kinds: Vec<Kind>,
    stop: AtomicBool,
    /// The first things that were not to be expected.
    surprises: Mutex<Vec<String>>,
}

/// A kind of client.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    visit: Visit,
    /// How many of them there are at a time.
    threads: u64,
    pub(crate) rounds: AtomicU64,
    pub(crate) errors: AtomicU64,
}

impl Load {
    pub(crate) fn new(address: SocketAddr) -> Self {
        let kind = |&(name, threads, visit): &(&'static str, u64, Visit)| {
            let (rounds, errors) = (AtomicU64::new(0), AtomicU64::new(0));
            Kind { name, visit, threads, rounds, errors }
        };
        let kinds = ordinary::KINDS.iter().chain(abusive::KINDS).map(kind).collect();
        Self { address, kinds, stop: AtomicBool::new(false), surprises: Mutex::default() }
    }

    pub(crate) fn start<'scope>(&'scope self, scope: &'scope Scope<'scope, '_>) {
        for kind in &self.kinds {
            for thread in 0..kind.threads {
                scope.spawn(move || self.come_again_and_again(kind, thread << 32));
            }
        }
    }

    fn come_again_and_again(&self, kind: &Kind, first: u64) {
        for visit in first.. {
            if self.stop.load(Ordering::Relaxed) {
                return;
            }
            if let Err(error) = (kind.visit)(self.address, visit) {
                kind.errors.fetch_add(1, Ordering::Relaxed);
                let mut surprises = self.surprises.lock().unwrap_or_else(PoisonError::into_inner);
                if surprises.len() < MOST_SURPRISES {
                    surprises.push(format!("{}: {error}", kind.name));
                }
            }
            kind.rounds.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Lets each client end its visit, and no more come.
    pub(crate) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// All visits, and those of them that met a surprise.
    pub(crate) fn totals(&self) -> (u64, u64) {
        let sum = |of: fn(&Kind) -> &AtomicU64| self.kinds.iter().map(|kind| of(kind).load(Ordering::Relaxed)).sum();
        (sum(|kind| &kind.rounds), sum(|kind| &kind.errors))
    }

    pub(crate) fn kinds(&self) -> &[Kind] {
        &self.kinds
    }

    pub(crate) fn surprises(&self) -> Vec<String> {
        self.surprises.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

const MOST_SURPRISES: usize = 20;
