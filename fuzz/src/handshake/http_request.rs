//! The server's side of the opening handshake, given any bytes.

use super::reading::{head, limits, lines, read};
use crate::input::Input;
use ws_http::{
    ExtensionList, Fields, HeadReader, Limits, OriginPolicy, Policy, PseudoHeaders, Rejection, RequestHead,
    ResponseHead, Upgrade, UpgradeResponse, is_key, is_token,
};

/// A request head comes to the same in any pieces, is what stands there, can be written again, and gets exactly one answer:
/// a refusal that says how it ends, or a switch of protocols that repeats nothing the client has not offered.
///
/// The input: limits (255: the default), the sizes of pieces (counted), the bytes of the wire.
pub fn http_request(input: &[u8]) {
    let mut input = Input::new(input);
    let limits = limits(&mut input);
    let sizes = input.counted();
    let bytes = input.rest();
    let (reader, taken) = match read(&HeadReader::request(limits), limits, bytes, sizes) {
        Ok(Some(complete)) => complete,
        Ok(None) => return,
        Err(error) => return assert_refusal(error.into()),
    };
    let request = match RequestHead::parse(reader) {
        Ok(request) => request,
        Err(error) => return assert_refusal(error.into()),
    };

    let (first, fields) = lines(&bytes[..taken]);
    let words: Vec<_> = first.split(' ').collect();
    assert_eq!(words, [request.method(), request.target(), "HTTP/1.1"]);
    assert!(request.headers().eq(fields.iter().copied()));
    assert!(request.path().starts_with('/'));
    assert!(request.query().is_none_or(|query| request.target().ends_with(&format!("?{query}"))));
    for (name, value) in request.headers() {
        assert!(is_token(name.as_bytes()));
        assert!(request.all(name).any(|own| own == value));
    }
    for (name, value) in request.cookies() {
        assert!(!name.contains(&b';') && !value.contains(&b';'));
    }

    let again = head(first, request.headers());
    if again.len() <= bytes.len().max(ROOMY.bytes) {
        let mut reader = HeadReader::request(ROOMY);
        assert_eq!(reader.push(&again), Ok(Some(again.len())));
        let again = RequestHead::parse(reader).expect("what was accepted can be written");
        assert_eq!((again.method(), again.target()), (request.method(), request.target()));
        assert!(again.headers().eq(request.headers()));
    }

    match request.upgrade() {
        Ok(upgrade) => assert_switch(&request, &upgrade),
        Err(rejection) => assert_refusal(rejection),
    }
    assert_connect(&request);
}

/// The same fields under an extended CONNECT get a refusal or a response too, and neither has a field about the connection.
fn assert_connect(request: &RequestHead) {
    let host = request.header("host").and_then(|host| core::str::from_utf8(host).ok());
    let pseudo = PseudoHeaders {
        method: "CONNECT",
        protocol: Some("websocket"),
        scheme: Some("https"),
        authority: host,
        path: Some(request.target()),
    };
    let about_the_connection =
        |name: &str| name.eq_ignore_ascii_case("connection") || name.eq_ignore_ascii_case("upgrade");
    let decided = Upgrade::check_connect(&pseudo, request).and_then(|upgrade| Policy::default().decide(&upgrade));
    match decided {
        Ok(response) => {
            assert_eq!(response.status(), 200);
            assert!(response.fields().all(|(name, _)| !about_the_connection(name)));
            assert!(request.headers().all(|(name, _)| !about_the_connection(name)));
            assert_eq!(request.header("sec-websocket-version"), Some(&b"13"[..]));
        }
        Err(rejection) => {
            assert!(rejection.headers().iter().all(|(name, _)| !about_the_connection(name)));
            assert_refusal(rejection);
        }
    }
}

/// The answer is a whole response, and what it names is offered.
fn assert_switch(request: &RequestHead, upgrade: &Upgrade<'_, RequestHead>) {
    let keys: Vec<_> = request.all("Sec-WebSocket-Key").collect();
    assert!(matches!(&keys[..], [key] if is_key(key)));
    assert_eq!((request.method(), request.header("sec-websocket-version")), ("GET", Some(&b"13"[..])));
    for policy in [OriginPolicy::SameOrigin, OriginPolicy::Any, OriginPolicy::Only(Vec::new())] {
        if let Err(rejection) = upgrade.check_origin(&policy) {
            assert!(request.header("origin").is_some(), "a request without an Origin may connect");
            assert_refusal(rejection);
        }
    }

    let mut response = UpgradeResponse::new(upgrade);
    let protocols: Vec<_> = upgrade.protocols().collect();
    assert!(protocols.iter().all(|name| is_token(name.as_bytes())));
    if let Some(last) = protocols.last() {
        response.set_protocol(upgrade, last).expect("it is offered");
    }
    let mut chosen = ExtensionList::default();
    if let Some(first) = upgrade.extensions().next() {
        let params: Vec<_> = first.params().collect();
        let params = params.iter().map(|(name, value)| (*name, value.as_deref()));
        chosen.push(first.name(), params).expect("it is made of tokens");
    }
    response.set_extensions(upgrade, &chosen).expect("it is offered");

    assert_eq!((response.status(), response.protocol()), (101, protocols.last().copied()));
    let bytes = response.to_bytes();
    let mut reader = HeadReader::response(ROOMY);
    if bytes.len() <= ROOMY.bytes {
        assert_eq!(reader.push(&bytes), Ok(Some(bytes.len())));
        let answer = ResponseHead::parse(reader).expect("a response head");
        assert_eq!((answer.status(), answer.is_interim()), (101, false));
        assert_eq!(answer.header("sec-websocket-accept"), upgrade.accept_key().as_ref().map(|accept| &accept[..]));
        assert_eq!(answer.header("sec-websocket-protocol"), protocols.last().map(|name| name.as_bytes()));
        assert_eq!(answer.all("sec-websocket-extensions").count(), usize::from(!chosen.is_empty()));
    }
}

/// The refusal is a whole response that says how long it is and that it is the last.
pub(crate) fn assert_refusal(rejection: Rejection) {
    for (bytes, with_body) in [(rejection.response(), true), (rejection.response_to_head(), false)] {
        let mut reader = HeadReader::response(Limits::default());
        let taken = reader.push(&bytes).expect("a head").expect("a whole head");
        let response = ResponseHead::parse(reader).expect("a response head");
        assert_eq!(response.status(), rejection.status());
        assert!(matches!(response.status(), 400..=599));
        let len: usize = core::str::from_utf8(response.header("content-length").unwrap_or_default())
            .ok()
            .and_then(|len| len.parse().ok())
            .expect("it says how long it is");
        assert_eq!(bytes.len() - taken, if with_body { len } else { 0 });
        assert!(response.header("connection").is_some_and(|value| value.starts_with(b"close")));
    }
}

/// More than any input here needs when it is written again.
const ROOMY: Limits = Limits { bytes: 1 << 20, fields: 1 << 12 };
