//! The receiving direction, given any bytes in any pieces.

use super::driver::{Driver, Event, Way};
use super::expected::Expected;
use crate::input::Input;
use ws_conn::{Accept, Opcode, Role};

/// Any bytes, in any pieces and any ways of receiving, are taken as [`Driver::receive`] says. Where there is one way only,
/// the events are those of the bytes in one piece; they are also those that the naive reader and the judge make of them. With
/// several, what is legal is at least not taken for a violation.
///
/// The input: what is accepted, the limit of a message (255: the length of the wire), the ways (counted; none is that of
/// whole messages), the sizes of pieces (counted), the wire.
pub(crate) fn inbound(role: Role, input: &[u8]) {
    let mut input = Input::new(input);
    let accept = [Accept::V13, Accept::ALL, Accept::V13.without(Opcode::BINARY)];
    let accept = accept[usize::from(input.byte()) % accept.len()];
    let limit = input.byte();
    let ways: Vec<_> = input.counted().iter().map(|byte| Way::from_byte(*byte)).collect();
    let sizes = input.counted();
    let wire = input.rest();
    let limit = if limit == 255 { wire.len() } else { limit.into() };

    let cut = Driver::new(role, accept, &ways, limit).receive(wire, sizes);
    let reserved = accept == Accept::ALL;
    let as_judged = reserved || accept == Accept::V13;
    let way = match ways[..] {
        [] => Way::Message,
        [way] if way.is_steady() => way,
        // What a message is then depends on where it was cut. But what is legal stays so.
        _ if as_judged => return Expected::of(role, reserved, wire).assert_no_worse(&cut),
        _ => return,
    };
    let whole = Driver::new(role, accept, &ways, limit).receive(wire, &[]);
    assert_eq!(cut, whole, "the pieces matter");
    // What is not looked at, is left out, or is looked at frame by frame is not what the judge sees.
    if as_judged && !matches!(way, Way::Frame | Way::Discard) {
        let limited = limit < wire.len() && way != Way::Chunk;
        Expected::of(role, reserved, wire).assert_is(&whole, limited);
        assert!(whole.iter().all(|event| match event {
            Event::Message(_, payload) => payload.len() <= limit || !limited,
            _ => true,
        }));
    }
}
