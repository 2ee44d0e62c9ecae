//! The high level, what is received: P4, P10 to P13, P21.

use core::time::Duration;
use std::io::Read;

use crate::harness::{IDLE, TIMEOUTS, WIRE, closed, fault, message, open, said, server};
use ws_conn::{Accept, Fault, Opcode, Role, Violation, Wait};
use ws_testkit::naive::{Frame, binary, close, continuation, ping, pong, text};
use ws_testkit::transport::{Script, Step};

// P4: "When not zero, then receival of opcodes without a flag are rejected with a connection Close, status code
// 1003—CannotAccept. Flags follow little-endian bit order as in 1 << opcode." -- the seed, on Conn.Accept
#[test]
fn p4_opcodes_without_a_flag_are_refused_with_1003() {
    let refused = [text("no"), ping("no"), pong("no")];
    for frame in refused {
        let (mut conn, peer) = server(&[binary("yes"), frame.clone(), binary("never seen")]);
        conn.set_accept(Accept::from_bits(1 << 2));
        assert_eq!(message(&mut conn), (Opcode::BINARY, b"yes".to_vec()));
        let opcode = Opcode::from_bits(frame.opcode);
        assert_eq!(fault(conn.receive(&mut [0; 64], TIMEOUTS)), Fault::Refused(opcode));
        assert_eq!(peer.told(), Some(1003));
    }
}

// P4: "Flags follow little-endian bit order as in 1 << opcode." -- the seed, on Conn.Accept
#[test]
fn p4_without_a_flag_for_continuations_there_are_no_fragments() {
    let (mut conn, peer) = server(&[text("first").not_final(), continuation("second")]);
    conn.set_accept(Accept::from_bits(1 << 1 | 1 << 2));
    assert_eq!(fault(conn.receive(&mut [0; 64], TIMEOUTS)), Fault::Refused(Opcode::CONTINUATION));
    assert_eq!(peer.told(), Some(1003));
}

// P4: "Use AcceptV13 to disable all reserved opcodes." -- the seed, on Conn.Accept. A reserved opcode is refused with
// 1002, since RFC 6455, section 5.2, calls it a reason to fail the connection.
#[test]
fn p4_v13_is_every_opcode_that_is_not_reserved() {
    let v13 = [0, 1, 2, 8, 9, 10];
    assert_eq!(Accept::V13.bits(), v13.iter().fold(0, |bits, opcode| bits | 1 << opcode));
    for opcode in (0..16).filter(|opcode| !v13.contains(opcode)) {
        let (mut conn, peer) = server(&[Frame::new(opcode, "no")]);
        conn.set_accept(Accept::V13);
        let refused = Fault::Violation(Violation::ReservedOpcode);
        assert_eq!(fault(conn.receive(&mut [0; 64], TIMEOUTS)), refused, "opcode {opcode}");
        assert_eq!(peer.told(), Some(1002));
    }
}

// P10: "Receive is a high-level abstraction (from Read) for safety and convenience. The opcode return is in range
// [1, 7]. Control frames are dealed with." -- the seed, on Conn.Receive
#[test]
fn p10_receive_gives_whole_messages_and_deals_with_control_frames() {
    let said = [
        ping("before"),
        text("in ").not_final(),
        ping("inside"),
        continuation("three ").not_final(),
        pong("not asked for"),
        continuation("parts"),
        binary(""),
        close(1000, ""),
    ];
    let (mut conn, peer) = server(&said);
    assert_eq!(message(&mut conn), (Opcode::TEXT, b"in three parts".to_vec()));
    assert_eq!(message(&mut conn), (Opcode::BINARY, b"".to_vec()));
    assert_eq!(fault(conn.receive(&mut [0; 64], TIMEOUTS)), closed(1000));
    assert_eq!(peer.sent(), [pong("before"), pong("inside"), close(1000, "")]);
}

// P11: "ErrOverflow signals an incomming message larger than the provided buffer." -- the seed, on ErrOverflow
#[test]
fn p11_a_message_larger_than_the_buffer_is_refused_with_1009() {
    let in_one = vec![text("123456")];
    let in_two = vec![text("123").not_final(), continuation("456")];
    for frames in [in_one, in_two] {
        let (mut conn, peer) = server(&frames);
        assert_eq!(fault(conn.receive(&mut [0; 5], TIMEOUTS)), Fault::Overflow);
        assert_eq!(peer.told(), Some(1009));
        let (mut conn, peer) = server(&frames);
        assert_eq!(conn.receive(&mut [0; 6], TIMEOUTS).unwrap().len, 6);
        assert_eq!(peer.told(), None);
        let (mut conn, peer) = server(&frames);
        conn.set_message_limit(5);
        assert_eq!(fault(conn.message(TIMEOUTS)), Fault::Overflow);
        assert_eq!(peer.told(), Some(1009));
        let (mut conn, _) = server(&frames);
        conn.set_message_limit(6);
        assert_eq!(conn.message(TIMEOUTS).unwrap().text(), Some("123456"));
    }
}

// P12: "ReceiveStream is a high-level abstraction (from Read) for safety and convenience. The opcode return is in range
// [1, 7]. Control frames are dealed with." -- the seed, on Conn.ReceiveStream
#[test]
fn p12_a_stream_gives_one_message_and_deals_with_control_frames() {
    let said = [ping("before"), binary("ab").not_final(), ping("inside"), continuation("cd"), text("next")];
    let (mut conn, peer) = server(&said);
    let mut stream = conn.receive_stream(TIMEOUTS).unwrap();
    assert_eq!(stream.opcode(), Opcode::BINARY);
    let mut all = Vec::new();
    assert_eq!(stream.read_to_end(&mut all).unwrap(), 4);
    assert_eq!(stream.read(&mut [0; 4]).unwrap(), 0, "the end stays the end");
    drop(stream);
    assert_eq!((all.as_slice(), message(&mut conn)), (&b"abcd"[..], (Opcode::TEXT, b"next".to_vec())));
    conn.sender().flush(WIRE).unwrap();
    assert_eq!(peer.sent(), [pong("before"), pong("inside")]);
}

// P12: "Reader must be fully consumed before the next call to Receive. Interruptions from other calls to Receive or
// Read may cause protocol violations." -- the seed, on Conn.ReceiveStream. Here what is left is discarded.
#[test]
fn p12_what_a_stream_leaves_is_discarded_by_the_next_call() {
    let said = [text("abc").not_final(), ping("inside"), continuation("def").not_final(), continuation("ghi")];
    for taken in 0..9 {
        let (mut conn, peer) = server(&said);
        peer.say(&[text("next")]);
        let mut stream = conn.receive_stream(TIMEOUTS).unwrap();
        stream.read_exact(&mut vec![0; taken]).unwrap();
        drop(stream);
        assert_eq!(message(&mut conn), (Opcode::TEXT, b"next".to_vec()), "after {taken} bytes");
        assert_eq!(peer.told(), None, "the peer did nothing wrong");
    }
}

// P13: "WireTimeout is the limit for Read [frame receival] and idleTimeout limits the amount of time to wait for
// arrival." -- the seed, on Conn.Receive
#[test]
fn p13_idle_limits_the_wait_for_a_message_to_begin() {
    let late = IDLE - Duration::from_millis(1);
    let script = Script::new([Step::Wait(late), said(Role::Client, &[text("late")])]);
    let (mut conn, peer) = open(Role::Server, script);
    assert_eq!(message(&mut conn), (Opcode::TEXT, b"late".to_vec()));
    assert_eq!(peer.now(), late);
    assert_eq!(fault(conn.receive(&mut [0; 64], TIMEOUTS)), Fault::Timeout(Wait::Idle));
    // The silence after the Close adds what the connection takes to make sure that it arrives.
    let ends = late + IDLE;
    assert!((ends..=ends + WIRE).contains(&peer.now()), "{:?}", peer.now());
    assert_eq!(peer.told(), Some(1008));
    assert!(peer.transport.read_is_shut_down() && peer.transport.write_is_shut_down());
}

// P13: "WireTimeout is the limit for Read [frame receival] and idleTimeout limits the amount of time to wait for
// arrival." -- the seed, on Conn.Receive
#[test]
fn p13_wire_limits_the_receipt_of_what_has_begun() {
    let bytes = text("late").masked([1, 2, 3, 4]).bytes();
    for cut in 1..bytes.len() {
        let (first, rest) = bytes.split_at(cut);
        let late = WIRE - Duration::from_millis(1);
        let script = Script::new([Step::Bytes(first.into()), Step::Wait(late), Step::Bytes(rest.into())]);
        let (mut conn, _) = open(Role::Server, script);
        assert_eq!(message(&mut conn), (Opcode::TEXT, b"late".to_vec()));

        let (mut conn, peer) = open(Role::Server, Script::new([Step::Bytes(first.into())]));
        assert_eq!(fault(conn.receive(&mut [0; 64], TIMEOUTS)), Fault::Timeout(Wait::Wire), "after {cut} bytes");
        assert_eq!(peer.told(), Some(1008));
        assert!((WIRE..=2 * WIRE).contains(&peer.now()), "{:?}", peer.now());
    }
}

// P21: "Reserved3 is reserved for further non-control frames." and "Reserved11 is reserved for further control frames."
// -- the seed, on its constants; "The opcode return is in range [1, 7]." -- the seed, on Conn.Receive
#[test]
fn p21_reserved_data_is_delivered_and_reserved_control_frames_are_not() {
    let mut said = Vec::new();
    for opcode in 3..8 {
        said.push(Frame::new(opcode + 8, "control"));
        said.push(Frame::new(opcode, [0xff, opcode]).not_final());
        said.push(continuation("!"));
    }
    let (mut conn, peer) = server(&said);
    conn.set_accept(Accept::ALL);
    for opcode in 3..8 {
        assert_eq!(message(&mut conn), (Opcode::from_bits(opcode), vec![0xff, opcode, b'!']));
    }
    assert_eq!(peer.sent(), []);
}

// P21: "Reserved11 is reserved for further control frames." -- the seed, on its constants
#[test]
fn p21_reserved_control_frames_reach_the_low_level() {
    let (mut conn, _) = server(&[Frame::new(11, "new")]);
    conn.set_accept(Accept::ALL);
    let mut buf = [0; 64];
    let mut frames = conn.frames(TIMEOUTS);
    let len = frames.read_frame(&mut buf).unwrap();
    assert_eq!((frames.read_mode().opcode, &buf[..len]), (Opcode::RESERVED_11, &b"new"[..]));
}

// "Receive must be called sequentially." -- the seed, on Conn.Receive; what lies ready is given before more is read.
#[test]
fn messages_that_came_together_take_one_read() {
    let frames: Vec<Frame> = (0..100).map(|number| text(&format!("message {number}"))).collect();
    let (mut conn, peer) = server(&frames);
    for frame in &frames {
        assert_eq!(message(&mut conn), (Opcode::TEXT, frame.payload.clone()));
    }
    assert_eq!(peer.transport.reads(), 1);
}
