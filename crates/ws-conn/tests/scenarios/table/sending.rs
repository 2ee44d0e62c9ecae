//! What we send: frames as RFC 6455, sections 5.2 to 5.6, has them, and refusals for what must not be sent.

use super::{LENGTHS, bytes, failed, text};
use crate::scenario::Call::{Feed, Flush, Receive, Send, SendFrame, SendStream};
use crate::scenario::{Scenario, scenario};
use ws_conn::{Misuse, Opcode};
use ws_testkit::naive::{self, Frame, continuation, ping, pong};

pub(super) fn scenarios() -> Vec<Scenario> {
    let mut all: Vec<Scenario> = LENGTHS
        .into_iter()
        .map(|len| {
            scenario(format!("sends {len} bytes"))
                .calls([
                    Send(Opcode::BINARY, bytes(len)),
                    Feed(Opcode::TEXT, vec![b'a'; len]),
                    Feed(Opcode::BINARY, bytes(len)),
                    Flush,
                    Receive(10),
                ])
                .sends([naive::binary(bytes(len)), naive::text(&"a".repeat(len)), naive::binary(bytes(len))])
        })
        .collect();
    all.extend(streams());
    all.extend([
        scenario("what was fed goes before what is sent, and before what is owed")
            .peer([ping("p"), naive::text("x"), ping("q")])
            .calls([
                Feed(Opcode::TEXT, b"1".to_vec()),
                Feed(Opcode::PING, b"2".to_vec()),
                Receive(10),
                Feed(Opcode::TEXT, b"3".to_vec()),
                Send(Opcode::PONG, b"4".to_vec()),
                Feed(Opcode::TEXT, b"5".to_vec()),
                Receive(10),
            ])
            .gives([text("x")])
            .sends([naive::text("1"), ping("2"), pong("p"), naive::text("3"), pong("4"), naive::text("5"), pong("q")]),
        scenario("what was fed goes before our close")
            .calls([
                Feed(Opcode::TEXT, b"last".to_vec()),
                crate::scenario::Call::Close(1000, "bye".into()),
                Receive(10),
            ])
            .sends([naive::text("last"), naive::close(1000, "bye")])
            .closed_with(1000),
        scenario("what was fed goes before our close that answers the peer's")
            .peer([naive::close(1001, "")])
            .calls([Feed(Opcode::TEXT, b"last".to_vec()), Receive(10)])
            .sends([naive::text("last")])
            .closed_by_peer(1001),
        scenario("messages that fill the queue to the last byte")
            .calls((0..130).map(|n| Feed(Opcode::BINARY, bytes(500 + n))).chain([Receive(10)]))
            .sends((0..130).map(|n| naive::binary(bytes(500 + n)))),
        scenario("control frames of ours")
            .calls([
                Send(Opcode::PING, bytes(125)),
                Send(Opcode::PONG, vec![]),
                Feed(Opcode::PING, vec![]),
                Send(Opcode::RESERVED_11, vec![1]),
                Receive(10),
            ])
            .sends([ping(bytes(125)), pong([]), ping([]), Frame::new(11, [1])]),
        scenario("reserved opcodes of ours")
            .calls([Send(Opcode::RESERVED_3, bytes(200)), Receive(10)])
            .sends([Frame::new(3, bytes(200))]),
        scenario("what must not be sent is refused, and nothing of it is sent")
            .peer([naive::text("going on")])
            .calls([
                Send(Opcode::PING, bytes(126)),
                Send(Opcode::RESERVED_15, bytes(126)),
                Send(Opcode::CONTINUATION, vec![]),
                Send(Opcode::TEXT, b"\xFF".to_vec()),
                Send(Opcode::TEXT, b"ab\xC3".to_vec()),
                Feed(Opcode::TEXT, b"\xED\xA0\x80".to_vec()),
                SendStream(Opcode::PING, vec![]),
                SendStream(Opcode::CLOSE, vec![]),
                SendStream(Opcode::CONTINUATION, vec![]),
                SendFrame(Opcode::PING, false, vec![]),
                Send(Opcode::TEXT, b"good".to_vec()),
                Receive(10),
            ])
            .gives([
                failed(Misuse::ControlTooLong),
                failed(Misuse::ControlTooLong),
                failed(Misuse::Opcode),
                failed(Misuse::Utf8),
                failed(Misuse::Utf8),
                failed(Misuse::Utf8),
                failed(Misuse::Opcode),
                failed(Misuse::Opcode),
                failed(Misuse::Opcode),
                failed(Misuse::ControlFragmented),
                text("going on"),
            ])
            .sends([naive::text("good")]),
    ]);
    all
}

fn streams() -> Vec<Scenario> {
    let send = |opcode: Opcode, parts: &[&[u8]]| SendStream(opcode, parts.iter().map(|part| part.to_vec()).collect());
    let case = |name: &str, parts: &[&[u8]]| scenario(name).calls([send(Opcode::TEXT, parts), Receive(10)]);
    vec![
        case("a stream of nothing", &[]).sends([naive::text("")]),
        case("a stream of empty writes", &[b"", b""]).sends([naive::text("")]),
        case("a stream of one write", &[b"one"]).sends([naive::text("one").not_final(), continuation([])]),
        case("a stream that is cut within a character", &[b"\xE2", b"", b"\x82\xAC\xC3", b"\xA9"]).sends([
            Frame::new(naive::TEXT, *b"\xE2").not_final(),
            continuation(*b"\x82\xAC\xC3").not_final(),
            continuation(*b"\xA9").not_final(),
            continuation([]),
        ]),
        scenario("a stream of every length")
            .calls([SendStream(Opcode::BINARY, LENGTHS.map(bytes).to_vec()), Receive(10)])
            .sends([naive::binary(bytes(1)).not_final()])
            .sends_more(LENGTHS[2..].iter().map(|len| continuation(bytes(*len)).not_final()))
            .sends_more([continuation([])]),
        case("a stream that is not text from the start", &[b"\xFF"]).gives([failed(Misuse::Utf8)]),
        case("a stream that goes wrong later", &[b"good", b"\xFF"])
            .gives([failed(Misuse::Utf8)])
            .sends([naive::text("good").not_final(), naive::close(1011, Misuse::Unfinished.reason())])
            .closed_with(1011),
        case("a stream that ends within a character", &[b"\xE2\x82"])
            .gives([failed(Misuse::Utf8)])
            .sends([Frame::new(naive::TEXT, *b"\xE2\x82").not_final(), naive::close(1011, Misuse::Unfinished.reason())])
            .closed_with(1011),
        scenario("a stream that is given up unsent")
            .calls([
                crate::scenario::Call::GiveUp(Opcode::TEXT, vec![]),
                Send(Opcode::TEXT, b"instead".to_vec()),
                Receive(10),
            ])
            .sends([naive::text("instead")]),
    ]
}
