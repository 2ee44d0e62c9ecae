use super::conn::Conn;
use super::io::{Input, Output};
use crate::driver::buffer::Buffer;
use crate::driver::deadline::Deadline;
use crate::driver::error::Error;
use crate::extension::{Decode, Encode};
use crate::fault::Fault;
use crate::inbound::Inbound;
use crate::shared::Shared;
use crate::timeouts::Timeouts;
use core::time::Duration;
use std::io;

impl<R: Input, W: Output, D: Decode, E: Encode> Conn<R, W, D, E> {
    /// The connection ends in a wait.
    pub(super) fn give_up(
        &mut self,
        timeouts: Timeouts,
        why: impl FnOnce(&mut Inbound<D>, &mut Shared) -> Option<Fault>,
    ) -> Result<(), Error> {
        let fault = why(&mut self.inbound, &mut self.line.shared());
        self.end(timeouts.wire);
        fault.map_or(Ok(()), |fault| Err(fault.into()))
    }

    /// Sends what is owed, closes this direction, and reads until the peer closes its own, but not for long.
    pub(super) fn end(&mut self, wire: Duration) {
        if core::mem::replace(&mut self.ended, true) {
            return;
        }
        self.line.end(wire.min(Self::DRAIN).min(self.left()));
        if R::TIMED {
            let deadline = Deadline::after(self.read.now(), wire.min(Self::DRAIN).min(self.left()));
            let mut budget = DRAIN_BYTES;
            (self.start, self.end) = (0, 0);
            if self.inbox.len() == 0 {
                self.inbox = Buffer::new(Buffer::SIZE);
            }
            loop {
                let left = deadline.left(self.read.now());
                if left.is_zero() || budget == 0 {
                    break;
                }
                match self.read.read(self.inbox.all_mut(), left) {
                    Ok(0) => break,
                    Ok(read) => budget = budget.saturating_sub(read),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(_) => break,
                }
            }
        }
        self.line.hang_up();
    }

    /// What is left of the time for [`finish`](Self::finish).
    fn left(&self) -> Duration {
        if R::TIMED { self.finishing.left(self.read.now()) } else { Duration::MAX }
    }

    /// What was queued could not be sent in time: the peer does not read.
    pub(super) fn stuck(&mut self, timeouts: Timeouts, fault: Fault) -> Result<(), Error> {
        self.give_up(timeouts, |inbound, shared| {
            let _ = inbound.eof(shared);
            Some(fault)
        })
    }
}

/// How much a connection that has ended reads on, at most.
const DRAIN_BYTES: usize = 64 * 1024 * 1024;
