//! The end of a connection (RFC 6455, sections 5.5.1, 7.1 and 7.4).

use super::{binary, bytes, failed, text};
use crate::scenario::Call::{Close, Finish, Frames, GiveUp, Message, Receive, Send, Stream};
use crate::scenario::{Peer, Scenario, closed, scenario};
use ws_conn::{Misuse, Opcode, Violation};
use ws_testkit::naive::{self, Frame, ping, pong};

pub(super) fn scenarios() -> Vec<Scenario> {
    let mut all = by_peer();
    all.extend(by_peer_wrongly());
    all.extend(by_us());
    all.extend(by_both());
    all.extend(without_a_close());
    all
}

fn by_peer() -> Vec<Scenario> {
    let mut all = vec![
        scenario("close without a code").peer([naive::close_empty()]).closed_by_peer(1005),
        scenario("close with a reason").peer([naive::close(1001, "going home")]).closed_by_peer(1001),
        scenario("close with the longest reason")
            .peer([naive::close(1000, &"\u{20ac}".repeat(41))])
            .closed_by_peer(1000),
        scenario("nothing is received after a close")
            .peer([naive::text("a"), naive::close(1000, ""), naive::text("b"), ping("p"), naive::close(1001, "")])
            .gives([text("a")])
            .closed_by_peer(1000),
        scenario("not even something illegal is received after a close")
            .peer([naive::close(1000, "")])
            .peer([Peer::Announced(1 << 40, Frame::new(15, "x").rsv(7))])
            .closed_by_peer(1000),
        scenario("a close within a message, lent")
            .peer([naive::text("half").not_final(), naive::close_empty()])
            .calls([Message(10)])
            .closed_by_peer(1005),
        scenario("a close within a message, as a stream")
            .peer([naive::text("half").not_final(), naive::close(1011, "oops")])
            .calls([Stream(10)])
            .closed_by_peer(1011),
        scenario("a pong that is owed goes before the close")
            .peer([ping("last"), naive::close(1000, "")])
            .sends([pong("last")])
            .closed_by_peer(1000),
    ];
    let codes = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999];
    all.extend(
        codes.map(|code| scenario(format!("close with {code}")).peer([naive::close(code, "x")]).closed_by_peer(code)),
    );
    all
}

fn by_peer_wrongly() -> Vec<Scenario> {
    let close = |payload: &[u8]| Frame::new(naive::CLOSE, payload);
    let mut all = vec![
        scenario("close with half a code").peer([close(b"\x03")]).fails(Violation::CloseLength, 1002),
        scenario("close with a reason that is not text").peer([close(b"\x03\xE8ok\xFF")]).fails(Violation::Utf8, 1007),
        scenario("close with a reason that breaks off").peer([close(b"\x03\xE8\xE2\x82")]).fails(Violation::Utf8, 1007),
    ];
    let codes = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535];
    all.extend(codes.map(|code| {
        scenario(format!("close with {code}")).peer([naive::close(code, "x")]).fails(Violation::CloseCode, 1002)
    }));
    all
}

fn by_us() -> Vec<Scenario> {
    let close = |code: u16, reason: &str| Close(code, reason.into());
    let ours = |name: &str, reason: &str| scenario(name).sends([naive::close(1000, reason)]).closed_with(1000);
    vec![
        ours("our close, answered", "bye").peer([naive::close(1000, "")]).calls([close(1000, "bye"), Receive(10)]),
        ours("our close, answered with another code", "")
            .peer([naive::close(1001, "really")])
            .calls([close(1000, ""), Receive(10)]),
        ours("our close, answered without a code", "")
            .peer([naive::close_empty()])
            .calls([close(1000, ""), Receive(10)]),
        ours("our close, not answered", "").calls([close(1000, ""), Receive(10)]),
        ours("data after our close is delivered until the peer's", "")
            .peer([naive::text("1"), naive::binary("2").not_final(), naive::continuation("3"), naive::text("4")])
            .peer([naive::close(1000, ""), naive::text("never")])
            .calls([close(1000, ""), Receive(10), Message(10), Stream(1)])
            .gives([text("1"), binary("23"), text("4")]),
        ours("a ping after our close is not answered", "")
            .peer([ping("1"), naive::text("x"), ping("2"), naive::close(1000, "")])
            .calls([close(1000, ""), Receive(10)])
            .gives([text("x")]),
        ours("what breaks the protocol after our close ends it with our code", "")
            .peer([naive::text("x"), Frame::new(3, []), naive::text("never")])
            .calls([close(1000, ""), Receive(10)])
            .gives([text("x")]),
        ours("a message that is too large after our close ends it with our code", "")
            .peer([naive::text("x"), naive::text("too large")])
            .calls([close(1000, ""), Receive(1)])
            .gives([text("x")]),
        ours("nothing is sent after our close", "")
            .calls([
                close(1000, ""),
                Send(Opcode::TEXT, b"late".to_vec()),
                Send(Opcode::PING, b"late".to_vec()),
                Send(Opcode::CLOSE, b"\x03\xE9late".to_vec()),
                Receive(10),
            ])
            .gives([failed(closed(1000)), failed(closed(1000)), failed(closed(1000))]),
        ours("a second close of ours changes nothing", "").calls([close(1000, ""), close(1001, "again"), Receive(10)]),
        ours("a close as a message of ours", "by hand")
            .peer([naive::close(1000, "")])
            .calls([Send(Opcode::CLOSE, b"\x03\xE8by hand".to_vec()), Receive(10)]),
        scenario("an empty close as a message of ours")
            .peer([naive::close(1000, "")])
            .calls([Send(Opcode::CLOSE, vec![]), Frames(10)])
            .sends([naive::close_empty()])
            .closed_with(1005),
        scenario("our close without a code")
            .peer([naive::close(1000, "")])
            .calls([close(1005, "unsaid"), Receive(10)])
            .sends([naive::close_empty()])
            .closed_with(1005),
        ours("a reason of ours is cut between characters", &"\u{20ac}".repeat(41))
            .calls([close(1000, &"\u{20ac}".repeat(42)), Receive(10)]),
        ours("a close of ours that may not be sent is refused, and nothing has happened", "")
            .peer([naive::text("going on")])
            .calls([
                close(1006, ""),
                close(1015, ""),
                close(999, ""),
                close(5000, ""),
                Send(Opcode::CLOSE, b"\x03".to_vec()),
                Send(Opcode::CLOSE, b"\x03\xE8\xFF".to_vec()),
                Receive(10),
                close(1000, ""),
                Receive(10),
            ])
            .gives(vec![failed(Misuse::Close); 6])
            .gives_more([text("going on")]),
        ours("finish waits for the peer's close and discards what comes before", "done")
            .peer([naive::text("x"), ping("p"), naive::binary(bytes(3000)), naive::close(1000, ""), naive::text("y")])
            .calls([Finish(1000, "done".into())]),
        ours("finish in the middle of a stream that was given up", "")
            .peer([naive::text("half").not_final(), naive::continuation([]), naive::close(1000, "")])
            .calls([crate::scenario::Call::Prefix(1, 1), Finish(1000, String::new())])
            .gives([super::prefix(Opcode::TEXT, "h")]),
        ours("finish, and the peer is gone", "").calls([Finish(1000, String::new())]),
        scenario("a message of ours that is given up")
            .peer([naive::text("x")])
            .calls([GiveUp(Opcode::TEXT, b"half".to_vec()), Receive(10)])
            .gives([text("x")])
            .sends([naive::text("half").not_final(), naive::close(1011, Misuse::Unfinished.reason())])
            .closed_with(1011),
    ]
}

fn by_both() -> Vec<Scenario> {
    let close = |code: u16, reason: &str| Close(code, reason.into());
    vec![
        scenario("our close after the peer's changes nothing")
            .peer([naive::close(3000, "first")])
            .calls([Receive(10)])
            .closed_by_peer(3000),
        scenario("our close crosses a fault of the peer: ours was first")
            .peer([Frame::new(naive::TEXT, *b"\xFF")])
            .calls([close(1001, "away"), Receive(10)])
            .sends([naive::close(1001, "away")])
            .closed_with(1001),
        scenario("a malformed close after ours")
            .peer([Frame::new(naive::CLOSE, *b"\x03")])
            .calls([close(1001, "away"), Receive(10)])
            .sends([naive::close(1001, "away")])
            .closed_with(1001),
    ]
}

/// 1006: "the connection was closed abnormally, e.g., without sending or receiving a Close control frame" (RFC 6455,
/// section 7.4.1). That it is so at every byte of every scenario is a run of its own.
fn without_a_close() -> Vec<Scenario> {
    let gone = |name: &str, peer: Vec<Peer>| scenario(format!("gone {name}")).peer(peer);
    vec![
        gone("at once", vec![]),
        gone("between messages", vec![naive::text("x").into()]).gives([text("x")]),
        gone("between fragments", vec![naive::text("x").not_final().into()]),
        gone("between fragments, in a stream", vec![naive::text("x").not_final().into()]).calls([Stream(10)]),
        gone("between fragments, on the level of frames", vec![naive::text("x").not_final().into()])
            .calls([Frames(10)]),
        gone("within a payload", vec![Peer::Announced(10, naive::text("half"))]),
        gone("within a payload, lent", vec![Peer::Announced(10, naive::text("half"))]).calls([Message(10)]),
        gone("within a ping", vec![Peer::Announced(10, ping("half"))]),
        gone("within a close", vec![Peer::Announced(10, naive::close(1000, "half"))]),
        gone("behind a header", vec![Peer::Announced(1000, naive::text(""))]),
    ]
}
