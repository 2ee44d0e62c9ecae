//! Pages of somebody else.

use ws_testkit::live::request;

use crate::target::{Target, over_both_drivers};

#[test]
fn by_default_only_the_servers_own_pages_connect() {
    over_both_drivers(&[], |target| {
        let host = target.host();
        let port = target.server.address().port();
        for origin in [format!("http://{host}"), format!("HTTP://{host}")] {
            assert_eq!(status(target, "/", &[&origin]), "101", "{origin}");
        }
        assert_eq!(status(target, "/", &[]), "101", "a program is no page");
        let mut hostile = hostile(&host);
        hostile.extend([format!("http://localhost:{port}"), format!("http://127.1:{port}")]);
        hostile.extend([format!("http://2130706433:{port}"), format!("http://[::ffff:127.0.0.1]:{port}")]);
        hostile.extend(["http://127.0.0.1".into(), format!("ws://{host}")]);
        for origin in &hostile {
            assert_eq!(status(target, "/", &[origin]), "403", "{origin}");
        }
        assert_eq!(status(target, "/", &[&format!("http://{host}"), "http://evil.example"]), "400");
    });
}

#[test]
fn named_origins_are_the_only_ones_then() {
    let flags = ["--origin", "https://example.com", "--origin", "http://example.org:8080"];
    over_both_drivers(&flags, |target| {
        for origin in ["https://example.com", "https://EXAMPLE.com:443", "http://example.org:8080"] {
            assert_eq!(status(target, "/", &[origin]), "101", "{origin}");
        }
        assert_eq!(status(target, "/", &[]), "101", "a program is no page");
        let mut hostile = hostile("example.com");
        hostile.extend([format!("http://{}", target.host()), "https://example.org:8080".into()]);
        hostile.extend(["http://example.com".into(), "http://example.org".into()]);
        for origin in &hostile {
            assert_eq!(status(target, "/", &[origin]), "403", "{origin}");
        }
    });
}

/// A name that somebody has pointed at the server, in the Host as in the Origin: only the server's own names tell.
#[test]
fn a_name_that_is_not_the_servers_leads_nowhere() {
    over_both_drivers(&["--host", "127.0.0.1", "--host", "chat.example.com:443"], |target| {
        let (own, port) = (target.host(), target.server.address().port());
        for host in [own.as_str(), "127.0.0.1", "chat.example.com", "CHAT.example.com:443", "chat.example.com."] {
            assert_eq!(status_at(target, "/", host, &[]), "101", "{host}");
        }
        assert_eq!(status(target, "/", &[&format!("http://{own}")]), "101");
        let strangers = ["evil.example", "chat.example.com.evil.example", "localhost", "[::ffff:127.0.0.1]", "127.1"];
        let strangers = strangers.iter().flat_map(|host| [host.to_string(), format!("{host}:{port}")]);
        for host in strangers.chain(["chat.example.com:80".into(), "127.0.0.1,evil.example".into()]) {
            assert_eq!(status_at(target, "/", &host, &[]), "421", "{host}");
            assert_eq!(status_at(target, "/", &host, &[&format!("http://{host}")]), "421", "{host}");
        }
    });
}

/// Whoever can write into a connection without TLS can write a page of any host, but not of https.
#[test]
fn where_pages_are_https_the_same_page_over_http_is_another() {
    over_both_drivers(&["--origin", "same-https"], |target| {
        let host = target.host();
        assert_eq!(status(target, "/", &[&format!("https://{host}")]), "101");
        assert_eq!(status(target, "/", &[]), "101", "a program is no page");
        for origin in hostile(&host).iter().chain([&format!("http://{host}")]) {
            assert_eq!(status(target, "/", &[origin]), "403", "{origin}");
        }
    });
}

#[test]
fn a_guarded_path_lets_in_its_origin_and_nobody_without_one() {
    over_both_drivers(&["--origin", "any", "--guard", "/private=https://example.com"], |target| {
        assert_eq!(status(target, "/private", &["https://example.com"]), "101");
        assert_eq!(status(target, "/private?token=1", &["https://example.com"]), "101");
        assert_eq!(status(target, "/", &["null"]), "101", "any other path is for everyone");
        for origin in hostile("example.com").iter().chain([&"http://example.com".into()]) {
            assert_eq!(status(target, "/private", &[origin]), "403", "{origin}");
            assert_eq!(status(target, "/private?token=1", &[origin]), "403", "{origin}");
        }
        assert_eq!(status(target, "/private", &[]), "403");
        assert_eq!(status(target, "/private", &["https://example.com", "https://example.com"]), "400");
    });
}

/// Origins that look like this host's, and are not; and those that look like nothing.
fn hostile(host: &str) -> Vec<String> {
    let disguised =
        ["H.evil.example", "evilH", "sub.H", "H.", "H:0", "H:99999", "H:-1", "H/", "H/path", "H?query", "H#top"];
    let disguised =
        disguised.iter().chain(&["user@H", "H@evil.example", "H\\@evil.example", "H%00", "H,http://H", "H H"]);
    let schemes = ["http://", "https://"].iter();
    let hosts =
        schemes.flat_map(|scheme| disguised.clone().map(move |form| format!("{scheme}{}", form.replace('H', host))));
    let others = ["null", "", "*", "http://", "://H", "//H", "H", "file://", "file://H", "javascript://H"];
    let others =
        others.iter().chain(&["chrome-extension://H", "http://evil.example", "https://evil.example", "http:H"]);
    hosts.chain(others.map(|form| form.replace('H', host))).collect()
}

/// The status of a handshake with these Origin lines.
fn status(target: &Target, path: &str, origins: &[&str]) -> String {
    status_at(target, path, &target.host(), origins)
}

/// The same, for a server of this name.
fn status_at(target: &Target, path: &str, host: &str, origins: &[&str]) -> String {
    let mut peer = target.connect();
    let fields: String = origins.iter().map(|origin| format!("Origin: {origin}\r\n")).collect();
    peer.send(request(path, host, &fields).as_bytes()).unwrap();
    peer.half_close().unwrap();
    peer.head().unwrap()["HTTP/1.1 ".len()..][..3].into()
}
