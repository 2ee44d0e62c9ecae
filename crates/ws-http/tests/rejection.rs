//! Each refusal is one whole HTTP response.

use ws_http::{HeadReader, Invalid, Limits, Rejection, ResponseHead, response};

const ALL: [Rejection; 20] = [
    Rejection::Malformed,
    Rejection::HeadTooLong,
    Rejection::TooManyFields,
    Rejection::HttpVersion,
    Rejection::Method,
    Rejection::NotConnect,
    Rejection::ConnectProtocol,
    Rejection::Host,
    Rejection::Body,
    Rejection::NotUpgrade,
    Rejection::Version,
    Rejection::ConnectVersion,
    Rejection::VersionRepeated,
    Rejection::Key,
    Rejection::Protocols,
    Rejection::Extensions,
    Rejection::OriginRepeated,
    Rejection::Origin,
    Rejection::Misdirected,
    Rejection::Timeout,
];

/// The head of these bytes, and what comes after it.
fn parse(bytes: &[u8]) -> (ResponseHead, &[u8]) {
    let mut reader = HeadReader::response(Limits::default());
    let end = reader.push(bytes).unwrap().unwrap();
    (ResponseHead::parse(reader).unwrap(), &bytes[end..])
}

#[test]
fn rfc_9112_section_6_every_answer_is_delimited_and_closes() {
    for rejection in ALL {
        let bytes = rejection.response();
        let (head, body) = parse(&bytes);
        assert_eq!(head.status(), rejection.status());
        assert_eq!(head.header("Content-Length"), Some(body.len().to_string().as_bytes()));
        assert!(head.header("Connection").unwrap().starts_with(b"close"));
        assert_eq!(head.header("Content-Type"), Some(&b"text/plain; charset=utf-8"[..]));
        assert_eq!(body, format!("{} {rejection}\n", head.status()).as_bytes());

        let bytes = rejection.response_to_head();
        let (head_only, rest) = parse(&bytes);
        assert_eq!(head_only.header("Content-Length"), head.header("Content-Length"));
        assert_eq!(rest, b"");
    }
}

#[test]
fn rfc_9110_section_15_405_names_the_method_and_426_the_protocol() {
    for rejection in ALL {
        let bytes = rejection.response();
        let (head, _) = parse(&bytes);
        let upgrade = rejection.status() == 426;
        let allow = if rejection == Rejection::NotConnect { &b"CONNECT"[..] } else { b"GET" };
        assert_eq!(head.header("Allow"), (rejection.status() == 405).then_some(allow));
        assert_eq!(head.header("Upgrade"), upgrade.then_some(&b"websocket"[..]));
        let version = upgrade || rejection == Rejection::ConnectVersion;
        assert_eq!(head.header("Sec-WebSocket-Version"), version.then_some(&b"13"[..]));
        assert_eq!(head.header("Connection"), Some(if upgrade { &b"close, Upgrade"[..] } else { b"close" }));
        for (name, value) in rejection.headers() {
            assert!(head.headers().any(|(own, text)| own == *name && text.ends_with(value.as_bytes())), "{name}");
        }
    }
}

#[test]
fn a_page_is_answered_whole_or_not_at_all() {
    let bytes = response(200, &[("Content-Type", "text/html")], b"<p>", false).unwrap();
    let (head, body) = parse(&bytes);
    assert_eq!((head.status(), body), (200, &b"<p>"[..]));
    assert_eq!(head.header("Content-Length"), Some(&b"3"[..]));

    let refused = |status, name, value| response(status, &[(name, value)], b"", false).unwrap_err();
    for status in [0, 99, 100, 101, 199, 204, 205, 304, 600, 65535] {
        assert_eq!(refused(status, "X", "a"), Invalid::Status, "{status}");
    }
    assert_eq!(refused(200, "X", "a\r\nSet-Cookie: b=c"), Invalid::HeaderValue);
    assert_eq!(refused(200, "X\r\n", "a"), Invalid::HeaderName);
    for name in ["connection", "Content-Length", "Transfer-Encoding"] {
        assert_eq!(refused(200, name, "0"), Invalid::HandshakeHeader);
    }
}
