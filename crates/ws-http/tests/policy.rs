//! What a policy decides about a request that anybody has parsed.

use ws_http::{OriginPolicy, Policy, Rejection, Upgrade, Version};

type Fields = Vec<(&'static str, &'static str)>;

/// A handshake with these fields beside those of every handshake.
fn request(more: &[(&'static str, &'static str)]) -> Fields {
    let mut fields = vec![
        ("Host", "server.example.com"),
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    fields.extend(more);
    fields
}

fn check(fields: &Fields) -> Upgrade<'_, Fields> {
    Upgrade::check("GET", Version::HTTP_11, fields).unwrap()
}

#[test]
fn section_4_2_2_a_response_is_decided_without_a_driver_and_owns_what_it_says() {
    let policy = Policy::default().protocols(["superchat", "chat"]).unwrap();
    let policy = policy.header("Server", "a").unwrap().header("Set-Cookie", "b=c").unwrap();
    let response = {
        let fields = request(&[("Sec-WebSocket-Protocol", "chat, superchat"), ("Origin", "http://server.example.com")]);
        policy.decide(&check(&fields)).unwrap()
    };
    drop(policy);
    assert_eq!((response.status(), response.protocol()), (101, Some("superchat")));
    let expected = [
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
        ("Sec-WebSocket-Protocol", "superchat"),
        ("Server", "a"),
        ("Set-Cookie", "b=c"),
    ];
    assert!(response.fields().eq(expected), "{:?}", response.fields().collect::<Vec<_>>());
    let lines: String = expected.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    assert_eq!(
        String::from_utf8(response.to_bytes()).unwrap(),
        format!("HTTP/1.1 101 Switching Protocols\r\n{lines}\r\n")
    );
}

#[test]
fn section_4_2_2_without_a_subprotocol_in_common_the_response_names_none() {
    let fields = request(&[("Sec-WebSocket-Protocol", "chat")]);
    for policy in [Policy::default(), Policy::default().protocols(["Chat", "other"]).unwrap()] {
        let response = policy.decide(&check(&fields)).unwrap();
        assert_eq!(response.protocol(), None);
        assert!(response.fields().all(|(name, _)| name != "Sec-WebSocket-Protocol"));
    }
}

#[test]
fn what_a_policy_refuses_it_refuses_in_one_order() {
    let policy = || Policy::default().hosts(["server.example.com"]).unwrap();
    let elsewhere = Policy::default().hosts(["other.example"]).unwrap();
    let foreign = request(&[("Origin", "http://evil.example")]);
    let twice = request(&[("Origin", "http://server.example.com"), ("Origin", "http://server.example.com")]);
    let refused = |policy: &Policy, fields: &Fields| policy.decide(&check(fields)).err();
    assert_eq!(refused(&elsewhere, &foreign), Some(Rejection::Misdirected));
    assert_eq!(refused(&policy(), &foreign), Some(Rejection::Origin));
    assert_eq!(refused(&policy(), &twice), Some(Rejection::OriginRepeated));
    assert_eq!(refused(&policy().origin(OriginPolicy::Any), &foreign), None);
    assert_eq!(refused(&policy().origin(OriginPolicy::Any), &twice), Some(Rejection::OriginRepeated));
}

#[test]
fn a_driver_of_your_own_asks_for_the_limits_and_the_time() {
    use core::time::Duration;
    use ws_http::Limits;

    let policy = Policy::default();
    assert_eq!((policy.head_limits(), policy.handshake_timeout()), (Limits::default(), Duration::from_secs(10)));
    let (limits, timeout) = (Limits { bytes: 1, fields: 2 }, Duration::from_secs(3));
    let policy = policy.limits(limits).timeout(timeout);
    assert_eq!((policy.head_limits(), policy.handshake_timeout()), (limits, timeout));
}
