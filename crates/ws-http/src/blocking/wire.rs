//! Both halves of a transport under one deadline.

use core::time::Duration;
use std::io::{self, IoSlice};
use std::time::Instant;

use ws_conn::blocking::{Input, Output, Transport};

use crate::driver::error::Error;
use crate::driver::incoming::{Head, Incoming};
use crate::driver::{CHUNK, DRAINED, LINGER};

/// The two halves of a transport before they are a connection.
pub(super) struct Wire<R, W> {
    pub(super) read: R,
    pub(super) write: W,
}

/// The end of a wait; `None` never comes.
#[derive(Clone, Copy)]
pub(super) struct Deadline(Option<Instant>);

impl<R: Input, W: Output> Wire<R, W> {
    pub(super) fn new(stream: impl Transport<Read = R, Write = W>) -> Self {
        let (read, write) = stream.split();
        Self { read, write }
    }

    pub(super) fn deadline(&self, after: Duration) -> Deadline {
        Deadline(self.read.now().checked_add(after))
    }

    /// Returns how long there is until the deadline.
    pub(super) fn left(&self, deadline: Deadline) -> Duration {
        deadline.0.map_or(Duration::MAX, |at| at.saturating_duration_since(self.read.now()))
    }

    /// Reads a head, and what comes right behind it.
    pub(super) fn read_head<H: Head>(
        &mut self,
        mut incoming: Incoming<H>,
        deadline: Deadline,
    ) -> Result<(H, Vec<u8>), Error> {
        let mut chunk = [0; CHUNK];
        loop {
            let len = self.read(&mut chunk, deadline)?;
            if let Some(head) = incoming.push(chunk.get(..len).unwrap_or_default())? {
                return Ok(head);
            }
        }
    }

    /// Writes all of it and hands it on.
    pub(super) fn write_all(&mut self, mut bytes: &[u8], deadline: Deadline) -> Result<(), Error> {
        let mut interruptions = 0;
        while !bytes.is_empty() {
            let patience = self.patience(W::TIMED, deadline)?;
            match self.write.write(&[IoSlice::new(bytes)], patience) {
                Ok(0) => return Err(Error::Io(io::ErrorKind::WriteZero.into())),
                Ok(len) => bytes = bytes.get(len..).unwrap_or_default(),
                Err(error) => retry(W::TIMED, error, &mut interruptions)?,
            }
        }
        loop {
            let patience = self.patience(W::TIMED, deadline)?;
            match self.write.flush(patience) {
                Ok(()) => return Ok(()),
                Err(error) => retry(W::TIMED, error, &mut interruptions)?,
            }
        }
    }

    /// Writes a last answer, closes this direction, and reads on for a while.
    ///
    /// A transport that is closed while input waits unread resets the connection, which may destroy the answer on its
    /// way to the peer (RFC 9112, section 9.6).
    pub(super) fn write_last(mut self, answer: &[u8], patience: Duration) -> Result<(), Error> {
        let deadline = self.deadline(patience.max(LINGER));
        self.write_all(answer, deadline)?;
        if self.write.half_close().is_ok() {
            self.drain(self.deadline(self.left(deadline).min(LINGER)));
        }
        Ok(())
    }

    /// Reads until the peer closes too, the deadline passes, or it has sent more than anybody needs to.
    fn drain(&mut self, deadline: Deadline) {
        if !R::TIMED {
            return;
        }
        let mut chunk = [0; CHUNK];
        let mut drained = 0usize;
        while drained < DRAINED {
            match self.read(&mut chunk, deadline) {
                Ok(0) | Err(_) => return,
                Ok(len) => drained = drained.saturating_add(len),
            }
        }
    }

    fn read(&mut self, into: &mut [u8], deadline: Deadline) -> Result<usize, Error> {
        let mut interruptions = 0;
        loop {
            let patience = self.patience(R::TIMED, deadline)?;
            match self.read.read(into, patience) {
                Ok(len) => return Ok(len),
                Err(error) => retry(R::TIMED, error, &mut interruptions)?,
            }
        }
    }

    /// Returns how long the next call may take.
    fn patience(&self, timed: bool, deadline: Deadline) -> Result<Duration, Error> {
        if !timed {
            return Ok(Duration::MAX);
        }
        let left = self.left(deadline);
        if left.is_zero() { Err(Error::Timeout) } else { Ok(left) }
    }
}

/// Whether to try again: after an interruption, and after a time-out, since the deadline is what counts. Without deadlines
/// there is an end to interruptions too.
fn retry(timed: bool, error: io::Error, interruptions: &mut u32) -> Result<(), Error> {
    match error.kind() {
        io::ErrorKind::Interrupted if timed || *interruptions < MOST_INTERRUPTIONS => {
            *interruptions = interruptions.saturating_add(1);
            Ok(())
        }
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock if timed => Ok(()),
        _ => Err(Error::Io(error)),
    }
}

/// Without deadlines.
const MOST_INTERRUPTIONS: u32 = 1000;
