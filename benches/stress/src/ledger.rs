//! What one end has sent and what the other has received.

use crate::payload::Name;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// One direction of a connection, as the programs at its ends see it.
#[derive(Debug, Default)]
pub(crate) struct Ledger(Mutex<Book>);

#[derive(Clone, Debug, Default)]
pub(crate) struct Book {
    tried: BTreeMap<u8, Vec<Tried>>,
    /// In the order in which they came; `None` is an empty message.
    pub(crate) heard: Vec<Option<Name>>,
}

#[derive(Clone, Copy, Debug)]
struct Tried {
    outcome: Outcome,
    is_empty: bool,
}

/// What is known of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Its call was dropped or has failed: it may arrive.
    Open,
    /// It waits in the queue, to be sent whole.
    Fed,
    /// Its call has succeeded.
    Sent,
    /// Nothing of it was sent.
    Not,
}

impl Ledger {
    /// A sender is about to send a message: returns its number.
    pub(crate) fn begin(&self, sender: u8, is_empty: bool) -> u32 {
        let mut book = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let tried = book.tried.entry(sender).or_default();
        tried.push(Tried { outcome: Outcome::Open, is_empty });
        tried.len() as u32 - 1
    }

    pub(crate) fn settle(&self, name: Name, outcome: Outcome) {
        self.with(|book| {
            if let Some(tried) = book.tried.get_mut(&name.sender).and_then(|all| all.get_mut(name.number as usize)) {
                tried.outcome = outcome;
            }
        });
    }

    /// A flush of the sender has succeeded: what it had fed before is sent.
    pub(crate) fn flushed(&self, sender: u8) {
        self.with(|book| {
            let fed = book.tried.get_mut(&sender).into_iter().flatten().filter(|tried| tried.outcome == Outcome::Fed);
            fed.for_each(|tried| tried.outcome = Outcome::Sent);
        });
    }

    pub(crate) fn heard(&self, name: Option<Name>) {
        self.with(|book| book.heard.push(name));
    }

    /// What is in it.
    pub(crate) fn book(&self) -> Book {
        self.with(|book| book.clone())
    }

    fn with<T>(&self, act: impl FnOnce(&mut Book) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Book {
    /// What was received was sent: each message at most once, each sender's in their order, none that was refused. With
    /// `all`, every message whose call has succeeded was received.
    pub(crate) fn check(&self, all: bool) -> Result<(), String> {
        let mut next: BTreeMap<u8, u32> = BTreeMap::new();
        let mut empty = 0;
        for (at, name) in self.heard.iter().enumerate() {
            let Some(name) = name else {
                empty += 1;
                continue;
            };
            let tried = self.tried.get(&name.sender).and_then(|all| all.get(name.number as usize));
            match tried {
                None => return Err(format!("{name:?}, received as number {at}, was never sent")),
                Some(tried) if tried.outcome == Outcome::Not => {
                    return Err(format!("{name:?} was refused to its sender, and received"));
                }
                Some(_) => {}
            }
            let next = next.entry(name.sender).or_default();
            if name.number < *next {
                return Err(format!("{name:?} was received twice, or behind a later one of its sender"));
            }
            if all {
                self.check_nothing_missing(*name, *next)?;
            }
            *next = name.number + 1;
        }
        if all {
            for (sender, tried) in &self.tried {
                let end = Name { end: 0, sender: *sender, number: tried.len() as u32 };
                self.check_nothing_missing(end, next.get(sender).copied().unwrap_or_default())?;
            }
        }
        let empties = |outcomes: fn(Outcome) -> bool| {
            self.tried.values().flatten().filter(|tried| tried.is_empty && outcomes(tried.outcome)).count()
        };
        let least = if all { empties(Outcome::is_owed) } else { 0 };
        let most = empties(|outcome| outcome != Outcome::Not);
        if empty < least || empty > most {
            return Err(format!("{empty} empty messages were received, not {least} to {most}"));
        }
        Ok(())
    }

    /// Nothing that was sent lies between two messages of a sender that were received.
    fn check_nothing_missing(&self, name: Name, from: u32) -> Result<(), String> {
        let tried = self.tried.get(&name.sender).map_or(&[][..], Vec::as_slice);
        let between = tried.get(from as usize..name.number as usize).unwrap_or_default();
        match between.iter().position(|tried| tried.outcome.is_owed() && !tried.is_empty) {
            Some(at) => {
                let number = from as usize + at;
                Err(format!(
                    "message {number} of sender {} was sent ({:?}), and not received",
                    name.sender, between[at].outcome
                ))
            }
            None => Ok(()),
        }
    }
}

impl Outcome {
    fn is_owed(self) -> bool {
        matches!(self, Self::Sent | Self::Fed)
    }
}
