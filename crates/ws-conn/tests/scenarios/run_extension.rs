//! The extension seam: what is not a matter of outcomes but of bounds.

use crate::app::App;
use crate::extension::{Fragile, Roll, Unroll, coded};
use crate::machine::Machine;
use crate::scenario::{Call, Failure};
use ws_conn::{
    Coded, Decode, Encode, Fault, Inbound, Misuse, Opcode, Outbound, Plain, Receiving, Role, Sending, Step, Violation,
};
use ws_testkit::judge::Judge;
use ws_testkit::naive::{self, Frame};

#[test]
fn a_bomb_is_taken_no_faster_than_its_output_is() {
    let bomb = Frame::new(naive::BINARY, coded(&[7; 255 * 400])).rsv(4).bytes();
    let mut inbound = Inbound::with(Role::Client, Unroll::default());
    let (mut at, mut out) = (0, 0);
    loop {
        let mut into = [0; 64];
        let (used, step) = inbound.push(&mut Receiving::chunk(&mut into), &bomb[at..]);
        let Step::Done(received) = step else { panic!("{step:?}") };
        at += used;
        out += received.len;
        assert!(into[..received.len].iter().all(|&byte| byte == 7));
        // Behind the header, what is taken is what is given, and at most one pair more.
        assert!(at <= 4 + 2 * out.div_ceil(255) + 2, "{at} bytes taken for {out}");
        if received.fin {
            break;
        }
        assert_eq!(received.len, 64, "room was left");
    }
    assert_eq!((at, out), (bomb.len(), 255 * 400));
}

#[test]
fn a_bomb_ends_at_the_callers_buffer() {
    // 255 bytes out for two in: with the second pair it is over, and nothing behind it is looked at.
    let bomb = Frame::new(naive::BINARY, coded(&[7; 255 * 20_000])).rsv(4).bytes();
    let mut inbound = Inbound::with(Role::Client, Unroll::default());
    let mut into = [0; 300];
    let (used, step) = inbound.push(&mut Receiving::message(&mut into), &bomb);
    assert_eq!(step, Step::Reply);
    assert!(used <= 4 + 6, "{used} bytes taken");
    let mut shared = ws_conn::Shared::new(Role::Client);
    assert_eq!(inbound.reply(&mut shared), Err(Fault::Overflow));
}

#[test]
fn output_that_is_held_back_for_want_of_room_is_not_held_back_for_want_of_input() {
    // All that came is taken by the first call; the rest of the message is still to come.
    let wire = Frame::new(naive::BINARY, coded(&[7; 200])).rsv(4).not_final().bytes();
    for cut in [wire.len(), wire.len() - 1] {
        let mut inbound = Inbound::with(Role::Client, Unroll::default());
        let (mut at, mut out) = (0, 0);
        let need = loop {
            let mut into = [0; 60];
            let (used, step) = inbound.push(&mut Receiving::chunk(&mut into), &wire[at..cut]);
            at += used;
            match step {
                Step::Done(received) => out += received.len,
                step => break step,
            }
        };
        assert!(matches!(need, Step::Need(_)), "{need:?}");
        assert_eq!((at, out), (cut, if cut == wire.len() { 200 } else { 0 }));
    }
}

#[test]
fn section_5_4_an_extension_yields_fragments_when_the_room_is_small() {
    for role in [Role::Server, Role::Client] {
        for payload in [crate::table::bytes(1000), vec![b'a'; 100_000], Vec::new()] {
            let mut machine = Machine::new(role, Plain, Roll::default(), &[], <Outbound>::MIN_ROOM);
            machine.call(&Call::Send(Opcode::BINARY, payload.clone())).unwrap();
            machine.call(&Call::Send(Opcode::PING, b"between".to_vec())).unwrap();
            let sent = machine.sent();
            let frames = Judge::new(role == Role::Client).allow_rsv(4).to_the_end().bytes(&sent).unwrap();
            let (ping, message) = frames.split_last().unwrap();
            assert_eq!(ping.opcode, naive::PING);
            assert!(message.iter().all(|frame| frame.bytes().len() <= <Outbound>::MIN_ROOM));
            // Before it is known how long a frame gets, room is kept for the header.
            let most = <Outbound>::MIN_ROOM - if role == Role::Client { 8 } else { 4 };
            assert_eq!(
                message.len(),
                coded(&payload).len().div_ceil(most).max(1),
                "fragments are shorter than they might be"
            );
            assert_eq!((message[0].opcode, message[0].rsv), (naive::BINARY, 4));
            assert!(message[1..].iter().all(|frame| (frame.opcode, frame.rsv) == (naive::CONTINUATION, 0)));
            assert_eq!(message.iter().flat_map(|frame| frame.payload.clone()).collect::<Vec<_>>(), coded(&payload));
        }
    }
}

#[test]
fn an_extension_that_cannot_encode_ends_the_connection_with_1011() {
    let mut machine = Machine::new(Role::Server, Plain, Fragile::default(), &[], 1000);
    machine.call(&Call::Send(Opcode::TEXT, b"aa".to_vec())).unwrap();
    let failed = machine.call(&Call::Send(Opcode::TEXT, b"b!".to_vec()));
    assert_eq!(failed, Err(Failure::Fault(Misuse::Encode.into())));
    assert_eq!(machine.status(), Some(1011));
    let frames = Judge::new(false).allow_rsv(4).bytes(&machine.sent()).unwrap();
    assert_eq!(frames, [Frame::new(naive::TEXT, coded(b"aa")).rsv(4), naive::close(1011, Misuse::Encode.reason())]);
}

/// It would do the same for ever: asked with input and with room, it takes and gives nothing and is not at an end.
#[derive(Debug)]
struct Still;

const NOTHING: Coded = Coded { read: 0, wrote: 0, end: false };

impl Decode for Still {
    const RSV: u8 = 4;

    fn decode(&mut self, input: &[u8], last: bool, _: &mut [u8]) -> Result<Coded, Fault> {
        // Stands still in the midst of a message, or when nothing is left but its end.
        Ok(if last { NOTHING } else { Coded { read: input.len() & !1, ..NOTHING } })
    }
}

impl Encode for Still {
    const RSV: u8 = 4;

    fn begin(&mut self, _: Option<usize>) -> bool {
        true
    }

    fn encode(&mut self, _: &[u8], _: bool, _: &mut [u8]) -> Result<Coded, Fault> {
        Ok(NOTHING)
    }
}

#[test]
fn an_extension_that_stands_still_is_not_asked_for_ever() {
    for payload in [b"12".to_vec(), b"1".to_vec()] {
        let wire = Frame::new(naive::BINARY, payload.clone()).rsv(4).bytes();
        let mut inbound = Inbound::with(Role::Client, Still);
        let (_, step) = inbound.push(&mut Receiving::message(&mut [0; 64]), &wire);
        assert_eq!(step, Step::Reply, "{payload:?}");
        let mut shared = ws_conn::Shared::new(Role::Client);
        assert_eq!(inbound.reply(&mut shared), Err(Fault::Violation(Violation::Extension)), "{payload:?}");
    }

    let mut outbound = Outbound::with(Role::Server, Still);
    let mut room = [0; 256];
    let next = outbound.next(&mut Sending::message(Opcode::BINARY, b"12"), &mut (), &mut room);
    assert_eq!(next.err(), Some(Misuse::Encode.into()));
}
