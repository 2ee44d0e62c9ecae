//! Requests in every broken form, and more behind them.

use std::thread;

use ws_testkit::live::{KEY, Peer, request};
use ws_testkit::naive::text;

use crate::habits::flood_until_cut_off;
use crate::target::{KIB, MIB, Target, over_both_drivers};

#[test]
fn a_broken_request_gets_one_answer_and_the_connection_ends() {
    over_both_drivers(&[], |target| {
        let requests = broken_requests(&target.host());
        for (status, bytes) in &requests {
            assert_eq!(answer(target, bytes), *status, "{:?}", String::from_utf8_lossy(bytes));
        }
        target.never_held(MIB);
    });
}

/// What lies behind a request that is refused is not looked at: no second answer, and no frame.
#[test]
fn nothing_is_smuggled_in_behind_a_request_that_is_refused() {
    over_both_drivers(&["--guard", "/private=https://example.com"], |target| {
        let host = target.host();
        let mut behind = request("/private", &host, "Origin: https://example.com\r\n").into_bytes();
        behind.extend(text("smuggled").masked([1, 2, 3, 4]).bytes());
        for (status, bytes) in broken_requests(&host) {
            // A head that does not end would take what is behind it for a part of itself, and be right.
            if bytes.ends_with(b"\r\n\r\n") {
                let both = [&bytes[..], &behind].concat();
                assert_eq!(answer(target, &both), status, "{:?}", String::from_utf8_lossy(&bytes));
            }
        }
        let body = format!("Content-Length: {}\r\n", behind.len());
        for fields in [body.as_str(), "Transfer-Encoding: chunked\r\n", "Content-Length: 0\r\nContent-Length: 5\r\n"] {
            let both = [request("/", &host, fields).as_bytes(), &behind].concat();
            assert_eq!(answer(target, &both), "400", "{fields}");
        }
        target.never_held(MIB);
    });
}

/// What lies behind a request that is granted is frames, and nothing else.
#[test]
fn a_second_request_behind_a_handshake_is_a_broken_frame() {
    over_both_drivers(&[], |target| {
        let mut peer = target.connect();
        let once = request("/", &target.host(), "");
        peer.send(once.repeat(2).as_bytes()).unwrap();
        assert!(peer.head().unwrap().starts_with("HTTP/1.1 101 "));
        assert_eq!(peer.frame().unwrap().and_then(|frame| frame.close_code()), Some(1002));
        assert_eq!(peer.frame().unwrap(), None);
    });
}

#[test]
fn a_head_without_end_is_refused_at_its_limit() {
    over_both_drivers(&[], |target| {
        for part in ["x", "X: x\r\n", "\r\n", "GET / HTTP/1.1\r\n"] {
            let mut peers: Vec<Peer> = (0..20).map(|_| target.connect()).collect();
            thread::scope(|scope| {
                for peer in &mut peers {
                    scope.spawn(move || {
                        let start = ["GET / HTTP/1.1\r\nX: ", ""][usize::from(part != "x")];
                        peer.send(start.as_bytes()).unwrap();
                        flood_until_cut_off(peer, part.as_bytes());
                    });
                }
            });
        }
        target.never_held(20 * 64 * KIB + MIB);
    });
}

#[test]
fn a_head_costs_linear_time_whatever_is_in_it_and_however_it_is_cut() {
    let fields: &[(&str, Field)] = &[
        ("a long line", |len| format!("X: {}\r\n", "x".repeat(len))),
        ("spaces", |len| format!("X: {}x\r\n", " ".repeat(len))),
        ("subprotocols", |len| format!("Sec-WebSocket-Protocol: {}\r\n", list(len / 6))),
        ("extensions", |len| format!("Sec-WebSocket-Extensions: {}a\r\n", "a;b=c,".repeat(len / 6))),
        ("parameters", |len| format!("Sec-WebSocket-Extensions: a{}\r\n", ";bcd=e".repeat(len / 6))),
        ("a quoted string", |len| format!("Sec-WebSocket-Extensions: a;b=\"{}\"\r\n", "\\b".repeat(len / 2))),
        ("tokens", |len| format!("Connection: {}Upgrade\r\n", "a,".repeat(len / 2))),
        ("commas", |len| format!("Upgrade: {}websocket\r\n", ",".repeat(len))),
        ("cookies", |len| format!("Cookie: {}a=b\r\n", "a=b; ".repeat(len / 5))),
    ];
    over_both_drivers(&[], |target| {
        for (what, field) in fields {
            let run = |len, times| (0..times).for_each(|_| shake(target, &field(len)));
            target.is_linear_in(what, 16, |times| run(1800, times), |times| run(7200, times));
        }
        target.never_held(MIB);
    });
}

/// A field line of about so many bytes.
type Field = fn(usize) -> String;

/// So many tokens of five letters, all different.
fn list(count: usize) -> String {
    (0..count).map(|at| format!("p{at:04},")).collect()
}

/// Makes a handshake with these field lines, in small pieces, and breaks it off if it is granted.
fn shake(target: &Target, fields: &str) {
    let mut peer = target.connect();
    let request = request("/", &target.host(), fields);
    request.as_bytes().chunks(64).for_each(|piece| peer.send(piece).unwrap());
    let head = peer.head().unwrap();
    assert!(head.starts_with("HTTP/1.1 101 ") || head.starts_with("HTTP/1.1 400 "), "{head}");
}

/// The status of the one answer to these bytes: complete, delimited, and the last one.
fn answer(target: &Target, bytes: &[u8]) -> String {
    let mut peer = target.connect();
    // It may be refused before it is all there.
    let _ = peer.send(bytes);
    let _ = peer.half_close();
    let head = peer.head().unwrap();
    let (body, _) = peer.rest();
    let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).and_then(|len| len.parse().ok());
    assert_eq!(length, Some(body.len()), "{head}");
    assert!(
        head.contains("\r\nConnection: close\r\n") || head.contains("\r\nConnection: close, Upgrade\r\n"),
        "{head}"
    );
    head["HTTP/1.1 ".len()..][..3].into()
}

/// Requests that are no handshakes, each with the status that it deserves.
fn broken_requests(host: &str) -> Vec<(&'static str, Vec<u8>)> {
    let good = request("/", host, "");
    let with = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        good.replacen(from, to, 1).into_bytes()
    };
    let plus = |fields: &str| request("/", host, fields).into_bytes();
    let (host_line, key_line) = (format!("Host: {host}\r\n"), format!("Sec-WebSocket-Key: {KEY}\r\n"));
    let long = "x".repeat(9000);
    vec![
        // No HTTP/1.1.
        ("400", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS ClientHello\r\n\r\n".to_vec()),
        ("505", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec()),
        ("400", b"\x81\x85\x00\x00\x00\x00hello\r\n\r\n".to_vec()),
        ("400", b"\x00".repeat(100)),
        ("400", b"hello\r\n\r\n".to_vec()),
        ("505", with("HTTP/1.1", "HTTP/1.0")),
        ("505", with("HTTP/1.1", "HTTP/1.2")),
        ("400", with("HTTP/1.1", "HTTP/1.10")),
        ("400", with("HTTP/1.1", "http/1.1")),
        ("400", with(" HTTP/1.1", "")),
        // The request line.
        ("405", with("GET", "POST")),
        ("405", with("GET", "get")),
        ("405", with("GET", "CONNECT")),
        ("400", with("GET /", "GET  /")),
        ("400", with("GET /", "\r\nGET /")),
        ("400", with("GET /", "GET /\u{e4}")),
        ("400", with("GET /", "GET /#")),
        ("400", with("GET /", "GET *")),
        ("400", with("GET /", "GET http://elsewhere.example/")),
        ("431", with("GET /", &format!("GET /{long}"))),
        // Lines.
        ("400", good.replace("\r\n", "\n").into_bytes()),
        ("400", plus("X : 1\r\n")),
        ("400", plus("X\r\n")),
        ("400", plus(": 1\r\n")),
        ("400", plus("X: 1\r\n folded\r\n")),
        ("400", plus("X: a\rb\r\n")),
        ("400", plus("X: a\nY: b\r\n")),
        ("400", plus("X: a\0b\r\n")),
        ("431", plus(&format!("X: {long}\r\n"))),
        ("431", plus(&"X: 1\r\n".repeat(100))),
        // What a handshake consists of.
        ("400", with(&host_line, "")),
        ("400", plus(&host_line)),
        ("400", with(&host_line, "Host: me@here\r\n")),
        ("426", with("Upgrade: websocket\r\n", "")),
        ("426", with("Upgrade: websocket\r\n", "Upgrade: h2c\r\n")),
        ("426", with("Connection: Upgrade\r\n", "Connection: keep-alive\r\n")),
        ("400", with(&key_line, "")),
        ("400", plus(&key_line)),
        ("400", with(KEY, "AAAAAAAAAAAAAAAAAAAA")),
        ("400", with(KEY, "dGhlIHNhbXBsZSBub25jZQ")),
        ("400", with(KEY, "dGhlIHNhbXBsZSBub25jZQ==, x")),
        ("426", with("Version: 13", "Version: 8")),
        ("426", with("Version: 13", "Version: 013")),
        ("426", with("Sec-WebSocket-Version: 13\r\n", "")),
        ("400", plus("Sec-WebSocket-Version: 13\r\n")),
        ("400", plus("Sec-WebSocket-Protocol: a, a\r\n")),
        ("400", plus("Sec-WebSocket-Protocol: a b\r\n")),
        ("400", plus("Sec-WebSocket-Extensions: a; b=\"\r\n")),
        ("400", plus("Sec-WebSocket-Extensions: a;;b\r\n")),
        // A body.
        ("400", plus("Content-Length: 1\r\n")),
        ("400", plus("Content-Length: -1\r\n")),
        ("400", plus("Content-Length: 99999999999999999999\r\n")),
        ("400", plus("Transfer-Encoding: chunked\r\n")),
        ("400", plus("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n")),
    ]
}
