//! The receiving direction, as poll functions: what waits here waits for the transport, a turn or a deadline.

use super::conn::Conn;
use super::ending::Ending;
use super::line::Line;
use super::share::Share;
use super::timers::after;
use crate::driver::error::Error;
use crate::driver::message::Held;
use crate::driver::pool::Chunk;
use crate::extension::{Decode, Encode};
use crate::fault::Fault;
use crate::receiving::{Received, Receiving, Step};
use crate::timeouts::{Need, Timeouts, Wait};
use alloc::boxed::Box;
use core::ops::Range;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;
use std::io;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;
use ws_frame::Opcode;

/// Where a message lies that is lent.
pub(super) enum Place {
    Inbox(Range<usize>),
    Held(usize),
}

impl Place {
    #[inline]
    pub(super) fn lend<'c>(self, inbox: &'c mut Option<Box<Chunk>>, held: &'c mut Held) -> &'c mut [u8] {
        match self {
            Self::Inbox(range) => inbox.as_mut().map(|inbox| inbox.at(range)).unwrap_or_default(),
            Self::Held(len) => held.get_mut(len),
        }
    }
}

/// Since when the queue waits for the peer to read, and the place in it that has to be reached in time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stalled {
    since: Instant,
    mark: u64,
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin, D: Decode, E: Encode> Conn<R, W, D, E> {
    /// Runs an operation to its end.
    #[inline]
    pub(super) fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
        op: &mut Receiving<'_>,
        timeouts: Timeouts,
    ) -> Poll<Result<Received, Error>> {
        ready!(self.share.poll_spend(cx));
        loop {
            if self.ending.is_some() {
                return self.poll_end(cx).map(Err);
            }
            let unread = self.inbox.as_deref().map_or(&[][..], Chunk::unread);
            let (used, step) = self.inbound.push(op, unread);
            self.take(used);
            match step {
                Step::Done(received) => {
                    self.send_replies();
                    self.release();
                    return Poll::Ready(Ok(received));
                }
                step => ready!(self.poll_step(cx, step, timeouts))?,
            }
        }
    }

    /// Whether the connection keeps the beginning of a message that a dropped call had got.
    #[inline]
    pub(super) fn is_parked(&mut self) -> bool {
        if self.inbound.got() == 0 {
            self.held.recycle();
            return false;
        }
        if self.held.is_empty() {
            // It was put into a buffer that is gone, by a call that was forgotten: not dropped, and never polled again.
            self.inbound.skip();
        }
        !self.held.is_empty()
    }

    /// Receives a whole message to be lent.
    #[inline]
    pub(super) fn poll_message(
        &mut self,
        cx: &mut Context<'_>,
        timeouts: Timeouts,
    ) -> Poll<Result<(Opcode, Place), Error>> {
        self.is_parked();
        ready!(self.share.poll_spend(cx));
        loop {
            if self.ending.is_some() {
                return self.poll_end(cx).map(Err);
            }
            if let Some(inbox) = &mut self.inbox
                && let Some((used, opcode, range)) = self.inbound.lend(inbox.unread_mut(), self.limit)
            {
                let start = inbox.start();
                inbox.skip(used);
                self.send_replies();
                let range = start.saturating_add(range.start)..start.saturating_add(range.end);
                return Poll::Ready(Ok((opcode, Place::Inbox(range))));
            }
            if let Some(received) = ready!(self.poll_held(cx, self.limit, timeouts))? {
                return Poll::Ready(Ok((received.opcode, Place::Held(received.len))));
            }
        }
    }

    /// Receives the rest of a message of which a part is parked, to where that lies.
    pub(super) fn poll_rest(
        &mut self,
        cx: &mut Context<'_>,
        limit: usize,
        timeouts: Timeouts,
    ) -> Poll<Result<Received, Error>> {
        loop {
            if self.ending.is_some() {
                return self.poll_end(cx).map(Err);
            }
            if let Some(received) = ready!(self.poll_held(cx, limit, timeouts))? {
                return Poll::Ready(Ok(received));
            }
        }
    }

    /// Does one step towards a message of at most `limit` bytes in the buffer that grows. `None` if it is not whole yet.
    fn poll_held(
        &mut self,
        cx: &mut Context<'_>,
        limit: usize,
        timeouts: Timeouts,
    ) -> Poll<Result<Option<Received>, Error>> {
        let unread = self.inbox.as_deref().map_or(&[][..], Chunk::unread);
        let mut op = Receiving::held(self.held.room(limit), limit);
        let (used, step) = self.inbound.push(&mut op, unread);
        self.take(used);
        match step {
            Step::Done(received) => {
                self.send_replies();
                return Poll::Ready(Ok(Some(received)));
            }
            Step::Room => self.held.grow(limit, D::RSV != 0),
            step => ready!(self.poll_step(cx, step, timeouts))?,
        }
        Poll::Ready(Ok(None))
    }

    /// By what its read buffers know it: that stays where it is, and lasts as long as the connection.
    #[inline]
    pub(super) fn owner(&self) -> usize {
        core::ptr::from_ref(&*self.line).addr()
    }

    /// Gives the read buffer back if there is nothing in it.
    #[inline]
    pub(super) fn release(&mut self) {
        if self.inbox.as_ref().is_some_and(|inbox| inbox.is_empty()) {
            self.inbox.take().into_iter().for_each(Chunk::give);
        }
    }

    #[inline]
    fn take(&mut self, used: usize) {
        if let Some(inbox) = &mut self.inbox {
            inbox.skip(used);
        }
    }

    /// Does what the machine asks for.
    fn poll_step(&mut self, cx: &mut Context<'_>, step: Step, timeouts: Timeouts) -> Poll<Result<(), Error>> {
        match step {
            Step::Need(need) => self.poll_fill(cx, need, timeouts).map(Ok),
            Step::Yield(need) => match self.others_first(cx, Share::PASSED) {
                true => self.poll_others(need, timeouts).map(Ok),
                false => Poll::Ready(Ok(())),
            },
            Step::Reply => Poll::Ready(self.reply(timeouts)),
            Step::Done(_) | Step::Room => Poll::Ready(Ok(())),
        }
    }

    #[cold]
    fn reply(&mut self, timeouts: Timeouts) -> Result<(), Error> {
        let inbound = &mut self.inbound;
        let (settled, queued) = Line::reach(&mut self.line, |out, _| {
            let settled = inbound.reply(&mut out.shared);
            let queued = if out.torn {
                out.want();
                Ok(())
            } else if out.is_blocked() {
                Ok(())
            } else {
                out.queue_replies()
            };
            (settled, queued)
        });
        self.replied = true;
        match settled.and(queued) {
            Err(fault) if fault.is_fatal() => {
                self.end_with(fault.into(), timeouts.wire);
                if self.ended { Err(fault.into()) } else { Ok(()) }
            }
            result => Ok(result?),
        }
    }

    /// A Pong does not wait for the next call, which may be long in coming.
    #[inline]
    fn send_replies(&mut self) {
        if core::mem::take(&mut self.replied) && self.line.is_queued() {
            self.send_queued();
        }
    }

    #[cold]
    fn send_queued(&mut self) {
        Line::reach(&mut self.line, |out, waker| {
            // What cannot be written now is written before the next wait.
            if !out.torn {
                let _ = out.poll_send(waker);
            }
        });
    }

    /// Waits for input.
    fn poll_fill(&mut self, cx: &mut Context<'_>, need: Need, timeouts: Timeouts) -> Poll<()> {
        self.replied = false;
        if self.line.is_gone() {
            // Nothing was said that has to reach the peer. The machine knows the status from now on.
            let _ = self.inbound.eof(&mut self.line.lock().shared);
            self.hang_up();
            return Poll::Ready(());
        }
        if self.line.is_queued() {
            self.flush_queue();
        } else {
            self.stalled = None;
        }
        if self.line.is_closing() && !self.lingers {
            // The wait is another one now: the machine is to say so.
            self.lingers = true;
            self.inbound.linger();
            return Poll::Ready(());
        }
        if self.others_first(cx, Share::READ) {
            self.release();
            return self.poll_others(need, timeouts);
        }
        let owner = self.owner();
        let inbox = self.inbox.get_or_insert_with(|| Chunk::take(owner));
        let mut buf = ReadBuf::new(inbox.room());
        let result = match &mut self.read {
            Some(read) => Pin::new(read).poll_read(cx, &mut buf),
            None => Poll::Ready(Ok(())),
        };
        match result {
            Poll::Ready(Ok(())) => {
                let read = buf.filled().len();
                inbox.fill(read);
                if read == 0 {
                    let fault = self.inbound.eof(&mut self.line.lock().shared);
                    self.ended_by(fault, timeouts.wire);
                } else if let Some(pulse) = &mut self.pulse {
                    self.line.note_round_trip(pulse.alive(self.inbound.pong_came()));
                }
                Poll::Ready(())
            }
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::Interrupted => Poll::Ready(()),
            Poll::Ready(Err(error)) => {
                let fault = self.inbound.lost(&mut self.line.lock().shared);
                self.end_with(fault.map_or(Error::Io(error), Error::Fault), timeouts.wire);
                Poll::Ready(())
            }
            Poll::Pending => {
                self.share.renew();
                self.release();
                self.poll_wait(cx, need, timeouts)
            }
        }
    }

    /// Writes what is queued as far as it goes. When it goes on, who is known as the reader is woken.
    #[cold]
    fn flush_queue(&mut self) {
        let Self { line, stalled, pulse, .. } = self;
        Line::reach(line, |out, waker| {
            let known = stalled.take();
            if out.torn {
                // Whoever sends the frame writes the queue first, and wakes this task when it leaves.
                out.want();
                return;
            }
            // A failure to write does not end the receiving: the peer's Close may lie there to be read.
            if out.poll_send(waker).is_pending() {
                *stalled = Some(match known {
                    Some(known) if !out.has_left(known.mark) => known,
                    _ => Box::new(Stalled { since: Instant::now(), mark: out.mark() }),
                });
            }
            if let Some(pulse) = pulse {
                pulse.wrote(|mark| out.has_left(mark));
            }
        });
    }

    /// Spends units of the share. Whether other tasks are to run before anything else.
    #[inline]
    fn others_first(&mut self, cx: &mut Context<'_>, units: u8) -> bool {
        self.share.poll_spend_many(units, cx).is_pending()
    }

    /// Waits for the other tasks to have run. The task is woken for that alone, so that no timer is armed. But a peer that
    /// sends without a pause does not put off the deadlines.
    #[cold]
    fn poll_others(&mut self, need: Need, timeouts: Timeouts) -> Poll<()> {
        let now = Instant::now();
        let has_passed = |since, patience| after(since, patience).is_some_and(|until| until <= now);
        if has_passed(self.timers.began(need), timeouts.of(need.wait)) {
            self.expire(need, timeouts);
            return Poll::Ready(());
        }
        if self.stalled.as_ref().is_some_and(|stalled| has_passed(stalled.since, timeouts.wire)) {
            self.give_up(timeouts.wire);
            return Poll::Ready(());
        }
        Poll::Pending
    }

    /// Nothing to read: waits, but no longer than the deadlines.
    fn poll_wait(&mut self, cx: &mut Context<'_>, need: Need, timeouts: Timeouts) -> Poll<()> {
        self.line.hub().note_reader(cx.waker());
        // What happened before the task was known woke nobody: a sender may have left something, and the transport, or
        // who sends a frame, may be ready for what is queued.
        if self.line.is_queued() {
            self.flush_queue();
        }
        if self.line.is_closing() && !self.lingers || self.line.is_gone() {
            return Poll::Ready(());
        }
        let line = &self.line;
        let waker = line.waker();
        if let Some(until) = after(self.timers.began(need), timeouts.of(need.wait))
            && self.timers.has_passed(until, waker)
        {
            self.expire(need, timeouts);
            return Poll::Ready(());
        }
        if let Some(stalled) = &self.stalled
            && let Some(until) = after(stalled.since, timeouts.wire)
            && self.timers.has_passed(until, waker)
        {
            self.give_up(timeouts.wire);
            return Poll::Ready(());
        }
        if self.pulse.is_some() { self.poll_pulse(timeouts) } else { Poll::Pending }
    }

    /// A wait took longer than its patience.
    #[cold]
    fn expire(&mut self, need: Need, timeouts: Timeouts) {
        let fault = self.inbound.expired(need, &mut self.line.lock().shared);
        self.ended_by(fault, timeouts.wire);
    }

    /// The peer does not read what is sent to it.
    #[cold]
    fn give_up(&mut self, wire: Duration) {
        let fault = self.line.give_up(self.line.lock(), Fault::Timeout(Wait::Wire));
        let _ = self.inbound.eof(&mut self.line.lock().shared);
        self.end_with(fault.into(), wire);
    }

    #[cold]
    pub(super) fn ended_by(&mut self, fault: Result<(), Fault>, wire: Duration) {
        if let Err(fault) = fault {
            self.end_with(fault.into(), wire);
        }
    }

    fn end_with(&mut self, error: Error, wire: Duration) {
        if !self.ended && self.ending.is_none() {
            self.ending = Some(Box::new(Ending::new(error, wire.min(Self::DRAIN))));
        }
    }
}
