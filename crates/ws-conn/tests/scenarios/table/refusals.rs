//! What the application does not want: opcodes (`Accept`) and messages that are too large.

use super::{binary, bytes, control, text};
use crate::scenario::Call::{Frames, Message, Prefix, Receive, Stream};
use crate::scenario::{Event, Peer, Scenario, scenario};
use ws_conn::{Accept, Fault, Opcode, Violation};
use ws_testkit::naive::{self, Frame, continuation, ping, pong};

pub(super) fn scenarios() -> Vec<Scenario> {
    let mut all = opcodes();
    all.extend(sizes());
    all
}

fn opcodes() -> Vec<Scenario> {
    let without = |opcode: Opcode, frame: Frame| {
        scenario(format!("{opcode} is not accepted"))
            .accept(Accept::V13.without(opcode))
            .peer([frame, naive::close(1000, "")])
            .fails(Fault::Refused(opcode), 1003)
    };
    let data = |opcode: Opcode| Event::Message(opcode, b"x".to_vec());
    let reserved = (3..8).chain(11..16).map(|opcode| Frame::new(opcode, "x"));
    let mut all = vec![
        without(Opcode::TEXT, naive::text("t")),
        without(Opcode::BINARY, naive::binary("b").not_final()),
        without(Opcode::PING, ping("p")),
        without(Opcode::PONG, pong([])),
        scenario("continuation is not accepted")
            .accept(Accept::V13.without(Opcode::CONTINUATION))
            .peer([naive::text("whole"), naive::text("half").not_final(), continuation("half")])
            .gives([text("whole")])
            .fails(Fault::Refused(Opcode::CONTINUATION), 1003),
        scenario("refused by its header, before its payload")
            .accept(Accept::V13.without(Opcode::BINARY))
            .peer([Peer::Announced(1 << 40, naive::binary("only this comes"))])
            .fails(Fault::Refused(Opcode::BINARY), 1003),
        scenario("close is always accepted")
            .accept(Accept::from_bits(0).without(Opcode::CLOSE))
            .peer([naive::close(1000, "")])
            .closed_by_peer(1000),
        scenario("nothing but close is accepted")
            .accept(Accept::from_bits(0))
            .peer([naive::text("x")])
            .fails(Fault::Refused(Opcode::TEXT), 1003),
        scenario("reserved opcodes are accepted: the high level gets the data")
            .accept(Accept::ALL)
            .peer(reserved.clone())
            .gives((3..8).map(|opcode| data(Opcode::from_bits(opcode)))),
        scenario("reserved opcodes are accepted: lent")
            .accept(Accept::ALL)
            .peer(reserved.clone())
            .calls([Message(10)])
            .gives((3..8).map(|opcode| data(Opcode::from_bits(opcode)))),
        scenario("reserved opcodes are accepted: the level of frames gets all")
            .accept(Accept::ALL)
            .peer(reserved)
            .calls([Frames(10)])
            .gives((3..8).map(|opcode| data(Opcode::from_bits(opcode))))
            .gives_more((11..16).map(|opcode| control(Opcode::from_bits(opcode), "x"))),
        scenario("a reserved opcode in fragments, with reserved control frames between")
            .accept(Accept::ALL)
            .peer([Frame::new(7, *b"\xFF\xFE").not_final(), Frame::new(15, bytes(125)), continuation("end")])
            .calls([Stream(4)])
            .gives([Event::Message(Opcode::RESERVED_7, b"\xFF\xFEend".to_vec())]),
        scenario("one reserved opcode is accepted, another one is not")
            .accept(Accept::V13.with(Opcode::RESERVED_4))
            .peer([Frame::new(4, "x"), Frame::new(5, "x")])
            .gives([data(Opcode::RESERVED_4)])
            .fails(Violation::ReservedOpcode, 1002),
    ];
    all.push(
        scenario("a reserved opcode that is left out of all")
            .accept(Accept::ALL.without(Opcode::RESERVED_12))
            .peer([Frame::new(12, [])])
            .fails(Violation::ReservedOpcode, 1002),
    );
    all
}

fn sizes() -> Vec<Scenario> {
    let mut all = Vec::new();
    for (way, call) in [("receive", Receive(100)), ("message", Message(100))] {
        let case = |name: &str| scenario(format!("{name}, by {way}")).calls([call.clone()]);
        all.extend([
            case("one byte too many").peer([naive::binary(bytes(101))]).fails(Fault::Overflow, 1009),
            case("told by the header").peer([Peer::Announced(101, naive::binary([]))]).fails(Fault::Overflow, 1009),
            case("the largest length there is")
                .peer([Peer::Announced(u64::MAX >> 1, naive::text("\u{e9}"))])
                .fails(Fault::Overflow, 1009),
            case("one byte too many in the last fragment")
                .peer([naive::binary(bytes(50)).not_final(), continuation(bytes(50)).not_final(), continuation("!")])
                .fails(Fault::Overflow, 1009),
            case("too many bytes in all, told by the header of the fragment")
                .peer([naive::binary(bytes(100)).not_final(), ping("p")])
                .peer([Peer::Announced(1, continuation([]))])
                .sends([pong("p")])
                .fails(Fault::Overflow, 1009),
            case("a message that fits comes before")
                .peer([naive::binary(bytes(100)), naive::text(""), naive::binary(bytes(70000))])
                .gives([binary(bytes(100)), text("")])
                .fails(Fault::Overflow, 1009),
        ]);
    }
    all.push(
        scenario("into an empty buffer")
            .peer([naive::text(""), naive::binary(*b"x")])
            .calls([Receive(0)])
            .gives([text("")])
            .fails(Fault::Overflow, 1009),
    );
    all.push(
        scenario("a buffer is too small for the rest of a message that was given up, and that is no matter")
            .peer([naive::binary(bytes(500)), naive::text("ok")])
            .calls([Prefix(1, 1), Receive(2)])
            .gives([Event::Prefix(Opcode::BINARY, bytes(1)), text("ok")]),
    );
    all
}
