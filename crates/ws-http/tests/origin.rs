//! RFC 6454 and RFC 6455, section 10.2: who may connect from a browser.

use ws_http::{Origin, OriginPolicy, Rejection};

fn check(policy: &OriginPolicy, host: &str, origin: &str) -> Result<(), Rejection> {
    policy.check(&[("Host", host), ("Origin", origin)])
}

#[test]
fn same_origin_is_the_default_and_compares_host_and_port() {
    let policy = OriginPolicy::default();
    for (host, origin) in [
        ("example.com", "http://example.com"),
        ("example.com", "https://example.com"),
        ("EXAMPLE.com", "hTTps://example.COM"),
        ("example.com:80", "http://example.com"),
        ("example.com", "http://example.com:80"),
        ("example.com:443", "https://example.com"),
        ("example.com:8080", "http://example.com:8080"),
        ("127.0.0.1:9001", "http://127.0.0.1:9001"),
        ("[::1]:9001", "http://[0:0:0:0:0:0:0:1]:9001"),
        ("[::FFFF:1.2.3.4]", "https://[::ffff:102:304]"),
        ("my_host", "http://my_host"),
        ("xn--bcher-kva.example", "https://xn--bcher-kva.example"),
    ] {
        assert_eq!(check(&policy, host, origin), Ok(()), "{host} {origin}");
    }
    assert_eq!(policy.check(&[("Host", "example.com")]), Ok(()), "no Origin: not a browser");
}

#[test]
fn hostile_origins_get_403() {
    let policy = OriginPolicy::default();
    for origin in [
        "null",
        "",
        "*",
        "http://evil.example",
        "http://example.com.evil.example",
        "http://evilexample.com",
        "http://sub.example.com",
        "http://example.co",
        "http://example.comm",
        "http://example.com.",
        "http://.example.com",
        "http://example..com",
        "http://example.com:81",
        "https://example.com:80",
        "http://example.com:443",
        "http://example.com:0",
        "http://example.com:-1",
        "http://example.com:+80",
        "http://example.com:080",
        "http://example.com:65616",
        "http://example.com:999999",
        "http://example.com:",
        "http://example.com:80:80",
        "http://example.com:http",
        "http://example.com:8 0",
        "http://example.com/",
        "http://example.com/path",
        "http://example.com?query",
        "http://example.com#fragment",
        "http://user@example.com",
        "http://example.com@evil.example",
        "http://evil.example@example.com",
        "http://example.com:80@evil.example",
        "http://example.com\\@evil.example",
        "http://example.com%2eevil.example",
        "http://example%2ecom",
        "http://example.com%00.evil.example",
        "http://evil.example http://example.com",
        "http://example.com http://example.com",
        "http://evil.example, http://example.com",
        "http://evil.example,http://example.com",
        " http://example.com",
        "http://example.com ",
        "http:/example.com",
        "http:example.com",
        "//example.com",
        "example.com",
        "http://",
        "://example.com",
        "ws://example.com",
        "wss://example.com",
        "ftp://example.com",
        "file://example.com",
        "javascript://example.com",
        "chrome-extension://example.com",
        "1http://example.com",
        "ht tp://example.com",
        "http\t://example.com",
        "http://ex\u{e4}mple.com",
        "http://\u{435}xample.com",
        "http://example.com\u{200b}",
        "http://[example.com]",
        "http://[::1",
        "http://::1",
        "http://[::1]",
        "http://[::1%25eth0]",
        "http://[fe80::1%eth0]:80",
        "http://[::1]x",
        "http://[]",
        "http://127.1",
        "http://0x7f.0.0.1",
        "http://2130706433",
        "http://256.1.1.1",
        "http://1.2.3.04",
    ] {
        assert_eq!(check(&policy, "example.com", origin), Err(Rejection::Origin), "{origin:?}");
        assert_eq!(Rejection::Origin.status(), 403);
    }
    assert_eq!(
        policy.check(&[("Host", &b"example.com"[..]), ("Origin", b"http://example.com\xff")]),
        Err(Rejection::Origin)
    );
}

#[test]
fn a_host_is_no_longer_than_dns_carries() {
    let host = ["a".repeat(63), "b".repeat(63), "c".repeat(63), "d".repeat(61)].join(".");
    assert!(format!("http://{host}").parse::<Origin>().is_ok());
    assert!(format!("http://{host}d").parse::<Origin>().is_err());
}

#[test]
fn same_origin_over_https_refuses_the_same_page_over_http() {
    let policy = OriginPolicy::SameOriginHttps;
    for (host, origin, verdict) in [
        ("example.com", "https://example.com", Ok(())),
        ("example.com", "HTTPS://EXAMPLE.com:443", Ok(())),
        ("example.com:443", "https://example.com", Ok(())),
        ("example.com:8443", "https://example.com:8443", Ok(())),
        ("example.com", "http://example.com", Err(Rejection::Origin)),
        ("example.com:443", "http://example.com:443", Err(Rejection::Origin)),
        ("example.com:80", "http://example.com", Err(Rejection::Origin)),
        ("example.com:80", "https://example.com", Err(Rejection::Origin)),
        ("example.com", "https://example.com:8443", Err(Rejection::Origin)),
        ("example.com", "https://evil.example", Err(Rejection::Origin)),
        ("example.com", "wss://example.com", Err(Rejection::Origin)),
        ("example.com", "null", Err(Rejection::Origin)),
    ] {
        assert_eq!(check(&policy, host, origin), verdict, "{host} {origin}");
    }
    assert_eq!(policy.check(&[("Host", "example.com")]), Ok(()), "no Origin: not a browser");
    assert_eq!(policy.check(&[("Origin", "https://a")]), Err(Rejection::Host));
}

#[test]
fn loopback_in_other_spellings_is_no_way_in() {
    for (host, origin) in [
        ("127.0.0.1", "http://127.1"),
        ("127.0.0.1", "http://2130706433"),
        ("127.0.0.1", "http://0x7f000001"),
        ("127.0.0.1", "http://[::ffff:127.0.0.1]"),
        ("127.0.0.1", "http://localhost"),
        ("localhost.", "http://localhost."),
        ("localhost.", "http://localhost"),
        ("127.1", "http://127.1"),
        ("user@localhost", "http://localhost"),
        ("", "http://localhost"),
    ] {
        assert_eq!(check(&OriginPolicy::SameOrigin, host, origin), Err(Rejection::Origin), "{host} {origin}");
    }
}

#[test]
fn two_origin_lines_get_400_under_every_policy() {
    let fields = [("Host", "a"), ("Origin", "http://a"), ("origin", "http://a")];
    let list = OriginPolicy::Only(vec!["http://a".parse().unwrap()]);
    for policy in [
        OriginPolicy::SameOrigin,
        OriginPolicy::SameOriginHttps,
        OriginPolicy::Any,
        list,
        OriginPolicy::predicate(|_| true),
    ] {
        assert_eq!(policy.check(&fields), Err(Rejection::OriginRepeated), "{policy:?}");
    }
    assert_eq!(Rejection::OriginRepeated.status(), 400);
}

#[test]
fn same_origin_needs_one_host() {
    let origin = ("Origin", "http://a");
    assert_eq!(OriginPolicy::SameOrigin.check(&[origin]), Err(Rejection::Host));
    assert_eq!(OriginPolicy::SameOrigin.check(&[origin, ("Host", "a"), ("Host", "a")]), Err(Rejection::Host));
}

#[test]
fn a_list_compares_triples_and_lets_in_who_has_no_origin() {
    let policy = OriginPolicy::Only(vec!["https://Example.com:443".parse().unwrap(), "app://local".parse().unwrap()]);
    assert_eq!(check(&policy, "other", "https://example.com"), Ok(()));
    assert_eq!(check(&policy, "other", "app://LOCAL"), Ok(()));
    assert_eq!(check(&policy, "example.com", "http://example.com"), Err(Rejection::Origin));
    assert_eq!(check(&policy, "example.com", "https://example.com:444"), Err(Rejection::Origin));
    assert_eq!(check(&policy, "other", "null"), Err(Rejection::Origin));
    assert_eq!(policy.check(&[("Host", "other")]), Ok(()));
}

/// P22: the application decides over the parsed origin, and over requests without one.
#[test]
fn a_predicate_decides_over_the_triple_and_over_none() {
    let policy = OriginPolicy::predicate(|origin| origin.is_some_and(|origin| origin.host().ends_with(".example.com")));
    assert_eq!(check(&policy, "x", "https://a.EXAMPLE.com"), Ok(()));
    assert_eq!(check(&policy, "x", "https://example.com"), Err(Rejection::Origin));
    assert_eq!(policy.check(&[("Host", "x")]), Err(Rejection::Origin));
    let all = OriginPolicy::predicate(|_| true);
    for none in ["null", "https://a b", "https://a.example.com https://b.example.com"] {
        assert_eq!(check(&all, "x", none), Err(Rejection::Origin), "{none}: never asked");
    }
}

#[test]
fn any_lets_in_everyone() {
    for origin in ["null", "http://evil.example", "garbage"] {
        assert_eq!(check(&OriginPolicy::Any, "a", origin), Ok(()));
    }
}

#[test]
fn rfc_3986_section_3_1_a_scheme_begins_with_a_letter_and_holds_no_other_signs() {
    for origin in ["a://b", "a+b-c.1://d", "chrome-extension://abcdefgh"] {
        assert_eq!(origin.parse::<Origin>().map(|origin| origin.to_string()), Ok(origin.into()));
    }
    for origin in ["://a", "1a://b", "+a://b", "-a://b", "a_b://c", "a b://c", "\u{fc}://a", "a\u{fc}://b"] {
        origin.parse::<Origin>().unwrap_err();
    }
}

#[test]
fn rfc_6454_section_6_2_serialization_leaves_out_default_ports() {
    for (text, written) in [
        ("HTTP://A:80", "http://a"),
        ("https://a:443", "https://a"),
        ("http://a:443", "http://a:443"),
        ("http://[0::1]:8080", "http://[::1]:8080"),
        ("app://local:80", "app://local:80"),
    ] {
        let origin: Origin = text.parse().unwrap();
        assert_eq!(origin.to_string(), written);
        assert_eq!(written.parse::<Origin>().unwrap(), origin);
    }
}

/// B26: the seed documented lower-casing and did none, took the ports -1, +443 and 999999, split `http://::1` at its
/// first colon, let a list of origins pass if any of them did, and asked `/etc/services` for default ports.
#[test]
fn b26_origins_are_lower_cased_single_and_have_real_ports() {
    let origin: Origin = "HTTPS://EXAMPLE.com".parse().unwrap();
    assert_eq!((origin.scheme(), origin.host(), origin.port()), ("https", "example.com", Some(443)));
    for text in [
        "https://example.com:-1",
        "https://example.com:+443",
        "https://example.com:999999",
        "http://::1",
        "https://evil.com https://example.com",
    ] {
        assert!(text.parse::<Origin>().is_err(), "{text}");
    }
    assert_eq!("imap://example.com".parse::<Origin>().unwrap().port(), None);
}
