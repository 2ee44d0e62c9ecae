//! Messages under an extension (RFC 6455, section 9): the toy of [`crate::extension`], in both directions.

use super::{binary, bytes, control, failed, prefix, text};
use crate::extension::coded;
use crate::scenario::Call::{Feed, Frames, Message, Prefix, Receive, Send, SendStream, Stream};
use crate::scenario::{Call, Scenario, scenario};
use crate::table::fragments::fragments_of;
use ws_conn::{Fault, Misuse, Opcode, Violation};
use ws_testkit::naive::{self, Frame, ping, pong};

pub(super) fn scenarios() -> Vec<Scenario> {
    let mut all = Vec::new();
    for (way, call) in
        [("receive", Receive(10)), ("message", Message(10)), ("stream", Stream(3)), ("frames", Frames(3))]
    {
        all.extend(fits(way, &call));
    }
    for (way, call) in [("receive", Receive(10)), ("message", Message(10))] {
        all.extend(overflows(way, &call));
    }
    for (way, call) in [("receive", Receive(100)), ("message", Message(100)), ("stream", Stream(1))] {
        all.extend(texts(way, &call));
        all.extend(broken(way, &call));
    }
    all.extend(streams());
    all.extend(sent());
    all.into_iter().map(Scenario::extension).collect()
}

/// A message of the extension: its reserved bit on the first frame.
fn message(opcode: u8, payload: impl AsRef<[u8]>) -> Frame {
    Frame::new(opcode, coded(payload.as_ref())).rsv(4)
}

/// The same, with the coded payload cut at each of these points.
fn fragments(opcode: u8, payload: &[u8], at: &[usize]) -> Vec<Frame> {
    let coded = coded(payload);
    fragments_of(Frame::new(opcode, []).rsv(4), &ws_testkit::chunks::cut(&coded, at))
}

/// Messages of at most ten bytes.
fn fits(way: &str, call: &Call) -> Vec<Scenario> {
    let case = |name: &str, peer: Vec<Frame>, payload: &[u8]| {
        scenario(format!("coded: {name}, by {way}"))
            .peer(peer)
            .peer([message(naive::TEXT, "next"), naive::text("plain")])
            .calls([call.clone()])
            .gives([binary(payload), text("next"), text("plain")])
    };
    let with_empty = |at: &[usize]| {
        let mut frames = fragments(naive::BINARY, b"0000055555", at);
        let last = frames.len() - 1;
        frames[last].fin = false;
        frames.extend([naive::continuation([]).not_final(), naive::continuation([])]);
        frames
    };
    vec![
        case("a message", vec![message(naive::BINARY, "00011")], b"00011"),
        case("an empty message", vec![message(naive::BINARY, "")], b""),
        case("a plain message", vec![naive::binary("0001")], b"0001"),
        case("one run that just fits", vec![message(naive::BINARY, "0000000000")], b"0000000000"),
        case(
            "runs that just fit, a payload of twice the size",
            vec![message(naive::BINARY, "0123456789")],
            b"0123456789",
        ),
        case("cut between pairs", fragments(naive::BINARY, b"0123456789", &[2, 10, 18]), b"0123456789"),
        case("cut within pairs", fragments(naive::BINARY, b"0123456789", &[1, 3, 4, 11, 19]), b"0123456789"),
        case("just fits, with empty last fragments", with_empty(&[2]), b"0000055555"),
        case("just fits, cut within a pair, with empty last fragments", with_empty(&[3]), b"0000055555"),
        case("nothing but empty fragments", fragments_of(Frame::new(naive::BINARY, []).rsv(4), &["", "", ""]), b""),
    ]
}

fn overflows(way: &str, call: &Call) -> Vec<Scenario> {
    let case = |name: &str, peer: Vec<Frame>| {
        scenario(format!("coded: {name}, by {way}"))
            .peer([message(naive::BINARY, "aaaaaaaaaa")])
            .peer(peer)
            .calls([call.clone()])
            .gives([binary("aaaaaaaaaa")])
            .fails(Fault::Overflow, 1009)
    };
    vec![
        case("one byte too many in a run", vec![message(naive::BINARY, "aaaaaaaaaaa")]),
        case("one byte too many in a run of its own", vec![message(naive::BINARY, "aaaaaaaaaab")]),
        case("one byte too many in the last fragment", fragments(naive::BINARY, b"0123456789!", &[20])),
        case("a bomb", vec![message(naive::BINARY, vec![0; 255 * 300])]),
        case("a bomb in fragments", fragments(naive::BINARY, &vec![0; 255 * 300], &[1, 2, 100])),
    ]
}

fn texts(way: &str, call: &Call) -> Vec<Scenario> {
    let case = |name: &str| scenario(format!("coded text: {name}, by {way}")).calls([call.clone()]);
    let clef = "\u{1d11e}\u{20ac}\u{e9}";
    let everywhere: Vec<usize> = (1..2 * clef.len()).collect();
    let with_pings = |frames: Vec<Frame>| {
        let last = frames.len() - 1;
        frames
            .into_iter()
            .enumerate()
            .flat_map(move |(at, frame)| [Some(frame), (at < last).then(|| ping("?"))].into_iter().flatten())
    };
    vec![
        case("characters cut in every way, with pings between")
            .peer(with_pings(fragments(naive::TEXT, clef.as_bytes(), &everywhere)))
            .gives([text(clef)])
            .sends(vec![pong("?"); everywhere.len()]),
        case("what is coded is not text, and need not be")
            .peer([message(naive::TEXT, "a".repeat(100))])
            .gives([text(&"a".repeat(100))]),
        case("what comes out is not text").peer([message(naive::TEXT, *b"ab\xFF")]).fails(Violation::Utf8, 1007),
        case("what comes out is not text, in a message that does not end")
            .peer([message(naive::TEXT, *b"ab\xED\xA0\x80").not_final()])
            .fails(Violation::Utf8, 1007),
        case("what comes out ends within a character")
            .peer([message(naive::TEXT, *b"ab\xE2\x82")])
            .fails(Violation::Utf8, 1007),
    ]
}

fn broken(way: &str, call: &Call) -> Vec<Scenario> {
    let case = |name: &str, peer: Vec<Frame>, violation: Violation| {
        scenario(format!("coded: {name}, by {way}"))
            .peer([message(naive::TEXT, "good")])
            .peer(peer)
            .calls([call.clone()])
            .gives([text("good")])
            .fails(violation, violation.code().get())
    };
    let half = || message(naive::TEXT, "half").not_final();
    vec![
        case("a count of zero", vec![Frame::new(2, [1, b'a', 0, b'b']).rsv(4)], Violation::Extension),
        case("half a pair at the end", vec![Frame::new(2, [1, b'a', 1]).rsv(4)], Violation::Extension),
        case(
            "half a pair at the end of fragments",
            vec![Frame::new(2, [1]).rsv(4).not_final(), naive::continuation([])],
            Violation::Extension,
        ),
        case("the bit on a continuation", vec![half(), naive::continuation([1, b'b']).rsv(4)], Violation::ReservedBits),
        case("the bit on a ping between", vec![half(), ping("p").rsv(4)], Violation::ReservedBits),
        case("the bit on a close", vec![naive::close(1000, "").rsv(4)], Violation::ReservedBits),
        case("another bit on a message", vec![naive::text("x").rsv(2)], Violation::ReservedBits),
        case("another bit beside it", vec![message(1, "x").rsv(5)], Violation::ReservedBits),
        case("a message within a message", vec![half(), message(1, "x")], Violation::ContinuationMissing),
    ]
}

fn streams() -> Vec<Scenario> {
    let bomb = || vec![0; 255 * 40];
    vec![
        scenario("coded: a bomb as a stream comes out as it is taken")
            .peer([message(naive::BINARY, bomb()), naive::text("next")])
            .calls([Stream(64)])
            .gives([binary(bomb()), text("next")]),
        scenario("coded: a stream given up, the rest is a bomb")
            .peer(fragments(naive::BINARY, &bomb(), &[1, 2, 33]))
            .peer([message(naive::TEXT, "next")])
            .calls([Prefix(7, 20), Receive(10)])
            .gives([prefix(Opcode::BINARY, [0; 20]), text("next")]),
        scenario("coded: a stream given up at its last byte")
            .peer([message(naive::TEXT, "aab"), message(naive::TEXT, "next")])
            .calls([Prefix(1, 3), Message(10)])
            .gives([prefix(Opcode::TEXT, "aab"), text("next")]),
        scenario("coded: a stream given up unread")
            .peer([message(naive::TEXT, "aab"), message(naive::TEXT, "next")])
            .calls([Prefix(1, 0), Receive(10)])
            .gives([prefix(Opcode::TEXT, ""), text("next")]),
        scenario("coded: the rest of a stream given up cannot be decoded")
            .peer([Frame::new(2, [3, b'a', 0]).rsv(4), message(naive::TEXT, "next")])
            .calls([Prefix(1, 1), Receive(10)])
            .gives([prefix(Opcode::BINARY, "a")])
            .fails(Violation::Extension, 1007),
        scenario("coded: frames between")
            .peer([message(naive::TEXT, "aab").not_final(), ping("p"), naive::continuation([2, b'c'])])
            .calls([Frames(2)])
            .gives([control(Opcode::PING, "p"), text("aabcc")]),
    ]
}

fn sent() -> Vec<Scenario> {
    let parts = |parts: &[&[u8]]| SendStream(Opcode::TEXT, parts.iter().map(|part| part.to_vec()).collect());
    let mut all: Vec<Scenario> = [0, 1, 125, 126, 5000]
        .into_iter()
        .map(|len| {
            // A message of one byte is left alone by the toy.
            let frame = |opcode: u8, payload: Vec<u8>| {
                if len == 1 { Frame::new(opcode, payload) } else { message(opcode, payload) }
            };
            scenario(format!("coded: sends {len} bytes"))
                .calls([Send(Opcode::BINARY, bytes(len)), Feed(Opcode::TEXT, vec![b'a'; len]), Receive(10)])
                .sends([frame(2, bytes(len)), frame(1, vec![b'a'; len])])
        })
        .collect();
    all.extend([
        scenario("coded: sends a stream of one run")
            .calls([parts(&[b"aaa", b"aaa", b"a"]), Send(Opcode::TEXT, b"next".to_vec()), Receive(10)])
            .sends([message(1, "aaaaaaa"), message(1, "next")]),
        scenario("coded: sends a stream of runs, cut within a character")
            .calls([parts(&[b"aab\xE2", b"\x82", b"\xACbb"]), Receive(10)])
            .sends([message(1, "aab\u{20ac}bb")]),
        scenario("coded: sends a stream of nothing").calls([parts(&[]), Receive(10)]).sends([message(1, "")]),
        scenario("coded: sends large streams, and answers pings")
            .peer([ping("p"), naive::text("x"), ping("q")])
            .calls([
                SendStream(Opcode::BINARY, vec![bytes(35000), bytes(1), bytes(5000)]),
                Receive(10),
                Send(Opcode::BINARY, bytes(600)),
                Receive(10),
            ])
            .gives([text("x")])
            .sends([
                message(2, [bytes(35000), bytes(1), bytes(5000)].concat()),
                pong("p"),
                message(2, bytes(600)),
                pong("q"),
            ]),
        scenario("coded: sends control frames as they are")
            .calls([Send(Opcode::PING, b"aaaa".to_vec()), Receive(10)])
            .sends([ping("aaaa")]),
        scenario("coded: text is checked before it is coded")
            .calls([Send(Opcode::TEXT, b"\xFF\xFF".to_vec()), Send(Opcode::TEXT, b"good".to_vec()), Receive(10)])
            .gives([failed(Misuse::Utf8)])
            .sends([message(1, "good")]),
    ]);
    all
}
