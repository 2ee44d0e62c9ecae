//! What we ruled where the RFC leaves a choice, or where peers differ.

use core::time::Duration;
use std::io::Read;

use crate::harness::{IDLE, Peer, Scripted, TIMEOUTS, WIRE, client, closed, fault, message, open, said, server, wire};
use ws_conn::{Accept, Close, CloseCode, Closed, Fault, Misuse, Opcode, Role, Timeouts, Violation, Wait};
use ws_testkit::alloc::count_allocations;
use ws_testkit::naive::{self, Frame, binary, close, close_empty, continuation, ping, pong, text};
use ws_testkit::raw;
use ws_testkit::transport::{Script, Step};

const KEY: [u8; 4] = [0xa1, 0xb2, 0xc3, 0xd4];

/// What ends a connection: its bytes, how the first call reports it, and what the peer is told.
fn faults() -> Vec<(&'static str, Vec<u8>, Fault, u16)> {
    let masked = |frames: &[Frame]| wire(Role::Client, frames);
    let violation = |violation: Violation| (Fault::Violation(violation), violation.code().get());
    let row = |name, bytes, (fault, code)| (name, bytes, fault, code);
    vec![
        row("reserved bit", masked(&[text("").rsv(1)]), violation(Violation::ReservedBits)),
        row("no mask", text("hello").bytes(), violation(Violation::MaskMissing)),
        row("Ping in fragments", masked(&[ping("").not_final()]), violation(Violation::ControlFragmented)),
        row("long Ping", masked(&[ping([0; 126])]), violation(Violation::ControlTooLong)),
        row(
            "length not minimal",
            raw::with_16_bit_length(&text("hello").masked(KEY)).unwrap(),
            violation(Violation::LengthNotMinimal),
        ),
        row("length with a sign", raw::with_top_bit_length(&text("").masked(KEY)), violation(Violation::LengthSign)),
        row("no end", masked(&[text("").not_final(), text("")]), violation(Violation::ContinuationMissing)),
        row("no beginning", masked(&[continuation("")]), violation(Violation::ContinuationUnexpected)),
        row("reserved opcode", masked(&[Frame::new(3, "")]), violation(Violation::ReservedOpcode)),
        row("half a close code", masked(&[Frame::new(naive::CLOSE, [3])]), violation(Violation::CloseLength)),
        row("a close code that is none", masked(&[close(1005, "")]), violation(Violation::CloseCode)),
        row("not text", masked(&[Frame::new(naive::TEXT, [0xff])]), violation(Violation::Utf8)),
        row("not accepted", masked(&[binary("")]), (Fault::Refused(Opcode::BINARY), 1003)),
        row("too long", raw::announced(&text("").masked(KEY), 4097), (Fault::Overflow, 1009)),
        row("late", vec![], (Fault::Timeout(Wait::Idle), 1008)),
        row("slow", vec![0x81], (Fault::Timeout(Wait::Wire), 1008)),
        row("closed", masked(&[close(1000, "")]), (closed(1000), 1000)),
        row("closed with a code of its own", masked(&[close(4999, "")]), (closed(4999), 4999)),
    ]
}

fn faulty(bytes: &[u8]) -> (Scripted, Peer) {
    let (mut conn, peer) = open(Role::Server, Script::new([Step::Bytes(bytes.into())]));
    conn.set_accept(Accept::V13.without(Opcode::BINARY));
    conn.set_message_limit(4096);
    (conn, peer)
}

#[test]
fn a_cause_is_reported_once_and_the_status_ever_after() {
    for (name, bytes, cause, code) in faults() {
        let mut buf = [0; 4096];
        let (mut conn, peer) = faulty(&bytes);
        assert_eq!(fault(conn.receive(&mut buf, TIMEOUTS)), cause, "{name}");
        assert_eq!(cause.code().get(), code, "{name}: the log line and the wire agree");
        let (mut other, _) = faulty(&bytes);
        assert_eq!(fault(other.message(TIMEOUTS)), cause, "{name}");

        let status = Fault::Closed(Closed(CloseCode::new(code)));
        let sender = conn.sender();
        for _ in 0..2 {
            assert_eq!(fault(conn.receive(&mut buf, TIMEOUTS)), status, "{name}");
            assert_eq!(fault(conn.message(TIMEOUTS)), status, "{name}");
            assert_eq!(fault(conn.receive_stream(TIMEOUTS)), status, "{name}");
            assert_eq!(fault(conn.frames(TIMEOUTS).read_frame(&mut buf)), status, "{name}");
            assert_eq!(fault(conn.frames(TIMEOUTS).write_frame(b"")), status, "{name}");
            assert_eq!(fault(sender.send(Opcode::TEXT, b"", WIRE)), status, "{name}");
            assert_eq!(fault(sender.send(Opcode::CLOSE, b"", WIRE)), status, "{name}");
            assert_eq!(fault(sender.feed(Opcode::PING, b"", WIRE)), status, "{name}");
            assert_eq!(fault(sender.flush(WIRE)), status, "{name}");
            assert_eq!(fault(sender.send_stream(Opcode::TEXT, WIRE)), status, "{name}");
            assert_eq!(Fault::Closed(sender.send_close(CloseCode::NORMAL, "", WIRE).unwrap()), status, "{name}");
            assert_eq!(sender.closed().map(Fault::Closed), Some(status), "{name}");
        }
        assert_eq!(Fault::Closed(conn.finish(CloseCode::NORMAL, "", WIRE).unwrap()), status, "{name}");
        assert_eq!((peer.sent().len(), peer.told()), (1, Some(code)), "{name}: one Close, nothing else");
        assert!(peer.transport.write_is_shut_down() && peer.transport.read_is_shut_down(), "{name}");
    }
}

#[test]
fn what_is_refused_is_refused_at_the_low_level_too() {
    for (name, bytes, cause, code) in faults() {
        // Text is not looked at there, frames have no limit of size, and slow is what the frame is waited for.
        if [1007, 1009].contains(&code) {
            continue;
        }
        let (mut conn, peer) = faulty(&bytes);
        let mut frames = conn.frames(TIMEOUTS);
        let refused = loop {
            if let Err(error) = frames.read_frame(&mut [0; 4096]) {
                break fault::<()>(Err(error));
            }
        };
        assert_eq!((refused, peer.told()), (cause, Some(code)), "{name}");
    }
}

#[test]
fn accept_is_v13_by_default_and_close_is_always_accepted() {
    assert_eq!(Accept::default(), Accept::V13);
    for bits in [0, 1, 1 << 1, !(1 << 8)] {
        let (mut conn, peer) = server(&[close(1000, "")]);
        conn.set_accept(Accept::from_bits(bits));
        assert_eq!(fault(conn.receive(&mut [0; 64], TIMEOUTS)), closed(1000));
        assert_eq!(peer.told(), Some(1000));
    }
    for opcode in (0..16).map(Opcode::from_bits) {
        let only = Accept::from_bits(1 << opcode.bits());
        for other in (0..16).map(Opcode::from_bits) {
            assert_eq!(only.contains(other), other == opcode || other == Opcode::CLOSE);
            assert_eq!(Accept::ALL.without(opcode).contains(other), other != opcode || other == Opcode::CLOSE);
            // Said twice is said once.
            let [with, without] = [only.with(other), only.without(other)];
            assert_eq!((with.with(other), without.without(other)), (with, without));
            assert!(with.contains(other));
        }
    }
}

#[test]
fn an_opcode_left_out_is_1003_and_a_reserved_one_1002() {
    for opcode in (0..16).filter(|opcode| *opcode != naive::CLOSE) {
        let (mut conn, peer) = server(&[Frame::new(opcode, "")]);
        let opcode = Opcode::from_bits(opcode);
        conn.set_accept(Accept::ALL.without(opcode));
        let reserved = opcode.is_reserved();
        let cause = if reserved { Fault::Violation(Violation::ReservedOpcode) } else { Fault::Refused(opcode) };
        assert_eq!(fault(conn.receive(&mut [0; 64], TIMEOUTS)), cause);
        assert_eq!(peer.told(), Some(if reserved { 1002 } else { 1003 }));
    }
}

#[test]
fn accept_counts_from_the_next_frame_on() {
    let (mut conn, peer) = server(&[text("one").not_final(), continuation("."), text("two"), binary("three")]);
    assert_eq!(message(&mut conn), (Opcode::TEXT, b"one.".to_vec()));
    conn.set_accept(Accept::V13.without(Opcode::BINARY));
    assert_eq!(message(&mut conn), (Opcode::TEXT, b"two".to_vec()));
    assert_eq!(fault(conn.receive(&mut [0; 64], TIMEOUTS)), Fault::Refused(Opcode::BINARY));
    assert_eq!(peer.told(), Some(1003));
}

#[test]
fn an_end_without_a_close_is_1006_wherever_it_comes() {
    let frames = [text("one"), ping("?"), binary("two ").not_final(), pong(""), continuation("three"), close(1000, "")];
    let bytes = wire(Role::Client, &frames);
    for at in 0..bytes.len() {
        let script = || Script::new([Step::Bytes(bytes[..at].into()), Step::Eof]);
        let (mut conn, peer) = open(Role::Server, script());
        let end = loop {
            if let Err(error) = conn.receive(&mut [0; 64], TIMEOUTS) {
                break fault::<()>(Err(error));
            }
        };
        assert_eq!((end, peer.told()), (closed(1006), None), "after {at} bytes, and nobody is there to be told");
        let (mut conn, _) = open(Role::Server, script());
        let end = loop {
            match conn.receive_stream(TIMEOUTS) {
                Err(error) => break fault::<()>(Err(error)),
                Ok(mut stream) => {
                    if let Err(error) = stream.read_to_end(&mut Vec::new()) {
                        assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof);
                    }
                }
            }
        };
        assert_eq!(end, closed(1006), "after {at} bytes");
        let (mut conn, _) = open(Role::Server, script());
        let mut low = conn.frames(TIMEOUTS);
        let end = loop {
            if let Err(error) = low.read_frame(&mut [0; 2]) {
                break fault::<()>(Err(error));
            }
        };
        assert_eq!(end, closed(1006), "after {at} bytes");
    }
}

#[test]
fn a_close_without_a_code_is_1005_unless_a_code_was_first() {
    let (mut conn, peer) = server(&[close_empty()]);
    assert_eq!(fault(conn.receive(&mut [0; 64], TIMEOUTS)), closed(1005));
    assert_eq!(conn.sender().send_close(CloseCode::NORMAL, "", WIRE).unwrap(), Closed(CloseCode::NO_STATUS));
    assert_eq!(peer.sent(), [close_empty()]);

    let (mut conn, peer) = server(&[close_empty()]);
    conn.sender().send_close(CloseCode::GOING_AWAY, "", WIRE).unwrap();
    assert_eq!(fault(conn.receive(&mut [0; 64], TIMEOUTS)), closed(1001));
    assert_eq!(peer.sent(), [close(1001, "")]);
}

/// RFC 6455, section 7.4, and the codes registered since, written out once more.
fn may_be_on_the_wire(code: u16) -> bool {
    matches!(code, 1000 | 1001 | 1002 | 1003 | 1007..=1014 | 3000..=4999)
}

#[test]
fn of_all_close_codes_those_that_may_be_sent_are_received() {
    for code in 0..=u16::MAX {
        let (mut conn, peer) = server(&[close(code, "why")]);
        let end = fault(conn.receive(&mut [0; 64], TIMEOUTS));
        if may_be_on_the_wire(code) {
            assert_eq!((end, conn.close_reason(), peer.told()), (closed(code), "why", Some(code)));
        } else {
            let refused = Fault::Violation(Violation::CloseCode);
            assert_eq!((end, conn.close_reason(), peer.told()), (refused, "", Some(1002)), "{code}");
        }
    }
}

#[test]
fn of_all_close_codes_those_that_may_be_sent_are_sent() {
    let (open_still, silent) = client(&[]);
    for code in 0..=u16::MAX {
        if may_be_on_the_wire(code) {
            let (conn, peer) = client(&[]);
            assert_eq!(conn.sender().send_close(CloseCode::new(code), "", WIRE).unwrap().0.get(), code);
            assert_eq!(peer.sent(), [close(code, "")]);
        } else if code != 1005 {
            let refused = open_still.sender().send_close(CloseCode::new(code), "", WIRE);
            assert_eq!(fault(refused), Fault::Misuse(Misuse::Close), "{code}");
        }
    }
    assert_eq!((silent.sent(), open_still.closed()), (vec![], None));
}

#[test]
fn a_close_reason_is_cut_between_characters_and_the_code_is_kept() {
    for character in ["x", "ß", "水", "🍌"] {
        for padding in 0..4 {
            let reason = format!("{}{}", "x".repeat(padding), character.repeat(200 / character.len()));
            let (conn, peer) = server(&[]);
            conn.sender().send_close(CloseCode::GOING_AWAY, &reason, WIRE).unwrap();
            let sent = peer.sent().remove(0);
            let told = core::str::from_utf8(&sent.payload[2..]).unwrap();
            assert_eq!(sent.close_code(), Some(1001));
            assert!(reason.starts_with(told) && told.len() <= 123 && told.len() + character.len() > 123, "{told}");
        }
    }
    assert_eq!(Close::REASON_MAX, 123);
    let exact = "x".repeat(123);
    let (conn, peer) = server(&[]);
    conn.sender().send_close(CloseCode::GOING_AWAY, &exact, WIRE).unwrap();
    assert_eq!(peer.sent(), [close(1001, &exact)]);
}

#[test]
fn data_after_our_close_is_delivered_and_nothing_after_the_peers() {
    let frames = [text("one"), binary("tw").not_final(), continuation("o"), close(1000, "bye"), text("never")];
    let (mut conn, peer) = server(&frames);
    conn.sender().send_close(CloseCode::GOING_AWAY, "", WIRE).unwrap();
    assert_eq!(message(&mut conn), (Opcode::TEXT, b"one".to_vec()));
    assert_eq!(message(&mut conn), (Opcode::BINARY, b"two".to_vec()));
    assert_eq!(fault(conn.receive(&mut [0; 64], TIMEOUTS)), closed(1001));
    assert_eq!((conn.close_reason(), peer.sent()), ("bye", vec![close(1001, "")]));

    let (mut conn, peer) = server(&frames);
    assert_eq!(conn.finish(CloseCode::GOING_AWAY, "", WIRE).unwrap(), Closed(CloseCode::GOING_AWAY));
    assert_eq!((conn.close_reason(), peer.sent()), ("bye", vec![close(1001, "")]), "`finish` discards the data");
}

#[test]
fn a_violation_after_our_close_ends_the_wait_and_keeps_the_status() {
    let (mut conn, peer) = server(&[Frame::new(naive::TEXT, [0xff])]);
    conn.sender().send_close(CloseCode::GOING_AWAY, "", WIRE).unwrap();
    assert_eq!(fault(conn.receive(&mut [0; 64], TIMEOUTS)), closed(1001));
    assert_eq!(peer.sent(), [close(1001, "")]);
}

#[test]
fn text_is_checked_by_default_in_both_directions_and_binary_is_not() {
    let bytes = [0xff, 0xc0, 0x80];
    let (mut conn, peer) = server(&[binary(bytes), Frame::new(naive::TEXT, bytes)]);
    let sender = conn.sender();
    assert_eq!(message(&mut conn), (Opcode::BINARY, bytes.to_vec()));
    assert_eq!(fault(conn.receive(&mut [0; 64], TIMEOUTS)), Fault::Violation(Violation::Utf8));
    assert_eq!(peer.told(), Some(1007));
    let (conn, peer) = server(&[]);
    conn.sender().send(Opcode::BINARY, &bytes, WIRE).unwrap();
    assert_eq!(fault(conn.sender().send(Opcode::TEXT, &bytes, WIRE)), Fault::Misuse(Misuse::Utf8));
    assert_eq!(peer.sent(), [binary(bytes)]);
    drop(sender);
}

#[test]
fn a_server_refuses_what_is_not_masked_and_a_client_what_is() {
    for frame in [text("hello"), binary(""), ping(""), pong(""), close(1000, "")] {
        let (mut conn, peer) = open(Role::Server, Script::new([Step::Bytes(frame.bytes())]));
        assert_eq!(fault(conn.receive(&mut [0; 64], TIMEOUTS)), Fault::Violation(Violation::MaskMissing));
        assert_eq!(peer.told(), Some(1002));
        let masked = frame.masked([0; 4]).bytes();
        let (mut conn, peer) = open(Role::Client, Script::new([Step::Bytes(masked)]));
        assert_eq!(fault(conn.receive(&mut [0; 64], TIMEOUTS)), Fault::Violation(Violation::MaskUnexpected));
        assert_eq!(peer.told(), Some(1002));
    }
}

#[test]
fn a_message_longer_than_the_limit_is_1009_before_anything_is_allocated_for_it() {
    let header = raw::announced(&binary([]).masked(KEY), 4 * 1024 * 1024);
    let (mut conn, peer) = open(Role::Server, Script::new([Step::Bytes(header)]));
    conn.set_message_limit(4 * 1024 * 1024 - 1);
    let mut end = None;
    let count = count_allocations(|| end = Some(fault(conn.message(TIMEOUTS))));
    assert_eq!((end, peer.told()), (Some(Fault::Overflow), Some(1009)));
    assert!(count.max_live < 256 * 1024, "the read buffer, the write buffer, the script's notes: {count:?}");
}

#[test]
fn partial_writes_continue_where_they_stopped_within_the_wire_deadline() {
    let payload = b"a payload of thirty bytes or so";
    let script = || Script::new([]).write_limit(4).write_takes(WIRE / 10);
    // 33 bytes on the wire, 4 of them in a tenth of the time.
    let (conn, peer) = open(Role::Server, script());
    conn.sender().send(Opcode::TEXT, payload, WIRE).unwrap();
    assert_eq!(peer.sent(), [Frame::new(naive::TEXT, *payload)]);
    let (conn, peer) = open(Role::Server, script());
    assert_eq!(fault(conn.sender().send(Opcode::TEXT, payload, WIRE / 2)), Fault::Timeout(Wait::Wire));
    assert_eq!((peer.now(), peer.transport.written().len()), (WIRE / 2, 20));
}

#[test]
fn what_was_fed_keeps_the_wire_deadline_and_the_receiver_enforces_it() {
    let (mut conn, peer) = open(Role::Server, Script::new([]).room(3));
    conn.sender().feed(Opcode::TEXT, b"fed, not flushed", WIRE).unwrap();
    assert_eq!(peer.transport.writes(), 0);
    let timeouts = Timeouts::new(WIRE, Duration::from_secs(3600));
    assert_eq!(fault(conn.receive(&mut [0; 64], timeouts)), Fault::Timeout(Wait::Wire));
    assert!(peer.now() <= 2 * WIRE, "{:?}", peer.now());
    assert_eq!(fault(conn.receive(&mut [0; 64], timeouts)), closed(1008));
}

#[test]
fn a_new_message_begins_a_new_wait() {
    let steps = (0..10).flat_map(|_| [Step::Wait(IDLE / 2), said(Role::Client, &[text("again")])]);
    let (mut conn, peer) = open(Role::Server, Script::new(steps));
    for _ in 0..10 {
        assert_eq!(message(&mut conn), (Opcode::TEXT, b"again".to_vec()));
    }
    assert_eq!(peer.now(), IDLE * 5);
    assert_eq!(fault(conn.receive(&mut [0; 64], TIMEOUTS)), Fault::Timeout(Wait::Idle));
    assert!((IDLE * 6..=IDLE * 6 + WIRE).contains(&peer.now()), "{:?}", peer.now());
}
