//! The receiving direction: what waits here waits for the peer, or for room to answer it.

use super::conn::Conn;
use super::io::{Input, Output, insist};
use super::line::{Line, Way};
use super::sender_mut::SenderMut;
use super::stalled::Room;
use crate::driver::buffer::Buffer;
use crate::driver::error::Error;
use crate::driver::message::MessageRef;
use crate::extension::{Decode, Encode};
use crate::receiving::{Received, Receiving, Step};
use crate::timeouts::{Need, Timeouts};
use core::time::Duration;
use std::io;

impl<R: Input, W: Output, D: Decode, E: Encode> Conn<R, W, D, E> {
    /// As [`message`](Self::message), with what is needed to send while the message is lent: an answer that is made of
    /// it, or the message itself.
    ///
    /// # Errors
    ///
    /// As [`message`](Self::message).
    pub fn message_and_sender(&mut self, timeouts: Timeouts) -> Result<(MessageRef<'_>, SenderMut<'_, W, E>), Error> {
        self.check_unwound()?;
        let mut held = core::mem::take(&mut self.held);
        held.recycle();
        loop {
            let (start, end) = (self.start, self.end);
            if let Some((used, opcode, range)) = self.inbound.lend(self.inbox.get_mut(start..end), self.limit) {
                self.take(used);
                self.send_replies(timeouts);
                self.held = held;
                let range = start.saturating_add(range.start)..start.saturating_add(range.end);
                let message = MessageRef::new(opcode, self.inbox.get_mut(range));
                return Ok((message, SenderMut::new(&mut self.line)));
            }
            let mut op = Receiving::held(held.room(self.limit), self.limit);
            let (used, step) = self.inbound.push(&mut op, self.inbox.get(start..end));
            self.take(used);
            match step {
                Step::Done(received) => {
                    self.send_replies(timeouts);
                    self.held = held;
                    let message = MessageRef::new(received.opcode, self.held.get_mut(received.len));
                    return Ok((message, SenderMut::new(&mut self.line)));
                }
                Step::Room => held.grow(self.limit, D::RSV != 0),
                step => {
                    if let Err(error) = self.on(step, timeouts) {
                        self.held = held;
                        return Err(error);
                    }
                }
            }
        }
    }

    /// Runs an operation to its end.
    #[inline]
    pub(super) fn run(&mut self, op: &mut Receiving<'_>, timeouts: Timeouts) -> Result<Received, Error> {
        self.check_unwound()?;
        loop {
            let (used, step) = self.inbound.push(op, self.inbox.get(self.start..self.end));
            self.take(used);
            match step {
                Step::Done(received) => {
                    self.send_replies(timeouts);
                    return Ok(received);
                }
                step => self.on(step, timeouts)?,
            }
        }
    }

    /// Does what the machine asks for.
    fn on(&mut self, step: Step, timeouts: Timeouts) -> Result<(), Error> {
        self.in_transport = true;
        let result = match step {
            Step::Need(need) => self.fill(need, timeouts),
            Step::Reply => self.reply(timeouts),
            // This thread holds up nobody else.
            Step::Done(_) | Step::Room | Step::Yield(_) => Ok(()),
        };
        self.in_transport = false;
        result
    }

    /// Ends a connection whose transport has panicked in a call before: what that call had got of a message is gone with
    /// its buffer, and what follows must not pass for the whole of it.
    #[inline]
    fn check_unwound(&mut self) -> Result<(), Error> {
        if self.in_transport { self.end_unwound() } else { Ok(()) }
    }

    #[cold]
    fn end_unwound(&mut self) -> Result<(), Error> {
        self.in_transport = false;
        self.give_up(Timeouts::new(Duration::ZERO, Duration::ZERO), |inbound, shared| inbound.eof(shared).err())
    }

    fn reply(&mut self, timeouts: Timeouts) -> Result<(), Error> {
        let settled = self.inbound.reply(&mut self.line.shared());
        match settled {
            Ok(()) => {
                self.replied = true;
                self.line.queue_replies(timeouts.wire, Self::WAY).or_else(|fault| self.stuck(timeouts, fault))
            }
            Err(fault) => {
                if fault.is_fatal() {
                    self.end(timeouts.wire);
                }
                Err(fault.into())
            }
        }
    }

    /// A Pong does not wait for the next call, which may be long in coming.
    #[inline]
    fn send_replies(&mut self, timeouts: Timeouts) {
        if core::mem::take(&mut self.replied) {
            self.send_queued(timeouts);
        }
    }

    #[cold]
    fn send_queued(&mut self, timeouts: Timeouts) {
        // What fails here is met again before the next wait.
        let _ = Line::before_wait(&mut self.line, timeouts.wire, Self::WAY);
    }

    /// Waits for input.
    fn fill(&mut self, need: Need, timeouts: Timeouts) -> Result<(), Error> {
        self.replied = false;
        let stalled = match Line::before_wait(&mut self.line, timeouts.wire, Self::WAY) {
            Ok(stalled) => stalled,
            Err(fault) => return self.stuck(timeouts, fault),
        };
        if self.line.is_closing() && !self.lingers {
            // The wait is another one now: the machine is to say so.
            self.lingers = true;
            self.inbound.linger();
            return Ok(());
        }
        let mut patience = Duration::MAX;
        if R::TIMED {
            let now = self.read.now();
            patience = self.watch.deadline(need, timeouts.of(need.wait), now).left(now).min(Self::NOTICE);
            if patience.is_zero() {
                return self.give_up(timeouts, |inbound, shared| inbound.expired(need, shared).err());
            }
        }
        if self.inbox.len() == 0 {
            self.inbox = Buffer::new(Buffer::SIZE);
        }
        let (end, size) = (self.end, self.inbox.len());
        let (read, into) = (&mut self.read, self.inbox.get_mut(end..size));
        let result = match stalled {
            None => insist(R::TIMED, || read.read(into, patience)),
            Some(room) => read_or_room(read, into, patience, room),
        };
        match result {
            Ok(0) => self.give_up(timeouts, |inbound, shared| inbound.eof(shared).err()),
            Ok(read) => {
                self.end = end.saturating_add(read).min(size);
                Ok(())
            }
            Err(error) => match error.kind() {
                io::ErrorKind::Interrupted | io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock if R::TIMED => Ok(()),
                _ => {
                    let fault = self.inbound.lost(&mut self.line.shared());
                    self.end(timeouts.wire);
                    Err(fault.map_or(Error::Io(error), Error::Fault))
                }
            },
        }
    }

    /// How to write before a read.
    const WAY: Way = if R::TIMED && W::TIMED { Way::AtOnce } else { Way::First };

    #[inline]
    fn take(&mut self, used: usize) {
        self.start = self.start.saturating_add(used);
        if self.start >= self.end {
            self.start = 0;
            self.end = 0;
        }
    }
}

/// Waits for input, and for room to write as well.
#[cold]
fn read_or_room<R: Input>(read: &mut R, into: &mut [u8], patience: Duration, room: Room) -> io::Result<usize> {
    let slice = if R::SEES_ROOM { Duration::MAX } else { room.slice };
    read.read_or_room(into, patience.min(room.left).min(slice))
}
