//! Messages in fragments (RFC 6455, section 5.4), and text that is cut within a character (section 8.1).

use super::{binary, bytes, prefix, text};
use crate::scenario::Call::{Frames, Message, Prefix, Receive, Stream};
use crate::scenario::{Call, Scenario, scenario};
use ws_conn::{Opcode, Violation};
use ws_testkit::naive::{self, Frame, continuation, ping, pong};

pub(super) fn scenarios() -> Vec<Scenario> {
    let mut all = Vec::new();
    for (way, call) in
        [("receive", Receive(10)), ("message", Message(10)), ("stream", Stream(3)), ("frames", Frames(3))]
    {
        all.extend(in_every_way(way, &call));
    }
    for (way, call) in [("receive", Receive(1000)), ("message", Message(1000)), ("stream", Stream(2))] {
        all.extend(texts(way, &call));
        all.extend(with_control(way, &call));
    }
    all.extend(large());
    all.extend(given_up());
    all
}

/// The message is "0123456789": buffers and limits of ten bytes just fit.
fn in_every_way(way: &str, call: &Call) -> Vec<Scenario> {
    let case = |name: &str, fragments: &[&str]| {
        scenario(format!("{name}, by {way}"))
            .peer(fragments_of(naive::binary([]), fragments))
            .peer([naive::text("next")])
            .calls([call.clone()])
            .gives([binary(fragments.concat()), text("next")])
    };
    vec![
        case("two fragments", &["01234", "56789"]),
        case("ten fragments", &["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]),
        case("an empty first fragment", &["", "0123456789"]),
        case("empty fragments in the middle", &["0123", "", "", "", "456789"]),
        case("an empty last fragment", &["01234", "56789", ""]),
        case("empty fragments all over", &["", "", "012345678", "", "9", "", ""]),
        case("nothing but empty fragments", &["", "", "", ""]),
    ]
}

fn texts(way: &str, call: &Call) -> Vec<Scenario> {
    let whole = "a\u{e9}\u{20ac}\u{1d11e}z";
    let bytewise = || whole.as_bytes().chunks(1);
    let case = |name: &str| scenario(format!("{name}, by {way}")).calls([call.clone()]);
    let frames = |parts: &[&[u8]]| fragments_of(naive::text(""), parts);
    vec![
        case("text cut within every character").peer(frames(&bytewise().collect::<Vec<_>>())).gives([text(whole)]),
        case("text cut within every character, with empty fragments and pings there")
            .peer(frames(&bytewise().flat_map(|byte| [byte, b""]).collect::<Vec<_>>()).into_iter().flat_map(|frame| {
                let last = frame.fin;
                [frame].into_iter().chain((!last).then(|| ping("?")))
            }))
            .gives([text(whole)])
            .sends(vec![pong("?"); 2 * whole.len() - 1]),
        case("a character that goes on wrongly in the next fragment")
            .peer(frames(&[b"\xE2\x82", b"", b"\xC2\xAC", b""]))
            .fails(Violation::Utf8, 1007),
        case("a character that is not complete when the message is")
            .peer(frames(&[b"ab\xF0\x9D", b"\x84", b""]))
            .fails(Violation::Utf8, 1007),
        case("a character does not go on in the next message")
            .peer([naive::binary(*b"x"), naive::text("")])
            .peer([Frame::new(naive::TEXT, *b"\xC3"), Frame::new(naive::TEXT, *b"\xA9")])
            .gives([binary(*b"x"), text("")])
            .fails(Violation::Utf8, 1007),
        case("text after a message of bytes that are none")
            .peer([naive::binary(*b"\xC3"), naive::text("\u{e9}")])
            .gives([binary(*b"\xC3"), text("\u{e9}")]),
    ]
}

fn with_control(way: &str, call: &Call) -> Vec<Scenario> {
    let fragments = fragments_of(naive::text(""), &["one ", "two ", "three"]);
    let between = |control: fn(usize) -> Vec<Frame>| {
        fragments.clone().into_iter().enumerate().flat_map(move |(at, frame)| [vec![frame], control(at)].concat())
    };
    let case = |name: &str| scenario(format!("{name}, by {way}")).calls([call.clone()]).gives([text("one two three")]);
    vec![
        case("pings between fragments").peer(between(|at| vec![ping([at as u8])])).sends([0, 1, 2].map(|n| pong([n]))),
        case("several pings between fragments")
            .peer(between(|at| vec![ping([at as u8]), ping([]), ping(bytes(125))]))
            .sends([0, 1, 2].into_iter().flat_map(|n| [pong([n]), pong([]), pong(bytes(125))])),
        case("pongs between fragments").peer(between(|_| vec![pong("unasked"), pong([])])),
        case("a close between fragments")
            .peer([naive::text("one two three"), naive::text("half").not_final(), naive::close(1001, "off")])
            .closed_by_peer(1001),
    ]
}

fn large() -> Vec<Scenario> {
    let all = bytes(70000);
    let cut = |at: usize| {
        let (front, back) = all.split_at(at);
        vec![naive::binary(front).not_final(), ping("in between"), continuation(back)]
    };
    [1, 125, 126, 35000, 65535, 65536, 69999]
        .into_iter()
        .zip([Receive(70000), Message(70000), Stream(1000)].into_iter().cycle())
        .map(|(at, call)| {
            scenario(format!("70000 bytes cut at {at}"))
                .peer(cut(at))
                .peer([naive::binary(bytes(300))])
                .calls([call])
                .gives([binary(all.clone()), binary(bytes(300))])
                .sends([pong("in between")])
        })
        .collect()
}

/// Streams whose reader is dropped before the end.
fn given_up() -> Vec<Scenario> {
    let case = |name: &str, take: usize, call: Call| scenario(name).calls([Prefix(2, take), call]);
    let long = || fragments_of(naive::text(""), &["abc", "", "def", "ghi"]);
    vec![
        case("a stream given up unread", 0, Receive(10))
            .peer(long())
            .peer([naive::text("next")])
            .gives([prefix(Opcode::TEXT, ""), text("next")]),
        case("a stream given up in its first fragment", 2, Message(10))
            .peer(long())
            .peer([naive::text("next")])
            .gives([prefix(Opcode::TEXT, "ab"), text("next")]),
        case("a stream given up between fragments", 3, Stream(10))
            .peer(long())
            .peer([naive::text("next")])
            .gives([prefix(Opcode::TEXT, "abc"), text("next")]),
        case("a stream given up, then the level of frames", 4, Frames(10))
            .peer(long())
            .peer([ping("p"), naive::text("next")])
            .gives([prefix(Opcode::TEXT, "abcd"), super::control(Opcode::PING, "p"), text("next")]),
        case("a stream given up, with pings in the rest", 2, Receive(10))
            .peer(long().into_iter().flat_map(|frame| {
                let last = frame.fin;
                [Some(frame), (!last).then(|| ping("p"))].into_iter().flatten()
            }))
            .peer([naive::text("next")])
            .gives([prefix(Opcode::TEXT, "ab"), text("next")])
            .sends([pong("p"), pong("p"), pong("p")]),
        case("a stream given up, the rest larger than the buffer of the next call", 1, Receive(4))
            .peer(fragments_of(naive::binary([]), &["0123456789", "0123456789", "0123456789"]))
            .peer([naive::text("next")])
            .gives([prefix(Opcode::BINARY, "0"), text("next")]),
        case("the rest of a stream given up is not checked to be text", 2, Receive(10))
            .peer(fragments_of(naive::text(""), &[b"ab\xC3".as_slice(), b"\xFF", b"\xC3"]))
            .peer([naive::text("next")])
            .gives([prefix(Opcode::TEXT, "ab"), text("next")]),
        case("a stream given up is bound to the order of frames", 2, Receive(10))
            .peer([naive::text("abc").not_final(), naive::text("next")])
            .gives([prefix(Opcode::TEXT, "ab")])
            .fails(Violation::ContinuationMissing, 1002),
        case("a stream given up, a close in the rest", 2, Receive(10))
            .peer([naive::text("abc").not_final(), naive::close(1000, "")])
            .gives([prefix(Opcode::TEXT, "ab")])
            .closed_by_peer(1000),
        case("one stream given up after the other", 1, Prefix(1, 1))
            .peer([naive::text("abc"), naive::text("def"), naive::text("ghi")])
            .gives([prefix(Opcode::TEXT, "a"), prefix(Opcode::TEXT, "d"), prefix(Opcode::TEXT, "g")]),
    ]
}

/// A message like `first` in these fragments.
pub(super) fn fragments_of(first: Frame, parts: &[impl AsRef<[u8]>]) -> Vec<Frame> {
    let last = parts.len() - 1;
    let frame = |(at, part): (usize, &[u8])| {
        let frame = if at == 0 { Frame { payload: part.to_vec(), ..first.clone() } } else { continuation(part) };
        if at == last { frame } else { frame.not_final() }
    };
    parts.iter().map(AsRef::as_ref).enumerate().map(frame).collect()
}
