//! The opening handshake without a network: what each side does with the bytes of the other.

use core::hint::black_box;
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use ws_http::{
    HeadReader, Key, Limits, OriginPolicy, Request, RequestHead, ResponseHead, UpgradeResponse, Uri, Version,
};

/// As a program asks, and as a browser does.
fn requests() -> [(&'static str, Vec<u8>); 2] {
    let short = Request::new(&uri()).to_bytes(&key());
    let browser = format!("GET /chat HTTP/1.1\r\nHost: server.example.com\r\n{BROWSER}\r\n");
    [("short", short), ("browser", browser.into_bytes())]
}

fn server(c: &mut Criterion) {
    let mut group = c.benchmark_group("handshake, server");
    let policy = OriginPolicy::default();
    for (name, request) in requests() {
        group.bench_function(BenchmarkId::new("parse", name), |b| b.iter(|| parse(black_box(&request))));
        let head = parse(&request);
        group.bench_function(BenchmarkId::new("verdict", name), |b| b.iter(|| verdict(black_box(&head), &policy)));
        group.bench_function(BenchmarkId::new("verdict and answer", name), |b| {
            b.iter(|| answer(black_box(&head), &policy));
        });
        group
            .bench_function(BenchmarkId::new("all", name), |b| b.iter(|| answer(&parse(black_box(&request)), &policy)));
    }
    group.finish();
}

fn parse(request: &[u8]) -> RequestHead {
    let mut reader = HeadReader::request(Limits::default());
    assert_eq!(reader.push(request), Ok(Some(request.len())));
    RequestHead::parse(reader).unwrap()
}

fn verdict(head: &RequestHead, policy: &OriginPolicy) {
    head.upgrade().unwrap().check_origin(policy).unwrap();
}

fn answer(head: &RequestHead, policy: &OriginPolicy) -> Vec<u8> {
    let upgrade = head.upgrade().unwrap();
    upgrade.check_origin(policy).unwrap();
    UpgradeResponse::new(&upgrade).to_bytes()
}

fn client(c: &mut Criterion) {
    let mut group = c.benchmark_group("handshake, client");
    let (uri, key) = (uri(), key());
    let request = Request::new(&uri);
    group.bench_function("key and request", |b| {
        b.iter(|| Request::new(black_box(&uri)).to_bytes(&Key::generate().unwrap()));
    });
    let response = answer(&parse(&request.to_bytes(&key)), &OriginPolicy::default());
    group.bench_function("parse and verify answer", |b| {
        b.iter(|| {
            let mut reader = HeadReader::response(Limits::default());
            assert_eq!(reader.push(black_box(&response)), Ok(Some(response.len())));
            let head = ResponseHead::parse(reader).unwrap();
            request.check(&key, Version::HTTP_11, head.status(), &head).unwrap();
        });
    });
    group.finish();
}

fn uri() -> Uri {
    "ws://server.example.com/chat".parse().unwrap()
}

fn key() -> Key {
    Key::from_nonce(*b"the sample nonce")
}

/// The fields of a browser's request, from a page of the same server.
const BROWSER: &str = "\
Connection: Upgrade\r\n\
Pragma: no-cache\r\n\
Cache-Control: no-cache\r\n\
User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36\r\n\
Upgrade: websocket\r\n\
Origin: http://server.example.com\r\n\
Sec-WebSocket-Version: 13\r\n\
Accept-Encoding: gzip, deflate\r\n\
Accept-Language: de-DE,de;q=0.9,en-US;q=0.8,en;q=0.7\r\n\
Cookie: session=0123456789abcdef0123456789abcdef; theme=dark; seen=1732650000\r\n\
Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";

criterion_group!(benches, server, client);
criterion_main!(benches);
