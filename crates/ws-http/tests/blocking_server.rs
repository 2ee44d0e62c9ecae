//! The blocking server under virtual time: deadlines, and failures at every operation.
#![cfg(feature = "blocking")]

mod scripted;

use core::time::Duration;
use std::io::ErrorKind;
use std::net::Shutdown;

use scripted::{ANSWER, Half, REQUEST, Scripted, bytes, drip};
use ws_conn::Timeouts;
use ws_http::blocking::{Accepted, Error, Exchange, LINGER, Policy, accept};
use ws_http::{Invalid, Limits, Rejection};
use ws_testkit::naive::text;
use ws_testkit::transport::{self, Call, Fault, Op, Script, Step};

const TIMEOUT: Duration = Duration::from_secs(5);
const TIMEOUTS: Timeouts = Timeouts::new(TIMEOUT, TIMEOUT);

type OnScript = Accepted<Half<transport::Reader>, Half<transport::Writer>>;
type Result<T> = core::result::Result<T, Error>;

fn policy() -> Policy {
    Policy::default().timeout(TIMEOUT)
}

fn serve(script: Script) -> (Result<OnScript>, transport::Transport) {
    let transport = script.start();
    (accept(Scripted(transport.clone()), &policy()), transport)
}

fn rejection<T>(result: Result<T>) -> Option<Rejection> {
    match result {
        Err(Error::Rejected(rejection)) => Some(rejection),
        _ => None,
    }
}

#[test]
fn a_handshake_is_answered_and_what_follows_it_is_received() {
    let frame = text("early").masked([1, 2, 3, 4]).bytes();
    let together = [REQUEST.as_bytes(), &frame].concat();
    for limit in [1, 7, usize::MAX] {
        let (accepted, transport) = serve(Script::new([bytes(&together), Step::Eof]).read_limit(limit));
        let mut accepted = accepted.unwrap();
        assert_eq!(transport.written(), ANSWER.as_bytes());
        assert_eq!((accepted.request.path(), accepted.request.query()), ("/chat", Some("room=7")));
        assert_eq!(accepted.protocol, None);
        assert_eq!(accepted.conn.message(TIMEOUTS).unwrap().text(), Some("early"));
    }
}

#[test]
fn a_drip_of_single_bytes_does_not_extend_the_deadline() {
    let (result, transport) = serve(Script::new(drip(REQUEST, Duration::from_millis(100))));
    assert_eq!(rejection(result), Some(Rejection::Timeout));
    assert_eq!(transport.written(), Rejection::Timeout.response());
    assert!(transport.write_is_shut_down());
    assert_eq!(transport.clock().now(), TIMEOUT + LINGER);
}

#[test]
fn a_silent_client_gets_408_at_the_deadline() {
    let (result, transport) = serve(Script::new([]));
    assert_eq!(rejection(result), Some(Rejection::Timeout));
    assert!(transport.written().starts_with(b"HTTP/1.1 408 "));
    assert_eq!(transport.clock().now(), TIMEOUT + LINGER);
}

#[test]
fn a_request_that_is_whole_at_the_deadline_is_too_late() {
    let (result, transport) = serve(Script::new([Step::Wait(TIMEOUT), bytes(REQUEST), Step::Eof]));
    assert_eq!(rejection(result), Some(Rejection::Timeout));
    assert_eq!(transport.written(), Rejection::Timeout.response());
}

#[test]
fn the_answer_has_what_the_request_left_of_the_time() {
    let late = [Step::Wait(TIMEOUT - Duration::from_secs(1)), bytes(REQUEST)];
    let (result, transport) = serve(Script::new(late).room(10));
    assert!(matches!(result, Err(Error::Timeout)), "{result:?}");
    assert_eq!(transport.written(), &ANSWER.as_bytes()[..10]);
    assert_eq!(transport.clock().now(), TIMEOUT);
}

#[test]
fn a_client_that_does_not_read_its_refusal_holds_nothing_open() {
    let (result, transport) = serve(Script::new([bytes("POST / HTTP/1.1\r\n\r\n")]).room(0));
    assert_eq!(rejection(result), Some(Rejection::Method));
    assert_eq!(transport.clock().now(), LINGER);
}

#[test]
fn a_refusal_is_written_half_closed_and_drained_within_the_linger() {
    let flood = "x".repeat(1000);
    let flood = drip(&flood, Duration::from_millis(10));
    let (result, transport) = serve(Script::new([bytes(REQUEST.replace("GET", "PUT"))].into_iter().chain(flood)));
    assert_eq!(rejection(result), Some(Rejection::Method));
    assert_eq!(transport.written(), Rejection::Method.response());
    let ops: Vec<Op> = transport.calls().iter().map(|call| call.op).collect();
    assert_eq!(ops[..4], [Op::Read, Op::Write, Op::Flush, Op::Shutdown(Shutdown::Write)]);
    assert!(ops[4..].iter().all(|op| *op == Op::Read));
    assert_eq!(transport.clock().now(), LINGER);

    let endless = (0..1000).map(|_| Step::Bytes(vec![b'x'; 4096]));
    let (result, transport) = serve(Script::new([bytes("PUT / HTTP/1.1\r\n\r\n")].into_iter().chain(endless)));
    assert_eq!(rejection(result), Some(Rejection::Method));
    assert!(transport.reads() < 300, "drains no more than the answer needs");
}

#[test]
fn what_is_no_http_is_refused_at_its_first_bytes() {
    for hello in [&b"\x16\x03\x01\x02\x00"[..], b"\x00", b"SSH-2.0-x\r\n", b"{}"] {
        let (result, transport) = serve(Script::new([bytes(hello), Step::Eof]));
        assert_eq!(rejection(result), Some(Rejection::Malformed), "{hello:?}");
        assert_eq!(transport.clock().now(), Duration::ZERO);
    }
}

#[test]
fn every_refusal_reaches_the_wire_whole_and_once() {
    let long = format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(9000));
    for (request, expected) in [
        ("GET / HTTP/1.0\r\n\r\n".to_string(), Rejection::HttpVersion),
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n".into(), Rejection::NotUpgrade),
        (REQUEST.replace("Version: 13", "Version: 8"), Rejection::Version),
        (REQUEST.replace("dGhl", "x"), Rejection::Key),
        (REQUEST.replace("http://server", "http://evil"), Rejection::Origin),
        (long, Rejection::HeadTooLong),
        (format!("GET / HTTP/1.1\r\n{}\r\n", "X: 1\r\n".repeat(101)), Rejection::TooManyFields),
        ("GET / HTTP/1.1\nHost: a\n\n".into(), Rejection::Malformed),
    ] {
        let (result, transport) = serve(Script::new([bytes(&request), Step::Eof]));
        assert_eq!(rejection(result), Some(expected));
        assert_eq!(transport.written(), expected.response());
        assert!(transport.write_is_shut_down());
    }
    let (result, transport) = serve(Script::new([bytes("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"), Step::Eof]));
    assert_eq!(rejection(result), Some(Rejection::Method));
    assert_eq!(transport.written(), Rejection::Method.response_to_head());
}

#[test]
fn a_client_that_hangs_up_early_is_an_unexpected_end() {
    for sent in ["", "GET / HT", &REQUEST[..REQUEST.len() - 1]] {
        let (result, transport) = serve(Script::new([bytes(sent), Step::Eof]));
        assert!(matches!(&result, Err(Error::Io(error)) if error.kind() == ErrorKind::UnexpectedEof), "{result:?}");
        assert_eq!(transport.written(), b"");
    }
}

#[test]
fn a_handshake_survives_short_and_interrupted_operations_and_no_other_failure_hangs_it() {
    for how in [Fault::Short, Fault::Interrupted, Fault::TimedOut, Fault::Error(ErrorKind::BrokenPipe), Fault::Reset] {
        let failures = transport::fail_at_every_operation(how, |fail_at| {
            let steps = REQUEST.as_bytes().chunks(50).map(bytes).chain([Step::Eof]);
            let (result, transport) = serve(Script::new(steps).write_limit(60).fail_at(fail_at));
            let written = String::from_utf8(transport.written()).unwrap();
            match (how, &result) {
                (_, Ok(_)) => assert_eq!(written, ANSWER),
                (Fault::TimedOut, Err(Error::Rejected(Rejection::Timeout))) => {
                    assert_eq!(written.as_bytes(), Rejection::Timeout.response());
                }
                (Fault::TimedOut, Err(Error::Timeout)) => assert!(ANSWER.starts_with(&written)),
                (Fault::Error(_) | Fault::Reset, Err(Error::Io(_))) => assert!(ANSWER.starts_with(&written)),
                _ => panic!("{how:?} at {fail_at:?}: {result:?}"),
            }
            transport
        });
        assert!(failures.unwrap() > 8, "{how:?}");
    }
}

#[test]
fn a_page_is_served_whole_before_the_stream_closes() {
    let page = |request: &str| {
        let transport = Script::new([bytes(request), Step::Eof]).write_limit(20).start();
        let exchange = Exchange::read(Scripted(transport.clone()), Limits::default(), TIMEOUT).unwrap();
        assert_eq!(exchange.request().path(), "/page");
        exchange.respond(200, &[("Content-Type", "text/html")], b"<p>Hello").unwrap();
        assert_eq!(transport.calls().last().unwrap(), &Call { op: Op::Read, result: Ok(0) });
        String::from_utf8(transport.written()).unwrap()
    };
    let answer = page("GET /page HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(answer.contains("\r\nContent-Length: 8\r\n") && answer.contains("\r\nConnection: close\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\n<p>Hello"), "{answer}");
    let head = page("HEAD /page HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(head, answer.trim_end_matches("<p>Hello"));
}

#[test]
fn a_page_is_waited_for_no_longer_than_a_refusal() {
    let transport = Script::new([bytes("GET / HTTP/1.1\r\nHost: a\r\n\r\n")]).start();
    let exchange = Exchange::read(Scripted(transport.clone()), Limits::default(), TIMEOUT).unwrap();
    exchange.respond(404, &[], b"").unwrap();
    assert!(transport.write_is_shut_down());
    assert_eq!(transport.clock().now(), LINGER);
}

#[test]
fn the_answer_holds_the_policys_protocol_and_headers_and_those_of_the_request() {
    let policy = policy().protocols(["superchat", "chat"]).unwrap().header("Server", "a").unwrap();
    let exchange = |transport: &transport::Transport| {
        Exchange::read(Scripted(transport.clone()), Limits::default(), TIMEOUT).unwrap()
    };
    let transport = Script::new([bytes(REQUEST), Step::Eof]).start();
    let parts = exchange(&transport).upgrade_with(&policy, |upgrade, answer| {
        assert_eq!(upgrade.protocols().collect::<Vec<_>>(), ["chat", "superchat"]);
        answer.header("Set-Cookie", "b=c")?;
        Ok(())
    });
    assert_eq!(parts.unwrap().accepted().protocol.as_deref(), Some("superchat"));
    let written = String::from_utf8(transport.written()).unwrap();
    assert!(
        written.ends_with("\r\nSec-WebSocket-Protocol: superchat\r\nServer: a\r\nSet-Cookie: b=c\r\n\r\n"),
        "{written}"
    );

    let transport = Script::new([bytes(REQUEST), Step::Eof]).start();
    let refused = exchange(&transport).upgrade_with(&policy, |_, _| Err(Rejection::Origin.into()));
    assert_eq!(rejection(refused), Some(Rejection::Origin));
    assert_eq!(transport.written(), Rejection::Origin.response());

    let transport = Script::new([bytes(REQUEST), Step::Eof]).start();
    let invalid =
        exchange(&transport).upgrade_with(&policy, |_, answer| Ok(answer.header("X", "a\r\nb").map(|_| ())?));
    assert!(matches!(invalid, Err(Error::Invalid(Invalid::HeaderValue))), "{invalid:?}");
    assert_eq!(transport.written(), b"");

    assert_eq!(Policy::default().protocols(["a b"]).unwrap_err(), Invalid::Protocol);
    assert_eq!(Policy::default().header("Upgrade", "h2c").unwrap_err(), Invalid::HandshakeHeader);
    assert_eq!(Policy::default().header("X", "a\nb").unwrap_err(), Invalid::HeaderValue);
}
