//! The types of the crate `http`, both ways.
#![cfg(feature = "http")]

use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode};
use ws_http::{
    Fields, HeadReader, Invalid, Key, Limits, Policy, PseudoHeaders, Refused, Rejection, Request, RequestHead,
    ResponseHead, Upgrade, Uri, UriError, Version,
};

/// A browser's request, as an HTTP server has parsed it.
fn request() -> http::Request<()> {
    http::Request::get("/chat?room=7")
        .header("Host", "server.example.com")
        .header("Connection", "keep-alive, Upgrade")
        .header("Upgrade", "websocket")
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
        .header("Sec-WebSocket-Protocol", "chat")
        .header("Sec-WebSocket-Protocol", "superchat")
        .header("Origin", "http://server.example.com")
        .body(())
        .unwrap()
}

/// An extended CONNECT, as an HTTP/2 server has parsed it.
fn connect() -> http::Request<()> {
    http::Request::connect("https://server.example.com/chat?room=7")
        .version(http::Version::HTTP_2)
        .header("sec-websocket-version", "13")
        .header("sec-websocket-protocol", "superchat")
        .header("origin", "https://server.example.com")
        .body(())
        .unwrap()
}

fn policy() -> Policy {
    Policy::default().protocols(["superchat"]).unwrap().header("X-Own", "\u{e4}").unwrap()
}

/// Names and values of a map, by name.
fn lines(map: &HeaderMap) -> Vec<(&str, &[u8])> {
    let mut lines: Vec<_> = map.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    lines.sort_unstable();
    lines
}

#[test]
fn rfc_6455_section_4_2_a_server_over_the_crate_http_accepts() {
    let request = request();
    let upgrade = Upgrade::check(request.method().as_str(), request.version().into(), request.headers()).unwrap();
    let response = http::Response::try_from(&policy().decide(&upgrade).unwrap()).unwrap();
    assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
    assert_eq!(
        lines(response.headers()),
        [
            ("connection", &b"Upgrade"[..]),
            ("sec-websocket-accept", b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
            ("sec-websocket-protocol", b"superchat"),
            ("upgrade", b"websocket"),
            ("x-own", "\u{e4}".as_bytes()),
        ]
    );
}

#[test]
fn rfc_8441_section_5_a_server_over_the_crate_http_accepts() {
    let request = connect();
    let pseudo = PseudoHeaders::from_http(request.method(), request.uri(), Some("websocket"));
    assert_eq!(pseudo.path, Some("/chat?room=7"));
    let upgrade = Upgrade::check_connect(&pseudo, request.headers()).unwrap();
    let response = http::Response::try_from(&policy().decide(&upgrade).unwrap()).unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let expected = [("sec-websocket-protocol", &b"superchat"[..]), ("x-own", "\u{e4}".as_bytes())];
    assert_eq!(lines(response.headers()), expected);

    let plain = Method::CONNECT;
    let authority: http::Uri = "server.example.com:443".parse().unwrap();
    let pseudo = PseudoHeaders::from_http(&plain, &authority, None);
    assert_eq!((pseudo.authority, pseudo.scheme), (Some("server.example.com:443"), None));
    assert_eq!(Upgrade::check_connect(&pseudo, request.headers()).err(), Some(Rejection::ConnectProtocol));
}

#[test]
fn a_header_map_gives_every_value_in_order_and_without_outer_whitespace() {
    let mut map = HeaderMap::new();
    for value in [&b"one"[..], b"", b" \ttwo\t ", b"\xff"] {
        map.append(HeaderName::from_static("x-own"), HeaderValue::from_bytes(value).unwrap());
    }
    map.append("other", HeaderValue::from_static("three"));
    for name in ["X-Own", "x-own", "X-OWN"] {
        assert_eq!(map.all(name).collect::<Vec<_>>(), [&b"one"[..], b"", b"two", b"\xff"]);
    }
    for name in ["x", "", "no token", "x-own\r\n"] {
        assert_eq!(map.all(name).count(), 0, "{name:?}");
    }
}

#[test]
fn every_rejection_is_the_same_answer_as_over_the_drivers() {
    for rejection in [
        Rejection::Malformed,
        Rejection::HttpVersion,
        Rejection::Method,
        Rejection::NotConnect,
        Rejection::ConnectProtocol,
        Rejection::NotUpgrade,
        Rejection::Version,
        Rejection::ConnectVersion,
        Rejection::HeadTooLong,
        Rejection::Origin,
        Rejection::Misdirected,
        Rejection::Timeout,
    ] {
        let response = http::Response::from(rejection);
        let bytes = rejection.response();
        let mut reader = HeadReader::response(Limits::default());
        let end = reader.push(&bytes).unwrap().unwrap();
        let head = ResponseHead::parse(reader).unwrap();
        assert_eq!(response.status().as_u16(), head.status());
        assert_eq!(response.body().as_bytes(), &bytes[end..]);
        for (name, value) in response.headers() {
            let line = head.header(name.as_str()).unwrap();
            // A driver closes; a server of your own may not.
            assert!(line == value.as_bytes() || (name == "connection" && line == b"close, Upgrade"), "{name}");
        }
        let own = head.headers().filter(|(name, value)| *name != "Content-Length" && *value != b"close").count();
        assert_eq!(response.headers().len(), own, "{rejection:?}");
    }
}

#[test]
fn versions_are_the_same_both_ways() {
    for (version, major, minor) in [
        (http::Version::HTTP_09, 0, 9),
        (http::Version::HTTP_10, 1, 0),
        (http::Version::HTTP_11, 1, 1),
        (http::Version::HTTP_2, 2, 0),
        (http::Version::HTTP_3, 3, 0),
    ] {
        let own = Version { major, minor };
        assert_eq!(Version::from(version), own);
        assert_eq!(http::Version::try_from(own), Ok(version));
    }
    for (major, minor) in [(0, 0), (1, 2), (2, 1), (4, 0)] {
        assert_eq!(http::Version::try_from(Version { major, minor }), Err(Invalid::HttpVersion));
    }
}

#[test]
fn rfc_6455_section_3_uris_are_the_same_both_ways() {
    for text in ["ws://a/", "wss://example.com:8443/chat?room=7", "ws://[::1]:9001/%20"] {
        let (own, uri): (Uri, http::Uri) = (text.parse().unwrap(), text.parse().unwrap());
        assert_eq!(Uri::try_from(&uri), Ok(own.clone()));
        assert_eq!(http::Uri::try_from(&own).unwrap(), uri);
    }
    for (text, error) in [
        ("/chat", UriError::Scheme),
        ("http://a/", UriError::Scheme),
        ("ws://me@a/", UriError::UserInfo),
        ("ws://a:0/", UriError::Authority),
    ] {
        assert_eq!(Uri::try_from(&text.parse::<http::Uri>().unwrap()), Err(error), "{text}");
    }
    http::Uri::try_from(&"ws://a/<".parse::<Uri>().unwrap()).unwrap_err();
}

#[test]
fn a_head_that_was_read_is_the_same_request_or_response() {
    let request = request();
    let mut bytes = b"GET /chat?room=7 HTTP/1.1\r\n".to_vec();
    for (name, value) in request.headers() {
        bytes.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    bytes.extend(b"\r\n");
    let mut reader = HeadReader::request(Limits::default());
    reader.push(&bytes).unwrap().unwrap();
    let read = http::Request::try_from(&RequestHead::parse(reader).unwrap()).unwrap();
    assert_eq!((read.method(), read.uri(), read.version()), (request.method(), request.uri(), request.version()));
    assert_eq!(read.headers(), request.headers());

    let mut reader = HeadReader::response(Limits::default());
    reader.push(b"HTTP/1.1 302 Found\r\nLocation: /a\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\n\r\n").unwrap();
    let read = http::Response::try_from(&ResponseHead::parse(reader).unwrap()).unwrap();
    assert_eq!((read.status(), read.version()), (StatusCode::FOUND, http::Version::HTTP_11));
    let expected = [("location", &b"/a"[..]), ("set-cookie", b"a=b"), ("set-cookie", b"c=d")];
    assert_eq!(lines(read.headers()), expected);
}

#[test]
fn rfc_6455_section_4_1_a_client_over_the_crate_http_asks_and_checks() {
    let key = Key::from_nonce(*b"the sample nonce");
    let uri: http::Uri = "ws://server.example.com/chat?room=7".parse().unwrap();
    let own = Request::new(&Uri::try_from(&uri).unwrap()).protocol("superchat").unwrap().cookie("a", "b").unwrap();
    let asked = own.to_http(&key).unwrap();
    assert_eq!((asked.method(), asked.uri().to_string()), (&Method::GET, String::from("/chat?room=7")));
    let bytes = String::from_utf8(own.to_bytes(&key)).unwrap();
    assert_eq!(bytes.lines().count() - 2, asked.headers().len());
    for (name, value) in asked.headers() {
        let line = format!("\r\n{name}: {}\r\n", value.to_str().unwrap()).to_ascii_lowercase();
        assert!(bytes.to_ascii_lowercase().contains(&line), "{line:?}");
    }

    let upgrade = Upgrade::check("GET", asked.version().into(), asked.headers()).unwrap();
    let answer = http::Response::try_from(&policy().decide(&upgrade).unwrap()).unwrap();
    let check = |answer: &http::Response<()>| {
        let agreed = own.check(&key, answer.version().into(), answer.status().as_u16(), answer.headers())?;
        Ok(agreed.protocol().map(String::from))
    };
    assert_eq!(check(&answer), Ok(Some("superchat".into())));
    let refused = http::Response::from(Rejection::Origin).map(drop);
    assert_eq!(check(&refused), Err(Refused::Status(403)));
}
