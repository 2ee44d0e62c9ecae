//! What comes in: B2b, B4, B6, B7, B14, B15, B18 to B22, H1.

use core::time::Duration;
use std::io::{ErrorKind, Read};

use crate::harness::{IDLE, TIMEOUTS, WIRE, closed, fault, message, open, said, server, wire};
use ws_conn::{Error, Fault, Opcode, Role, Timeouts, Violation, Wait};
use ws_testkit::naive::{Frame, binary, close, continuation, ping, pong, text};
use ws_testkit::raw;
use ws_testkit::transport::{Script, Step};

const KEY: [u8; 4] = [9, 8, 7, 6];

// B2b
#[test]
fn text_may_be_cut_within_a_character_by_reads() {
    let whole = "z\u{df}\u{6c34}\u{1f34c} and the end";
    let frames = [
        text(&whole[..3]).not_final(),
        continuation(&whole.as_bytes()[3..7]).not_final(),
        continuation(&whole.as_bytes()[7..]),
    ];
    for limit in 1..12 {
        for chunk in 1..6 {
            let (mut conn, _) = open(Role::Server, Script::new([said(Role::Client, &frames)]).read_limit(limit));
            let mut stream = conn.receive_stream(TIMEOUTS).unwrap();
            let mut all = Vec::new();
            let mut buf = vec![0; chunk];
            loop {
                match stream.read_chunk(&mut buf).unwrap() {
                    0 => break,
                    len => all.extend_from_slice(&buf[..len]),
                }
            }
            assert_eq!(all, whole.as_bytes(), "reads of {limit} into {chunk}");
        }
        let (mut conn, _) = open(Role::Server, Script::new([said(Role::Client, &frames)]).read_limit(limit));
        assert_eq!(message(&mut conn), (Opcode::TEXT, whole.as_bytes().to_vec()));
    }
}

// B4
#[test]
fn a_control_payload_is_unmasked_once() {
    for limit in 1..20 {
        let payload = "twelve bytes";
        let script = Script::new([said(Role::Client, &[ping(payload), pong(payload), ping(payload), text("")])]);
        let (mut conn, peer) = open(Role::Server, script.read_limit(limit));
        let mut frames = conn.frames(TIMEOUTS);
        for opcode in [Opcode::PING, Opcode::PONG] {
            let mut seen = Vec::new();
            loop {
                let mut buf = [0; 5];
                let len = frames.read_frame(&mut buf).unwrap();
                seen.extend_from_slice(&buf[..len]);
                assert!(frames.read_mode().opcode == if seen.len() == len { opcode } else { Opcode::CONTINUATION });
                if frames.read_mode().fin {
                    break;
                }
            }
            assert_eq!(seen, payload.as_bytes());
        }
        assert_eq!(message(&mut conn), (Opcode::TEXT, vec![]));
        conn.sender().flush(WIRE).unwrap();
        assert_eq!(peer.sent(), [pong(payload)], "the Ping that the high level met");
    }
}

// B6
#[test]
fn wire_is_one_deadline_for_the_whole_message() {
    let wire = Duration::from_millis(60);
    let bytes = binary([b'x'; 24]).masked(KEY).bytes();
    assert_eq!(bytes.len(), 30);
    let steps = bytes.iter().flat_map(|byte| [Step::Wait(wire / 2), Step::Bytes(vec![*byte])]);
    let (mut conn, peer) = open(Role::Server, Script::new(steps));
    let timeouts = Timeouts::new(wire, IDLE);
    assert_eq!(fault(conn.receive(&mut [0; 64], timeouts)), Fault::Timeout(Wait::Wire));
    // The wait begins with the first byte, which came after half of it.
    assert!((wire..wire * 3).contains(&peer.now()), "{:?}", peer.now());
    assert_eq!(peer.told(), Some(1008));
}

// B6, B22
#[test]
fn nothing_inside_a_message_extends_wire() {
    let drips = [vec![continuation("")], vec![ping("")], vec![pong("")], vec![continuation("x")]];
    for drip in drips {
        let drip: Vec<Frame> = drip.into_iter().map(|frame| Frame { fin: frame.is_control(), ..frame }).collect();
        let mut steps = vec![said(Role::Client, &[binary("begun").not_final()])];
        for _ in 0..100 {
            steps.extend([Step::Wait(WIRE / 4), said(Role::Client, &drip)]);
        }
        let (mut conn, peer) = open(Role::Server, Script::new(steps.clone()));
        assert_eq!(fault(conn.receive(&mut [0; 512], TIMEOUTS)), Fault::Timeout(Wait::Wire));
        assert!((WIRE..=2 * WIRE).contains(&peer.now()), "{:?}", peer.now());
        let (mut conn, peer) = open(Role::Server, Script::new(steps));
        assert_eq!(fault(conn.message(TIMEOUTS)), Fault::Timeout(Wait::Wire));
        assert!((WIRE..=2 * WIRE).contains(&peer.now()), "{:?}", peer.now());
    }
}

// B22
#[test]
fn pings_between_messages_do_not_extend_idle() {
    let steps = (0..100).flat_map(|_| [Step::Wait(IDLE / 4), said(Role::Client, &[ping("?"), pong("!")])]);
    let (mut conn, peer) = open(Role::Server, Script::new(steps));
    assert_eq!(fault(conn.receive(&mut [0; 64], TIMEOUTS)), Fault::Timeout(Wait::Idle));
    assert!((IDLE..=IDLE + WIRE).contains(&peer.now()), "{:?}", peer.now());
    assert_eq!(peer.told(), Some(1008));
}

// B22
#[test]
fn pings_that_came_together_are_answered_with_one_write() {
    let pings: Vec<Frame> = (0..100).map(|number| ping([number])).collect();
    let (mut conn, peer) = server(&pings);
    assert_eq!(fault(conn.receive(&mut [0; 64], TIMEOUTS)), Fault::Timeout(Wait::Idle));
    assert_eq!(peer.transport.writes(), 2, "the Pongs, the Close");
    assert_eq!(peer.sent()[..100], (0..100).map(|number| pong([number])).collect::<Vec<_>>());
}

// B7
#[test]
fn a_message_that_fits_exactly_may_end_with_an_empty_fragment() {
    let frames = [binary("exactly").not_final(), continuation("").not_final(), ping("?"), continuation("")];
    let (mut conn, peer) = server(&frames);
    let mut buf = [0; 7];
    let received = conn.receive(&mut buf, TIMEOUTS).unwrap();
    assert_eq!((received.len, received.fin, &buf), (7, true, b"exactly"));
    assert_eq!(peer.told(), None);
    let (mut conn, _) = server(&frames);
    conn.set_message_limit(7);
    assert_eq!(&*conn.message(TIMEOUTS).unwrap(), b"exactly");
}

// B14
#[test]
fn text_that_is_not_utf_8_is_refused_with_1007() {
    let bad = |payload: &[u8]| Frame::new(1, payload);
    let cases: [&[Frame]; 5] = [
        &[bad(b"\xff")],
        &[bad(b"cut \xf0\x9f")],
        &[bad(b"\xed\xa0\x80")],
        &[bad(b"a\xe6\xb0").not_final(), continuation("b")],
        &[bad(b"a\xe6\xb0").not_final(), continuation(""), text("never seen")],
    ];
    for frames in cases {
        let refused = Fault::Violation(Violation::Utf8);
        let (mut conn, peer) = server(frames);
        assert_eq!(fault(conn.receive(&mut [0; 64], TIMEOUTS)), refused);
        assert_eq!((fault(conn.receive(&mut [0; 64], TIMEOUTS)), peer.told()), (closed(1007), Some(1007)));
        let (mut conn, peer) = server(frames);
        assert_eq!(fault(conn.message(TIMEOUTS)), refused);
        assert_eq!((fault(conn.message(TIMEOUTS)), peer.told()), (closed(1007), Some(1007)));
        let (mut conn, peer) = server(frames);
        let mut stream = conn.receive_stream(TIMEOUTS).unwrap();
        let error = stream.read_to_end(&mut Vec::new()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        assert_eq!(error.get_ref().and_then(|fault| fault.downcast_ref()), Some(&refused));
        assert_eq!(peer.told(), Some(1007));
    }
}

// B14
#[test]
fn text_is_refused_as_soon_as_it_cannot_become_utf_8() {
    let frame = Frame::new(1, [&b"\xff"[..], &[b'x'; 255]].concat()).masked(KEY).bytes();
    let (mut conn, peer) = open(Role::Server, Script::new([Step::Bytes(frame[..9].to_vec())]));
    assert_eq!(fault(conn.receive(&mut [0; 512], TIMEOUTS)), Fault::Violation(Violation::Utf8));
    assert_eq!((peer.told(), peer.transport.reads()), (Some(1007), 2), "the second read is that of the drain");
}

// B15
#[test]
fn a_stream_that_is_cut_off_between_fragments_is_an_error() {
    for frames in [vec![binary("half").not_final()], vec![binary("ha").not_final(), continuation("lf").not_final()]] {
        let (mut conn, _) = open(Role::Server, Script::new([said(Role::Client, &frames), Step::Eof]));
        let mut all = Vec::new();
        let mut stream = conn.receive_stream(TIMEOUTS).unwrap();
        let error = stream.read_to_end(&mut all).unwrap_err();
        assert_eq!((error.kind(), all.as_slice()), (ErrorKind::UnexpectedEof, &b"half"[..]));
        assert_eq!(error.get_ref().and_then(|fault| fault.downcast_ref()), Some(&closed(1006)));
        drop(stream);
        assert_eq!(fault(conn.receive(&mut [0; 64], TIMEOUTS)), closed(1006));
    }
}

// B18
#[test]
fn a_read_that_is_tried_again_keeps_what_it_had() {
    let bytes = wire(Role::Client, &[text("one").not_final(), continuation("two")]);
    let hiccups = [Step::Interrupted, Step::WouldBlock, Step::TimedOut];
    for at in 0..bytes.len() {
        let (before, after) = bytes.split_at(at);
        for hiccup in &hiccups {
            let script = Script::new([Step::Bytes(before.into()), hiccup.clone(), Step::Bytes(after.into())]);
            let (mut conn, _) = open(Role::Server, script.read_limit(5));
            let mut buf = [0; 64];
            let patient = Timeouts::new(3 * WIRE, IDLE);
            let received = conn.receive(&mut buf, patient).unwrap();
            assert_eq!(&buf[..received.len], b"onetwo", "{hiccup:?} after {at} bytes");
        }
    }
}

// B19
#[test]
fn an_error_of_the_transport_is_reported_as_it_is() {
    let before =
        [vec![], vec![ping("?")], vec![binary("half").not_final()], vec![binary("half").not_final(), ping("?")]];
    for frames in before {
        let script = Script::new([said(Role::Client, &frames), Step::Error(ErrorKind::HostUnreachable)]);
        let (mut conn, peer) = open(Role::Server, script);
        match conn.receive(&mut [0; 64], TIMEOUTS) {
            Err(Error::Io(error)) => assert_eq!(error.kind(), ErrorKind::HostUnreachable),
            other => panic!("{other:?} after {frames:?}"),
        }
        assert_eq!(fault(conn.receive(&mut [0; 64], TIMEOUTS)), closed(1006));
        assert_eq!(peer.told(), None);
    }
}

// B20
#[test]
fn two_bytes_are_enough_to_refuse_an_unmasked_frame() {
    for frame in [close(1000, ""), text("hello"), binary([0; 70_000])] {
        let (mut conn, peer) = open(Role::Server, Script::new([Step::Bytes(frame.bytes()[..2].to_vec())]));
        let refused = Fault::Violation(Violation::MaskMissing);
        assert_eq!(fault(conn.receive(&mut [0; 64], TIMEOUTS)), refused);
        assert_eq!((peer.told(), peer.now() <= WIRE), (Some(1002), true), "without waiting for more");
    }
}

// B21
#[test]
fn lengths_are_minimal_and_below_two_to_the_63() {
    let small = binary("small").masked(KEY);
    let medium = binary([0; 126]).masked(KEY);
    let cases = [
        (raw::with_16_bit_length(&small).unwrap(), Violation::LengthNotMinimal),
        (raw::with_64_bit_length(&small), Violation::LengthNotMinimal),
        (raw::with_64_bit_length(&medium), Violation::LengthNotMinimal),
        (raw::with_64_bit_length(&binary([0; 65535]).masked(KEY)), Violation::LengthNotMinimal),
        (raw::with_top_bit_length(&medium), Violation::LengthSign),
        (raw::with_16_bit_length(&ping("small").masked(KEY)).unwrap(), Violation::ControlTooLong),
    ];
    for (bytes, violation) in cases {
        let (mut conn, peer) = open(Role::Server, Script::new([Step::Bytes(bytes.clone())]));
        assert_eq!(fault(conn.receive(&mut vec![0; 70_000], TIMEOUTS)), Fault::Violation(violation));
        assert_eq!(peer.told(), Some(1002));
        let (mut conn, peer) = open(Role::Server, Script::new([Step::Bytes(bytes)]));
        assert_eq!(fault(conn.receive_stream(TIMEOUTS)), Fault::Violation(violation));
        assert_eq!(peer.told(), Some(1002));
    }
}

// H1
#[test]
fn a_16_bit_length_larger_than_the_buffer_is_refused_without_waiting_for_it() {
    let header = raw::announced(&binary([]).masked(KEY), 1000);
    let (mut conn, peer) = open(Role::Server, Script::new([Step::Bytes(header.clone())]));
    assert_eq!(fault(conn.receive(&mut [0; 100], TIMEOUTS)), Fault::Overflow);
    assert_eq!((peer.told(), peer.transport.reads()), (Some(1009), 2), "the second read is that of the drain");

    let script = Script::new([Step::Bytes(header), Step::Bytes(vec![0; 1000])]);
    let (mut conn, peer) = open(Role::Server, script);
    let mut frames = conn.frames(TIMEOUTS);
    let mut taken = 0;
    while !{
        taken += frames.read_frame(&mut [0; 100]).unwrap();
        frames.read_mode().fin
    } {}
    assert_eq!((taken, peer.transport.reads()), (1000, 2), "the low level takes it in parts");
}

// H1
#[test]
fn a_control_frame_is_neither_long_nor_in_fragments_nor_unmasked() {
    let cases = [
        (ping([0; 126]).masked(KEY), Violation::ControlTooLong),
        (ping([0; 200]).masked(KEY).not_final(), Violation::ControlFragmented),
        (ping([0; 200]).not_final(), Violation::ControlFragmented),
        (ping([0; 5]), Violation::MaskMissing),
    ];
    for (frame, violation) in cases {
        for low in [false, true] {
            let (mut conn, peer) = open(Role::Server, Script::new([Step::Bytes(frame.bytes())]));
            let refused = match low {
                true => fault(conn.frames(TIMEOUTS).read_frame(&mut [0; 512])),
                false => fault(conn.receive(&mut [0; 512], TIMEOUTS)),
            };
            assert_eq!((refused, peer.told()), (Fault::Violation(violation), Some(1002)));
        }
    }
}

/// Nothing drops it. What is left of its message must not pass for a whole one.
#[test]
fn a_forgotten_reader_loses_its_message_and_no_other() {
    for reads in 0..3 {
        for way in 0..3 {
            let frames = [text("whole").not_final(), ping("p"), continuation("ly lost"), text("next")];
            let (mut conn, _) = server(&frames);
            let mut reader = conn.receive_stream(TIMEOUTS).unwrap();
            for _ in 0..reads {
                reader.read_chunk(&mut [0; 3]).unwrap();
            }
            core::mem::forget(reader);
            let mut into = [0; 20];
            let len = match way {
                0 => conn.receive(&mut into, TIMEOUTS).unwrap().len,
                1 => conn.message(TIMEOUTS).unwrap().iter().zip(&mut into).map(|(from, to)| *to = *from).count(),
                _ => conn.receive_stream(TIMEOUTS).unwrap().read_chunk(&mut into).unwrap(),
            };
            assert_eq!(into[..len], *b"next", "{reads} reads, {way}");
        }
    }
}
