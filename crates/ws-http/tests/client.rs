//! RFC 6455, section 4.1: what a client sends, and which responses it takes.

use ws_http::{
    ExtensionList, HeadError, HeadReader, Invalid, Key, Limits, Refused, Request, ResponseHead, Uri, UriError, Version,
};

const SAMPLE: &str = "HTTP/1.1 101 Switching Protocols\r\n\
    Upgrade: websocket\r\n\
    Connection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
    Sec-WebSocket-Protocol: chat\r\n\
    Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=10\r\n\
    \r\n";

fn key() -> Key {
    Key::from_nonce(*b"the sample nonce")
}

fn request() -> Request {
    let mut offers = ExtensionList::default();
    offers.push("permessage-deflate", [("client_max_window_bits", None)]).unwrap();
    offers.push("permessage-deflate", []).unwrap();
    let request = Request::new(&"ws://server.example.com/chat".parse().unwrap());
    request.protocol("chat").unwrap().protocol("superchat").unwrap().extensions(offers)
}

fn refused(bytes: &[u8]) -> Option<Refused> {
    check(&request(), bytes).err()
}

fn check(request: &Request, bytes: &[u8]) -> Result<Option<String>, Refused> {
    let mut reader = HeadReader::response(Limits::default());
    assert_ne!(reader.push(bytes)?, None, "the head has no end");
    let head = ResponseHead::parse(reader)?;
    let agreed = request.check(&key(), Version::HTTP_11, head.status(), &head)?;
    Ok(agreed.protocol().map(String::from))
}

fn with(line: &str, others: &str) -> String {
    let lines = SAMPLE.split_inclusive("\r\n");
    assert_eq!(lines.clone().filter(|own| own.starts_with(line)).count(), 1, "{line}");
    lines.map(|own| if own.starts_with(line) { others } else { own }).collect()
}

fn plus(line: &str) -> String {
    with("Upgrade", &format!("Upgrade: websocket\r\n{line}\r\n"))
}

#[test]
fn section_1_2_the_sample_response_is_taken() {
    assert_eq!(check(&request(), SAMPLE.as_bytes()), Ok(Some("chat".into())));
}

#[test]
fn section_4_1_what_may_vary_is_taken() {
    for response in [
        with("HTTP", "HTTP/1.1 101\r\n"),
        with("HTTP", "HTTP/1.1 101 \r\n"),
        with("HTTP", "HTTP/1.1 101 Web Socket Protocol Handshake\r\n"),
        with("Upgrade", "upgrade: WebSocket\r\n"),
        with("Connection", "Connection: keep-alive, UPGRADE\r\n"),
        with("Sec-WebSocket-Protocol", ""),
        with("Sec-WebSocket-Extensions", ""),
        with("Sec-WebSocket-Extensions", "Sec-WebSocket-Extensions:\r\n"),
        plus("Content-Length: 0"),
        plus("Set-Cookie: a=b"),
    ] {
        assert_eq!(refused(response.as_bytes()), None, "{response}");
    }
}

#[test]
fn section_4_1_every_wrong_response_has_exactly_one_error() {
    use Refused as R;
    let malformed = R::Head(HeadError::Malformed);
    let table: &[(Refused, String)] = &[
        (malformed, with("HTTP", "HTTP/1.1 1 x\r\n")),
        (malformed, with("HTTP", "HTTP/1.1 1010 x\r\n")),
        (malformed, with("HTTP", "HTTP/1.1 099 x\r\n")),
        (malformed, with("HTTP", "HTTP/1.1  101 x\r\n")),
        (malformed, with("HTTP", "\r\nHTTP/1.1 101 x\r\n")),
        (malformed, with("HTTP", "ICY 200 OK\r\n")),
        (malformed, plus("X : 1")),
        (malformed, plus("X: 1\r\n folded")),
        (malformed, plus("X: a\nb")),
        (malformed, plus("X: a\x00b")),
        (malformed, SAMPLE.replace("\r\n", "\n")),
        (malformed, "SSH-2.0-OpenSSH_9.6\r\n".into()),
        (R::Head(HeadError::TooLong), plus(&format!("X: {}", "x".repeat(9000)))),
        (R::Head(HeadError::TooManyFields), plus(&["X: 1"; 100].join("\r\n"))),
        (R::Version, with("HTTP", "HTTP/1.0 101 x\r\n")),
        (R::Version, with("HTTP", "HTTP/2.0 101 x\r\n")),
        (R::Status(200), with("HTTP", "HTTP/1.1 200 OK\r\n")),
        (R::Status(302), with("HTTP", "HTTP/1.1 302 Found\r\nLocation: ws://evil.example/\r\n")),
        (R::Status(401), with("HTTP", "HTTP/1.1 401 x\r\n")),
        (R::Status(403), "HTTP/1.1 403 Forbidden\r\n\r\n".into()),
        (R::Accept, with("Sec-WebSocket-Accept", "")),
        (R::Accept, with("Sec-WebSocket-Accept", "Sec-WebSocket-Accept:\r\n")),
        (R::Accept, with("Sec-WebSocket-Accept", "Sec-WebSocket-Accept: S3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n")),
        (R::Accept, with("Sec-WebSocket-Accept", "Sec-WebSocket-Accept: dGhlIHNhbXBsZSBub25jZQ==\r\n")),
        (R::Accept, plus("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")),
        // The accept key is looked at first: nothing else of a server that has not read the request counts.
        (R::Accept, with("Sec-WebSocket-Accept", "").replace("Upgrade: websocket", "Upgrade: h2c")),
        (R::Upgrade, with("Upgrade", "")),
        (R::Upgrade, with("Upgrade", "Upgrade: h2c\r\n")),
        (R::Upgrade, with("Upgrade", "Upgrade: websocket, h2c\r\n")),
        (R::Upgrade, plus("Upgrade: websocket")),
        (R::Connection, with("Connection", "")),
        (R::Connection, with("Connection", "Connection: close\r\n")),
        (R::Connection, with("Connection", "Connection: upgrade; x\r\n")),
        (R::Body, plus("Content-Length: 10")),
        (R::Body, plus("Transfer-Encoding: chunked")),
        (R::Protocol, with("Sec-WebSocket-Protocol", "Sec-WebSocket-Protocol: other\r\n")),
        (R::Protocol, with("Sec-WebSocket-Protocol", "Sec-WebSocket-Protocol: Chat\r\n")),
        (R::Protocol, with("Sec-WebSocket-Protocol", "Sec-WebSocket-Protocol: chat, superchat\r\n")),
        (R::Protocol, with("Sec-WebSocket-Protocol", "Sec-WebSocket-Protocol:\r\n")),
        (R::Protocol, plus("Sec-WebSocket-Protocol: chat")),
        (R::Extensions, with("Sec-WebSocket-Extensions", "Sec-WebSocket-Extensions: x-other\r\n")),
        (R::Extensions, with("Sec-WebSocket-Extensions", "Sec-WebSocket-Extensions: permessage-deflate;\r\n")),
        (R::Extensions, plus("Sec-WebSocket-Extensions: permessage-deflate")),
    ];
    for (error, response) in table {
        assert_eq!(refused(response.as_bytes()), Some(*error), "{response:?}");
    }
}

#[test]
fn section_4_1_another_version_is_refused_before_all_else() {
    let fields: [(&str, &str); 0] = [];
    let check = |version, status| request().check(&key(), version, status, &fields).map(drop);
    assert_eq!(check(Version { major: 1, minor: 0 }, 101), Err(Refused::Version));
    assert_eq!(check(Version::HTTP_11, 200), Err(Refused::Status(200)));
    assert_eq!(check(Version::HTTP_11, 101), Err(Refused::Accept));
}

#[test]
fn a_head_that_a_reader_refused_is_refused_for_the_same_reason() {
    let mut reader = HeadReader::response(Limits { bytes: 20, ..Limits::default() });
    reader.push(SAMPLE.as_bytes()).unwrap_err();
    assert_eq!(ResponseHead::parse(reader).unwrap_err(), HeadError::TooLong);
    let mut reader = HeadReader::response(Limits::default());
    assert_eq!(reader.push(b"HTTP/1.1 101 Switching Protocols\r\n"), Ok(None));
    assert_eq!(ResponseHead::parse(reader).unwrap_err(), HeadError::Malformed, "no end has come");
}

#[test]
fn section_4_1_nothing_offered_means_nothing_may_be_chosen() {
    let plain = Request::new(&"ws://a".parse().unwrap());
    let without = |line: &str| with(line, "");
    assert_eq!(check(&plain, without("Sec-WebSocket-Protocol").as_bytes()), Err(Refused::Extensions));
    assert_eq!(check(&plain, without("Sec-WebSocket-Extensions").as_bytes()), Err(Refused::Protocol));
}

#[test]
fn section_4_1_the_request_is_whole_and_in_order() {
    let request = request().origin("HTTP://Example.com:80").unwrap();
    let request = request.cookie("a", "b").unwrap().cookie("c", "d").unwrap().header("X-Own", "1, 2\t3").unwrap();
    assert_eq!(
        String::from_utf8(request.to_bytes(&key())).unwrap(),
        "GET /chat HTTP/1.1\r\n\
         Host: server.example.com\r\n\
         Upgrade: websocket\r\n\
         Connection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Protocol: chat, superchat\r\n\
         Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits, permessage-deflate\r\n\
         Cookie: a=b; c=d\r\n\
         Origin: http://example.com\r\n\
         X-Own: 1, 2\t3\r\n\
         \r\n"
    );
}

#[test]
fn another_origin_replaces_the_one_before_and_nothing_else() {
    let request = Request::new(&"ws://a".parse().unwrap()).header("X-Own", "1").unwrap();
    let request = request.origin("http://b").unwrap().header("X-Other", "2").unwrap().origin("http://c").unwrap();
    assert!(request.to_bytes(&key()).ends_with(b"\r\nX-Own: 1\r\nX-Other: 2\r\nOrigin: http://c\r\n\r\n"));
}

#[test]
fn what_was_agreed_can_be_read_and_is_not_shown() {
    let request = request();
    let fields = [
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
        ("Sec-WebSocket-Protocol", "superchat"),
        ("Sec-WebSocket-Extensions", "permessage-deflate; server_max_window_bits=10"),
        ("Set-Cookie", "secret"),
    ];
    let agreed = request.check(&key(), Version::HTTP_11, 101, &fields).unwrap();
    assert_eq!(agreed.protocol(), Some("superchat"));
    let extensions: Vec<_> =
        agreed.extensions().map(|extension| (extension.name(), extension.params().count())).collect();
    assert_eq!(extensions, [("permessage-deflate", 1)]);
    assert_eq!(format!("{agreed:?}"), "Agreed { protocol: Some(\"superchat\"), .. }");
}

#[test]
fn nothing_a_caller_gives_can_split_the_request() {
    for (name, value, error) in [
        ("X", "a\r\nY: b", Invalid::HeaderValue),
        ("X", "a\0b", Invalid::HeaderValue),
        ("X", "a\x7f", Invalid::HeaderValue),
        ("X\n", "a", Invalid::HeaderName),
        ("Host", "evil.example", Invalid::HandshakeHeader),
        ("ORIGIN", "null", Invalid::HandshakeHeader),
        ("cookie", "a=b", Invalid::HandshakeHeader),
        ("Sec-WebSocket-Key", "x", Invalid::HandshakeHeader),
        ("Content-Length", "4", Invalid::HandshakeHeader),
        ("Transfer-Encoding", "chunked", Invalid::HandshakeHeader),
    ] {
        assert_eq!(request().header(name, value).unwrap_err(), error, "{name:?}: {value:?}");
    }
    for name in ["", "a b", "a,b", "a\r\nb", "chat"] {
        assert_eq!(request().protocol(name).unwrap_err(), Invalid::Protocol, "{name:?}");
    }
    for (name, value) in [("a", "b\r\nc"), ("a", "b;c"), ("a=", "b")] {
        assert_eq!(request().cookie(name, value).unwrap_err(), Invalid::Cookie, "{name:?}={value:?}");
    }
    for origin in ["null", "http://a/", "http://a\r\nX: b"] {
        assert_eq!(request().origin(origin).unwrap_err(), Invalid::Origin, "{origin:?}");
    }
    let mut list = ExtensionList::default();
    for (name, param, value) in [("a b", "c", None), ("a", "", None), ("a", "b", Some("c\r\n")), ("a", "b", Some(""))] {
        assert_eq!(list.push(name, [(param, value)]), Err(Invalid::Extension), "{name:?} {param:?} {value:?}");
        assert!(list.is_empty(), "half an extension is left");
    }
}

#[test]
fn section_3_uris_give_host_port_and_resource_name() {
    for (text, secure, host, port, target, authority) in [
        ("ws://a", false, "a", 80, "/", "a"),
        ("WS://A:80/", false, "a", 80, "/", "a"),
        ("wss://a", true, "a", 443, "/", "a"),
        ("wss://a:80", true, "a", 80, "/", "a:80"),
        ("ws://a:9001/chat?x=/?", false, "a", 9001, "/chat?x=/?", "a:9001"),
        ("ws://a?x", false, "a", 80, "/?x", "a"),
        ("ws://[::1]:9001/%20", false, "::1", 9001, "/%20", "[::1]:9001"),
        ("ws://127.0.0.1", false, "127.0.0.1", 80, "/", "127.0.0.1"),
    ] {
        let uri: Uri = text.parse().unwrap();
        assert_eq!((uri.is_secure(), uri.host(), uri.port(), uri.target()), (secure, host, port, target), "{text}");
        assert_eq!(uri.authority(), authority);
        assert_eq!(uri.to_string().parse(), Ok(uri), "{text}");
    }
}

#[test]
fn section_3_other_texts_are_no_websocket_uris() {
    for (text, error) in [
        ("", UriError::Scheme),
        ("a", UriError::Scheme),
        ("a:80/chat", UriError::Scheme),
        ("http://a/", UriError::Scheme),
        ("ws:/a/", UriError::Scheme),
        (" ws://a/", UriError::Scheme),
        ("ws://", UriError::Authority),
        ("ws:///chat", UriError::Authority),
        ("ws://a:/", UriError::Authority),
        ("ws://a:0/", UriError::Authority),
        ("ws://a:65536/", UriError::Authority),
        ("ws://a:x/", UriError::Authority),
        ("ws://::1/", UriError::Authority),
        ("ws://[::1/", UriError::Authority),
        ("ws://a b/", UriError::Authority),
        ("ws://a\r\nb/", UriError::Authority),
        ("ws://\u{e4}/", UriError::Authority),
        ("ws://me@a/", UriError::UserInfo),
        ("ws://me:secret@a/", UriError::UserInfo),
        ("ws://a/#x", UriError::Fragment),
        ("ws://a#x", UriError::Fragment),
        ("ws://a/b c", UriError::Target),
        ("ws://a/b\r\nX: c", UriError::Target),
        ("ws://a/\u{e4}", UriError::Target),
    ] {
        assert_eq!(text.parse::<Uri>(), Err(error), "{text:?}");
    }
}
