//! What an extension says of itself is not believed.

use crate::outbound::Few;
use ws_conn::{Coded, Encode, Fault, Misuse, Opcode, Outbound, Role, Sending};
use ws_testkit::naive;

/// An extension that marks no message has none, whatever it says.
struct Unmarked;

impl Encode for Unmarked {
    const RSV: u8 = 0;

    fn begin(&mut self, _: Option<usize>) -> bool {
        true
    }

    fn encode(&mut self, _: &[u8], _: bool, _: &mut [u8]) -> Result<Coded, Fault> {
        Err(Misuse::Encode.into())
    }
}

#[test]
fn an_extension_without_bits_is_never_asked_on_the_short_way_or_the_long_one() {
    for len in [0, 5, 125, 126, 300] {
        let payload = vec![b'a'; len];
        let mut room = [0; 1000];
        let mut outbound = Outbound::with(Role::Server, Unmarked);
        let out = outbound.next(&mut Sending::message(Opcode::BINARY, &payload), &mut (), &mut room).unwrap();
        assert!(out.done && out.filled == payload.len() + if len < 126 { 2 } else { 4 });
        let out = outbound.next(&mut Sending::fragment(Opcode::BINARY, true, &payload), &mut (), &mut room).unwrap();
        assert!(room[..out.filled].ends_with(&payload));
    }
}

/// An extension that claims to have written more than there was room for.
struct Boastful;

impl Encode for Boastful {
    const RSV: u8 = 4;

    fn begin(&mut self, _: Option<usize>) -> bool {
        true
    }

    fn encode(&mut self, payload: &[u8], _: bool, _: &mut [u8]) -> Result<Coded, Fault> {
        Ok(Coded { read: payload.len() + 1, wrote: usize::MAX, end: true })
    }
}

#[test]
fn what_an_extension_claims_beyond_its_room_does_not_count() {
    for role in [Role::Client, Role::Server] {
        let mut room = [0; 200];
        let mut op = Sending::message(Opcode::BINARY, b"abc");
        let out = Outbound::with(role, Boastful).next(&mut op, &mut Few(1), &mut room).unwrap();
        assert!(out.done && out.filled <= room.len());
        let frames = naive::read_all(&room[..out.filled]).unwrap();
        let [frame] = &frames[..] else { panic!("{} frames", frames.len()) };
        assert!(frame.fin && frame.rsv == 4 && frame.mask.is_some() == (role == Role::Client));
        assert!(frame.payload.iter().all(|byte| *byte == 0), "what lay in the room, masked as all payload is");
    }
}
