//! The short way for most messages: one small frame, all of it into the room, nothing wrong with it.

use super::{Keys, Outbound, Sending};
use crate::extension::Encode;
use ws_frame::{Header, Mask, Opcode, Role, Utf8};

impl<E: Encode> Outbound<E> {
    /// Puts a whole message into the room. Answers how many bytes that makes; `None` says nothing but that the long way
    /// is to be taken: nothing has happened then.
    #[inline]
    pub(super) fn single(&mut self, op: &mut Sending<'_>, keys: &mut impl Keys, room: &mut [u8]) -> Option<usize> {
        let payload = op.payload;
        let len = payload.len();
        // An extension that marks messages is to be asked about each.
        let plain = E::RSV == 0 && op.whole && !op.begun && !self.open && self.closed.is_none();
        let small = len <= SMALL && len < op.gather && room.len() >= Self::MIN_ROOM;
        if !(plain && small && is_valid(op.opcode, payload)) {
            return None;
        }
        let key = match self.role {
            Role::Server => None,
            Role::Client => Some(keys.key()?),
        };
        let header = Header { fin: true, rsv: 0, opcode: op.opcode, mask: key, len: len as u64 };
        let size = header.encode(room.first_chunk_mut()?).len();
        let filled = size.checked_add(len)?;
        // Zeros mask nothing: that is how a short payload is copied without a call.
        Mask::new(key.unwrap_or_default()).copy(payload, room.get_mut(size..filled)?);
        op.payload = &[];
        op.begun = true;
        Some(filled)
    }
}

/// Whether this is a message as most are.
#[inline]
fn is_valid(opcode: Opcode, payload: &[u8]) -> bool {
    opcode == Opcode::BINARY || opcode == Opcode::TEXT && Utf8::check(payload).is_ok()
}

/// The longest payload that is small: masked, or copied, without a loop.
const SMALL: usize = 125;
