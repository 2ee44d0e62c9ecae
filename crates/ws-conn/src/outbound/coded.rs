//! Messages that an extension encodes: frames of a length that is known only when they are made.

use super::{Out, Outbound, Sending};
use crate::extension::Encode;
use crate::fault::{Fault, Misuse};
use ws_frame::{Header, Mask, Opcode, Role};

impl<E: Encode> Outbound<E> {
    /// Encodes into `room` and puts a header before what came out: a fragment each time the room is full, the last one
    /// with FIN.
    pub(super) fn next_coded<'m>(
        &mut self,
        op: &mut Sending<'m>,
        key: Option<[u8; 4]>,
        room: &mut [u8],
    ) -> Result<Out<'m>, Fault> {
        // Room for the longest header that a frame of at most 64 KiB - 1 has.
        let reserved = if self.role == Role::Client { 8 } else { 4 };
        let body = room.get_mut(reserved..).unwrap_or_default();
        let most = body.len().min(usize::from(u16::MAX));
        let Some(body) = body.get_mut(..most).filter(|body| !body.is_empty()) else {
            return Ok(Out { filled: 0, then: &[], done: false });
        };

        let mut len: usize = 0;
        let mut end = false;
        while !end && len < body.len() {
            let out = body.get_mut(len..).unwrap_or_default();
            let coded = self.encode.encode(op.payload, op.fin, out).map_err(|_| Misuse::Encode)?;
            op.payload = op.payload.get(coded.read..).unwrap_or_default();
            // No more than there was room for, whatever the extension says.
            len = len.saturating_add(coded.wrote.min(out.len()));
            end = if op.fin { coded.end } else { op.payload.is_empty() };
            if !end && coded.read == 0 && coded.wrote == 0 {
                return Err(Misuse::Encode.into());
            }
        }
        self.open = true;
        op.begun = true;
        if len == 0 && !op.fin {
            // The extension keeps it all for now.
            return Ok(Out { filled: 0, then: &[], done: true });
        }

        let opcode = if self.begun { Opcode::CONTINUATION } else { self.opcode };
        let rsv = if self.begun { 0 } else { E::RSV };
        let header = Header { fin: end && op.fin, rsv, opcode, mask: key, len: len as u64 };
        let mut head = [0; Header::MAX];
        let head = header.encode(&mut head);
        if let (Some(key), Some(body)) = (key, body.get_mut(..len)) {
            Mask::new(key).apply(body);
        }
        room.copy_within(reserved..reserved.saturating_add(len), head.len());
        room.iter_mut().zip(head).for_each(|(to, from)| *to = *from);
        self.begun = !header.fin;
        self.open = !header.fin;
        Ok(Out { filled: head.len().saturating_add(len), then: &[], done: end })
    }
}
