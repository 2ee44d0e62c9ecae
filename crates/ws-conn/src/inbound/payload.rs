//! From the payload of frames to the caller's buffer.

use super::{Inbound, News, Place};
use crate::extension::Decode;
use crate::fault::Fault;
use crate::receiving::{Kind, Receiving, Step};
use ws_frame::{Close, CloseCode, Mask, Opcode, Role, Violation};

impl<D: Decode> Inbound<D> {
    /// Collects the payload of a control frame, and acts on it when it is whole.
    pub(super) fn control(&mut self, op: &Receiving<'_>, rest: &[u8], used: &mut usize) -> Result<Option<Step>, Fault> {
        let some = self.first(rest, usize::MAX);
        let mask = &mut self.mask;
        self.control.append(some.len(), |room| mask.copy(some, room));
        self.left = self.left.saturating_sub(some.len() as u64);
        *used = used.saturating_add(some.len());
        if self.left > 0 {
            return Ok(Some(self.dry(op)));
        }
        self.place = Place::Head;
        self.passed = self.passed.saturating_add(1);
        let news = match self.frame {
            Opcode::PING => News::Ping,
            Opcode::CLOSE => News::Close(match Close::parse(self.control.as_slice())? {
                Some(close) => close.code,
                // "If this Close control frame contains no status code, _The WebSocket Connection Close Code_ is
                // considered to be 1005." -- RFC 6455, section 7.1.5
                None => CloseCode::NO_STATUS,
            }),
            Opcode::PONG => {
                // "A response to an unsolicited Pong frame is not expected." -- RFC 6455, section 5.5.3
                if self.expected.as_ref().is_some_and(|expected| expected == self.control.as_slice()) {
                    self.expected = None;
                }
                return Ok(None);
            }
            // A reserved opcode that `Accept` lets pass is for the level of frames.
            _ => return Ok(None),
        };
        self.news = Some(news);
        Ok(Some(Step::Reply))
    }

    #[inline]
    pub(super) fn payload(
        &mut self,
        op: &mut Receiving<'_>,
        rest: &[u8],
        used: &mut usize,
    ) -> Result<Option<Step>, Fault> {
        if op.kind == Kind::Chunk && op.into.is_empty() && !self.discards(op) {
            // A message has begun, which is what the call was for. Its end is told when it is read.
            return Ok(Some(self.done(op, false)));
        }
        if self.coded && self.frame.is_data() {
            return self.coded(op, rest, used);
        }
        if self.discards(op) {
            let some = self.first(rest, usize::MAX).len();
            self.left = self.left.saturating_sub(some as u64);
            *used = used.saturating_add(some);
        } else {
            let got = self.got;
            let room = op.into.get_mut(got..).unwrap_or_default();
            let some = self.first(rest, room.len());
            let Some(room) = room.get_mut(..some.len()) else { return Ok(None) };
            match self.role {
                Role::Server => self.mask.copy(some, room),
                Role::Client => room.copy_from_slice(some),
            }
            self.left = self.left.saturating_sub(some.len() as u64);
            *used = used.saturating_add(some.len());
            self.got = got.saturating_add(some.len());
            self.check(op.kind, room)?;
        }
        if self.left == 0 {
            return self.end_of_frame(op);
        }
        if self.got == op.into.len() && !self.discards(op) { self.full(op).map(Some) } else { Ok(Some(self.dry(op))) }
    }

    #[inline]
    fn end_of_frame(&mut self, op: &Receiving<'_>) -> Result<Option<Step>, Fault> {
        self.place = Place::Head;
        self.passed = self.passed.saturating_add(1);
        if self.frame.is_control() {
            return Ok((op.kind == Kind::Frame).then(|| self.done(op, true)));
        }
        if self.fin {
            if self.coded {
                self.place = Place::Tail;
                return Ok(None);
            }
            return self.end_of_message(op);
        }
        Ok((op.kind == Kind::Frame && !self.skipped).then(|| self.done(op, false)))
    }

    #[inline]
    fn end_of_message(&mut self, op: &Receiving<'_>) -> Result<Option<Step>, Fault> {
        self.place = Place::Head;
        self.open = false;
        self.parted = false;
        if self.discards(op) {
            self.skipped = false;
            self.next_wait();
            return Ok(None);
        }
        if self.text {
            self.utf8.finish()?;
        }
        Ok(Some(self.done(op, true)))
    }

    /// The caller's buffer is full, and the message is not at its end.
    fn full(&mut self, op: &Receiving<'_>) -> Result<Step, Fault> {
        match op.kind {
            Kind::Held if self.got < op.limit => Ok(Step::Room),
            Kind::Held | Kind::Message => Err(Fault::Overflow),
            _ => Ok(self.done(op, false)),
        }
    }

    /// Moves payload through the extension. It stays masked with the driver as long as the extension does not take it.
    fn coded(&mut self, op: &mut Receiving<'_>, rest: &[u8], used: &mut usize) -> Result<Option<Step>, Fault> {
        let mut block = [0; BLOCK];
        let some = self.first(rest, BLOCK);
        let Some(block) = block.get_mut(..some.len()) else { return Ok(None) };
        let mut mask: Mask = self.mask;
        mask.copy(some, block);

        if !block.is_empty() {
            let Some(coded) = self.decode_into(op, block, false)? else { return self.full(op).map(Some) };
            let read = coded.0.min(block.len());
            self.mask.skip(read as u64);
            self.left = self.left.saturating_sub(read as u64);
            *used = used.saturating_add(read);
            if coded.0 == 0 && coded.1 == 0 {
                // It wants neither input nor room: it would do the same for ever.
                return Err(Violation::Extension.into());
            }
        } else if self.left > 0 {
            return Ok(Some(self.dry(op)));
        }
        if self.left == 0 { self.end_of_frame(op) } else { Ok(None) }
    }

    /// Fetches what an extension holds back of the input that it has taken, since it had no room for it. Who reads a
    /// stream is not to wait for the peer to get it.
    #[cold]
    pub(super) fn held_back(&mut self, op: &mut Receiving<'_>) -> Result<Option<Step>, Fault> {
        while self.holds {
            if self.decode_into(op, &[], false)?.is_none() {
                return self.full(op).map(Some);
            }
        }
        // On the level of frames this belongs to the frame before, and must not run into the next one.
        Ok((op.kind == Kind::Frame && self.got > 0).then(|| self.done(op, false)))
    }

    /// Fetches a part of what an extension still holds of a message whose last frame is in.
    pub(super) fn tail(&mut self, op: &mut Receiving<'_>) -> Result<Option<Step>, Fault> {
        let Some((_, wrote, end)) = self.decode_into(op, &[], true)? else { return self.full(op).map(Some) };
        if end {
            return self.end_of_message(op);
        }
        if wrote == 0 {
            return Err(Violation::Extension.into());
        }
        Ok(None)
    }

    /// One step of the extension into the caller's buffer: bytes read, bytes written, end. `None` if there is no room
    /// and the operation can do without more. A message that is to be whole gets a probe of one byte more: output
    /// there means that it does not fit.
    fn decode_into(
        &mut self,
        op: &mut Receiving<'_>,
        input: &[u8],
        last: bool,
    ) -> Result<Option<(usize, usize, bool)>, Fault> {
        let mut probe = [0; 1];
        let mut waste = [0; BLOCK];
        let got = self.got;
        let limit = op.limit;
        let discards = self.discards(op);
        let room = op.into.get_mut(got..).unwrap_or_default();
        let over = room.is_empty() && !discards;
        let out: &mut [u8] = match op.kind {
            _ if discards => &mut waste,
            Kind::Message if over => &mut probe,
            Kind::Held if over && got >= limit => &mut probe,
            _ if over => return Ok(None),
            _ => room,
        };
        let coded = self.decode.decode(input, last, out)?;
        let wrote = coded.wrote.min(out.len());
        self.holds = wrote == out.len() && !coded.end;
        if discards {
            self.passed = self.passed.saturating_add(1);
        } else {
            let sum = got.saturating_add(wrote);
            if sum > limit {
                return Err(Fault::Overflow);
            }
            self.got = sum;
            let new = out.get(..wrote).unwrap_or_default();
            self.check(op.kind, new)?;
        }
        Ok(Some((coded.read, wrote, coded.end)))
    }

    /// Checks text as it comes, so that what can never become UTF-8 is refused at once.
    #[inline]
    fn check(&mut self, kind: Kind, new: &[u8]) -> Result<(), Fault> {
        if !self.text || self.frame.is_control() {
            return Ok(());
        }
        if kind == Kind::Frame {
            // The level of frames looks at no content. What it has taken of a message leaves the rest unchecked.
            self.text = false;
            return Ok(());
        }
        Ok(self.utf8.push(new)?)
    }

    #[inline]
    fn discards(&self, op: &Receiving<'_>) -> bool {
        // A control frame gets here on the level of frames only, or as the rest of one that was given up there.
        if self.frame.is_control() { op.kind != Kind::Frame } else { self.skipped }
    }

    /// The part of the input that belongs to the frame, at most `room` bytes.
    #[inline]
    fn first<'i>(&self, rest: &'i [u8], room: usize) -> &'i [u8] {
        let len = usize::try_from(self.left).unwrap_or(usize::MAX).min(rest.len()).min(room);
        rest.get(..len).unwrap_or_default()
    }
}

/// How much is unmasked at a time for an extension, on the stack.
const BLOCK: usize = 512;
