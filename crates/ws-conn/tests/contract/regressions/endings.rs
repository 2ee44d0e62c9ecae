//! How it ends: B16, B17, B23, B24.

use std::io::ErrorKind;

use crate::harness::{IDLE, TIMEOUTS, WIRE, client, closed, fault, message, open, said, server};
use ws_conn::blocking::Conn;
use ws_conn::{CloseCode, Closed, Coded, Decode, Encode, Fault, Opcode, Role, Violation};
use ws_testkit::judge::Judge;
use ws_testkit::naive::{self, Frame, close, close_empty, ping, pong, text};
use ws_testkit::transport::Fault as Failure;
use ws_testkit::transport::{FailAt, Script, Step};

// B16
#[test]
fn a_malformed_close_is_refused() {
    let cases = [
        (Frame::new(naive::CLOSE, [3]), Violation::CloseLength, 1002),
        (close(0, ""), Violation::CloseCode, 1002),
        (close(1004, ""), Violation::CloseCode, 1002),
        (close(2000, ""), Violation::CloseCode, 1002),
        (close(65535, ""), Violation::CloseCode, 1002),
        (Frame::new(naive::CLOSE, *b"\x03\xe8\xff"), Violation::Utf8, 1007),
        (Frame::new(naive::CLOSE, *b"\x03\xe8cut \xf0\x9f"), Violation::Utf8, 1007),
    ];
    for (frame, violation, code) in cases {
        let (mut conn, peer) = server(core::slice::from_ref(&frame));
        assert_eq!(fault(conn.receive(&mut [0; 64], TIMEOUTS)), Fault::Violation(violation));
        assert_eq!((peer.told(), conn.close_reason()), (Some(code), ""), "{frame:?}");
        let (mut conn, peer) = server(&[frame]);
        assert_eq!(fault(conn.frames(TIMEOUTS).read_frame(&mut [0; 64])), Fault::Violation(violation));
        assert_eq!(peer.told(), Some(code));
    }
}

// B16
#[test]
fn nothing_after_the_peers_close_is_delivered_or_answered() {
    let after = [close(1001, "bye"), text("never seen"), ping("never answered"), close(4000, "not the first")];
    let (mut conn, peer) = server(&after);
    for _ in 0..3 {
        assert_eq!(fault(conn.receive(&mut [0; 64], TIMEOUTS)), closed(1001));
        assert_eq!(fault(conn.message(TIMEOUTS)), closed(1001));
        assert_eq!(fault(conn.receive_stream(TIMEOUTS)), closed(1001));
        assert_eq!(fault(conn.frames(TIMEOUTS).read_frame(&mut [0; 64])), closed(1001));
    }
    assert_eq!(conn.close_reason(), "bye");
    assert_eq!(peer.sent(), [close(1001, "")]);
}

// B17
#[test]
fn after_our_close_the_peers_is_waited_for_and_pings_are_not_answered() {
    let steps = [
        Step::Wait(WIRE / 4),
        said(Role::Client, &[text("under way"), ping("?")]),
        Step::Wait(WIRE / 4),
        said(Role::Client, &[close(1001, "you too")]),
        Step::Eof,
    ];
    let (mut conn, peer) = open(Role::Server, Script::new(steps));
    conn.sender().send_close(CloseCode::GOING_AWAY, "bye", WIRE).unwrap();
    assert_eq!(message(&mut conn), (Opcode::TEXT, b"under way".to_vec()));
    assert_eq!(fault(conn.receive(&mut [0; 64], TIMEOUTS)), closed(1001));
    assert_eq!((peer.now(), conn.close_reason()), (WIRE / 2, "you too"));
    assert_eq!(peer.sent(), [close(1001, "bye")]);
}

// B17
#[test]
fn a_peer_that_does_not_answer_our_close_is_waited_for_no_longer_than_wire() {
    let chatter = (0..1000).flat_map(|_| [Step::Wait(WIRE / 10), said(Role::Client, &[text("chatter"), ping("?")])]);
    let (mut conn, peer) = open(Role::Server, Script::new(chatter));
    conn.sender().send_close(CloseCode::GOING_AWAY, "bye", WIRE).unwrap();
    let fault = loop {
        if let Err(error) = conn.receive(&mut [0; 64], TIMEOUTS) {
            break fault::<()>(Err(error));
        }
    };
    assert_eq!(fault, closed(1001));
    assert!((WIRE..=2 * WIRE).contains(&peer.now()), "{:?}", peer.now());
    assert!(peer.transport.read_is_shut_down() && peer.transport.write_is_shut_down());
}

// B23
#[test]
fn a_status_code_is_the_same_number_every_time() {
    let (conn, peer) = server(&[]);
    let sender = conn.sender();
    for _ in 0..3 {
        let status = sender.send_close(CloseCode::new(4464), "", WIRE).unwrap();
        assert_eq!(
            (status, sender.closed(), conn.closed()),
            (Closed(CloseCode::new(4464)), Some(status), Some(status))
        );
    }
    assert_eq!(peer.sent(), [close(4464, "")]);
}

// B24
#[test]
fn a_client_finishes_the_close_handshake() {
    let steps = [Step::Wait(WIRE / 2), said(Role::Server, &[close(1000, "done")]), Step::Eof];
    let (mut conn, peer) = open(Role::Client, Script::new(steps));
    assert_eq!(conn.finish(CloseCode::NORMAL, "done", WIRE).unwrap(), Closed(CloseCode::NORMAL));
    assert_eq!((peer.sent(), peer.now()), (vec![close(1000, "done")], WIRE / 2));
    assert_eq!(conn.close_reason(), "done");
}

// B24
#[test]
fn both_roles_answer_a_close_and_a_client_lets_the_server_hang_up_first() {
    for (mut conn, peer) in [server(&[ping("?"), close_empty()]), client(&[ping("?"), close_empty()])] {
        assert_eq!(fault(conn.receive(&mut [0; 64], TIMEOUTS)), closed(1005));
        assert_eq!(peer.sent(), [pong("?"), close_empty()]);
        assert!(peer.now() < IDLE);
    }
    let (mut conn, peer) = open(Role::Client, Script::new([said(Role::Server, &[close_empty()]), Step::Eof]));
    assert_eq!(fault(conn.receive(&mut [0; 64], TIMEOUTS)), closed(1005));
    assert_eq!(peer.transport.shutdowns(), 1, "of both directions at once, after the server's end");
}

#[test]
fn section_7_1_4_a_connection_whose_close_does_not_leave_is_not_closed_cleanly() {
    let steps = || [said(Role::Client, &[close(1000, "")]), Step::Eof];
    let broken = FailAt { op: 1, how: Failure::Error(ErrorKind::BrokenPipe) };
    let ways = [
        (Script::new(steps()), true),
        (Script::new(steps()).fail_at(broken), false),
        (Script::new(steps()).room(3), false),
    ];
    for (script, clean) in ways {
        let (mut conn, peer) = open(Role::Server, script);
        assert_eq!(fault(conn.receive(&mut [0; 64], TIMEOUTS)), closed(1000));
        assert_eq!((conn.is_clean(), peer.transport.written().len() == 4), (clean, clean));
    }
}

// B24
#[test]
fn reserved_bits_belong_to_an_extension() {
    let marked = |payload: &str| text(payload).rsv(4);
    let (mut conn, peer) = server(&[marked("no")]);
    assert_eq!(fault(conn.receive(&mut [0; 64], TIMEOUTS)), Fault::Violation(Violation::ReservedBits));
    assert_eq!(peer.told(), Some(1002));

    let transport = Script::new([said(Role::Client, &[marked("HELLO"), text("plain")])]).start();
    let (input, output) = crate::harness::halves(&transport);
    let mut conn = Conn::with_extension(input, output, Role::Server, Case, Case);
    let mut buf = [0; 64];
    for expected in [b"hello", b"plain"] {
        let received = conn.receive(&mut buf, TIMEOUTS).unwrap();
        assert_eq!(&buf[..received.len], expected);
    }
    conn.sender().send(Opcode::TEXT, b"hello", WIRE).unwrap();
    conn.sender().send(Opcode::PING, b"hello", WIRE).unwrap();
    let sent = Judge::new(false).allow_rsv(4).bytes(&transport.written()).unwrap();
    assert_eq!(sent, [marked("HELLO"), ping("hello")]);
}

/// Small letters are capital ones on the wire.
struct Case;

impl Decode for Case {
    const RSV: u8 = 4;

    fn decode(&mut self, input: &[u8], last: bool, out: &mut [u8]) -> Result<Coded, Fault> {
        Ok(through(input, last, out, u8::to_ascii_lowercase))
    }
}

impl Encode for Case {
    const RSV: u8 = 4;

    fn begin(&mut self, _: Option<usize>) -> bool {
        true
    }

    fn encode(&mut self, input: &[u8], last: bool, out: &mut [u8]) -> Result<Coded, Fault> {
        Ok(through(input, last, out, u8::to_ascii_uppercase))
    }
}

fn through(input: &[u8], last: bool, out: &mut [u8], case: fn(&u8) -> u8) -> Coded {
    let len = input.len().min(out.len());
    out[..len].iter_mut().zip(input).for_each(|(to, from)| *to = case(from));
    Coded { read: len, wrote: len, end: last && len == input.len() }
}
