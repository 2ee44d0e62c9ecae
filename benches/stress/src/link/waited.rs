//! The halves of a link for threads.

use super::{Half, Link, State};
use core::time::Duration;
use std::io::{self, ErrorKind, IoSlice};
use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::Instant;
use ws_conn::blocking::{HangUp, Input, Output};

impl Half {
    /// Does something when it can be done, or fails when the time is over. Sometimes it fails before that, as a socket
    /// may: its time-out is not exact.
    fn wait<T>(&self, patience: Duration, mut act: impl FnMut(&mut State) -> io::Result<Option<T>>) -> io::Result<T> {
        let until = Instant::now().checked_add(patience);
        let mut state = self.pipe().lock();
        self.before(&mut state)?;
        loop {
            if state.broken {
                return Err(ErrorKind::ConnectionReset.into());
            }
            let before = state.flushed;
            let done = act(&mut state)?;
            if done.is_some() || state.dice.one_in(self.pipe().manners.spurious) {
                drop(state);
                self.link.tell(self.pipe, self.other());
                return done.ok_or_else(|| ErrorKind::TimedOut.into());
            }
            let left = until.map_or(Duration::from_secs(3600), |until| until.saturating_duration_since(Instant::now()));
            if state.flushed > before {
                // A write that has to wait has handed on what was held back.
                drop(state);
                self.link.tell(self.pipe, self.other());
                state = self.pipe().lock();
                continue;
            }
            if left.is_zero() {
                return Err(ErrorKind::TimedOut.into());
            }
            let waited = self.pipe().changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Input for Half {
    const SEES_ROOM: bool = true;

    fn read(&mut self, into: &mut [u8], patience: Duration) -> io::Result<usize> {
        self.wait(patience, |state| Ok(self.take(state, into)))
    }

    fn read_or_room(&mut self, into: &mut [u8], patience: Duration) -> io::Result<usize> {
        let until = Instant::now().checked_add(patience);
        loop {
            match self.read(into, Duration::ZERO) {
                Err(error) if error.kind() == ErrorKind::TimedOut => {}
                result => return result,
            }
            // What the end reads is the other pipe than the one it writes.
            if self.link.has_room(1 - self.pipe) {
                return Err(ErrorKind::WouldBlock.into());
            }
            let left = until.map_or(LOOK, |until| until.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return Err(ErrorKind::TimedOut.into());
            }
            // What changed since it was looked at may have told nobody.
            drop(self.pipe().changed.wait_timeout(self.pipe().lock(), left.min(LOOK)));
        }
    }
}

impl Output for Half {
    fn write(&mut self, bufs: &[IoSlice<'_>], patience: Duration) -> io::Result<usize> {
        let pause = self.pipe().manners.pause;
        if !pause.is_zero() {
            thread::sleep(pause);
        }
        self.wait(patience, |state| self.put(state, bufs.iter().map(|buf| &**buf)))
    }

    fn flush(&mut self, patience: Duration) -> io::Result<()> {
        let manners = &self.pipe().manners;
        if manners.held == 0 {
            return Ok(());
        }
        self.wait(patience, |state| match state.hand_on(manners) {
            false if state.deserted => Err(ErrorKind::BrokenPipe.into()),
            all => Ok(all.then_some(())),
        })
    }

    fn half_close(&mut self) -> io::Result<()> {
        self.link.change(self.pipe, State::end);
        Ok(())
    }

    fn hang_up(&self) -> Option<Arc<dyn HangUp>> {
        let (link, end) = (Arc::clone(&self.link), self.pipe);
        self.pipe().manners.hangs_up.then(|| Arc::new(Handle { link, end }) as Arc<dyn HangUp>)
    }
}

/// Closes an end of a link from anywhere.
struct Handle {
    link: Arc<Link>,
    end: usize,
}

impl HangUp for Handle {
    fn hang_up(&self) {
        self.link.hang_up(self.end);
    }
}

/// How long a half that waits for both directions waits until it looks again.
const LOOK: Duration = Duration::from_millis(1);
