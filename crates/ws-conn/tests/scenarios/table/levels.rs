//! The level of frames, and changes from one way of receiving to another.

use super::{binary, bytes, control, failed, prefix, text};
use crate::scenario::Call::{Frames, Message, Prefix, Receive, Send, SendFrame, Stream};
use crate::scenario::{Scenario, scenario};
use ws_conn::{Misuse, Opcode, Violation};
use ws_testkit::naive::{self, Frame, continuation, ping, pong};

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        scenario("frames: control frames are seen between fragments")
            .peer([
                naive::text("ab").not_final(),
                ping("p"),
                continuation("cd").not_final(),
                pong([]),
                continuation("e"),
            ])
            .calls([Frames(2)])
            .gives([control(Opcode::PING, "p"), control(Opcode::PONG, []), text("abcde")]),
        scenario("frames: text is not checked")
            .peer([Frame::new(naive::TEXT, *b"\xFF\xC3")])
            .calls([Frames(100)])
            .gives([super::Event::Message(Opcode::TEXT, b"\xFF\xC3".to_vec())]),
        scenario("frames: what is checked to be text begins with the next message")
            .peer([Frame::new(naive::TEXT, *b"\xFF"), naive::text("fine"), Frame::new(naive::TEXT, *b"\xFF")])
            .calls([Frames(100), Receive(100)])
            .gives([super::Event::Message(Opcode::TEXT, b"\xFF".to_vec()), text("fine")])
            .fails(Violation::Utf8, 1007),
        scenario("frames: an application answers pings by itself")
            .peer([ping("1"), naive::text("x"), ping("2")])
            .calls([
                Frames(10),
                Send(Opcode::PONG, b"1".to_vec()),
                Frames(10),
                Frames(10),
                SendFrame(Opcode::PONG, true, b"2".to_vec()),
                Frames(10),
            ])
            .gives([control(Opcode::PING, "1"), text("x"), control(Opcode::PING, "2")])
            .sends([pong("1"), pong("2")]),
        scenario("frames: a close is acted on")
            .peer([naive::text("x"), naive::close(1001, "going"), naive::text("never seen")])
            .calls([Frames(10)])
            .gives([text("x")])
            .closed_by_peer(1001),
        scenario("frames: one byte at a time")
            .peer([naive::binary(bytes(300)), ping(bytes(125)), naive::binary([])])
            .calls([Frames(1)])
            .gives([binary(bytes(300)), control(Opcode::PING, bytes(125)), binary([])]),
        scenario("frames: the order of fragments is checked")
            .peer([naive::text("x"), continuation("y")])
            .calls([Frames(10)])
            .gives([text("x")])
            .fails(Violation::ContinuationUnexpected, 1002),
        scenario("each way of receiving after each other one")
            .peer((0..16u8).map(|n| naive::binary([n; 40])))
            .calls(
                [Receive(50), Receive(50), Message(50), Receive(50), Stream(7), Receive(50), Frames(9), Receive(50)]
                    .into_iter()
                    .chain([
                        Message(50),
                        Message(50),
                        Stream(7),
                        Message(50),
                        Frames(9),
                        Stream(7),
                        Stream(7),
                        Frames(9),
                    ])
                    .chain([Frames(9)]),
            )
            .gives((0..16u8).map(|n| binary([n; 40]))),
        scenario("answers between messages")
            .peer([naive::text("one"), ping("p"), naive::text("two")])
            .calls([
                Receive(10),
                Send(Opcode::TEXT, b"1".to_vec()),
                Receive(10),
                Send(Opcode::TEXT, b"2".to_vec()),
                Receive(10),
            ])
            .gives([text("one"), text("two")])
            .sends([naive::text("1"), pong("p"), naive::text("2")]),
        scenario("answers within a stream that was given up")
            .peer([naive::text("ab").not_final(), ping("p"), continuation("cd"), naive::text("two")])
            .calls([Prefix(1, 1), Send(Opcode::BINARY, b"x".to_vec()), Receive(10)])
            .gives([prefix(Opcode::TEXT, "a"), text("two")])
            .sends([naive::binary("x"), pong("p")]),
        scenario("a stream given up between fragments, before a ping is looked at")
            .peer([naive::text("ab").not_final(), ping("p"), continuation("cd"), naive::text("two")])
            .calls([Prefix(1, 2), Send(Opcode::BINARY, b"x".to_vec()), Receive(10)])
            .gives([prefix(Opcode::TEXT, "ab"), text("two")])
            .sends([naive::binary("x"), pong("p")]),
        scenario("a stream gives what came before it gives what ends it: a close")
            .peer([naive::text("abc").not_final(), naive::close(1000, "")])
            .calls([Prefix(10, 3), Receive(10)])
            .gives([prefix(Opcode::TEXT, "abc")])
            .closed_by_peer(1000),
        scenario("a stream gives what came before it gives what ends it: a violation")
            .peer([naive::text("abc").not_final(), naive::text("def")])
            .calls([Prefix(10, 3), Receive(10)])
            .gives([prefix(Opcode::TEXT, "abc")])
            .fails(Violation::ContinuationMissing, 1002),
        scenario("frames: a continuation cannot begin a message of ours")
            .peer([naive::text("go on")])
            .calls([SendFrame(Opcode::CONTINUATION, true, vec![1]), Frames(10)])
            .gives([failed(Misuse::Opcode), text("go on")]),
        scenario("frames: fragments of ours with a ping between")
            .calls([
                SendFrame(Opcode::TEXT, false, b"\xE2\x82".to_vec()),
                SendFrame(Opcode::PING, true, b"?".to_vec()),
                SendFrame(Opcode::TEXT, false, vec![]),
                SendFrame(Opcode::TEXT, true, b"\xAC".to_vec()),
                SendFrame(Opcode::BINARY, true, b"next".to_vec()),
                Frames(10),
            ])
            .sends([
                Frame::new(naive::TEXT, *b"\xE2\x82").not_final(),
                ping("?"),
                continuation([]).not_final(),
                continuation(*b"\xAC"),
                naive::binary("next"),
            ]),
        scenario("frames: a fragment that is not text is refused, and another one may follow")
            .calls([
                SendFrame(Opcode::TEXT, false, b"\xE2".to_vec()),
                SendFrame(Opcode::TEXT, true, b"\x28".to_vec()),
                SendFrame(Opcode::TEXT, true, b"\x82\xAC".to_vec()),
                Frames(10),
            ])
            .gives([failed(Misuse::Utf8)])
            .sends([Frame::new(naive::TEXT, *b"\xE2").not_final(), continuation(*b"\x82\xAC")]),
    ]
}
