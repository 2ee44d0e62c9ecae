//! From headers to the frame that follows: everything a frame can be refused for before its payload is looked at.

use super::{Inbound, Place};
use crate::extension::Decode;
use crate::fault::Fault;
use crate::receiving::{Kind, Receiving};
use ws_frame::{Header, Mask, Opcode, Utf8, Violation};

impl<D: Decode> Inbound<D> {
    /// Reads a header; `false` if it is not all there.
    #[inline]
    pub(super) fn head(&mut self, op: &Receiving<'_>, rest: &[u8], used: &mut usize) -> Result<bool, Fault> {
        if self.head_len == 0
            && let Some((header, size)) = Header::parse(rest)
        {
            *used = used.saturating_add(size);
            self.begin(op, &header, size)?;
            return Ok(true);
        }
        self.piece_of_head(op, rest, used)
    }

    /// Reads a header that comes in pieces. It is judged as far as it goes, so that a violation is told at once.
    #[cold]
    fn piece_of_head(&mut self, op: &Receiving<'_>, rest: &[u8], used: &mut usize) -> Result<bool, Fault> {
        for byte in rest {
            let at = usize::from(self.head_len);
            let Some(place) = self.head.get_mut(at) else { break };
            *place = *byte;
            self.head_len = self.head_len.saturating_add(1);
            *used = used.saturating_add(1);

            let head = self.head;
            let head = head.get(..=at).unwrap_or_default();
            if let Some((header, size)) = Header::parse(head) {
                self.head_len = 0;
                self.begin(op, &header, size)?;
                return Ok(true);
            }
            self.judge_start(head)?;
        }
        Ok(false)
    }

    /// Everything that a header can be refused for, before a byte of its payload is looked at.
    #[inline]
    pub(super) fn judge(&self, header: &Header, size: usize) -> Result<(), Fault> {
        // In the order of the wire, so that it is refused for the same reason however it was cut.
        self.judge_first_byte(header.rsv, header.opcode)?;
        Ok(header.check(size, self.role.peer())?)
    }

    fn judge_start(&self, head: &[u8]) -> Result<(), Fault> {
        if let Some(byte) = head.first() {
            self.judge_first_byte(byte >> 4 & 7, Opcode::from_bits(byte & 0x0F))?;
        }
        Ok(Header::check_start(head, self.role.peer())?)
    }

    #[inline]
    fn judge_first_byte(&self, rsv: u8, opcode: Opcode) -> Result<(), Fault> {
        // "MUST be 0 unless an extension is negotiated that defines meanings for non-zero values."
        // -- RFC 6455, section 5.2
        let first = opcode.is_data() && opcode != Opcode::CONTINUATION;
        if rsv & !(if first { D::RSV } else { 0 }) != 0 {
            return Err(Violation::ReservedBits.into());
        }
        if !self.accept.contains(opcode) {
            return Err(if opcode.is_reserved() { Violation::ReservedOpcode.into() } else { Fault::Refused(opcode) });
        }
        match (opcode, self.open) {
            (Opcode::CONTINUATION, false) => Err(Violation::ContinuationUnexpected.into()),
            (_, true) if first => Err(Violation::ContinuationMissing.into()),
            _ => Ok(()),
        }
    }

    #[inline]
    fn begin(&mut self, op: &Receiving<'_>, header: &Header, size: usize) -> Result<(), Fault> {
        self.judge(header, size)?;
        self.mask = Mask::new(header.mask.unwrap_or_default());
        self.left = header.len;
        self.frame = header.opcode;
        self.reported = false;
        if header.opcode.is_control() {
            self.control.clear();
            let seen = op.kind == Kind::Frame && header.opcode != Opcode::CLOSE;
            self.place = if seen { Place::Payload } else { Place::Control };
            return Ok(());
        }
        if header.opcode != Opcode::CONTINUATION {
            self.opcode = header.opcode;
            self.open = true;
            self.skipped = op.kind == Kind::Discard;
            self.coded = header.rsv != 0;
            self.holds = false;
            self.text = header.opcode == Opcode::TEXT;
            self.utf8 = Utf8::new();
        }
        // Refused by its header: before anything is allocated for it, and before it is waited for.
        let room = op.limit.saturating_sub(self.got) as u64;
        if header.len > room && !self.coded && !self.skipped {
            return Err(Fault::Overflow);
        }
        self.fin = header.fin;
        self.place = Place::Payload;
        Ok(())
    }
}
