//! The client, over each driver under virtual time.

use core::time::Duration;
use std::collections::HashSet;
use std::io::{self, ErrorKind};

use ws_http::{Error, HeadError, Invalid, Policy, Refused, Rejection, UriError, is_key};
use ws_testkit::transport::{self, Fault, Script, Step};

use crate::messages::{ANSWER, bytes, drip};
use crate::run::{Ask, Driver, Run, TIMEOUT, over_both_drivers};

over_both_drivers! {
    section_4_1_each_request_has_a_key_of_its_own_and_nothing_follows_it_before_the_response
    a_response_that_drips_does_not_extend_the_clients_deadline
    a_client_takes_no_other_response
    a_request_survives_short_and_interrupted_operations_and_no_other_failure_hangs_it
    what_a_client_is_given_in_error_is_reported_before_anything_is_written
}

fn open<D: Driver>(script: Script) -> Run<()> {
    D::open_over(script, "ws://server.example.com/chat", &[])
}

fn section_4_1_each_request_has_a_key_of_its_own_and_nothing_follows_it_before_the_response<D: Driver>() {
    let keys = (0..20).map(|_| {
        let request = String::from_utf8(open::<D>(Script::new([])).transport.written()).unwrap();
        assert!(request.starts_with("GET ") && request.find("\r\n\r\n") == Some(request.len() - 4), "{request}");
        let key = request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).unwrap();
        assert!(is_key(key.as_bytes()), "{key}");
        key.to_string()
    });
    assert_eq!(keys.collect::<HashSet<_>>().len(), 20);
}

fn a_response_that_drips_does_not_extend_the_clients_deadline<D: Driver>() {
    for script in [Script::new(drip(ANSWER, Duration::from_millis(100))), Script::new([]).room(50)] {
        let run = open::<D>(script);
        run.assert_took(TIMEOUT);
        assert!(matches!(run.result, Err(Error::Timeout)), "{run:?}");
    }
}

fn a_client_takes_no_other_response<D: Driver>() {
    let long = format!("HTTP/1.1 101 x\r\nX: {}", "x".repeat(9000));
    let interim = "HTTP/1.1 100 Continue\r\n\r\n".repeat(1000);
    for (response, expected) in [
        ("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", Refused::Status(403)),
        ("HTTP/1.1 302 Found\r\nLocation: ws://evil.example/\r\n\r\n", Refused::Status(302)),
        ("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 503 x\r\n\r\n", Refused::Status(503)),
        ("HTTP/1.0 200 OK\r\n\r\n", Refused::Version),
        ("SSH-2.0-x\r\n", Refused::Head(HeadError::Malformed)),
        (ANSWER, Refused::Accept),
        (&long, Refused::Head(HeadError::TooLong)),
        (&interim, Refused::Head(HeadError::TooLong)),
    ] {
        for limit in [1, usize::MAX] {
            let error = open::<D>(Script::new([bytes(response), Step::Eof]).read_limit(limit)).result.unwrap_err();
            assert!(matches!(error, Error::Refused(refused) if refused == expected), "{error:?} {response}");
        }
    }
    let error = open::<D>(Script::new([bytes("HTTP/1.1 101"), Step::Eof])).result.unwrap_err();
    assert!(matches!(&error, Error::Io(error) if error.kind() == ErrorKind::UnexpectedEof), "{error}");
}

fn a_request_survives_short_and_interrupted_operations_and_no_other_failure_hangs_it<D: Driver>() {
    for how in [Fault::Short, Fault::Interrupted, Fault::TimedOut, Fault::Error(ErrorKind::BrokenPipe), Fault::Reset] {
        let failures = transport::fail_at_every_operation(how, |fail_at| {
            let steps = ANSWER.as_bytes().chunks(50).map(bytes).chain([Step::Eof]);
            let Run { result, transport, .. } = open::<D>(Script::new(steps).write_limit(60).fail_at(fail_at));
            match (how, result.unwrap_err()) {
                // The answer is to another key: to have come this far is to have read it.
                (_, Error::Refused(Refused::Accept)) => assert!(transport.written().ends_with(b"\r\n\r\n")),
                (Fault::TimedOut, Error::Timeout) | (Fault::Error(_) | Fault::Reset, Error::Io(_)) => {}
                (_, error) => panic!("{how:?} at {fail_at:?}: {error:?}"),
            }
            transport
        });
        assert!(failures.unwrap() > 6, "{how:?}");
    }
}

fn what_a_client_is_given_in_error_is_reported_before_anything_is_written<D: Driver>() {
    for (ask, expected) in [
        (&[Ask::Protocol("a b")][..], Invalid::Protocol),
        (&[Ask::Origin("null")], Invalid::Origin),
        (&[Ask::Header("X", "\r\n")], Invalid::HeaderValue),
        (&[Ask::Header("Host", "b"), Ask::Protocol("a")], Invalid::HandshakeHeader),
        (&[Ask::Cookie("a", "b;c")], Invalid::Cookie),
    ] {
        let run = D::open_over(Script::new([]), "ws://a", ask);
        assert_eq!(run.transport.operations(), 0);
        for result in [run.result, D::open("ws://a", ask)] {
            assert!(matches!(result, Err(Error::Invalid(invalid)) if invalid == expected), "{result:?}");
        }
    }
    assert!(matches!(D::open("wss://a", &[]), Err(Error::Invalid(Invalid::Uri(UriError::Tls)))));
    let over_a_stream = D::open_over(Script::new([]), "wss://a", &[]);
    assert!(matches!(over_a_stream.result, Err(Error::Timeout)), "over a stream it is tried");
    assert!(matches!(D::open("http://a", &[]), Err(Error::Invalid(Invalid::Uri(UriError::Scheme)))));
}

#[test]
fn threads_share_a_policy() {
    fn shared<T: Send + Sync>() {}
    shared::<Policy>();
    shared::<Error>();
}

#[test]
fn an_error_is_two_words_and_keeps_its_cause_as_an_io_error() {
    assert!(size_of::<Error>() <= 16);
    let error = io::Error::from(Error::from(Rejection::Origin));
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<Error>());
    assert!(matches!(cause, Some(Error::Rejected(Rejection::Origin))));
}
