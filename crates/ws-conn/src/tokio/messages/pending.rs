use super::super::out::{Out, PORTION};
use super::Message;
use crate::driver::error::Error;
use crate::driver::turns::Turn;
use crate::extension::Encode;
use crate::outbound::Sending;
use core::mem;
use core::task::{Context, Poll, Waker, ready};
use tokio::io::AsyncWrite;

/// A message that the sink has accepted, and how far it is out.
#[derive(Debug)]
pub(super) struct Pending {
    message: Message,
    begun: Option<Begun>,
}

/// A frame that no queue holds. Until all of it is out it keeps its turn from one poll to the next, so that whoever polls
/// goes on with it.
#[derive(Debug)]
struct Begun {
    /// Without its payload, which is the message's.
    op: Sending<'static>,
    /// How much of the end of the message is not encoded.
    left: usize,
    /// How much of the end of the message is to be written as it is.
    then: usize,
    encoded: bool,
    turn: Turn,
}

/// One poll of it.
pub(super) struct Polled<'p> {
    pending: &'p mut Pending,
    budget: usize,
    /// It is to be polled again at once: others are to have their turn before it goes on.
    yields: bool,
    /// Who has the turn next.
    next: Option<Waker>,
}

impl Pending {
    pub(super) fn new(message: Message) -> Self {
        Self { message, begun: None }
    }

    /// Whether a part of it is out.
    pub(super) fn has_begun(&self) -> bool {
        self.begun.is_some()
    }

    pub(super) fn begin_poll(&mut self) -> Polled<'_> {
        Polled { pending: self, budget: PORTION, yields: false, next: None }
    }
}

impl Polled<'_> {
    /// Sends it as far as that goes. Returns the place behind it.
    pub(super) fn put<W: AsyncWrite + Unpin, E: Encode>(
        &mut self,
        out: &mut Out<W, E>,
        waker: &Waker,
    ) -> Poll<Result<u64, Error>> {
        let Message { opcode, payload } = &self.pending.message;
        if self.pending.begun.is_none() {
            if out.torn {
                return Poll::Pending;
            }
            out.queue_replies()?;
            out.usable()?;
            let mut op = Sending::message(*opcode, payload);
            if op.is_data() && out.message.is_busy() {
                return Poll::Pending;
            }
            if payload.len() <= ready!(out.poll_room(payload.len(), waker))? {
                out.encode_all(&mut op)?;
                return Poll::Ready(Ok(out.mark()));
            }
            let mut turn = Turn::OUT;
            if !out.frame.try_take(&mut turn) {
                return Poll::Pending;
            }
            let op = op.with_payload(&[]);
            self.pending.begun = Some(Begun { op, left: payload.len(), then: 0, encoded: false, turn });
        }
        let Some(begun) = &mut self.pending.begun else { return Poll::Pending };
        let tail = |len| payload.get(payload.len().saturating_sub(len)..).unwrap_or_default();
        let op = mem::replace(&mut begun.op, Sending::message(*opcode, &[]));
        let (mut op, mut then) = (op.with_payload(tail(begun.left)), tail(begun.then));
        let sent = out.poll_frame(&mut op, &mut then, &mut begun.encoded, &mut self.budget, waker);
        (begun.left, begun.then) = (op.payload().len(), then.len());
        begun.op = op.with_payload(&[]);
        let place = out.mark();
        self.yields = sent.is_pending() && self.budget == 0;
        let sent = ready!(sent);
        self.next = out.leave_frame(&mut begun.turn);
        Poll::Ready(sent.map(|()| place))
    }

    /// When the lock is released.
    pub(super) fn end(self, cx: &Context<'_>) {
        self.next.into_iter().for_each(Waker::wake);
        if self.yields {
            cx.waker().wake_by_ref();
        }
    }
}
