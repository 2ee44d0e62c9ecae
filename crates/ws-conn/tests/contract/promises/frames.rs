//! The low level: P1 to P9.

use std::io::{Read, Write};

use crate::harness::{TIMEOUTS, WIRE, client, closed, fault, message, open, said, server};
use ws_conn::{CloseCode, Fault, Misuse, Opcode, ReadMode, Role};
use ws_testkit::naive::{self, binary, close, close_empty, continuation, ping, pong, text};
use ws_testkit::transport::{Script, Step};

// P1: "The low-level deals with frames. No action is taken uppon the actual content or meaning, except for Close."
// -- the seed, on Conn
#[test]
fn p1_the_low_level_takes_no_action_on_content() {
    let not_utf8 = naive::Frame::new(naive::TEXT, [0xff]);
    let (mut conn, peer) = server(&[ping("are you there"), not_utf8, pong("yes")]);
    let mut frames = conn.frames(TIMEOUTS);
    let mut buf = [0; 64];
    for (opcode, payload) in [(Opcode::PING, &b"are you there"[..]), (Opcode::TEXT, &[0xff]), (Opcode::PONG, b"yes")] {
        let len = frames.read_frame(&mut buf).unwrap();
        assert_eq!((frames.read_mode(), &buf[..len]), (ReadMode { opcode, fin: true }, payload));
    }
    assert_eq!(peer.sent(), [], "nothing is answered");
}

// P1: "The low-level deals with frames. No action is taken uppon the actual content or meaning, except for Close."
// -- the seed, on Conn
#[test]
fn p1_the_low_level_acts_on_a_close() {
    let (mut conn, peer) = server(&[close(1001, "bye")]);
    assert_eq!(fault(conn.frames(TIMEOUTS).read_frame(&mut [0; 64])), closed(1001));
    assert_eq!(peer.sent(), [close(1001, "")]);
    assert_eq!(conn.close_reason(), "bye");
}

// P2: "Write returns a ClosedError after a Close frame was either send or received." -- the seed, on Conn
#[test]
fn p2_a_write_is_refused_after_a_close_was_received() {
    let (mut conn, peer) = server(&[close(1001, "")]);
    let mut frames = conn.frames(TIMEOUTS);
    assert_eq!(fault(frames.read_frame(&mut [0; 64])), closed(1001));
    assert_eq!(fault(frames.write_frame(b"too late")), closed(1001));
    assert_eq!(peer.sent(), [close(1001, "")]);
}

// P2: "Write returns a ClosedError after a Close frame was either send or received." -- the seed, on Conn
#[test]
fn p2_a_write_is_refused_after_a_close_was_sent() {
    let (mut conn, peer) = server(&[]);
    let mut frames = conn.frames(TIMEOUTS);
    frames.set_write_mode(Opcode::CLOSE, true);
    frames.write_frame(b"\x03\xe9bye").unwrap();
    assert_eq!(fault(frames.write_frame(b"\x03\xe8again")), closed(1001), "nor another Close");
    frames.set_write_mode(Opcode::TEXT, true);
    assert_eq!(fault(frames.write_frame(b"too late")), closed(1001));
    frames.set_write_mode(Opcode::PING, true);
    assert_eq!(fault(frames.write_frame(b"too late")), closed(1001));
    assert_eq!(peer.sent(), [close(1001, "bye")]);
}

// P3: "Write also returns a ClosedError NoStatusCode when Read got io.EOF without any Close frame occurrence."
// -- the seed, on Conn. The code is 1006: RFC 6455, section 7.1.5, keeps 1005 for a Close without a code.
#[test]
fn p3_a_write_is_refused_with_1006_after_an_end_without_a_close() {
    let (mut conn, peer) = open(Role::Server, Script::new([Step::Eof]));
    let mut frames = conn.frames(TIMEOUTS);
    assert_eq!(fault(frames.read_frame(&mut [0; 64])), closed(1006));
    assert_eq!(fault(frames.write_frame(b"too late")), closed(1006));
    assert_eq!(peer.sent(), []);
}

// P3: "Write also returns a ClosedError NoStatusCode when Read got io.EOF without any Close frame occurrence."
// -- the seed, on Conn
#[test]
fn p3_a_write_is_refused_with_1005_after_a_close_without_a_code() {
    let (mut conn, peer) = server(&[close_empty()]);
    let mut frames = conn.frames(TIMEOUTS);
    assert_eq!(fault(frames.read_frame(&mut [0; 64])), closed(1005));
    assert_eq!(fault(frames.write_frame(b"too late")), closed(1005));
    assert_eq!(peer.sent(), [close_empty()]);
}

// P5: "Connections must be read consecutively for correct operation and closure." -- the seed, on Conn.
// Here the borrow checker sees to it, and the two levels may take turns between messages.
#[test]
fn p5_both_levels_read_the_same_connection_in_turn() {
    let (mut conn, peer) = server(&[text("high"), text("low"), ping("answered"), text("high again")]);
    assert_eq!(message(&mut conn), (Opcode::TEXT, b"high".to_vec()));
    let mut buf = [0; 64];
    let len = conn.frames(TIMEOUTS).read_frame(&mut buf).unwrap();
    assert_eq!(&buf[..len], b"low");
    assert_eq!(message(&mut conn), (Opcode::TEXT, b"high again".to_vec()));
    conn.sender().flush(WIRE).unwrap();
    assert_eq!(peer.sent(), [pong("answered")]);
}

// P6: "ReadMode returns state information about the last Read. Read spans one message at a time. Final indicates that
// message is received in full." -- the seed, on Conn.ReadMode
#[test]
fn p6_the_read_mode_tells_the_opcode_once_and_the_end_of_the_message() {
    let (mut conn, _) = server(&[binary("abcde").not_final(), continuation("fgh"), text("")]);
    let mut frames = conn.frames(TIMEOUTS);
    let mut seen = Vec::new();
    for _ in 0..6 {
        let mut buf = [0; 2];
        let len = frames.read_frame(&mut buf).unwrap();
        let ReadMode { opcode, fin } = frames.read_mode();
        seen.push((opcode, fin, buf[..len].to_vec()));
    }
    let expected = [
        (Opcode::BINARY, false, b"ab".to_vec()),
        (Opcode::CONTINUATION, false, b"cd".to_vec()),
        (Opcode::CONTINUATION, false, b"e".to_vec()),
        (Opcode::CONTINUATION, false, b"fg".to_vec()),
        (Opcode::CONTINUATION, true, b"h".to_vec()),
        (Opcode::TEXT, true, b"".to_vec()),
    ];
    assert_eq!(seen, expected);
}

// P7: "When final, then each Write sends a message of the given type." -- the seed, on Conn.SetWriteMode, and its
// example: "send two text messages"
#[test]
fn p7_a_final_write_mode_makes_each_write_a_message() {
    for (mut conn, peer) in [server(&[]), client(&[])] {
        let mut frames = conn.frames(TIMEOUTS);
        frames.set_write_mode(Opcode::TEXT, true);
        frames.write_all("hello".as_bytes()).unwrap();
        frames.write_all("👋".as_bytes()).unwrap();
        assert_eq!(peer.sent(), [text("hello"), text("👋")]);
    }
}

// P7: "When not final then each Write sends a fragment of the message until a final Write concludes the message." and
// "The opcode is written on the first Write after SetWriteMode." -- the seed, on Conn.SetWriteMode, and its example:
// "send a binary message/stream"
#[test]
fn p7_a_write_mode_that_is_not_final_makes_each_write_a_fragment() {
    for (mut conn, peer) in [server(&[]), client(&[])] {
        let mut frames = conn.frames(TIMEOUTS);
        frames.set_write_mode(Opcode::BINARY, false);
        frames.write_all(b"one").unwrap();
        frames.write_all(b"two").unwrap();
        frames.set_write_mode(Opcode::BINARY, true);
        frames.write_frame(b"").unwrap();
        let sent = [binary("one").not_final(), continuation("two").not_final(), continuation("")];
        assert_eq!(peer.sent(), sent);
    }
}

// P7: "in case Copy did not receive any data, then the opcode of the second call to SetWriteMode would apply."
// -- the seed, on Conn.SetWriteMode
#[test]
fn p7_the_opcode_is_that_of_the_mode_at_the_first_write() {
    let (mut conn, peer) = server(&[]);
    let mut frames = conn.frames(TIMEOUTS);
    frames.set_write_mode(Opcode::BINARY, false);
    frames.set_write_mode(Opcode::TEXT, true);
    frames.write_frame(b"").unwrap();
    assert_eq!(peer.sent(), [text("")]);
}

// P7: "This mode allows for sending a message that is of unknown size when the message is started without having to
// buffer." -- the seed, on Conn.SetWriteMode
#[test]
fn p7_each_fragment_goes_out_before_the_next_is_written() {
    let (mut conn, peer) = server(&[]);
    let mut frames = conn.frames(TIMEOUTS);
    frames.set_write_mode(Opcode::BINARY, false);
    for written in 1..4 {
        frames.write_frame(b"piece").unwrap();
        assert_eq!(peer.sent().len(), written);
    }
}

// P8: "Write sends p in one frame conform the io.Writer interface. Error retries must continue with the same p(ayload),
// minus the n(umber) of bytes done." -- the seed, on Conn.Write. Here the connection itself continues where a write
// stopped: what the transport takes in pieces is still one frame.
#[test]
fn p8_a_write_is_one_frame_however_the_transport_takes_it() {
    for size in [0, 1, 5, 125, 126, 1023, 1024, 70_000] {
        let payload = vec![b'x'; size];
        for limit in [1, 2, 3, 7, 1000].into_iter().filter(|limit| size / limit <= 1024) {
            for role in [Role::Server, Role::Client] {
                let (mut conn, peer) = open(role, Script::new([]).write_limit(limit));
                conn.frames(TIMEOUTS).write_frame(&payload).unwrap();
                assert!(peer.sent() == [binary(payload.as_slice())], "{size} bytes in writes of {limit} as {role:?}");
            }
        }
    }
}

// P9: "Control frames—opcode range [8, 15]—must not exceed 125 bytes. Zero payload causes an empty frame/fragment."
// -- the seed, on Conn.Write
#[test]
fn p9_control_frames_of_more_than_125_bytes_are_refused() {
    let (mut conn, peer) = server(&[]);
    let mut frames = conn.frames(TIMEOUTS);
    for opcode in [Opcode::PING, Opcode::PONG] {
        frames.set_write_mode(opcode, true);
        assert_eq!(fault(frames.write_frame(&[b'x'; 126])), Fault::Misuse(Misuse::ControlTooLong));
        frames.set_write_mode(opcode, false);
        assert_eq!(fault(frames.write_frame(b"half")), Fault::Misuse(Misuse::ControlFragmented));
    }
    frames.set_write_mode(Opcode::CLOSE, true);
    let mut too_long = vec![b'x'; 126];
    too_long[..2].copy_from_slice(&[0x03, 0xe8]);
    // Cut to what fits, as every reason is: a Close is worth more than its words.
    frames.write_frame(&too_long).unwrap();
    assert_eq!(peer.sent(), [close(1000, &"x".repeat(123))], "what was refused was not sent");
}

// P9: "Control frames—opcode range [8, 15]—must not exceed 125 bytes. Zero payload causes an empty frame/fragment."
// -- the seed, on Conn.Write
#[test]
fn p9_no_payload_makes_an_empty_frame_or_fragment() {
    let (mut conn, peer) = server(&[]);
    let mut frames = conn.frames(TIMEOUTS);
    frames.set_write_mode(Opcode::PING, true);
    frames.write_frame(b"").unwrap();
    frames.set_write_mode(Opcode::TEXT, false);
    frames.write_frame(b"").unwrap();
    frames.write_frame(b"").unwrap();
    frames.set_write_mode(Opcode::TEXT, true);
    frames.write_frame(b"").unwrap();
    frames.write_frame(b"").unwrap();
    let message = [text("").not_final(), continuation("").not_final(), continuation("")];
    assert_eq!(peer.sent(), [&[ping("")][..], &message, &[text("")]].concat());
}

// "Read receives WebSocket frames confrom the io.Reader interface." -- the seed, on Conn.Read
#[test]
fn the_low_level_is_a_reader_whose_end_is_an_error() {
    let script = Script::new([said(Role::Client, &[binary("abc"), binary("def")]), Step::Eof]);
    let (mut conn, _) = open(Role::Server, script);
    let mut all = Vec::new();
    let error = conn.frames(TIMEOUTS).read_to_end(&mut all).unwrap_err();
    assert_eq!((all.as_slice(), error.kind()), (&b"abcdef"[..], std::io::ErrorKind::UnexpectedEof));
    assert_eq!(conn.closed().map(|closed| closed.0), Some(CloseCode::ABNORMAL));
}
