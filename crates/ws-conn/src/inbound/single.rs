//! The short way for most messages: one frame, all of it in the input, nothing wrong with it.

use super::{Inbound, Place};
use crate::extension::Decode;
use crate::fault::Fault;
use crate::receiving::{Received, Receiving, Step};
use core::ops::Range;
use ws_frame::{Header, Mask, Opcode, Utf8, Violation};

impl<D: Decode> Inbound<D> {
    /// A whole message that lies in `input`, unmasked where it is: the number of bytes it takes of the input, its
    /// opcode, and where it is. `None` says nothing but that [`push`](Self::push) is to be asked.
    ///
    /// Only for messages in one frame, without an extension, of at most `limit` bytes.
    #[inline]
    pub fn lend(&mut self, input: &mut [u8], limit: usize) -> Option<(usize, Opcode, Range<usize>)> {
        let (header, range) = self.single(input, limit)?;
        let payload = input.get_mut(range.clone())?;
        if let Some(key) = header.mask {
            Mask::new(key).apply(payload);
        }
        if let Err(violation) = check_whole(header.opcode, payload) {
            self.fault(violation.into());
            return None;
        }
        self.next_wait();
        Some((range.end, header.opcode, range))
    }

    /// A message in one frame that lies in the input as a whole, and that nothing is wrong with. Most messages are of
    /// this kind, and need none of what is kept between calls.
    #[inline]
    pub(super) fn single(&self, input: &[u8], limit: usize) -> Option<(Header, Range<usize>)> {
        if self.place != Place::Head || self.head_len != 0 || self.open || self.news.is_some() || self.over.is_some() {
            return None;
        }
        let (header, size) = Header::parse(input)?;
        let len = usize::try_from(header.len).ok().filter(|len| *len <= limit)?;
        let range = size..size.checked_add(len)?;
        let alone = header.fin && header.rsv == 0 && !header.opcode.is_control();
        (alone && range.end <= input.len() && self.judge(&header, size).is_ok()).then_some((header, range))
    }

    #[inline]
    pub(super) fn copy_single(
        &mut self,
        op: &mut Receiving<'_>,
        header: &Header,
        input: &[u8],
        range: Range<usize>,
    ) -> (usize, Step) {
        let used = range.end;
        let payload = input.get(range).unwrap_or_default();
        let len = payload.len();
        let Some(into) = op.into.get_mut(..len) else { return (used, self.fault(Fault::Overflow)) };
        match header.mask {
            Some(key) => Mask::new(key).copy(payload, into),
            None => into.copy_from_slice(payload),
        }
        if let Err(violation) = check_whole(header.opcode, into) {
            return (used, self.fault(violation.into()));
        }
        self.next_wait();
        (used, Step::Done(Received { opcode: header.opcode, len, fin: true }))
    }
}

/// Text has to be UTF-8 from its first byte to its last.
#[inline]
fn check_whole(opcode: Opcode, payload: &[u8]) -> Result<(), Violation> {
    if opcode == Opcode::TEXT { Utf8::check(payload) } else { Ok(()) }
}
