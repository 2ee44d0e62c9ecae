//! Whole messages and control frames (RFC 6455, sections 5.2, 5.5.2, 5.5.3 and 5.6).

use super::{LENGTHS, binary, bytes, text};
use crate::scenario::Call::{Frames, Message, Receive, Stream};
use crate::scenario::{Peer, Scenario, scenario};
use ws_conn::{Opcode, Role};
use ws_testkit::{golden, naive};

pub(super) fn scenarios() -> Vec<Scenario> {
    let mut all = vec![
        scenario("text").peer([naive::text("Hello")]).gives([text("Hello")]),
        scenario("binary").peer([naive::binary(*b"\0\xFF\x80")]).gives([binary(*b"\0\xFF\x80")]),
        scenario("text of characters of one to four bytes")
            .peer([naive::text("$\u{a2}\u{939}\u{20ac}\u{10348}\0")])
            .gives([text("$\u{a2}\u{939}\u{20ac}\u{10348}\0")]),
        scenario("text at the borders of what Unicode has")
            .peer([naive::text("\0\u{7f}\u{80}\u{7ff}\u{800}\u{d7ff}\u{e000}\u{ffff}\u{10000}\u{10ffff}")])
            .gives([text("\0\u{7f}\u{80}\u{7ff}\u{800}\u{d7ff}\u{e000}\u{ffff}\u{10000}\u{10ffff}")]),
        scenario("binary is not checked to be text")
            .peer([naive::binary(*b"\xED\xA0\x80")])
            .gives([binary(*b"\xED\xA0\x80")]),
        scenario("empty text").peer([naive::text("")]).gives([text("")]),
        scenario("empty binary, into an empty buffer")
            .peer([naive::binary([])])
            .calls([Receive(0)])
            .gives([binary([])]),
        scenario("empty binary, with a limit of nothing")
            .peer([naive::binary([])])
            .calls([Message(0)])
            .gives([binary([])]),
        scenario("empty binary, as a stream").peer([naive::binary([])]).calls([Stream(5)]).gives([binary([])]),
        scenario("many messages at once, one call of each kind")
            .peer((0..5).map(|n| naive::text(&format!("number {n}"))))
            .calls([Receive(50), Message(50), Stream(3), Frames(2), Receive(8)])
            .gives((0..5).map(|n| text(&format!("number {n}")))),
        scenario("a buffer that just fits")
            .peer([naive::binary(bytes(200))])
            .calls([Receive(200)])
            .gives([binary(bytes(200))]),
        scenario("a limit that just fits")
            .peer([naive::binary(bytes(200))])
            .calls([Message(200)])
            .gives([binary(bytes(200))]),
        scenario("a masking key of zero")
            .only(Role::Server)
            .peer([Peer::Exact(naive::binary(*b"plain").masked([0; 4]))])
            .gives([binary(*b"plain")]),
    ];
    all.extend(lengths());
    all.extend(golden());
    all.extend(control_frames());
    all
}

/// Every boundary of the length, received in every way.
fn lengths() -> Vec<Scenario> {
    let ways =
        [("receive", Receive(70000)), ("message", Message(70000)), ("stream", Stream(4000)), ("frames", Frames(9000))];
    let each = |len: usize| {
        ways.clone().map(|(way, call)| {
            scenario(format!("{len} bytes, by {way}"))
                .peer([naive::binary(bytes(len)), naive::text("and more")])
                .calls([call])
                .gives([binary(bytes(len)), text("and more")])
        })
    };
    LENGTHS.into_iter().flat_map(each).collect()
}

/// The examples of RFC 6455, section 5.7, that a peer of ours may send, as they are on the wire.
fn golden() -> Vec<Scenario> {
    let exact = |role: Role, name: &str| {
        let golden = golden::RFC_6455_SECTION_5_7.into_iter();
        let of_peer = golden.filter(|golden| golden.mask.is_some() == (role == Role::Server));
        let frames = of_peer.map(|golden| Peer::Exact(golden.frame()));
        scenario(name).only(role).peer(frames).calls([Receive(65536)])
    };
    vec![
        exact(Role::Client, "the examples of section 5.7 for a client")
            .gives([text("Hello"), text("Hello"), binary([b'*'; 256]), binary([b'*'; 65536])])
            .sends([naive::pong("Hello")]),
        exact(Role::Server, "the examples of section 5.7 for a server").gives([text("Hello")]),
    ]
}

fn control_frames() -> Vec<Scenario> {
    vec![
        scenario("a ping is answered").peer([naive::ping("are you there")]).sends([naive::pong("are you there")]),
        scenario("an empty ping is answered").peer([naive::ping([])]).sends([naive::pong([])]),
        scenario("the longest ping is answered").peer([naive::ping(bytes(125))]).sends([naive::pong(bytes(125))]),
        scenario("a shorter ping after a longer one is answered with its own payload")
            .peer([naive::ping(bytes(125)), naive::ping("short"), naive::ping([])])
            .sends([naive::pong(bytes(125)), naive::pong("short"), naive::pong([])]),
        scenario("pings between messages are answered")
            .peer([naive::ping("1"), naive::text("one"), naive::ping("2"), naive::ping("3"), naive::text("two")])
            .gives([text("one"), text("two")])
            .sends([naive::pong("1"), naive::pong("2"), naive::pong("3")]),
        scenario("pings are answered by every way of receiving but the level of frames")
            .peer([1u8, 2, 3, 4].map(|n| naive::ping([n])))
            .peer([naive::text("a"), naive::ping("s"), naive::text("b"), naive::ping("m"), naive::text("c")])
            .calls([Receive(9), Stream(9), Message(9), Frames(9)])
            .gives([text("a"), text("b"), text("c")])
            .sends([1u8, 2, 3, 4].map(|n| naive::pong([n])).into_iter().chain([naive::pong("s"), naive::pong("m")])),
        scenario("a pong asks for nothing")
            .peer([naive::pong([]), naive::text("a"), naive::pong(bytes(125)), naive::text("b"), naive::pong("x")])
            .gives([text("a"), text("b")]),
        scenario("on the level of frames a ping is seen and not answered")
            .peer([naive::ping("p"), naive::pong("q"), naive::ping([]), naive::ping(bytes(125)), naive::text("t")])
            .calls([Frames(10)])
            .gives([
                super::control(Opcode::PING, "p"),
                super::control(Opcode::PONG, "q"),
                super::control(Opcode::PING, []),
                super::control(Opcode::PING, bytes(125)),
                text("t"),
            ]),
    ]
}
