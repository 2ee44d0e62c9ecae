use super::conn::Conn;
use super::timers::after;
use crate::extension::{Decode, Encode};
use crate::outbound::Sending;
use crate::timeouts::{Need, Timeouts, Wait};
use core::task::Poll;
use core::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use ws_frame::Opcode;

/// How a connection finds out that its peer is gone, although nothing says so.
///
/// While a call of the connection waits, a Ping goes out at each interval. Any byte that comes afterwards counts as life,
/// so that a peer that is busy sending a large message is not taken for dead. Without one in time the connection is
/// closed with 1008, and the call gets [`Fault::Timeout`](crate::Fault::Timeout) with [`Wait::Pong`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Keepalive {
    /// The time from one Ping to the next.
    pub interval: Duration,
    /// How long the peer may be silent after a Ping has left.
    pub patience: Duration,
}

impl Keepalive {
    /// A Ping each `interval`, to be answered within `patience`.
    #[must_use]
    pub const fn new(interval: Duration, patience: Duration) -> Self {
        Self { interval, patience }
    }
}

/// Where keepalive stands.
#[derive(Debug)]
pub(super) struct Pulse {
    keepalive: Keepalive,
    next: Option<Instant>,
    ping: Option<Ping>,
    count: u32,
}

/// A Ping that is not answered yet.
#[derive(Clone, Copy, Debug)]
struct Ping {
    /// The place in the queue that has to be written for it to have left.
    mark: u64,
    left: Option<Instant>,
    /// When the last bytes came, if any came after it.
    heard: Option<Instant>,
}

impl Pulse {
    pub(super) fn new(keepalive: Keepalive) -> Self {
        Self { keepalive, next: None, ping: None, count: 0 }
    }

    /// Bytes have come. Of those before them it is known by now whether a Pong was among them: answers how long it took.
    #[inline]
    pub(super) fn alive(&mut self, answered: bool) -> Option<Duration> {
        if self.ping.is_some() { self.heard(answered) } else { None }
    }

    #[cold]
    fn heard(&mut self, answered: bool) -> Option<Duration> {
        if answered {
            return self.settle();
        }
        if let Some(ping) = &mut self.ping {
            ping.heard = Some(Instant::now());
        }
        None
    }

    /// The Pong came with the last bytes that were read: answers how long that took.
    fn settle(&mut self) -> Option<Duration> {
        let Ping { left, heard, .. } = self.ping.take()?;
        Some(heard?.saturating_duration_since(left?))
    }

    /// The queue was written, and what lay before a place has left if `has_left` says so.
    #[inline]
    pub(super) fn wrote(&mut self, has_left: impl FnOnce(u64) -> bool) {
        if let Some(ping) = &mut self.ping
            && ping.left.is_none()
            && has_left(ping.mark)
        {
            ping.left = Some(Instant::now());
        }
    }
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin, D: Decode, E: Encode> Conn<R, W, D, E> {
    /// Sends the Ping when it is time, and finds out whether the last one was followed by anything.
    #[cold]
    pub(super) fn poll_pulse(&mut self, timeouts: Timeouts) -> Poll<()> {
        let Some(pulse) = &mut self.pulse else { return Poll::Pending };
        let waker = self.line.waker();
        let Keepalive { interval, patience } = pulse.keepalive;

        if self.inbound.pong_came() {
            self.line.note_round_trip(pulse.settle());
        }
        pulse.wrote(|mark| self.line.lock().has_left(mark));
        if let Some(Ping { left: Some(left), heard: None, .. }) = pulse.ping
            && let Some(until) = after(left, patience)
            && self.timers.has_passed(until, waker)
        {
            let need = Need { wait: Wait::Pong, epoch: 0 };
            let fault = self.inbound.expired(need, &mut self.line.lock().shared);
            self.ended_by(fault, timeouts.wire);
            return Poll::Ready(());
        }

        if pulse.ping.is_some_and(|ping| ping.heard.is_none()) {
            // One at a time: another would set back the deadline of this one.
            return Poll::Pending;
        }
        let Some(next) = pulse.next.or_else(|| after(Instant::now(), interval)) else { return Poll::Pending };
        pulse.next = Some(next);
        if !self.timers.has_passed(next, waker) {
            return Poll::Pending;
        }
        let mut out = self.line.lock();
        if out.torn {
            // Whoever sends the frame wakes this task when it leaves.
            out.want();
            return Poll::Pending;
        }
        pulse.count = pulse.count.wrapping_add(1);
        let payload = pulse.count.to_be_bytes();
        let sent = out.room().len() >= payload.len().saturating_add(16)
            && out.encode(&mut Sending::message(Opcode::PING, &payload)).is_ok();
        if sent {
            self.inbound.expect_pong(payload);
            pulse.ping = Some(Ping { mark: out.mark(), left: None, heard: None });
        }
        pulse.next = after(Instant::now(), interval);
        // To be flushed, like everything that lies in the queue before a wait.
        Poll::Ready(())
    }
}
