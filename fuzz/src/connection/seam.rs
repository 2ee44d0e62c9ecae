//! The seam for extensions, with run-length coding in it.

use super::driver::{Driver, Event, MIN_ROOM, Way};
use super::keys::Counter;
use super::runs::{Roll, Unroll};
use crate::input::{Input, pieces};
use ws_conn::{Accept, Fault, Opcode, Outbound, Role, Sending, Violation};
use ws_testkit::judge::Judge;
use ws_testkit::naive::{self, Frame, TEXT};

/// Any bytes through a decoder, in any pieces: as in one piece, and what is legal arrives decoded. Then the same bytes as a
/// message through an encoder, in fragments and in any room: what comes out is legal, and the peer gets the message.
///
/// The input: the role (even: server), the limit of a message, the way of receiving, the sizes of pieces (counted), the
/// sizes of room (counted), the bytes.
pub fn seam(input: &[u8]) {
    let mut input = Input::new(input);
    let role = if input.byte() & 1 == 0 { Role::Server } else { Role::Client };
    let limit = input.u16().into();
    let way = [Some(Way::from_byte(input.byte())).filter(|way| way.is_steady()).unwrap_or(Way::Chunk)];
    let (sizes, rooms, bytes) = (input.counted(), input.counted(), input.rest());

    let cut = receive(role, &way, limit, bytes, sizes);
    let whole = receive(role, &way, limit, bytes, &[]);
    assert!(cut == whole || decoder_was_first(&cut, &whole), "the pieces matter: {cut:?}, but {whole:?}");
    if let Some(messages) = decoded(role, bytes)
        && !matches!(way, [Way::Frame | Way::Discard])
        && (way == [Way::Chunk] || messages.iter().all(|(_, payload)| payload.len() <= limit))
    {
        assert_eq!(received(&cut), messages);
    }

    let wire = encode(role, bytes, sizes, rooms);
    assert_eq!(decoded(role.peer(), &wire).as_deref(), Some(&[(naive::BINARY, bytes.to_vec())][..]));
    let cut = receive(role.peer(), &[Way::Chunk], limit, &wire, rooms);
    assert_eq!(received(&cut), [(naive::BINARY, bytes.to_vec())]);
}

fn receive(role: Role, way: &[Way], limit: usize, wire: &[u8], sizes: &[u8]) -> Vec<Event> {
    Driver::with(role, Accept::V13, way, limit, Unroll::default(), 255).receive(wire, sizes)
}

/// Whether two runs differ only in what ended them. A decoder that fails keeps what it made before in the same call, so that
/// with longer pieces its fault comes before one that this would have shown.
fn decoder_was_first(one: &[Event], other: &[Event]) -> bool {
    let end = |events: &[Event]| events.iter().position(|event| matches!(event, Event::End(_)));
    let fails = |event: &Event| *event == Event::End(Fault::Violation(Violation::Extension));
    match (end(one), end(other)) {
        (Some(at), Some(place)) => one[..at] == other[..place] && (fails(&one[at]) || fails(&other[place])),
        _ => false,
    }
}

/// The messages among what was received.
fn received(events: &[Event]) -> Vec<(u8, Vec<u8>)> {
    let messages = events.iter().filter_map(|event| match event {
        Event::Message(opcode, payload) => Some((*opcode, payload.clone())),
        _ => None,
    });
    messages.collect()
}

/// The messages of what a peer of this role sent, if all of it is legal and whole.
fn decoded(role: Role, wire: &[u8]) -> Option<Vec<(u8, Vec<u8>)>> {
    let judge = Judge::new(role.peer() == Role::Client).allow_rsv(4).allow_any_keys();
    let (mut messages, mut open) = (Vec::new(), None);
    for frame in judge.bytes(wire).ok()?.into_iter().filter(|frame| !frame.is_control()) {
        let (_, payload) = open.get_or_insert_with(|| (frame.clone(), Vec::new()));
        payload.extend_from_slice(&frame.payload);
        if let Some((first, payload)) = open.take_if(|_| frame.fin) {
            messages.push((first.opcode, plain(&first, payload)?));
        }
    }
    // What has come of a message that is not finished may be wrong already.
    open.is_none().then_some(messages)
}

/// The payload without the extension, if it can be decoded: pairs of a count, which is not 0, and a byte.
fn plain(first: &Frame, payload: Vec<u8>) -> Option<Vec<u8>> {
    if first.rsv == 0 {
        return Some(payload);
    }
    let (pairs, rest) = payload.as_chunks();
    let whole = rest.is_empty() && pairs.iter().all(|[count, _]| *count > 0);
    let plain: Vec<_> = pairs.iter().flat_map(|[count, byte]| core::iter::repeat_n(*byte, (*count).into())).collect();
    (whole && (first.opcode != TEXT || core::str::from_utf8(&plain).is_ok())).then_some(plain)
}

/// One message, in fragments of these sizes, through rooms of these sizes where they are large enough.
fn encode(role: Role, bytes: &[u8], sizes: &[u8], rooms: &[u8]) -> Vec<u8> {
    let mut outbound = Outbound::with(role, Roll::default());
    let (mut keys, mut wire) = (Counter::default(), Vec::new());
    let mut rooms = rooms.iter().cycle();
    let fragments = pieces(bytes, sizes).map(|piece| (false, piece)).chain([(true, &[][..])]);
    for (fin, piece) in fragments {
        let mut op = Sending::fragment(Opcode::BINARY, fin, piece);
        loop {
            let mut room = vec![0xee; MIN_ROOM + rooms.next().map_or(0, |size| usize::from(*size))];
            let out = outbound.next(&mut op, &mut keys, &mut room).expect("it can be encoded");
            assert!(out.done || out.filled > 0, "no progress in {} bytes of room", room.len());
            wire.extend_from_slice(&room[..out.filled]);
            assert!(out.then.is_empty(), "what is encoded lies in the room");
            if out.done {
                break;
            }
        }
    }
    wire
}
