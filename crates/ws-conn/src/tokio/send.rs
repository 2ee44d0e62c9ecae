use super::at_once::Left;
use super::line::Line;
use super::out::{Out, PORTION, READER};
use crate::driver::error::Error;
use crate::driver::turns::{Turn, Turns};
use crate::extension::Encode;
use crate::fault::Fault;
use crate::outbound::Sending;
use crate::timeouts::Wait;
use alloc::boxed::Box;
use core::pin::Pin;
use core::task::{Context, Poll, Waker, ready};
use core::time::Duration;
use tokio::io::AsyncWrite;
use tokio::time::{Instant, Sleep, sleep_until};

/// One operation of sending, from the wait for its turn to the last byte, or the flush of what is queued.
///
/// Dropped before its frame has begun it leaves nothing behind. Dropped later it leaves the rest of the frame in the
/// queue, to be written by whoever sends, flushes or waits to receive next: on the wire a frame is whole or not there.
pub(super) struct Send<'l, 'm, W: AsyncWrite + Unpin, E: Encode> {
    line: &'l Line<W, E>,
    op: Option<Sending<'m>>,
    rest: Rest<'m>,
    stage: Stage,
    /// Whether all of the operation is in the queue, or in `rest`.
    encoded: bool,
    flush: bool,
    keep: Option<&'m mut Turn>,
    frame: Turn,
    message: Turn,
    wire: Duration,
    alarm: Option<Pin<Box<Sleep>>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Waits for its turn: nothing is sent.
    Turn,
    /// A part of the operation may be out.
    Frame,
    /// All of it is queued.
    Flush,
    Done,
}

/// What is not done of it yet.
#[derive(Clone, Copy, Debug)]
enum Rest<'m> {
    /// Payload that follows the queue.
    Payload(&'m [u8]),
    /// The place that has to be flushed.
    Place(u64),
}

/// What has to happen when the lock is released.
#[derive(Default)]
struct Aside {
    old: [Option<Waker>; 3],
    wake: [Option<Waker>; 2],
    /// The transport is not ready.
    blocked: bool,
    /// So much is encoded that the lock is to be released for a moment.
    part: bool,
}

impl<'l, 'm, W: AsyncWrite + Unpin, E: Encode> Send<'l, 'm, W, E> {
    /// An operation of a message of several operations, which keeps its turn as long as it is open.
    pub(super) fn in_message(line: &'l Line<W, E>, op: Sending<'m>, wire: Duration, turn: &'m mut Turn) -> Self {
        let mut send = Self::of(line, Some(op), wire, true);
        send.message = core::mem::take(turn);
        send.keep = Some(turn);
        send
    }

    #[inline]
    pub(super) fn of(line: &'l Line<W, E>, op: Option<Sending<'m>>, wire: Duration, flush: bool) -> Self {
        Self {
            line,
            op,
            rest: Rest::Payload(&[]),
            stage: Stage::Turn,
            encoded: false,
            flush,
            keep: None,
            frame: Turn::OUT,
            message: Turn::OUT,
            wire,
            alarm: None,
        }
    }

    /// Goes on with what could not be done at once.
    pub(super) fn rest(
        line: &'l Line<W, E>,
        op: Option<Sending<'m>>,
        left: Left<'m>,
        wire: Duration,
        flush: bool,
    ) -> Self {
        let mut send = Self::of(line, op, wire, flush);
        (send.encoded, send.frame, send.message) = (left.encoded, left.frame, left.message);
        (send.stage, send.rest) = match left.encoded && left.then.is_empty() {
            true => (Stage::Flush, Rest::Place(left.mark)),
            false => (Stage::Frame, Rest::Payload(left.then)),
        };
        send
    }

    /// A Close goes the way of all Closes. What is left is to send what is owed.
    #[cold]
    fn close(&mut self) -> Result<(), Error> {
        let op = self.op.take();
        self.flush = true;
        self.line.put_close(op.as_ref().map_or(&[], Sending::payload))
    }

    fn poll_turns(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let mut aside = Aside::default();
        let mut out = self.line.lock();
        let mut known = false;
        let result = loop {
            let result = self.step(&mut out, cx, &mut aside);
            // The transport has the connection's waker, which is to wake this task. It may have become ready before the task
            // was known, so that it is asked once more. Who has merely encoded a part lets others have the lock.
            let again = aside.part || aside.blocked && !known;
            if result.is_ready() || !again {
                break result;
            }
            drop(out);
            if aside.blocked {
                known = true;
                self.line.hub().note_writer(cx.waker());
            }
            out = self.line.lock();
        };
        match result {
            Poll::Ready(result) => {
                let result = result.map_err(|error| out.settle(error));
                self.leave(&mut out, &mut aside);
                drop(out);
                aside.pass();
                Poll::Ready(result)
            }
            Poll::Pending => {
                drop(out);
                drop(aside);
                self.poll_alarm(cx)
            }
        }
    }

    /// Goes as far as it can. What it writes on its way is no news to itself.
    fn step(&mut self, out: &mut Out<W, E>, cx: &Context<'_>, aside: &mut Aside) -> Poll<Result<(), Error>> {
        (aside.blocked, aside.part) = (false, false);
        let result = self.steps(out, cx, aside);
        out.spare_writer();
        result
    }

    fn steps(&mut self, out: &mut Out<W, E>, cx: &Context<'_>, aside: &mut Aside) -> Poll<Result<(), Error>> {
        let waker = self.line.waker();
        loop {
            match (self.stage, &mut self.op) {
                (Stage::Turn, op) => {
                    let [first, second, _] = &mut aside.old;
                    if let Some(op) = op {
                        out.usable()?;
                        if op.is_data() && !take(&mut out.message, &mut self.message, cx, first) {
                            return Poll::Pending;
                        }
                    } else {
                        out.writable()?;
                    }
                    if !take(&mut out.frame, &mut self.frame, cx, second) {
                        return Poll::Pending;
                    }
                    out.queue_replies()?;
                    match op {
                        Some(_) => self.stage = Stage::Frame,
                        None => self.flush_to(out.mark()),
                    }
                }
                (Stage::Frame, Some(op)) => {
                    let Rest::Payload(then) = &mut self.rest else { return Poll::Ready(Ok(())) };
                    let mut budget = PORTION;
                    let sent = out.poll_frame(op, then, &mut self.encoded, &mut budget, waker);
                    aside.part = sent.is_pending() && budget == 0;
                    aside.blocked = sent.is_pending() && budget > 0;
                    ready!(sent)?;
                    if !self.flush {
                        return Poll::Ready(Ok(()));
                    }
                    self.flush_to(out.mark());
                }
                (Stage::Flush, op) => {
                    let Rest::Place(place) = self.rest else { return Poll::Ready(Ok(())) };
                    let flushed = out.poll_flush_to(place, waker);
                    aside.blocked = flushed.is_pending();
                    ready!(flushed)?;
                    // A Close for which there was no room: now there is.
                    if op.is_none() && out.shared.closed().is_some() && out.shared.owes() {
                        out.queue_replies()?;
                        self.flush_to(out.mark());
                    } else {
                        return Poll::Ready(Ok(()));
                    }
                }
                _ => return Poll::Ready(Ok(())),
            }
        }
    }

    fn flush_to(&mut self, place: u64) {
        (self.stage, self.rest) = (Stage::Flush, Rest::Place(place));
    }

    /// Gives its turns back. What became owed in the meantime goes into the queue.
    fn leave(&mut self, out: &mut Out<W, E>, aside: &mut Aside) {
        if self.frame == Turn::HAS {
            aside.old[2] = self.line.hub().forget_writer();
        }
        self.stage = Stage::Done;
        let frame = out.leave_frame(&mut self.frame);
        if let Some(keep) = &mut self.keep
            && self.message == Turn::HAS
            && out.outbound.is_open()
        {
            core::mem::swap(*keep, &mut self.message);
        }
        aside.wake = [frame, out.message.leave(&mut self.message)];
    }

    /// The time for the call begins when it first has to wait.
    #[cold]
    fn poll_alarm(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if self.alarm.is_none() {
            let Some(until) = Instant::now().checked_add(self.wire) else { return Poll::Pending };
            self.alarm = Some(Box::pin(sleep_until(until)));
        }
        if let Some(alarm) = &mut self.alarm {
            ready!(alarm.as_mut().poll(cx));
        }
        let mut aside = Aside::default();
        let mut out = self.line.lock();
        let stage = self.stage;
        self.leave(&mut out, &mut aside);
        let fault = match (stage, out.shared.closed()) {
            // It is not its own lateness that it has to report.
            (Stage::Turn, Some(closed)) => Fault::Closed(closed),
            (Stage::Turn, None) => Fault::Timeout(Wait::Turn),
            _ => self.line.give_up(out, Fault::Timeout(Wait::Wire)),
        };
        aside.pass();
        Poll::Ready(Err(fault.into()))
    }
}

impl Aside {
    /// Wakes those who have the turns now.
    fn pass(self) {
        self.wake.into_iter().flatten().for_each(Waker::wake);
    }
}

impl<W: AsyncWrite + Unpin, E: Encode> Future for Send<'_, '_, W, E> {
    type Output = Result<(), Error>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.op.as_ref().is_some_and(Sending::is_close) {
            self.close()?;
        }
        self.poll_turns(cx)
    }
}

impl<W: AsyncWrite + Unpin, E: Encode> Drop for Send<'_, '_, W, E> {
    fn drop(&mut self) {
        if self.stage == Stage::Done || self.frame == Turn::OUT && self.message == Turn::OUT {
            return;
        }
        let mut aside = Aside::default();
        let mut out = self.line.lock();
        if let (Stage::Frame, Some(op), Rest::Payload(then)) = (self.stage, &mut self.op, &mut self.rest)
            && op.has_begun()
        {
            // A part at a time: others may read the state of the connection, and write what is there.
            while !out.encode_rest(op, then, &mut self.encoded) {
                drop(out);
                out = self.line.lock();
            }
        }
        if self.stage != Stage::Turn {
            // What is left in the queue is the receiving direction's to write, should nobody else come.
            out.wake_later(READER);
        }
        self.leave(&mut out, &mut aside);
        drop(out);
        aside.pass();
    }
}

/// Takes a turn, or a place in the order.
#[inline]
pub(super) fn take(turns: &mut Turns, turn: &mut Turn, cx: &Context<'_>, old: &mut Option<Waker>) -> bool {
    if turns.try_take(turn) {
        return true;
    }
    let (has, dropped) = turns.poll(turn, cx.waker());
    *old = dropped;
    has
}
