//! What errors and values say of themselves, to a person and to a program with other types.
#![cfg(feature = "blocking")]

use core::error::Error as _;
use core::fmt::Display;
use std::collections::HashSet;
use std::io::{self, Cursor, ErrorKind, Write};

use ws_conn::blocking::Untimed;
use ws_http::blocking::{Connect, Exchange, accept};
use ws_http::{
    Error, HeadError, HeadReader, Invalid, Key, Limits, Malformed, OriginPolicy, Policy, Refused, Rejection,
    RequestHead, ResponseHead, UriError, response,
};

const HEAD_ERRORS: [HeadError; 4] =
    [HeadError::Malformed, HeadError::TooLong, HeadError::TooManyFields, HeadError::Version];

const URI_ERRORS: [UriError; 6] =
    [UriError::Scheme, UriError::Tls, UriError::UserInfo, UriError::Authority, UriError::Target, UriError::Fragment];

const INVALID: [Invalid; 12] = [
    Invalid::HeaderName,
    Invalid::HeaderValue,
    Invalid::HandshakeHeader,
    Invalid::Protocol,
    Invalid::ProtocolNotOffered,
    Invalid::Extension,
    Invalid::ExtensionNotOffered,
    Invalid::Cookie,
    Invalid::Origin,
    Invalid::Host,
    Invalid::Status,
    Invalid::HttpVersion,
];

const REFUSED: [Refused; 8] = [
    Refused::Version,
    Refused::Status(302),
    Refused::Accept,
    Refused::Upgrade,
    Refused::Connection,
    Refused::Body,
    Refused::Protocol,
    Refused::Extensions,
];

/// Each says something else, as errors are written: one line that does not end like a sentence.
fn assert_told(errors: impl IntoIterator<Item = impl Display>) {
    let mut told = HashSet::new();
    for error in errors {
        let said = error.to_string();
        assert!(!said.is_empty() && !said.ends_with('.') && !said.contains('\n'), "{said:?}");
        assert!(told.insert(said.clone()), "{said:?} is said twice");
    }
}

#[test]
fn every_error_says_what_is_wrong_and_none_says_the_same() {
    assert_told(HEAD_ERRORS);
    assert_told(URI_ERRORS);
    assert_told(INVALID.into_iter().chain(URI_ERRORS.map(Invalid::from)));
    assert_told(REFUSED.into_iter().chain([HeadError::Malformed, HeadError::TooLong].map(Refused::from)));
    assert_eq!(Refused::from(HeadError::Version), Refused::Version);
    assert_eq!(Invalid::from(UriError::Tls).to_string(), UriError::Tls.to_string());
    assert_eq!(Refused::Status(302).to_string(), "server answered with HTTP status 302");
    assert_eq!(Malformed.to_string(), "malformed header value");
}

/// An error of a driver is told with its cause, and becomes an I/O error that still has it.
#[test]
fn an_error_keeps_its_cause_when_it_becomes_an_io_error() {
    let io = || io::Error::new(ErrorKind::ConnectionReset, "reset");
    for (error, said, kind, has_cause) in [
        (
            Error::from(Rejection::Origin),
            "refused with HTTP status 403: origin not allowed",
            ErrorKind::InvalidData,
            true,
        ),
        (Refused::Accept.into(), "Sec-WebSocket-Accept does not answer the key", ErrorKind::ConnectionRefused, true),
        (Invalid::Cookie.into(), "cookie name or value holds a forbidden character", ErrorKind::InvalidInput, true),
        (Error::Timeout, "handshake deadline passed", ErrorKind::TimedOut, false),
        (io().into(), "reset", ErrorKind::ConnectionReset, true),
    ] {
        assert_eq!(error.to_string(), said);
        assert_eq!(error.source().is_some(), has_cause, "{said}");
        let wrapped = io::Error::from(error);
        assert_eq!((wrapped.kind(), wrapped.to_string()), (kind, said.to_owned()));
        // The transport's own error comes back as it was; any other is inside.
        let inside = wrapped.get_ref().is_some_and(|inside| inside.is::<Error>());
        assert_eq!(inside, kind != ErrorKind::ConnectionReset, "{said}");
    }
}

#[test]
fn every_reading_error_has_its_refusal() {
    let refusals = HEAD_ERRORS.map(Rejection::from);
    let status = refusals.map(Rejection::status);
    assert_eq!(status, [400, 431, 431, 505]);
}

/// RFC 9110, section 15. The phrase may be left out, the space before it may not (RFC 9112, section 4).
#[test]
fn rfc_9110_section_15_a_status_has_its_phrase_or_none() {
    for (status, phrase) in [
        (200, "OK"),
        (301, "Moved Permanently"),
        (302, "Found"),
        (303, "See Other"),
        (307, "Temporary Redirect"),
        (308, "Permanent Redirect"),
        (400, "Bad Request"),
        (401, "Unauthorized"),
        (403, "Forbidden"),
        (404, "Not Found"),
        (405, "Method Not Allowed"),
        (408, "Request Timeout"),
        (426, "Upgrade Required"),
        (429, "Too Many Requests"),
        (431, "Request Header Fields Too Large"),
        (500, "Internal Server Error"),
        (503, "Service Unavailable"),
        (505, "HTTP Version Not Supported"),
        (299, ""),
        (418, ""),
        (599, ""),
    ] {
        let bytes = response(status, &[], b"", false).unwrap();
        let head = format!("HTTP/1.1 {status} {phrase}\r\nContent-Length: 0\r\n");
        assert!(bytes.starts_with(head.as_bytes()), "{status}: {}", String::from_utf8_lossy(&bytes));
    }
}

/// Values of fields may be secrets, cookies and keys among them: what goes to a log names the fields only.
#[test]
fn nothing_secret_is_shown_for_debugging() {
    let request = request(&["Cookie: session=hush", "Authorization: Bearer hush"]);
    let head = parsed(&request);
    let upgrade = head.upgrade().unwrap();
    let mut reader = HeadReader::response(Limits::default());
    reader.push(b"HTTP/1.1 101 Switching Protocols\r\nSet-Cookie: hush\r\n\r\n").unwrap();
    let response = ResponseHead::parse(reader).unwrap();
    let key = Key::generate().unwrap();
    let exchange = read(&request);
    let accepted = accept(pair(&request), &Policy::default()).unwrap();
    let parts = read(&request).upgrade_with(&Policy::default(), |_, _| Ok(())).unwrap();

    let secret = Policy::default().header("Set-Cookie", "session=hush").unwrap();
    let accepting = secret.decide(&upgrade).unwrap();

    let shown = format!("{head:?} {upgrade:?} {accepting:?} {response:?} {key:?} {exchange:?} {accepted:?} {parts:?}");
    for secret in ["hush", "dGhlIHNhbXBsZSBub25jZQ==", key.as_str()] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
    assert!(shown.to_ascii_lowercase().contains("set-cookie"), "the names are shown: {shown}");
    assert!(format!("{head:?}").starts_with("RequestHead { method: \"GET\", "), "{head:?}");
    assert_eq!((format!("{upgrade:?}"), format!("{key:?}")), ("Upgrade { .. }".into(), "Key(..)".into()));
}

#[test]
fn a_policy_of_origins_is_shown_as_far_as_it_can_be() {
    let only = OriginPolicy::Only(vec!["https://example.com".parse().unwrap()]);
    assert_eq!(format!("{:?} {:?}", OriginPolicy::SameOrigin, OriginPolicy::Any), "SameOrigin Any");
    assert!(format!("{only:?}").starts_with("Only(["));
    assert!(format!("{only:?}").contains("example.com"));
    assert_eq!(format!("{:?}", OriginPolicy::Predicate(Box::new(|_| true))), "Predicate(..)");
}

/// What a program that decides by itself asks of a handshake.
#[test]
fn a_handshake_gives_its_origin_and_its_cookies() {
    let origin = |lines: &[&str]| parsed(&request(lines)).upgrade().unwrap().origin();
    assert_eq!(origin(&[]), Ok(None));
    assert_eq!(origin(&["Origin: https://Example.com:443"]), Ok(Some("https://example.com".parse().unwrap())));
    assert_eq!(origin(&["Origin: null"]), Err(Rejection::Origin));
    assert_eq!(origin(&["Origin: https://a.example", "Origin: https://b.example"]), Err(Rejection::OriginRepeated));

    let head = parsed(&request(&["Cookie: a=1; b=2", "Cookie: c=3"]));
    let upgrade = head.upgrade().unwrap();
    let cookies: Vec<_> = upgrade.cookies().collect();
    assert_eq!(cookies, [(&b"a"[..], &b"1"[..]), (b"b", b"2"), (b"c", b"3")]);
    assert!(head.cookies().eq(cookies));
}

#[test]
fn the_limits_given_hold_for_either_role() {
    let few = Limits { fields: 3, ..Limits::default() };
    let refused = accept(pair(&request(&[])), &Policy::default().limits(few)).unwrap_err();
    assert!(matches!(refused, Error::Rejected(Rejection::TooManyFields)), "{refused}");

    let short = Limits { bytes: 20, ..Limits::default() };
    let connect = Connect::to("ws://example.com/").unwrap().limits(short);
    let refused = connect.open_over(pair("HTTP/1.1 101 Switching Protocols\r\nServer: x\r\n\r\n")).unwrap_err();
    assert!(matches!(refused, Error::Refused(Refused::Head(HeadError::TooLong))), "{refused}");
}

#[test]
fn a_request_may_be_refused_by_the_program() {
    let mut written = Vec::new();
    let stream = (Cursor::new(request(&[]).into_bytes()), &mut written);
    let exchange = Exchange::read(stream, &Policy::default()).unwrap();
    let error = exchange.reject(Rejection::Origin);
    assert!(matches!(error, Error::Rejected(Rejection::Origin)), "{error}");
    assert_eq!(written, Rejection::Origin.response());
}

/// A transport that takes nothing and does not say why would be asked for ever.
#[test]
fn a_transport_that_takes_nothing_ends_the_handshake() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Ok(0)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let error = accept((Cursor::new(request(&[]).into_bytes()), Full), &Policy::default()).unwrap_err();
    assert!(matches!(&error, Error::Io(error) if error.kind() == ErrorKind::WriteZero), "{error}");
}

/// A handshake, with these lines more.
fn request(lines: &[&str]) -> String {
    let mut request = String::from(
        "GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n",
    );
    lines.iter().for_each(|line| request.extend([line, "\r\n"]));
    request + "\r\n"
}

fn parsed(request: &str) -> RequestHead {
    let mut reader = HeadReader::request(Limits::default());
    reader.push(request.as_bytes()).unwrap().unwrap();
    RequestHead::parse(reader).unwrap()
}

/// A stream that says this, and takes anything.
fn pair(said: &str) -> (Cursor<Vec<u8>>, io::Sink) {
    (Cursor::new(said.as_bytes().to_vec()), io::sink())
}

fn read(said: &str) -> Exchange<Untimed<Cursor<Vec<u8>>>, Untimed<io::Sink>> {
    Exchange::read(pair(said), &Policy::default()).unwrap()
}
