//! The server, over each driver under virtual time: answers, deadlines, and failures at every operation.

use core::time::Duration;
use std::io::ErrorKind;
use std::net::Shutdown;

use ws_http::{Error, Invalid, Limits, Policy, Rejection};
use ws_testkit::naive::text;
use ws_testkit::transport::{self, Call, Fault, Op, Script, Step};

use crate::messages::{ANSWER, REQUEST, bytes, drip, rejection};
use crate::run::{Accepted, Answer, Driver, Run, TIMEOUT, over_both_drivers, policy};

/// How long a refusal may take.
const LINGER: Duration = Duration::from_secs(1);

/// A request for a page.
const PAGE: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

over_both_drivers! {
    a_handshake_is_answered_and_what_follows_it_is_received
    a_drip_of_single_bytes_does_not_extend_the_deadline
    a_silent_client_gets_408_at_the_deadline
    a_request_that_is_whole_at_the_deadline_is_too_late
    the_answer_has_what_the_request_left_of_the_time
    a_client_that_does_not_read_its_refusal_holds_nothing_open
    a_refusal_is_written_half_closed_and_drained_within_the_linger
    what_is_no_http_is_refused_at_its_first_bytes
    every_refusal_reaches_the_wire_whole_and_once
    a_client_that_hangs_up_early_is_an_unexpected_end
    a_handshake_survives_short_and_interrupted_operations_and_no_other_failure_hangs_it
    a_page_is_served_whole_before_the_stream_closes
    a_page_is_waited_for_no_longer_than_a_refusal
    a_page_that_is_not_taken_has_the_time_of_the_handshake
    an_exchange_has_the_limits_and_the_time_of_its_policy
    a_request_for_another_host_gets_421_with_an_origin_and_without
    a_page_that_is_taken_late_leaves_as_much_less_for_what_follows_it
    the_answer_holds_the_policys_protocol_and_headers_and_those_of_the_request
}

fn serve<D: Driver>(script: Script) -> Run<Accepted> {
    D::accept(script, &policy())
}

fn a_handshake_is_answered_and_what_follows_it_is_received<D: Driver>() {
    let frame = text("early").masked([1, 2, 3, 4]).bytes();
    let together = [REQUEST.as_bytes(), &frame].concat();
    for limit in [1, 7, usize::MAX] {
        let script = Script::new([bytes(&together), Step::Eof]).read_limit(limit);
        let Run { result, transport, .. } = serve::<D>(script.clone());
        let accepted = result.unwrap();
        assert_eq!((accepted.path.as_str(), accepted.query.as_deref()), ("/chat", Some("room=7")));
        assert_eq!(accepted.protocol, None);
        assert_eq!(transport.written(), ANSWER.as_bytes());
        assert_eq!(D::accept_and_receive(script, &policy()).result.unwrap(), "early");
    }
}

fn a_drip_of_single_bytes_does_not_extend_the_deadline<D: Driver>() {
    let run = serve::<D>(Script::new(drip(REQUEST, Duration::from_millis(100))));
    run.assert_took(TIMEOUT + LINGER);
    assert_eq!(rejection(run.result), Some(Rejection::Timeout));
    assert_eq!(run.transport.written(), Rejection::Timeout.response());
    assert!(run.transport.write_is_shut_down());
}

fn a_silent_client_gets_408_at_the_deadline<D: Driver>() {
    let run = serve::<D>(Script::new([]));
    run.assert_took(TIMEOUT + LINGER);
    assert_eq!(rejection(run.result), Some(Rejection::Timeout));
    assert!(run.transport.written().starts_with(b"HTTP/1.1 408 "));
}

fn a_request_that_is_whole_at_the_deadline_is_too_late<D: Driver>() {
    let run = serve::<D>(Script::new([Step::Wait(TIMEOUT), bytes(REQUEST), Step::Eof]));
    assert_eq!(rejection(run.result), Some(Rejection::Timeout));
    assert_eq!(run.transport.written(), Rejection::Timeout.response());
}

fn the_answer_has_what_the_request_left_of_the_time<D: Driver>() {
    let late = [Step::Wait(TIMEOUT - Duration::from_secs(1)), bytes(REQUEST)];
    let run = serve::<D>(Script::new(late).room(10));
    run.assert_took(TIMEOUT);
    assert!(matches!(run.result, Err(Error::Timeout)), "{run:?}");
    assert_eq!(run.transport.written(), &ANSWER.as_bytes()[..10]);
}

fn a_client_that_does_not_read_its_refusal_holds_nothing_open<D: Driver>() {
    let run = serve::<D>(Script::new([bytes("POST / HTTP/1.1\r\n\r\n")]).room(0));
    run.assert_took(LINGER);
    assert_eq!(rejection(run.result), Some(Rejection::Method));
}

fn a_refusal_is_written_half_closed_and_drained_within_the_linger<D: Driver>() {
    let flood = "x".repeat(1000);
    let flood = drip(&flood, Duration::from_millis(10));
    let run = serve::<D>(Script::new([bytes(REQUEST.replace("GET", "PUT"))].into_iter().chain(flood)));
    run.assert_took(LINGER);
    assert_eq!(rejection(run.result), Some(Rejection::Method));
    assert_eq!(run.transport.written(), Rejection::Method.response());
    let ops: Vec<Op> = run.transport.calls().iter().map(|call| call.op).collect();
    assert_eq!(ops[..4], [Op::Read, Op::Write, Op::Flush, Op::Shutdown(Shutdown::Write)]);
    assert!(ops[4..].iter().all(|op| *op == Op::Read));

    let endless = (0..1000).map(|_| Step::Bytes(vec![b'x'; 4096]));
    let run = serve::<D>(Script::new([bytes("PUT / HTTP/1.1\r\n\r\n")].into_iter().chain(endless)));
    assert_eq!(rejection(run.result), Some(Rejection::Method));
    assert!(run.transport.reads() < 300, "drains no more than the answer needs");
}

fn what_is_no_http_is_refused_at_its_first_bytes<D: Driver>() {
    for hello in [&b"\x16\x03\x01\x02\x00"[..], b"\x00", b"SSH-2.0-x\r\n", b"{}"] {
        let run = serve::<D>(Script::new([bytes(hello), Step::Eof]));
        run.assert_took(Duration::ZERO);
        assert_eq!(rejection(run.result), Some(Rejection::Malformed), "{hello:?}");
    }
}

fn every_refusal_reaches_the_wire_whole_and_once<D: Driver>() {
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
        let Run { result, transport, .. } = serve::<D>(Script::new([bytes(&request), Step::Eof]));
        assert_eq!(rejection(result), Some(expected));
        assert_eq!(transport.written(), expected.response());
        assert!(transport.write_is_shut_down());
    }
    let Run { result, transport, .. } =
        serve::<D>(Script::new([bytes("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"), Step::Eof]));
    assert_eq!(rejection(result), Some(Rejection::Method));
    assert_eq!(transport.written(), Rejection::Method.response_to_head());
}

fn a_client_that_hangs_up_early_is_an_unexpected_end<D: Driver>() {
    for sent in ["", "GET / HT", &REQUEST[..REQUEST.len() - 1]] {
        let Run { result, transport, .. } = serve::<D>(Script::new([bytes(sent), Step::Eof]));
        assert!(matches!(&result, Err(Error::Io(error)) if error.kind() == ErrorKind::UnexpectedEof), "{result:?}");
        assert_eq!(transport.written(), b"");
    }
}

fn a_handshake_survives_short_and_interrupted_operations_and_no_other_failure_hangs_it<D: Driver>() {
    for how in [Fault::Short, Fault::Interrupted, Fault::TimedOut, Fault::Error(ErrorKind::BrokenPipe), Fault::Reset] {
        let failures = transport::fail_at_every_operation(how, |fail_at| {
            let steps = REQUEST.as_bytes().chunks(50).map(bytes).chain([Step::Eof]);
            let Run { result, transport, .. } = serve::<D>(Script::new(steps).write_limit(60).fail_at(fail_at));
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

fn a_page_is_served_whole_before_the_stream_closes<D: Driver>() {
    let page = |request: &str| {
        let script = Script::new([bytes(request), Step::Eof]).write_limit(20);
        let Run { result, transport, .. } =
            D::respond(script, &policy(), 200, &[("Content-Type", "text/html")], b"<p>Hello");
        result.unwrap();
        assert_eq!(transport.calls().last().unwrap(), &Call { op: Op::Read, result: Ok(0) });
        String::from_utf8(transport.written()).unwrap()
    };
    let answer = page("GET /page HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(answer.contains("\r\nContent-Length: 8\r\n") && answer.contains("\r\nConnection: close\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\n<p>Hello"), "{answer}");
    let head = page("HEAD /page HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(head, answer.trim_end_matches("<p>Hello"));
}

fn a_page_is_waited_for_no_longer_than_a_refusal<D: Driver>() {
    let run = D::respond(Script::new([bytes(PAGE)]), &policy(), 404, &[], b"");
    run.assert_took(LINGER);
    run.result.unwrap();
    assert!(run.transport.write_is_shut_down());
}

fn a_page_that_is_not_taken_has_the_time_of_the_handshake<D: Driver>() {
    let script = Script::new([bytes(PAGE)]).room(10);
    let run = D::respond(script, &policy(), 404, &[], b"");
    run.assert_took(TIMEOUT);
    assert!(matches!(run.result, Err(Error::Timeout)), "{run:?}");
}

fn an_exchange_has_the_limits_and_the_time_of_its_policy<D: Driver>() {
    let answered = |limits: Limits| {
        let run = D::respond(Script::new([bytes(PAGE), Step::Eof]), &policy().limits(limits), 404, &[], b"");
        (rejection(run.result), run.transport.written().starts_with(b"HTTP/1.1 404 "))
    };
    let (bytes, fields) = (PAGE.len(), 1);
    assert_eq!(answered(Limits { bytes, fields }), (None, true));
    assert_eq!(answered(Limits { bytes: bytes - 1, fields }), (Some(Rejection::HeadTooLong), false));
    assert_eq!(answered(Limits { bytes, fields: 0 }), (Some(Rejection::TooManyFields), false));

    let short = Duration::from_secs(2);
    let run = D::respond(Script::new([]), &policy().timeout(short), 404, &[], b"");
    run.assert_took(short + LINGER);
    assert_eq!(rejection(run.result), Some(Rejection::Timeout));
}

fn a_page_that_is_taken_late_leaves_as_much_less_for_what_follows_it<D: Driver>() {
    let request = [bytes(PAGE)];
    let late = Script::new(request.into_iter().chain(drip(&"x".repeat(1000), Duration::from_millis(10))));
    let run = D::respond(late.write_takes(TIMEOUT - LINGER / 2), &policy(), 404, &[], b"");
    run.assert_took(TIMEOUT);
    run.result.unwrap();
}

fn a_request_for_another_host_gets_421_with_an_origin_and_without<D: Driver>() {
    let policy = || policy().hosts(["localhost", "server.example.com:80"]).unwrap();
    let rebound = REQUEST.replace("server.example.com", "evil.example");
    for request in [rebound.clone(), rebound.replace("Origin: ", "X: ")] {
        let run = D::accept(Script::new([bytes(request), Step::Eof]), &policy());
        assert_eq!(rejection(run.result), Some(Rejection::Misdirected));
        assert_eq!(run.transport.written(), Rejection::Misdirected.response());
        assert!(run.transport.written().starts_with(b"HTTP/1.1 421 Misdirected Request\r\n"));
    }
    D::accept(Script::new([bytes(REQUEST), Step::Eof]), &policy()).result.unwrap();
    // Its own name does not make a page of somebody else this server's.
    let foreign = REQUEST.replace("http://server", "http://evil");
    let run = D::accept(Script::new([bytes(foreign), Step::Eof]), &policy());
    assert_eq!(rejection(run.result), Some(Rejection::Origin));
}

fn the_answer_holds_the_policys_protocol_and_headers_and_those_of_the_request<D: Driver>() {
    let policy = policy().protocols(["superchat", "chat"]).unwrap().header("Server", "a").unwrap();
    let upgrade = |answer: Answer| D::upgrade_with(Script::new([bytes(REQUEST), Step::Eof]), &policy, answer);

    let run = upgrade(|upgrade, answer| {
        assert_eq!(upgrade.protocols().collect::<Vec<_>>(), ["chat", "superchat"]);
        answer.header("Set-Cookie", "b=c")?;
        Ok(())
    });
    assert_eq!(run.result.unwrap().as_deref(), Some("superchat"));
    let written = String::from_utf8(run.transport.written()).unwrap();
    assert!(
        written.ends_with("\r\nSec-WebSocket-Protocol: superchat\r\nServer: a\r\nSet-Cookie: b=c\r\n\r\n"),
        "{written}"
    );

    let run = upgrade(|_, _| Err(Rejection::Origin.into()));
    assert_eq!(rejection(run.result), Some(Rejection::Origin));
    assert_eq!(run.transport.written(), Rejection::Origin.response());

    let run = upgrade(|_, answer| Ok(answer.header("X", "a\r\nb").map(|_| ())?));
    assert!(matches!(run.result, Err(Error::Invalid(Invalid::HeaderValue))), "{run:?}");
    assert_eq!(run.transport.written(), b"");
}

#[test]
fn a_policy_holds_nothing_that_cannot_be_written() {
    assert_eq!(Policy::default().protocols(["a b"]).unwrap_err(), Invalid::Protocol);
    assert_eq!(Policy::default().hosts(["a b"]).unwrap_err(), Invalid::Host);
    assert_eq!(Policy::default().header("Upgrade", "h2c").unwrap_err(), Invalid::HandshakeHeader);
    assert_eq!(Policy::default().header("X", "a\nb").unwrap_err(), Invalid::HeaderValue);
}
