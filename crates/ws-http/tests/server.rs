//! RFC 6455, section 4.2: which requests are handshakes, and the one answer each other request gets.

use ws_http::{
    ExtensionList, HeadReader, Invalid, Limits, OriginPolicy, Rejection, RequestHead, Upgrade, UpgradeResponse,
    Version, choose_protocol,
};

const SAMPLE: &str = "GET /chat HTTP/1.1\r\n\
    Host: server.example.com\r\n\
    Upgrade: websocket\r\n\
    Connection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Origin: http://server.example.com\r\n\
    Sec-WebSocket-Protocol: chat, superchat\r\n\
    Sec-WebSocket-Version: 13\r\n\
    \r\n";

/// What a server makes of these bytes: `None` for a handshake.
fn refused(bytes: &[u8]) -> Option<Rejection> {
    answer(bytes, &OriginPolicy::SameOrigin).err()
}

fn answer(bytes: &[u8], policy: &OriginPolicy) -> Result<Vec<u8>, Rejection> {
    let mut reader = HeadReader::request(Limits::default());
    assert_ne!(reader.push(bytes)?, None, "the head has no end");
    let head = RequestHead::parse(reader)?;
    let upgrade = head.upgrade()?;
    upgrade.check_origin(policy)?;
    Ok(UpgradeResponse::new(&upgrade).to_bytes())
}

/// The sample with one line (found by its start) replaced by others.
fn with(line: &str, others: &str) -> String {
    let mut found = 0;
    let mut out = String::new();
    for own in SAMPLE.split_inclusive("\r\n") {
        if own.starts_with(line) {
            found += 1;
            out.push_str(others);
        } else {
            out.push_str(own);
        }
    }
    assert_eq!(found, 1, "{line}");
    out
}

/// The sample with a field line more.
fn plus(line: &str) -> String {
    with("Upgrade", &format!("Upgrade: websocket\r\n{line}\r\n"))
}

#[test]
fn section_1_2_the_sample_request_gets_the_sample_answer() {
    let mut reader = HeadReader::request(Limits::default());
    reader.push(SAMPLE.as_bytes()).unwrap();
    let head = RequestHead::parse(reader).unwrap();
    let upgrade = head.upgrade().unwrap();
    upgrade.check_origin(&OriginPolicy::default()).unwrap();
    let mut response = UpgradeResponse::new(&upgrade);
    response.set_protocol(&upgrade, choose_protocol(&["chat"], upgrade.protocols()).unwrap()).unwrap();
    assert_eq!(
        String::from_utf8(response.to_bytes()).unwrap(),
        "HTTP/1.1 101 Switching Protocols\r\n\
         Upgrade: websocket\r\n\
         Connection: Upgrade\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
         Sec-WebSocket-Protocol: chat\r\n\
         \r\n"
    );
}

/// P22: upgrade requests are recognised by list tokens, in any case, `websocket/13` among them.
#[test]
fn section_4_2_1_what_may_vary_is_accepted() {
    for request in [
        SAMPLE.to_string(),
        SAMPLE.to_ascii_uppercase().replace("DGHLIHNHBXBSZSBUB25JZQ==", "dGhlIHNhbXBsZSBub25jZQ=="),
        with("Connection", "Connection: keep-alive, Upgrade\r\n"),
        with("Connection", "Connection: keep-alive\r\nConnection: ,upgrade,\r\n"),
        with("Upgrade", "Upgrade: h2c, WebSocket\r\n"),
        with("Upgrade", "Upgrade: websocket/13\r\n"),
        with("Upgrade", "Upgrade:websocket  \r\n"),
        with("Sec-WebSocket-Protocol", ""),
        with("Sec-WebSocket-Protocol", "Sec-WebSocket-Protocol: a,,b\r\nSec-WebSocket-Protocol: c\r\n"),
        with("Sec-WebSocket-Key", "Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEC==\r\n"),
        with("Origin", ""),
        with("Origin", "Origin: HTTP://SERVER.example.com:80\r\n"),
        with("Host", "Host: server.example.com:443\r\n")
            .replace("http://server.example.com", "https://server.example.com"),
        with("GET", "GET http://server.example.com/chat HTTP/1.1\r\n"),
        with("GET", "GET https://Server.Example.com?x HTTP/1.1\r\n"),
        plus("Content-Length: 0"),
        plus("X-Empty:"),
        plus("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits, x-webkit-deflate-frame"),
        plus("Cookie: a=b; c=d"),
    ] {
        assert_eq!(refused(request.as_bytes()), None, "{request}");
    }
}

#[test]
fn section_4_2_1_every_malformed_request_has_exactly_one_status() {
    use Rejection as R;
    let long = "x".repeat(9000);
    let table: &[(u16, Rejection, String)] = &[
        // The request line.
        (400, R::Malformed, with("GET", "GET\r\n")),
        (400, R::Malformed, with("GET", "GET /chat\r\n")),
        (400, R::Malformed, with("GET", "GET  /chat HTTP/1.1\r\n")),
        (400, R::Malformed, with("GET", "GET /chat  HTTP/1.1\r\n")),
        (400, R::Malformed, with("GET", "GET /chat HTTP/1.1 \r\n")),
        (400, R::Malformed, with("GET", "GET /chat WebSocket/1.1\r\n")),
        (400, R::Malformed, with("GET", "GET /chat http/1.1\r\n")),
        (400, R::Malformed, with("GET", "GET /chat HTTP/1.10\r\n")),
        (400, R::Malformed, with("GET", "GET /chat HTTP/x.1\r\n")),
        (400, R::Malformed, with("GET", "GET /chat HTTP/1.x\r\n")),
        (400, R::Malformed, with("GET", "GET /ch at HTTP/1.1\r\n")),
        (400, R::Malformed, with("GET", "GET /chat#top HTTP/1.1\r\n")),
        (400, R::Malformed, with("GET", "GET /ch\u{e4}t HTTP/1.1\r\n")),
        (400, R::Malformed, with("GET", "GET chat HTTP/1.1\r\n")),
        (400, R::Malformed, with("GET", "GET * HTTP/1.1\r\n")),
        (400, R::Malformed, with("GET", "GET server.example.com:80 HTTP/1.1\r\n")),
        (400, R::Malformed, with("GET", "GET ws://server.example.com/ HTTP/1.1\r\n")),
        (400, R::Malformed, with("GET", "GET http://evil.example/chat HTTP/1.1\r\n")),
        (400, R::Malformed, with("GET", "GET http://me@server.example.com/ HTTP/1.1\r\n")),
        (400, R::Malformed, with("GET", "GET http:///chat HTTP/1.1\r\n")),
        (400, R::Malformed, "GET http://me@a/ HTTP/1.1\r\nHost: me@a\r\n\r\n".into()),
        (400, R::Malformed, "GET http:/// HTTP/1.1\r\nHost:\r\n\r\n".into()),
        (400, R::Malformed, with("GET", "\r\nGET /chat HTTP/1.1\r\n")),
        (400, R::Malformed, with("GET", "G@T /chat HTTP/1.1\r\n")),
        (400, R::Malformed, with("GET", " GET /chat HTTP/1.1\r\n")),
        (505, R::HttpVersion, with("GET", "GET /chat HTTP/1.0\r\n")),
        (505, R::HttpVersion, with("GET", "GET /chat HTTP/1.2\r\n")),
        (505, R::HttpVersion, with("GET", "GET /chat HTTP/2.0\r\n")),
        (505, R::HttpVersion, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".into()),
        (405, R::Method, with("GET", "POST /chat HTTP/1.1\r\n")),
        (405, R::Method, with("GET", "HEAD /chat HTTP/1.1\r\n")),
        (405, R::Method, with("GET", "get /chat HTTP/1.1\r\n")),
        (405, R::Method, with("GET", "OPTIONS /chat HTTP/1.1\r\n")),
        // Field lines.
        (400, R::Malformed, plus("X : 1")),
        (400, R::Malformed, plus("X\t: 1")),
        (400, R::Malformed, plus(": 1")),
        (400, R::Malformed, plus("X")),
        (400, R::Malformed, plus("X: 1\r\n folded")),
        (400, R::Malformed, plus("X: 1\r\n\tfolded")),
        (400, R::Malformed, plus("X: a\rb")),
        (400, R::Malformed, plus("X: a\nb: c")),
        (400, R::Malformed, plus("X: a\x00b")),
        (400, R::Malformed, plus("X: a\x1bb")),
        (400, R::Malformed, plus("X: a\x7fb")),
        (400, R::Malformed, plus("X(: a")),
        (400, R::Malformed, plus("X\u{e4}: a")),
        (400, R::Malformed, SAMPLE.replace("\r\n", "\n")),
        (431, R::HeadTooLong, plus(&format!("X: {long}"))),
        (431, R::HeadTooLong, with("GET", &format!("GET /{long} HTTP/1.1\r\n"))),
        (431, R::TooManyFields, plus(&["X: 1"; 100].join("\r\n"))),
        // Host.
        (400, R::Host, with("Host", "")),
        (400, R::Host, with("Host", "Host:\r\n")),
        (400, R::Host, plus("Host: server.example.com")),
        (400, R::Host, with("Host", "Host: a b\r\n")),
        (400, R::Host, with("Host", "Host: a/b\r\n")),
        (400, R::Host, with("Host", "Host: me@a\r\n")),
        (400, R::Host, with("Host", "Host: a:0\r\n")),
        (400, R::Host, with("Host", "Host: a:99999\r\n")),
        (400, R::Host, with("Host", "Host: a:-1\r\n")),
        (400, R::Host, with("Host", "Host: a:\r\n")),
        (400, R::Host, with("Host", "Host: ::1\r\n")),
        (400, R::Host, with("Host", "Host: [::1\r\n")),
        (400, R::Host, with("Host", "Host: [::1]x\r\n")),
        (400, R::Host, with("Host", "Host: \u{e4}\r\n")),
        // Bodies.
        (400, R::Body, plus("Content-Length: 5")),
        (400, R::Body, plus("Content-Length: 00")),
        (400, R::Body, plus("Content-Length: +0")),
        (400, R::Body, plus("Content-Length: 0, 0")),
        (400, R::Body, plus("Content-Length: 0\r\nContent-Length: 0")),
        (400, R::Body, plus("Content-Length:")),
        (400, R::Body, plus("Transfer-Encoding: chunked")),
        (400, R::Body, plus("Transfer-Encoding: identity")),
        (400, R::Body, plus("transfer-encoding:")),
        // Connection and Upgrade.
        (426, R::NotUpgrade, with("Upgrade", "")),
        (426, R::NotUpgrade, with("Upgrade", "Upgrade: h2c\r\n")),
        (426, R::NotUpgrade, with("Upgrade", "Upgrade: websockets\r\n")),
        (426, R::NotUpgrade, with("Upgrade", "Upgrade: websocket/14\r\n")),
        (426, R::NotUpgrade, with("Connection", "")),
        (426, R::NotUpgrade, with("Connection", "Connection: keep-alive\r\n")),
        (426, R::NotUpgrade, with("Connection", "Connection: upgraded\r\n")),
        (400, R::Malformed, with("Connection", "Connection: Upgrade; x\r\n")),
        (400, R::Malformed, with("Upgrade", "Upgrade: \"websocket\"\r\n")),
        // Version.
        (426, R::Version, with("Sec-WebSocket-Version", "")),
        (426, R::Version, with("Sec-WebSocket-Version", "Sec-WebSocket-Version: 8\r\n")),
        (426, R::Version, with("Sec-WebSocket-Version", "Sec-WebSocket-Version: 013\r\n")),
        (426, R::Version, with("Sec-WebSocket-Version", "Sec-WebSocket-Version: 13, 8\r\n")),
        (400, R::VersionRepeated, plus("Sec-WebSocket-Version: 13")),
        (400, R::VersionRepeated, plus("Sec-WebSocket-Version: 8")),
        // Key.
        (400, R::Key, with("Sec-WebSocket-Key", "")),
        (400, R::Key, with("Sec-WebSocket-Key", "Sec-WebSocket-Key: x\r\n")),
        (400, R::Key, with("Sec-WebSocket-Key", "Sec-WebSocket-Key:\r\n")),
        (400, R::Key, with("Sec-WebSocket-Key", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZSE=\r\n")),
        (400, R::Key, plus("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")),
        // Subprotocols and extensions.
        (400, R::Protocols, with("Sec-WebSocket-Protocol", "Sec-WebSocket-Protocol: a b\r\n")),
        (400, R::Protocols, with("Sec-WebSocket-Protocol", "Sec-WebSocket-Protocol: a, a\r\n")),
        (400, R::Protocols, with("Sec-WebSocket-Protocol", "Sec-WebSocket-Protocol: a/b\r\n")),
        (400, R::Protocols, plus("Sec-WebSocket-Protocol: chat")),
        (400, R::Extensions, plus("Sec-WebSocket-Extensions: a;")),
        (400, R::Extensions, plus("Sec-WebSocket-Extensions: a; b=")),
        (400, R::Extensions, plus("Sec-WebSocket-Extensions: a; b=\"c")),
        (400, R::Extensions, plus("Sec-WebSocket-Extensions: a; b=\"c d\"")),
        (400, R::Extensions, plus("Sec-WebSocket-Extensions: a; b=\"\"")),
        (400, R::Extensions, plus("Sec-WebSocket-Extensions: a b")),
        (400, R::Extensions, plus("Sec-WebSocket-Extensions: ;")),
        // Origin.
        (400, R::OriginRepeated, plus("Origin: http://server.example.com")),
        (403, R::Origin, with("Origin", "Origin: http://evil.example\r\n")),
        (403, R::Origin, with("Origin", "Origin: null\r\n")),
        (403, R::Origin, with("Origin", "Origin:\r\n")),
        // What is no HTTP at all is refused at its first bytes, although no line ends.
        (400, R::Malformed, "\x16\x03\x01\x02\x00\x01\x00\x01\u{7f}\x03\x03".into()),
        (400, R::Malformed, "\x00".into()),
        (400, R::Malformed, "{\"hello\": 1}".into()),
        (400, R::Malformed, "x".repeat(40)),
    ];
    for (status, rejection, request) in table {
        assert_eq!(refused(request.as_bytes()), Some(*rejection), "{request:?}");
        assert_eq!(rejection.status(), *status, "{rejection:?}");
    }
}

#[test]
fn section_4_1_a_server_of_your_own_says_which_version_it_heard() {
    let fields: [(&str, &str); 0] = [];
    for (major, minor) in [(0, 9), (1, 0), (2, 0), (3, 0)] {
        let refused = Upgrade::check("GET", Version { major, minor }, &fields).map(drop);
        assert_eq!(refused, Err(Rejection::HttpVersion));
    }
    assert_eq!(Upgrade::check("GET", Version::HTTP_11, &fields).map(drop), Err(Rejection::Host));
}

#[test]
fn section_4_2_2_an_answer_names_only_what_was_offered() {
    let fields = [
        ("Host", "a"),
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("Sec-WebSocket-Protocol", "chat"),
        ("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits"),
    ];
    let fields = &fields;
    let upgrade = Upgrade::check("GET", Version::HTTP_11, &fields).unwrap();
    let mut response = UpgradeResponse::new(&upgrade);
    let list = |names: &[&str]| {
        let mut list = ExtensionList::default();
        names.iter().for_each(|name| list.push(name, []).unwrap());
        list
    };
    assert_eq!(response.set_protocol(&upgrade, "Chat").unwrap_err(), Invalid::ProtocolNotOffered);
    assert_eq!(response.set_protocol(&upgrade, "").unwrap_err(), Invalid::ProtocolNotOffered);
    assert_eq!(response.set_extensions(&upgrade, &list(&["x"])).unwrap_err(), Invalid::ExtensionNotOffered);
    assert_eq!(response.set_extensions(&upgrade, &list(&["permessage-deflate"; 2])).unwrap_err(), Invalid::Extension);
    response.set_protocol(&upgrade, "chat").unwrap();
    assert_eq!(response.set_protocol(&upgrade, "chat").unwrap_err(), Invalid::Protocol);
    response.set_extensions(&upgrade, &list(&[])).unwrap();
    response.set_extensions(&upgrade, &list(&["permessage-deflate"])).unwrap();
    assert_eq!(response.set_extensions(&upgrade, &list(&["permessage-deflate"])).unwrap_err(), Invalid::Extension);
    let lines: Vec<_> = response.fields().skip(3).collect();
    assert_eq!(lines, [("Sec-WebSocket-Protocol", "chat"), ("Sec-WebSocket-Extensions", "permessage-deflate")]);
}

#[test]
fn custom_headers_cannot_split_the_answer_or_replace_the_handshake() {
    let fields = [
        ("Host", "a"),
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    let upgrade = Upgrade::check("GET", Version::HTTP_11, &fields).unwrap();
    let mut response = UpgradeResponse::new(&upgrade);
    for (name, value, error) in [
        ("X", "a\r\nY: b", Invalid::HeaderValue),
        ("X", "a\nb", Invalid::HeaderValue),
        ("X", "a\0", Invalid::HeaderValue),
        ("X", " a", Invalid::HeaderValue),
        ("X", "a\t", Invalid::HeaderValue),
        ("", "a", Invalid::HeaderName),
        ("X:", "a", Invalid::HeaderName),
        ("X\r\nY", "a", Invalid::HeaderName),
        ("X Y", "a", Invalid::HeaderName),
        ("upgrade", "h2c", Invalid::HandshakeHeader),
        ("Connection", "close", Invalid::HandshakeHeader),
        ("Content-Length", "5", Invalid::HandshakeHeader),
        ("transfer-encoding", "chunked", Invalid::HandshakeHeader),
        ("Keep-Alive", "timeout=5", Invalid::HandshakeHeader),
        ("proxy-connection", "keep-alive", Invalid::HandshakeHeader),
        ("sec-websocket-accept", "x", Invalid::HandshakeHeader),
        ("Sec-WebSocket-Anything", "x", Invalid::HandshakeHeader),
    ] {
        assert_eq!(response.header(name, value).unwrap_err(), error, "{name:?}: {value:?}");
    }
    response.header("Set-Cookie", "a=b").unwrap().header("Set-Cookie", "c=d").unwrap().header("X", "").unwrap();
    assert_eq!(response.fields().count(), 6);
}

/// P22: the subprotocols of a request are there to choose from.
#[test]
fn the_first_of_the_servers_protocols_that_is_offered_is_chosen() {
    assert_eq!(choose_protocol(&["c", "b", "a"], ["a", "b"]), Some("b"));
    assert_eq!(choose_protocol(&["c"], ["a", "b"]), None);
    assert_eq!(choose_protocol(&["c"], []), None);
    assert_eq!(choose_protocol(&[] as &[&str], ["a"]), None);
}

/// B25: POST and HTTP/1.0 were accepted, so was the key `x`, and two keys were joined.
#[test]
fn b25_method_version_and_key_are_checked_and_426_names_version_13() {
    for (request, status) in [
        (with("GET", "POST /chat HTTP/1.1\r\n"), 405),
        (with("GET", "GET /chat HTTP/1.0\r\n"), 505),
        (with("Sec-WebSocket-Key", "Sec-WebSocket-Key: x\r\n"), 400),
        (plus("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="), 400),
        (with("Sec-WebSocket-Version", "Sec-WebSocket-Version: 12\r\n"), 426),
    ] {
        let rejection = refused(request.as_bytes()).unwrap();
        assert_eq!(rejection.status(), status, "{request}");
        let answer = String::from_utf8(rejection.response()).unwrap();
        assert_eq!(answer.contains("\r\nSec-WebSocket-Version: 13\r\n"), status == 426, "{answer}");
    }
}
