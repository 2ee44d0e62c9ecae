//! How a connection ends: P17, P18, P20.

use core::time::Duration;
use std::thread;

use crate::harness::{TIMEOUTS, WIRE, client, closed, fault, message, open, server};
use ws_conn::{CloseCode, Closed, Error, Fault, Misuse, Opcode, Role, Timeouts};
use ws_testkit::naive::{self, close, close_empty, text};
use ws_testkit::transport::{Script, Step};

// P17: "SendClose is a high-level abstraction for safety and convenience. The client is notified on best effort basis,
// including the optional free-form reason. Use 123 bytes of UTF-8 or less for submission." -- the seed, on
// Conn.SendClose
#[test]
fn p17_the_peer_is_told_the_code_and_the_reason() {
    for (conn, peer) in [server(&[]), client(&[])] {
        let status = conn.sender().send_close(CloseCode::new(4321), "see you 👋", WIRE).unwrap();
        assert_eq!(status, Closed(CloseCode::new(4321)));
        assert_eq!(peer.sent(), [close(4321, "see you 👋")]);
    }
}

// P17: "When the connectection already received or send a Close then only the first status code remains in effect.
// Redundant status codes are discarded. The return always is a CloseError with the first status code." -- the seed, on
// Conn.SendClose
#[test]
fn p17_the_first_status_code_remains_in_effect() {
    let (mut conn, peer) = server(&[close(4000, "received")]);
    assert_eq!(fault(conn.receive(&mut [0; 64], TIMEOUTS)), closed(4000));
    let redundant = conn.sender().send_close(CloseCode::GOING_AWAY, "redundant", WIRE).unwrap();
    assert_eq!(redundant, Closed(CloseCode::new(4000)));
    assert_eq!(peer.sent(), [close(4000, "")]);

    let (mut conn, peer) = server(&[close(4000, "received")]);
    let first = conn.sender().send_close(CloseCode::GOING_AWAY, "first", WIRE).unwrap();
    let redundant = conn.sender().send_close(CloseCode::NORMAL, "redundant", WIRE).unwrap();
    assert_eq!((first, redundant), (Closed(CloseCode::GOING_AWAY), first));
    assert_eq!(fault(conn.receive(&mut [0; 64], TIMEOUTS)), closed(1001));
    assert_eq!(conn.finish(CloseCode::NORMAL, "redundant", WIRE).unwrap(), first);
    assert_eq!(conn.closed(), Some(first));
    assert_eq!(conn.close_reason(), "received", "the peer's words are kept all the same");
    assert_eq!(peer.sent(), [close(1001, "first")]);
}

// P17: "Multiple goroutines may invoke SendClose simultaneously. SendClose may be invoked simultaneously with any other
// method from Conn." -- the seed, on Conn.SendClose
#[test]
fn p17_of_many_threads_that_close_one_does() {
    // Virtual time passes as fast as the silence is asked for, so that only an endless patience waits for the threads.
    let patient = Timeouts::new(WIRE, Duration::MAX);
    for _ in 0..50 {
        let (mut conn, peer) = server(&[]);
        let status = thread::scope(|scope| {
            let closers: Vec<_> = (0..8)
                .map(|number| {
                    let sender = conn.sender();
                    scope.spawn(move || {
                        let _ = sender.send(Opcode::TEXT, b"meanwhile", WIRE);
                        sender.send_close(CloseCode::new(4000 + number), "", WIRE).unwrap()
                    })
                })
                .collect();
            let received = fault(conn.receive(&mut [0; 64], patient));
            for closer in closers {
                assert_eq!(Fault::Closed(closer.join().unwrap()), received);
            }
            received.code()
        });
        let codes =
            peer.sent().into_iter().filter(|frame| frame.opcode == naive::CLOSE).map(|frame| frame.close_code());
        assert!(codes.eq([Some(status.get())]), "one Close, with the status of all");
    }
}

// P18: "NoStatusCode is allowed by the protocol." and "AbnormalClose signals a disconnect without Close." -- the seed,
// on its constants. Neither is put on the wire, nor is any other code that must not be.
#[test]
fn p18_codes_that_stand_for_no_code_are_not_put_on_the_wire() {
    for code in [0, 999, 1004, 1006, 1015, 1016, 2999, 5000, 65535] {
        let (mut conn, peer) = server(&[text("on we go")]);
        let sender = conn.sender();
        let refused = Fault::Misuse(Misuse::Close);
        assert_eq!(fault(sender.send_close(CloseCode::new(code), "", WIRE)), refused, "{code}");
        assert_eq!(fault(sender.send(Opcode::CLOSE, &code.to_be_bytes(), WIRE)), refused, "{code}");
        assert_eq!(fault(conn.finish(CloseCode::new(code), "", WIRE)), refused, "{code}");
        assert_eq!(message(&mut conn), (Opcode::TEXT, b"on we go".to_vec()), "nothing has happened");
        assert_eq!(peer.sent(), []);
    }
    let (conn, peer) = server(&[]);
    conn.sender().send_close(CloseCode::NO_STATUS, "no code, no reason", WIRE).unwrap();
    assert_eq!(peer.sent(), [close_empty()]);
    assert_eq!(conn.closed(), Some(Closed(CloseCode::NO_STATUS)));
}

// P20: "ClosedError is a status code. Atomic Close support prevents Go issue 4373. Even after receiving a ClosedError,
// Conn.Close must still be called." -- the seed, on ClosedError. Here the transport is closed by then, or by the drop.
#[test]
fn p20_a_connection_that_has_ended_or_is_dropped_has_closed_its_transport() {
    let (mut conn, peer) = server(&[close(1000, "")]);
    assert_eq!(fault(conn.receive(&mut [0; 64], TIMEOUTS)), closed(1000));
    assert!(peer.transport.read_is_shut_down() && peer.transport.write_is_shut_down());

    let (conn, peer) = server(&[text("unread")]);
    let sender = conn.sender();
    assert!(!peer.transport.read_is_shut_down() && !peer.transport.write_is_shut_down());
    drop(conn);
    assert!(peer.transport.read_is_shut_down() && peer.transport.write_is_shut_down());
    assert_eq!(fault(sender.send(Opcode::TEXT, b"too late", WIRE)), closed(1006));
    assert_eq!(sender.closed(), Some(Closed(CloseCode::ABNORMAL)));
}

// P20: "Temporary honors the net.Error interface." and "Timeout honors the net.Error interface." -- the seed, on
// ClosedError
#[test]
fn p20_a_status_is_no_timeout_and_stays() {
    let (mut conn, _) = open(Role::Server, Script::new([Step::Eof]));
    for _ in 0..3 {
        let error = conn.receive(&mut [0; 64], TIMEOUTS).unwrap_err();
        assert_eq!((error.closed(), error.is_timeout()), (Some(CloseCode::ABNORMAL), false));
    }
    let (mut conn, _) = server(&[]);
    let error: Error = conn.receive(&mut [0; 64], TIMEOUTS).unwrap_err();
    assert_eq!((error.closed(), error.is_timeout()), (None, true), "the cause comes first, once");
    let error = conn.receive(&mut [0; 64], TIMEOUTS).unwrap_err();
    assert_eq!((error.closed(), error.is_timeout()), (Some(CloseCode::POLICY), false));
}
