//! What breaks the protocol: every [`Violation`], each answered with its code, nothing of it delivered.

use super::{bytes, prefix, text};
use crate::scenario::Call::{Frames, Message, Prefix, Receive, Stream};
use crate::scenario::{Peer, Scenario, scenario};
use ws_conn::{Accept, Opcode, Role, Violation};
use ws_testkit::naive::{self, Frame, continuation, ping, pong};
use ws_testkit::raw;

pub(super) fn scenarios() -> Vec<Scenario> {
    let mut all = headers();
    all.extend(order());
    all.extend(opcodes());
    all.extend(texts());
    all.extend(several_at_once());
    all
}

/// A message is delivered, then comes this, and what follows it is not looked at.
fn refused<P: Into<Peer>>(name: impl Into<String>, peer: P, violation: Violation) -> Scenario {
    scenario(name)
        .peer([naive::text("before")])
        .peer([peer])
        .peer([naive::text("after")])
        .gives([text("before")])
        .fails(violation, violation.code().get())
}

fn headers() -> Vec<Scenario> {
    let mut all = vec![
        refused("reserved bits on a continuation", continuation([]).rsv(4), Violation::ReservedBits),
        refused("reserved bits on a ping", ping([]).rsv(4), Violation::ReservedBits),
        refused("reserved bits on a close", naive::close(1000, "").rsv(1), Violation::ReservedBits),
        refused("a client's frame without a mask", Peer::Exact(naive::text("bare")), Violation::MaskMissing)
            .only(Role::Server),
        refused("a client's close without a mask", Peer::Exact(naive::close(1000, "")), Violation::MaskMissing)
            .only(Role::Server),
        refused(
            "a server's frame with a mask",
            Peer::Exact(naive::text("m").masked([1; 4])),
            Violation::MaskUnexpected,
        )
        .only(Role::Client),
        refused("a ping of 126 bytes", ping(bytes(126)), Violation::ControlTooLong),
        refused("a pong of 70000 bytes", pong(bytes(70000)), Violation::ControlTooLong),
        refused(
            "a close that is announced with 2^40 bytes",
            Peer::Announced(1 << 40, naive::close_empty()),
            Violation::ControlTooLong,
        ),
        refused("a ping with a length in 16 bits", Peer::Raw(in_16_bits, ping("p")), Violation::ControlTooLong),
        refused(
            "a ping with a length in 64 bits",
            Peer::Raw(raw::with_64_bit_length, ping("p")),
            Violation::ControlTooLong,
        ),
    ];
    let fragments = [("a ping", ping("p")), ("a pong", pong([])), ("a close", naive::close(1000, "bye"))];
    all.extend(
        fragments.into_iter().map(|(name, frame)| {
            refused(format!("{name} without FIN"), frame.not_final(), Violation::ControlFragmented)
        }),
    );
    all.extend(
        (1..8)
            .map(|rsv| refused(format!("reserved bits {rsv:03b}"), naive::text("x").rsv(rsv), Violation::ReservedBits)),
    );
    for len in [0, 125] {
        let frame = || naive::binary(bytes(len));
        all.push(refused(
            format!("{len} bytes, length in 16 bits"),
            Peer::Raw(in_16_bits, frame()),
            Violation::LengthNotMinimal,
        ));
    }
    for len in [0, 125, 126, 65535] {
        let frame = Peer::Raw(raw::with_64_bit_length, naive::binary(bytes(len)));
        all.push(refused(format!("{len} bytes, length in 64 bits"), frame, Violation::LengthNotMinimal));
    }
    for len in [0, 5, 65536] {
        let frame = Peer::Raw(raw::with_top_bit_length, naive::binary(bytes(len)));
        all.push(refused(format!("{len} bytes and the top bit of the length"), frame, Violation::LengthSign));
    }
    all
}

fn order() -> Vec<Scenario> {
    vec![
        refused("a continuation after a whole message", continuation("x"), Violation::ContinuationUnexpected),
        scenario("a continuation at first").peer([continuation("x")]).fails(Violation::ContinuationUnexpected, 1002),
        scenario("an unfinished continuation at first")
            .peer([continuation([]).not_final()])
            .fails(Violation::ContinuationUnexpected, 1002),
        scenario("a continuation after the last fragment")
            .peer([naive::text("a").not_final(), continuation("b"), continuation("c")])
            .gives([text("ab")])
            .fails(Violation::ContinuationUnexpected, 1002),
        scenario("a text message within a message")
            .peer([naive::text("half").not_final(), naive::text("new")])
            .fails(Violation::ContinuationMissing, 1002),
        scenario("an unfinished binary message within a message, after a ping")
            .peer([naive::text("half").not_final(), ping("p"), naive::binary("new").not_final()])
            .sends([pong("p")])
            .fails(Violation::ContinuationMissing, 1002),
        scenario("a message within a message, as a stream")
            .peer([naive::text("half").not_final(), naive::text("new")])
            .calls([Stream(10)])
            .fails(Violation::ContinuationMissing, 1002),
    ]
}

fn opcodes() -> Vec<Scenario> {
    let reserved = (3..8u8).chain(11..16);
    let mut all: Vec<Scenario> = reserved
        .map(|opcode| refused(format!("reserved opcode {opcode}"), Frame::new(opcode, "x"), Violation::ReservedOpcode))
        .collect();
    all.push(
        scenario("a reserved opcode within a message")
            .peer([naive::text("half").not_final(), Frame::new(11, [])])
            .fails(Violation::ReservedOpcode, 1002),
    );
    all.push(
        refused(
            "reserved opcode 15 without FIN, accepted",
            Frame::new(15, []).not_final(),
            Violation::ControlFragmented,
        )
        .accept(Accept::ALL),
    );
    all.push(
        refused("reserved opcode 11 of 126 bytes, accepted", Frame::new(11, bytes(126)), Violation::ControlTooLong)
            .accept(Accept::ALL),
    );
    all
}

/// "When an endpoint is to interpret a byte stream as UTF-8 but finds that the byte stream is not, in fact, a valid
/// UTF-8 stream, that endpoint MUST _Fail the WebSocket Connection_." -- RFC 6455, section 8.1
fn texts() -> Vec<Scenario> {
    let mut all = Vec::new();
    let far = [&[b'a'; 300], b"\xC3\x28".as_slice()].concat();
    let bad: [(&str, &[u8]); 12] = [
        ("a continuation byte alone", b"\x80"),
        ("a byte that no text holds", b"ok \xFF"),
        ("a first byte above U+10FFFF", b"\xF5\x80\x80\x80"),
        ("an overlong form of two bytes", b"\xC0\xAF"),
        ("an overlong form of three bytes", b"\xE0\x9F\xBF"),
        ("an overlong form of four bytes", b"\xF0\x8F\xBF\xBF"),
        ("a surrogate", b"\xED\xA0\x80"),
        ("a character above U+10FFFF", b"\xF4\x90\x80\x80"),
        ("a character that breaks off", b"abc\xE2\x82def"),
        ("two of four bytes at the end", b"abc\xF0\x9D"),
        ("one of two bytes at the end", b"\xC3"),
        ("a bad byte far behind good ones", &far),
    ];
    for (name, payload) in bad {
        let frame = || Frame::new(naive::TEXT, payload);
        all.push(refused(format!("text: {name}"), frame(), Violation::Utf8));
        all.push(refused(format!("text: {name}, lent"), frame(), Violation::Utf8).calls([Message(1000)]));
        all.push(refused(format!("text: {name}, as a stream"), frame(), Violation::Utf8).calls([Stream(9)]));
    }

    // Told at once: the rest of the frame, or of the message, never comes.
    let begun = || Peer::Announced(100, Frame::new(naive::TEXT, *b"\xCE\xBA\xED\xA0"));
    let calls = [("receive", Receive(1000)), ("message", Message(1000)), ("stream", Stream(9))];
    all.extend(calls.into_iter().map(|(way, call)| {
        scenario(format!("text that goes wrong within a frame, by {way}"))
            .peer([begun()])
            .calls([call])
            .fails(Violation::Utf8, 1007)
    }));
    all.push(
        scenario("text that goes wrong within a message")
            .peer([Frame::new(naive::TEXT, *b"\xE1\x80\xE1").not_final()])
            .fails(Violation::Utf8, 1007),
    );
    all.push(
        scenario("text that goes wrong behind the part that was read, and is not looked at")
            .peer([Frame::new(naive::TEXT, *b"good\xFF")])
            .calls([Prefix(2, 4), Receive(10)])
            .gives([prefix(Opcode::TEXT, "good")]),
    );
    all
}

/// Frames with more than one fault: which one is told must not depend on how they were cut.
fn several_at_once() -> Vec<Scenario> {
    let all = [
        ("all wrong", Frame::new(11, bytes(126)).rsv(7).not_final()),
        ("a reserved opcode with reserved bits", Frame::new(3, "x").rsv(7)),
        ("a fragmented ping with reserved bits", ping("x").rsv(2).not_final()),
        ("a continuation with reserved bits", continuation("x").rsv(2)),
    ];
    let wrongly_masked = |role: Role, frame: &Frame| match role {
        Role::Server => Peer::Exact(frame.clone()),
        Role::Client => Peer::Exact(frame.clone().masked([9; 4])),
    };
    let each = |(name, frame): (&str, Frame)| {
        [Role::Server, Role::Client].map(|role| {
            refused(
                format!("{name}, and the mask, for a {role:?}"),
                wrongly_masked(role, &frame),
                Violation::ReservedBits,
            )
            .only(role)
        })
    };
    let mut all: Vec<Scenario> = all.into_iter().flat_map(each).collect();
    all.push(
        scenario("an opcode that is refused, and a wrong length")
            .accept(Accept::V13.without(Opcode::BINARY))
            .peer([Peer::Raw(raw::with_top_bit_length, naive::binary("x"))])
            .fails(ws_conn::Fault::Refused(Opcode::BINARY), 1003),
    );
    all.push(
        scenario("an opcode that is refused, and no mask")
            .only(Role::Server)
            .accept(Accept::V13.without(Opcode::BINARY))
            .peer([Peer::Exact(naive::binary("x"))])
            .calls([Frames(10)])
            .fails(ws_conn::Fault::Refused(Opcode::BINARY), 1003),
    );
    all
}

fn in_16_bits(frame: &Frame) -> Vec<u8> {
    raw::with_16_bit_length(frame).expect("a frame of at most 65535 bytes")
}
