//! The high level, what is sent: P14 to P16, P19.

use core::time::Duration;
use std::io::{ErrorKind, Write};
use std::thread;

use crate::harness::{IDLE, TIMEOUTS, WIRE, client, closed, fault, message, open, said, server};
use ws_conn::{Error, Fault, Misuse, Opcode, Role, Timeouts, Wait};
use ws_testkit::naive::{self, Frame, binary, close, continuation, ping, pong, text};
use ws_testkit::transport::{self, FailAt, Script, Step};

// P14: "Send is a high-level abstraction for safety and convenience. The opcode must be in range [1, 15] like Text,
// Binary or Ping." -- the seed, on Conn.Send
#[test]
fn p14_send_takes_every_opcode_but_that_of_a_continuation() {
    for (conn, peer) in [server(&[]), client(&[])] {
        let sender = conn.sender();
        let opcodes = (1..16).filter(|opcode| *opcode != naive::CLOSE);
        for opcode in opcodes.clone() {
            sender.send(Opcode::from_bits(opcode), b"hello", WIRE).unwrap();
        }
        let continuation = sender.send(Opcode::CONTINUATION, b"of what", WIRE);
        assert_eq!(fault(continuation), Fault::Misuse(Misuse::Opcode));
        sender.send(Opcode::CLOSE, b"\x03\xe8bye", WIRE).unwrap();
        let expected: Vec<Frame> =
            opcodes.map(|opcode| Frame::new(opcode, "hello")).chain([close(1000, "bye")]).collect();
        let judge = peer.judge().allow_reserved_opcodes();
        assert_eq!(peer.sent_under(&judge), expected);
    }
}

// P14: "WireTimeout limits the frame transmission time. On expiry, the connection is closed with status code 1008
// Policy. All error returns are fatal to the connection." -- the seed, on Conn.Send
#[test]
fn p14_a_frame_that_is_not_taken_in_time_closes_the_connection_with_1008() {
    for room in [0, 1, 2, 100] {
        let (mut conn, peer) = open(Role::Server, Script::new([]).room(room));
        let sender = conn.sender();
        let started = peer.now();
        assert_eq!(fault(sender.send(Opcode::BINARY, &[b'x'; 200], WIRE)), Fault::Timeout(Wait::Wire));
        assert_eq!(peer.now() - started, WIRE);
        assert_eq!(fault(sender.send(Opcode::BINARY, b"", WIRE)), closed(1008));
        assert_eq!(fault(conn.receive(&mut [0; 64], TIMEOUTS)), closed(1008));
        assert!(peer.transport.read_is_shut_down() && peer.transport.write_is_shut_down(), "the transport is closed");
        let whole = binary([b'x'; 200]).bytes();
        assert!(whole.starts_with(&peer.transport.written()), "nothing went into the half frame");
    }
}

// P14: "Multiple goroutines may invoke Send simultaneously. Send may be invoked simultaneously with any other
// high-level method from Conn." -- the seed, on Conn.Send
#[test]
fn p14_threads_send_at_once_and_every_frame_is_whole_and_in_its_senders_order() {
    const THREADS: u8 = 8;
    const EACH: u8 = 50;
    let pings: Vec<Frame> = (0..EACH).map(|number| ping([number])).chain([text("end")]).collect();
    for (mut conn, peer) in [server(&pings), client(&pings)] {
        thread::scope(|scope| {
            for thread in 0..THREADS {
                let sender = conn.sender();
                scope.spawn(move || {
                    for number in 0..EACH {
                        let mut payload = vec![thread, number];
                        payload.resize(2 + usize::from(number) * 40, 0);
                        let wire = Duration::from_secs(600);
                        sender.send(Opcode::BINARY, &payload, wire).unwrap();
                    }
                });
            }
            assert_eq!(message(&mut conn), (Opcode::TEXT, b"end".to_vec()));
        });
        conn.sender().flush(WIRE).unwrap();
        let sent = peer.sent();
        for thread in 0..THREADS {
            let of_thread = sent.iter().filter(|frame| frame.opcode == naive::BINARY && frame.payload[0] == thread);
            assert!(of_thread.map(|frame| frame.payload[1]).eq(0..EACH), "thread {thread}");
        }
        let last_pong = sent.iter().rfind(|frame| frame.opcode == naive::PONG).unwrap();
        assert_eq!(last_pong.payload, [EACH - 1], "the last Ping is answered");
    }
}

// P15: "Note that when Send interrupts SendStream, then the opcode of Send is further reduced to range [8, 15]."
// -- the seed, on Conn.Send
#[test]
fn p15_control_frames_go_between_fragments_and_data_waits_for_its_turn() {
    for (conn, peer) in [server(&[]), client(&[])] {
        let sender = conn.sender();
        let mut stream = sender.send_stream(Opcode::TEXT, WIRE).unwrap();
        stream.write_chunk(b"one").unwrap();
        sender.send(Opcode::PING, b"between", WIRE).unwrap();
        let in_the_way = sender.send(Opcode::BINARY, b"not now", Duration::ZERO);
        assert_eq!(fault(in_the_way), Fault::Timeout(Wait::Turn));
        let second = sender.send_stream(Opcode::BINARY, Duration::ZERO);
        assert_eq!(fault(second), Fault::Timeout(Wait::Turn));
        stream.write_chunk(b"two").unwrap();
        stream.finish().unwrap();
        sender.send(Opcode::BINARY, b"now", WIRE).unwrap();
        let expected = [
            text("one").not_final(),
            ping("between"),
            continuation("two").not_final(),
            continuation(""),
            binary("now"),
        ];
        assert_eq!(peer.sent(), expected, "the connection goes on");
    }
}

// P15: "The stream must be closed before any other invocation to SendStream is made and Send may only interrupt with
// control frames—opcode range [8, 15]." -- the seed, on Conn.SendStream. Here a second message waits.
#[test]
fn p15_a_message_that_waits_for_its_turn_is_sent_when_the_stream_ends() {
    let (conn, peer) = server(&[]);
    let sender = conn.sender();
    let mut stream = sender.send_stream(Opcode::TEXT, WIRE).unwrap();
    stream.write_chunk(b"one").unwrap();
    thread::scope(|scope| {
        let other = conn.sender();
        let waiting = scope.spawn(move || other.send(Opcode::BINARY, b"then", Duration::from_secs(600)));
        stream.write_chunk(b"two").unwrap();
        stream.finish().unwrap();
        waiting.join().unwrap().unwrap();
    });
    let stream = [text("one").not_final(), continuation("two").not_final(), continuation("")];
    let sent = peer.sent();
    // Which came first is the scheduler's affair, that neither is inside the other is ours.
    assert!(sent == [&stream[..], &[binary("then")]].concat() || sent == [&[binary("then")], &stream[..]].concat());
}

// P16: "SendStream is an alternative to Send. The opcode must be in range [1, 7] like Text or Binary."
// -- the seed, on Conn.SendStream
#[test]
fn p16_a_stream_takes_data_opcodes_only() {
    let (conn, peer) = server(&[]);
    let sender = conn.sender();
    for opcode in [0, 8, 9, 10, 11, 15] {
        let refused = sender.send_stream(Opcode::from_bits(opcode), WIRE);
        assert_eq!(fault(refused), Fault::Misuse(Misuse::Opcode), "opcode {opcode}");
    }
    for opcode in 1..8 {
        let mut stream = sender.send_stream(Opcode::from_bits(opcode), WIRE).unwrap();
        stream.write_all(b"a").unwrap();
        stream.finish().unwrap();
    }
    let sent = peer.sent_under(&peer.judge().allow_reserved_opcodes());
    let expected = (1..8).flat_map(|opcode| [Frame::new(opcode, "a").not_final(), continuation("")]);
    assert!(sent.into_iter().eq(expected));
}

// P16: "All errors from the io.WriteCloser other than io.ErrClosedPipe are fatal to the connection. Check Close for
// errors too!" -- the seed, on Conn.SendStream. Here `finish` consumes the writer, and fragments that are refused leave
// the message as it was.
#[test]
fn p16_the_end_of_a_stream_reports_what_went_wrong() {
    let (mut conn, peer) = server(&[]);
    let sender = conn.sender();
    let mut stream = sender.send_stream(Opcode::TEXT, WIRE).unwrap();
    stream.write_chunk("half of 👋".as_bytes().split_last_chunk::<2>().unwrap().0).unwrap();
    let error = stream.write(b"not the other half").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert_eq!(fault(stream.finish()), Fault::Misuse(Misuse::Utf8));
    assert_eq!(fault(conn.receive(&mut [0; 64], TIMEOUTS)), closed(1011));
    assert_eq!(peer.told(), Some(1011), "half a message does not pass for a whole one");
}

// P16: "WireTimeout limits the frame transmission time. On expiry, the connection is closed with status code 1008
// Policy." -- the seed, on Conn.SendStream
#[test]
fn p16_a_stream_that_is_not_taken_in_time_closes_the_connection_with_1008() {
    let (conn, peer) = open(Role::Client, Script::new([]).room(100_000));
    let mut stream = conn.sender().send_stream(Opcode::BINARY, WIRE).unwrap();
    let error = loop {
        if let Err(error) = stream.write_chunk(&[b'x'; 10_000]) {
            break error;
        }
    };
    assert!(matches!(error, Error::Fault(Fault::Timeout(Wait::Wire))), "{error:?}");
    assert_eq!(peer.now(), WIRE);
    assert_eq!(fault(stream.finish()), closed(1008));
    assert_eq!(fault(conn.sender().send(Opcode::PING, b"", WIRE)), closed(1008));
}

// P19: "built-in retry logic and timeout protection" -- the seed's README; "These operations offer network error
// recovery, timeout protection and Text validation." -- the seed, on Conn
#[test]
fn p19_what_passes_by_itself_is_tried_again() {
    let run = |fail_at: FailAt| {
        let steps = [
            Step::Interrupted,
            said(Role::Client, &[text("one").not_final()]),
            Step::TimedOut,
            said(Role::Client, &[ping("?"), continuation("two")]),
            Step::Wait(IDLE / 2),
            Step::WouldBlock,
            said(Role::Client, &[close(1000, "")]),
            Step::Eof,
        ];
        let (mut conn, peer) = open(Role::Server, Script::new(steps).read_limit(3).write_limit(2).fail_at(fail_at));
        let patient = Timeouts::new(Duration::from_secs(600), Duration::from_secs(6000));
        let mut buf = [0; 64];
        let received = conn.receive(&mut buf, patient).unwrap();
        assert_eq!(&buf[..received.len], b"onetwo");
        conn.sender().send(Opcode::TEXT, b"three", patient.wire).unwrap();
        assert_eq!(fault(conn.receive(&mut buf, patient)), closed(1000), "{fail_at:?}");
        assert_eq!(peer.sent(), [pong("?"), text("three"), close(1000, "")], "{fail_at:?}");
        peer.transport
    };
    for how in [transport::Fault::Interrupted, transport::Fault::Short] {
        let operations = transport::fail_at_every_operation(how, run).unwrap();
        assert!(operations > 20, "{operations} operations");
    }
}

/// A write of its own costs more than a copy, up to some size, and from there on less.
#[test]
fn what_is_fed_is_written_at_once_only_if_it_is_large() {
    for (len, writes) in [(1024, 1), (12_287, 1), (12_288, 2)] {
        let (conn, peer) = server(&[]);
        let sender = conn.sender();
        for _ in 0..2 {
            sender.feed(Opcode::BINARY, &vec![b'x'; len], WIRE).unwrap();
        }
        sender.flush(WIRE).unwrap();
        assert_eq!(peer.transport.writes(), writes, "{len} bytes");
        assert_eq!(peer.sent(), vec![binary(vec![b'x'; len]); 2]);
    }
}
