//! RFC 8441 and RFC 9220: the handshake over HTTP/2 and HTTP/3.

use ws_http::{
    ExtensionList, Hosts, Invalid, OriginPolicy, Policy, PseudoHeaders, Rejection, Upgrade, UpgradeResponse,
};

type Fields = Vec<(&'static str, &'static str)>;
type Change = fn(&mut PseudoHeaders<'_>);

/// The example of RFC 8441, section 5.1, with an origin that its server takes.
const SAMPLE: PseudoHeaders<'_> = PseudoHeaders {
    method: "CONNECT",
    protocol: Some("websocket"),
    scheme: Some("https"),
    authority: Some("server.example.com"),
    path: Some("/chat"),
};

fn fields() -> Fields {
    vec![
        ("sec-websocket-protocol", "chat, superchat"),
        ("sec-websocket-extensions", "permessage-deflate"),
        ("sec-websocket-version", "13"),
        ("origin", "https://server.example.com"),
    ]
}

/// The sample's fields without this one, and with these.
fn with(without: &str, more: &[(&'static str, &'static str)]) -> Fields {
    let mut fields = fields();
    fields.retain(|(name, _)| *name != without);
    fields.extend(more);
    fields
}

fn refused(pseudo: &PseudoHeaders<'_>, fields: &Fields) -> Option<Rejection> {
    let upgrade = match Upgrade::check_connect(pseudo, fields) {
        Ok(upgrade) => upgrade,
        Err(rejection) => return Some(rejection),
    };
    Policy::default().decide(&upgrade).err()
}

#[test]
fn rfc_8441_section_5_1_the_sample_request_gets_the_sample_response() {
    let fields = fields();
    let upgrade = Upgrade::check_connect(&SAMPLE, &fields).unwrap();
    assert_eq!(upgrade.authority(), "server.example.com");
    assert_eq!(upgrade.accept_key(), None);
    let policy = Policy::default().protocols(["chat"]).unwrap().header("server", "a").unwrap();
    let mut response = policy.decide(&upgrade).unwrap();
    let mut chosen = ExtensionList::default();
    chosen.push("permessage-deflate", []).unwrap();
    response.set_extensions(&upgrade, &chosen).unwrap();
    assert_eq!((response.status(), response.protocol()), (200, Some("chat")));
    let expected =
        [("Sec-WebSocket-Protocol", "chat"), ("server", "a"), ("Sec-WebSocket-Extensions", "permessage-deflate")];
    assert!(response.fields().eq(expected), "{:?}", response.fields().collect::<Vec<_>>());
}

#[test]
fn rfc_8441_section_5_what_may_vary_is_accepted() {
    let changes: [Change; 5] = [
        |_| {},
        |pseudo| pseudo.scheme = Some("http"),
        |pseudo| pseudo.path = Some("/"),
        |pseudo| pseudo.path = Some("/chat?room=7"),
        |pseudo| pseudo.authority = Some("SERVER.example.com:443"),
    ];
    for change in changes {
        let mut pseudo = SAMPLE;
        change(&mut pseudo);
        assert_eq!(refused(&pseudo, &fields()), None, "{pseudo:?}");
    }
    for fields in [
        with("sec-websocket-protocol", &[]),
        with("sec-websocket-extensions", &[]),
        with("origin", &[]),
        with("", &[("host", "server.example.com")]),
        with("", &[("host", "Server.Example.Com")]),
        with("", &[("te", "trailers")]),
        with("", &[("content-length", "0")]),
        // RFC 8441 section 5: the key is not processed.
        with("", &[("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")]),
        with("", &[("sec-websocket-key", "x"), ("sec-websocket-key", "y")]),
    ] {
        assert_eq!(refused(&SAMPLE, &fields), None, "{fields:?}");
    }
}

#[test]
fn rfc_8441_section_4_every_wrong_pseudo_header_has_exactly_one_status() {
    use Rejection as R;
    let table: &[(u16, Rejection, Change)] = &[
        (405, R::NotConnect, |pseudo| pseudo.method = "GET"),
        (405, R::NotConnect, |pseudo| pseudo.method = "connect"),
        (405, R::NotConnect, |pseudo| *pseudo = PseudoHeaders::default()),
        // RFC 9220, section 3.
        (501, R::ConnectProtocol, |pseudo| pseudo.protocol = None),
        (501, R::ConnectProtocol, |pseudo| pseudo.protocol = Some("connect-udp")),
        (501, R::ConnectProtocol, |pseudo| pseudo.protocol = Some("websocket/13")),
        (501, R::ConnectProtocol, |pseudo| pseudo.protocol = Some("")),
        (400, R::Malformed, |pseudo| pseudo.scheme = None),
        (400, R::Malformed, |pseudo| pseudo.scheme = Some("")),
        (400, R::Malformed, |pseudo| pseudo.scheme = Some("wss")),
        (400, R::Malformed, |pseudo| pseudo.path = None),
        (400, R::Malformed, |pseudo| pseudo.path = Some("")),
        (400, R::Malformed, |pseudo| pseudo.path = Some("*")),
        (400, R::Malformed, |pseudo| pseudo.path = Some("chat")),
        (400, R::Malformed, |pseudo| pseudo.path = Some("https://server.example.com/chat")),
        (400, R::Malformed, |pseudo| pseudo.path = Some("/a b")),
        (400, R::Malformed, |pseudo| pseudo.path = Some("/a#b")),
        (400, R::Malformed, |pseudo| pseudo.path = Some("/a\r\nb: c")),
        (400, R::Host, |pseudo| pseudo.authority = None),
        (400, R::Host, |pseudo| pseudo.authority = Some("")),
        (400, R::Host, |pseudo| pseudo.authority = Some("me@server.example.com")),
        (400, R::Host, |pseudo| pseudo.authority = Some("server.example.com:0")),
        (400, R::Host, |pseudo| pseudo.authority = Some("a b")),
        (403, R::Origin, |pseudo| pseudo.authority = Some("other.example")),
    ];
    for (status, rejection, change) in table {
        let mut pseudo = SAMPLE;
        change(&mut pseudo);
        assert_eq!(refused(&pseudo, &fields()), Some(*rejection), "{pseudo:?}");
        assert_eq!(rejection.status(), *status, "{rejection:?}");
    }
}

#[test]
fn rfc_9113_section_8_2_2_a_field_about_the_connection_makes_the_request_malformed() {
    for field in [
        ("connection", "Upgrade"),
        ("Connection", "keep-alive"),
        ("connection", ""),
        ("upgrade", "websocket"),
        ("keep-alive", "timeout=5"),
        ("proxy-connection", "keep-alive"),
        ("transfer-encoding", "chunked"),
        ("te", "gzip"),
        ("te", "trailers, gzip"),
    ] {
        assert_eq!(refused(&SAMPLE, &with("", &[field])), Some(Rejection::Malformed), "{field:?}");
    }
    assert_eq!(refused(&SAMPLE, &with("", &[("te", "trailers"), ("te", "gzip")])), Some(Rejection::Malformed));
}

/// RFC 9113, section 8.3.1, and RFC 9114, section 4.3.1: two names for one server are a way past whoever reads the other.
#[test]
fn rfc_9113_section_8_3_1_a_host_is_that_of_the_authority() {
    for hosts in [&["evil.example"][..], &["server.example.com:443"], &["server.example.com"; 2], &[""]] {
        let hosts: Vec<_> = hosts.iter().map(|host| ("host", *host)).collect();
        assert_eq!(refused(&SAMPLE, &with("", &hosts)), Some(Rejection::Host), "{hosts:?}");
    }
}

#[test]
fn rfc_8441_section_5_the_other_fields_are_those_of_rfc_6455() {
    use Rejection as R;
    for (status, rejection, fields) in [
        (400, R::ConnectVersion, with("sec-websocket-version", &[])),
        (400, R::ConnectVersion, with("sec-websocket-version", &[("sec-websocket-version", "8")])),
        (400, R::VersionRepeated, with("", &[("sec-websocket-version", "13")])),
        (400, R::Body, with("", &[("content-length", "5")])),
        (400, R::Protocols, with("", &[("sec-websocket-protocol", "chat")])),
        (400, R::Protocols, with("", &[("sec-websocket-protocol", "a b")])),
        (400, R::Extensions, with("", &[("sec-websocket-extensions", "a;")])),
        (400, R::OriginRepeated, with("", &[("origin", "https://server.example.com")])),
        (403, R::Origin, with("origin", &[("origin", "https://evil.example")])),
        (403, R::Origin, with("origin", &[("origin", "null")])),
    ] {
        assert_eq!(refused(&SAMPLE, &fields), Some(rejection), "{fields:?}");
        assert_eq!(rejection.status(), status, "{rejection:?}");
    }
}

/// The names of a server are compared with the authority: there is no Host, and one that is not looked at decides nothing.
#[test]
fn rfc_8441_section_5_hosts_and_origins_are_compared_with_the_authority() {
    let fields = fields();
    let upgrade = Upgrade::check_connect(&SAMPLE, &fields).unwrap();
    assert_eq!(upgrade.check_host(&Hosts::new(["server.example.com"]).unwrap()), Ok(()));
    assert_eq!(upgrade.check_host(&Hosts::new(["other.example"]).unwrap()), Err(Rejection::Misdirected));
    for policy in [OriginPolicy::SameOrigin, OriginPolicy::SameOriginHttps] {
        assert_eq!(upgrade.check_origin(&policy), Ok(()), "{policy:?}");
    }
    let misdirected = Policy::default().hosts(["other.example"]).unwrap().decide(&upgrade).unwrap_err();
    assert_eq!(misdirected, Rejection::Misdirected);
}

/// RFC 9113, section 8.2.2: neither may an answer have a field about the connection.
#[test]
fn rfc_9113_section_8_2_2_no_answer_has_a_field_about_the_connection() {
    const CONNECTION_SPECIFIC: [&str; 5] =
        ["connection", "upgrade", "keep-alive", "proxy-connection", "transfer-encoding"];
    let fields = fields();
    let mut response = UpgradeResponse::new(&Upgrade::check_connect(&SAMPLE, &fields).unwrap());
    for name in CONNECTION_SPECIFIC {
        assert_eq!(response.header(name, "a").unwrap_err(), Invalid::HandshakeHeader, "{name}");
    }
    assert_eq!(response.fields().count(), 0);
    for rejection in [
        Rejection::NotConnect,
        Rejection::ConnectProtocol,
        Rejection::Malformed,
        Rejection::Host,
        Rejection::Body,
        Rejection::ConnectVersion,
        Rejection::VersionRepeated,
        Rejection::Protocols,
        Rejection::Extensions,
        Rejection::Misdirected,
        Rejection::OriginRepeated,
        Rejection::Origin,
    ] {
        let names = rejection.headers().iter().map(|(name, _)| name.to_ascii_lowercase());
        assert!(names.into_iter().all(|name| !CONNECTION_SPECIFIC.contains(&&*name)), "{rejection:?}");
    }
    assert_eq!(Rejection::NotConnect.headers(), [("Allow", "CONNECT")]);
    assert_eq!(Rejection::ConnectVersion.headers(), [("Sec-WebSocket-Version", "13")]);
}
