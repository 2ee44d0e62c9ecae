//! The blocking client under virtual time.
#![cfg(feature = "blocking")]

mod scripted;

use core::time::Duration;
use std::io::{self, ErrorKind};
use std::net::TcpStream;

use scripted::{ANSWER, Scripted, bytes, drip};
use ws_conn::blocking::Socket;
use ws_http::blocking::{Accepted, Connect, Error, Exchange, Policy};
use ws_http::{HeadError, Invalid, Refused, Rejection, UriError};
use ws_testkit::transport::{self, Script, Step};

const TIMEOUT: Duration = Duration::from_secs(5);

fn open(script: Script) -> (Error, transport::Transport) {
    let transport = script.start();
    let connect = Connect::to("ws://server.example.com/chat").unwrap().handshake_timeout(TIMEOUT);
    (connect.open_over(Scripted(transport.clone())).unwrap_err(), transport)
}

#[test]
fn a_response_that_drips_does_not_extend_the_clients_deadline() {
    let (error, transport) = open(Script::new(drip(ANSWER, Duration::from_millis(100))));
    assert!(matches!(error, Error::Timeout), "{error}");
    assert_eq!(transport.clock().now(), TIMEOUT);
    let (error, transport) = open(Script::new([]).room(50));
    assert!(matches!(error, Error::Timeout), "{error}");
    assert_eq!(transport.clock().now(), TIMEOUT);
}

#[test]
fn a_client_takes_no_other_response() {
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
            let (error, _) = open(Script::new([bytes(response), Step::Eof]).read_limit(limit));
            assert!(matches!(error, Error::Refused(refused) if refused == expected), "{error:?} {response}");
        }
    }
    let (error, _) = open(Script::new([bytes("HTTP/1.1 101"), Step::Eof]));
    assert!(matches!(&error, Error::Io(error) if error.kind() == ErrorKind::UnexpectedEof), "{error}");
}

#[test]
fn what_a_client_is_given_in_error_is_reported_before_anything_is_written() {
    let transport = Script::new([]).start();
    for (connect, expected) in [
        (Connect::to("ws://a").unwrap().subprotocol("a b"), Invalid::Protocol),
        (Connect::to("ws://a").unwrap().origin("null"), Invalid::Origin),
        (Connect::to("ws://a").unwrap().header("X", "\r\n"), Invalid::HeaderValue),
        (Connect::to("ws://a").unwrap().header("Host", "b").subprotocol("a"), Invalid::HandshakeHeader),
        (Connect::to("ws://a").unwrap().cookie("a", "b;c"), Invalid::Cookie),
    ] {
        let opened = [connect.open().map(drop), connect.open_over(Scripted(transport.clone())).map(drop)];
        for result in opened {
            assert!(matches!(result, Err(Error::Invalid(invalid)) if invalid == expected), "{result:?}");
        }
    }
    assert_eq!(transport.operations(), 0);
    let secure = Connect::to("wss://a").unwrap();
    assert!(matches!(secure.open(), Err(Error::Invalid(Invalid::Uri(UriError::Tls)))));
    assert!(matches!(secure.open_over(Scripted(transport)), Err(Error::Timeout)), "over a stream it is tried");
    assert!(matches!(Connect::to("http://a"), Err(Error::Invalid(Invalid::Uri(UriError::Scheme)))));
}

#[test]
fn threads_share_a_policy_and_hand_over_an_exchange() {
    fn shared<T: Send + Sync>() {}
    fn sent<T: Send>() {}
    shared::<Policy>();
    shared::<Connect>();
    shared::<Error>();
    sent::<Exchange<Socket<TcpStream>, Socket<TcpStream>>>();
    sent::<Accepted<Socket<TcpStream>, Socket<TcpStream>>>();
}

#[test]
fn an_error_is_two_words_and_keeps_its_cause_as_an_io_error() {
    assert!(size_of::<Error>() <= 16);
    let error = io::Error::from(Error::from(Rejection::Origin));
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<Error>());
    assert!(matches!(cause, Some(Error::Rejected(Rejection::Origin))));
}
