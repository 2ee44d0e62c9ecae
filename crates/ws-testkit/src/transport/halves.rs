//! The two halves the code under test holds, and the view the test keeps.

use core::ops::Deref;
use core::time::Duration;
use std::io::{self, IoSlice, Read, Write};
use std::net::Shutdown;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::script::{Script, Step};
use super::state::{Call, Op, State};
use crate::clock::Clock;

/// The test's view of a scripted transport. Clones are views of the same one.
#[derive(Clone, Debug)]
pub struct Transport {
    state: Arc<Mutex<State>>,
}

impl Script {
    /// The transport that does what the script says.
    #[must_use]
    pub fn start(self) -> Transport {
        Transport { state: Arc::new(Mutex::new(State::new(self))) }
    }
}

impl Transport {
    /// Both halves, for the code under test.
    #[must_use]
    pub fn split(&self) -> (Reader, Writer) {
        (self.reader(), self.writer())
    }

    /// The half that reads what the script says.
    #[must_use]
    pub fn reader(&self) -> Reader {
        Reader { transport: self.clone() }
    }

    /// The half whose bytes are recorded.
    #[must_use]
    pub fn writer(&self) -> Writer {
        Writer { transport: self.clone() }
    }

    /// Both halves in one, for code that takes a stream whole.
    #[must_use]
    pub fn duplex(&self) -> Duplex {
        Duplex { reader: self.reader(), writer: self.writer() }
    }

    /// Adds steps after those that are left.
    pub fn push(&self, steps: impl IntoIterator<Item = Step>) {
        self.state().steps.extend(steps);
    }

    /// Shuts down one direction or both, as from another thread: an operation like those of the halves.
    ///
    /// # Errors
    ///
    /// Only as [`Script::fail_at`] says.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.state().shutdown(how)
    }

    /// The peer reads this many bytes more; see [`Script::room`].
    pub fn make_room(&self, bytes: usize) {
        let mut state = self.state();
        state.room = state.room.saturating_add(bytes);
    }

    /// The clock on which the transport's time passes.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.state().clock.clone()
    }

    /// Every byte written so far.
    #[must_use]
    pub fn written(&self) -> Vec<u8> {
        self.state().written.clone()
    }

    /// Every byte written since the last call of this method.
    #[must_use]
    pub fn take_written(&self) -> Vec<u8> {
        core::mem::take(&mut self.state().written)
    }

    /// Every operation so far, in order, with what came of it.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.state().calls.clone()
    }

    /// How many operations there have been; the next one has this number.
    #[must_use]
    pub fn operations(&self) -> usize {
        self.state().calls.len()
    }

    /// How many reads there have been, failed ones included.
    #[must_use]
    pub fn reads(&self) -> usize {
        self.state().count(|op| op == Op::Read)
    }

    /// How many writes there have been, failed ones included.
    #[must_use]
    pub fn writes(&self) -> usize {
        self.state().count(|op| op == Op::Write)
    }

    /// How many flushes there have been, failed ones included.
    #[must_use]
    pub fn flushes(&self) -> usize {
        self.state().count(|op| op == Op::Flush)
    }

    /// How many shutdowns there have been, failed ones included.
    #[must_use]
    pub fn shutdowns(&self) -> usize {
        self.state().count(|op| matches!(op, Op::Shutdown(_)))
    }

    /// Whether the read direction has been shut down.
    #[must_use]
    pub fn read_is_shut_down(&self) -> bool {
        self.state().read_shut
    }

    /// Whether the write direction has been shut down.
    #[must_use]
    pub fn write_is_shut_down(&self) -> bool {
        self.state().write_shut
    }

    /// Whether the operation of [`Script::fail_at`] has come.
    #[must_use]
    pub fn met_the_failure(&self) -> bool {
        self.state().met_the_failure
    }

    /// Whether a call without patience met a silent peer, or one that reads no more. A real transport would have blocked
    /// for ever; here the call failed with `ErrorKind::Other`.
    #[must_use]
    pub fn ran_dry(&self) -> bool {
        self.state().ran_dry
    }

    /// Whether every step has been met and every byte has been read.
    #[must_use]
    pub fn is_exhausted(&self) -> bool {
        self.state().steps.iter().all(|step| *step == Step::Eof)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The half that reads. Clones read from the same script.
#[derive(Clone, Debug)]
pub struct Reader {
    transport: Transport,
}

impl Reader {
    /// Reads as the script says, waiting no longer than `patience`; `None`, or a hundred years and
    /// more, waits for ever.
    ///
    /// # Errors
    ///
    /// What the script says; `TimedOut` after `patience`; `Other` instead of blocking for ever.
    pub fn read_for(&mut self, buf: &mut [u8], patience: Option<Duration>) -> io::Result<usize> {
        self.transport.state().read(buf, patience)
    }

    /// Shuts down one direction or both. A read after the read direction was shut down returns 0.
    ///
    /// # Errors
    ///
    /// Only as [`Script::fail_at`] says.
    pub fn shutdown(&mut self, how: Shutdown) -> io::Result<()> {
        self.transport.shutdown(how)
    }
}

impl Read for Reader {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.read_for(buf, None)
    }
}

/// The half that writes. Clones write into the same record.
#[derive(Clone, Debug)]
pub struct Writer {
    transport: Transport,
}

impl Writer {
    /// Writes as much of `buf` as the script takes, waiting no longer than `patience`; `None`, or a hundred years and
    /// more, waits for ever.
    ///
    /// # Errors
    ///
    /// What the script says; `TimedOut` after `patience`; `BrokenPipe` after a shutdown; `Other` instead of blocking for
    /// ever.
    pub fn write_for(&mut self, buf: &[u8], patience: Option<Duration>) -> io::Result<usize> {
        self.write_gathered_for(&[buf], patience)
    }

    /// Writes as much of the slices (`&[u8]` or `IoSlice`), one after the other, as the script takes: one operation.
    ///
    /// # Errors
    ///
    /// As [`Writer::write_for`].
    pub fn write_gathered_for(
        &mut self,
        bufs: &[impl Deref<Target = [u8]>],
        patience: Option<Duration>,
    ) -> io::Result<usize> {
        let bytes: Vec<u8> = bufs.iter().flat_map(|buf| buf.iter().copied()).collect();
        self.transport.state().write(&bytes, patience)
    }

    /// Flushes: counted, and otherwise nothing.
    ///
    /// # Errors
    ///
    /// As [`Script::fail_at`] says; `TimedOut` if that is a [`super::Fault::TimedOut`], after `patience`.
    pub fn flush_for(&mut self, patience: Option<Duration>) -> io::Result<()> {
        self.transport.state().flush(patience)
    }

    /// Shuts down one direction or both. A write after the write direction was shut down fails with `BrokenPipe`.
    ///
    /// # Errors
    ///
    /// Only as [`Script::fail_at`] says.
    pub fn shutdown(&mut self, how: Shutdown) -> io::Result<()> {
        self.transport.shutdown(how)
    }
}

impl Write for Writer {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.write_for(buf, None)
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.write_gathered_for(bufs, None)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.flush_for(None)
    }
}

/// Both halves in one. Clones are the same stream.
#[derive(Clone, Debug)]
pub struct Duplex {
    /// The half that reads.
    pub reader: Reader,
    /// The half that writes.
    pub writer: Writer,
}

impl Read for Duplex {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.reader.read(buf)
    }
}

impl Write for Duplex {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.writer.write(buf)
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.writer.write_vectored(bufs)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}
