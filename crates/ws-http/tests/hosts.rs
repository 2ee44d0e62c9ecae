//! RFC 9110, sections 7.2 and 7.4: requests for other names than the server's.

use ws_http::{HeadReader, Hosts, Invalid, Limits, OriginPolicy, Rejection, RequestHead};

#[test]
fn a_name_matches_every_form_of_it() {
    for (name, host) in [
        ("example.com", "example.com"),
        ("example.com", "EXAMPLE.Com"),
        ("Example.COM", "example.com"),
        ("example.com", "example.com."),
        ("example.com.", "example.com"),
        ("example.com", "example.com.:8080"),
        ("example.com", "example.com:80"),
        ("example.com", "example.com:9001"),
        ("example.com:9001", "example.com:9001"),
        ("example.com:80", "example.com"),
        ("example.com:443", "example.com"),
        ("example.com:443", "example.com.:443"),
        ("127.0.0.1", "127.0.0.1:9001"),
        ("[::1]", "[::1]:9001"),
        ("[::1]:9001", "[0:0:0:0:0:0:0:1]:9001"),
        ("[::ffff:1.2.3.4]", "[::FFFF:102:304]"),
        ("my_host", "my_host"),
        ("xn--bcher-kva.example", "XN--bcher-kva.example"),
    ] {
        let hosts = Hosts::new(["other.example", name]).unwrap();
        assert_eq!(hosts.check(&[("Host", host)]), Ok(()), "{name} {host}");
    }
}

#[test]
fn any_other_host_gets_421() {
    let hosts =
        Hosts::new(["example.com", "127.0.0.1", "[::1]", "chat.example.com:443", "api.example.com:8080"]).unwrap();
    for host in [
        "evil.example",
        "evil.example:9001",
        "example.com.evil.example",
        "evilexample.com",
        "sub.example.com",
        "example.co",
        "example.comm",
        "example",
        ".example.com",
        "example..com",
        "example.com..",
        "example.com%00",
        "example%2ecom",
        "example.com,evil.example",
        "evil.example,example.com",
        "example.com:",
        "example.com:0",
        "example.com:080",
        "example.com:65616",
        "example.com:80:80",
        "user@example.com",
        "example.com@evil.example",
        "http://example.com",
        "//example.com",
        "example.com/",
        " example.com",
        "example.com ",
        "ex\u{e4}mple.com",
        "\u{435}xample.com",
        "chat.example.com:80",
        "chat.example.com:8443",
        "api.example.com",
        "api.example.com:443",
        "api.example.com:808",
        "127.1",
        "127.0.0.2",
        "127.0.0.01",
        "0x7f.0.0.1",
        "2130706433",
        "0.0.0.0",
        "localhost",
        "::1",
        "[::1",
        "[::]",
        "[::1]x",
        "[::1%25eth0]",
        "[::ffff:127.0.0.1]",
        "[127.0.0.1]",
        "*",
        "null",
        "",
        ".",
        ":9001",
    ] {
        assert_eq!(hosts.check(&[("Host", host)]), Err(Rejection::Misdirected), "{host:?}");
    }
    assert_eq!(hosts.check(&[("Host", b"example.com\xff")]), Err(Rejection::Misdirected));
    assert_eq!(Rejection::Misdirected.status(), 421);
}

/// Two lines or none are not a matter of names.
#[test]
fn a_host_that_is_not_there_once_gets_400() {
    let hosts = Hosts::new(["a"]).unwrap();
    assert_eq!(hosts.check(&[("Origin", "http://a")]), Err(Rejection::Host));
    assert_eq!(hosts.check(&[("Host", "a"), ("Host", "a")]), Err(Rejection::Host));
}

#[test]
fn a_list_without_names_refuses_everyone() {
    let hosts = Hosts::new([""; 0]).unwrap();
    assert_eq!(hosts.check(&[("Host", "localhost")]), Err(Rejection::Misdirected));
}

#[test]
fn what_no_request_can_name_is_no_name_of_a_server() {
    for name in
        ["", ".", "a b", "http://a", "a/", "*", "*.example.com", "a:0", "a:", "::1", "[::1", "127.1", "a..", "\u{e4}"]
    {
        assert_eq!(Hosts::new(["example.com", name]), Err(Invalid::Host), "{name:?}");
    }
}

/// A name of somebody else that leads to this address: its pages have its Origin, and the browser sends it as the Host.
#[test]
fn a_rebound_name_passes_for_the_same_origin_and_not_for_a_host() {
    let rebound = [("Host", "evil.example:9001"), ("Origin", "http://evil.example:9001")];
    assert_eq!(OriginPolicy::SameOrigin.check(&rebound), Ok(()));
    let hosts = Hosts::new(["localhost", "127.0.0.1", "[::1]"]).unwrap();
    assert_eq!(hosts.check(&rebound), Err(Rejection::Misdirected));
}

/// A request for a page, and a handshake in it.
#[test]
fn a_head_is_checked_with_an_upgrade_in_it_and_without() {
    let mut reader = HeadReader::request(Limits::default());
    reader
        .push(
            b"GET / HTTP/1.1\r\nHost: evil.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
              Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
        )
        .unwrap();
    let head = RequestHead::parse(reader).unwrap();
    let (upgrade, hosts) = (head.upgrade().unwrap(), Hosts::new(["localhost"]).unwrap());
    assert_eq!(hosts.check(&head), Err(Rejection::Misdirected));
    assert_eq!(upgrade.check_host(&hosts), Err(Rejection::Misdirected));
    assert_eq!(upgrade.check_host(&Hosts::new(["evil.example"]).unwrap()), Ok(()));
}
