use super::http_request::assert_refusal;
use ws_http::{Origin, OriginPolicy, Rejection, Uri};

/// Origins and URIs: what is accepted has a canonical form that means the same, and a page is let in by the same-origin
/// rule only if its host and port are literally those of Host.
///
/// The input: three lines, the values of Host and Origin and a URI; what is missing is empty.
pub fn origin(input: &[u8]) {
    let mut lines = input.splitn(3, |byte| *byte == b'\n');
    let mut line = || lines.next().unwrap_or_default();
    let (host, origin, uri) = (line(), line(), line());

    let parsed = core::str::from_utf8(origin).ok().and_then(|text| text.parse::<Origin>().ok());
    if let Some(parsed) = &parsed {
        assert_is_canonical(parsed, origin);
    }
    assert_policies(host, origin, parsed);

    if let Some(uri) = core::str::from_utf8(uri).ok().and_then(|text| text.parse::<Uri>().ok()) {
        assert_eq!(uri.to_string().parse(), Ok(uri.clone()));
        assert!(!uri.host().is_empty() && uri.port() > 0 && uri.target().starts_with('/'));
        assert!(uri.target().bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#'));
        assert!(!uri.host().contains(['/', '@', '?', '#', ' ']));
    }
}

fn assert_is_canonical(origin: &Origin, written: &[u8]) {
    let text = origin.to_string();
    assert_eq!(text.parse().as_ref(), Ok(origin));
    assert_eq!(text, text.to_ascii_lowercase());
    let upper = String::from_utf8_lossy(written).to_ascii_uppercase();
    assert_eq!(upper.parse().as_ref(), Ok(origin), "case does not matter");
    assert!(!origin.host().is_empty() && origin.port() != Some(0));
    assert!(!origin.host().ends_with('.'));
    assert!(!origin.host().contains(['/', '@', '?', '#', ' ', ',']));
}

fn assert_policies(host: &[u8], origin: &[u8], parsed: Option<Origin>) {
    let fields = [("Host", host), ("Origin", origin)];
    assert_eq!(OriginPolicy::Any.check(&fields), Ok(()));
    let same = OriginPolicy::SameOrigin.check(&fields);
    if same.is_ok() {
        let parsed = parsed.as_ref().expect("what is let in is an origin");
        assert!(matches!(parsed.scheme(), "http" | "https"));
        assert_eq!(literal(host, parsed.scheme()), literal(origin, parsed.scheme()));
    }
    for other in [OriginPolicy::Only(Vec::new()), OriginPolicy::predicate(|_| false)] {
        assert_eq!(other.check(&fields), Err(Rejection::Origin));
    }
    // A value that is no origin is refused without asking.
    let is_origin = parsed.is_some();
    assert_eq!(OriginPolicy::predicate(|_| true).check(&fields).is_ok(), is_origin);
    assert_eq!(OriginPolicy::Only(parsed.into_iter().collect()).check(&fields).is_ok(), is_origin);

    let none = OriginPolicy::SameOrigin.check(&[("Host", host)]);
    assert_eq!(none, Ok(()), "a request without an Origin may connect");
    for policy in [OriginPolicy::SameOrigin, OriginPolicy::Any] {
        let twice = [fields[0], fields[1], fields[1]];
        assert_eq!(policy.check(&twice), Err(Rejection::OriginRepeated));
    }
    same.map_or_else(assert_refusal, |()| {});
}

/// Host and port as they stand in a Host value or an origin of this scheme, the default port left out. IPv6 addresses, of
/// which one has many forms, are read by `core`.
fn literal(value: &[u8], scheme: &str) -> (String, String) {
    let text = String::from_utf8_lossy(value).to_ascii_lowercase();
    let authority = text.rsplit("//").next().unwrap_or_default();
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port),
        _ => (authority, ""),
    };
    let default = if scheme == "https" { "443" } else { "80" };
    let port = if port.is_empty() { default } else { port };
    let address = host.trim_matches(['[', ']']).parse::<core::net::Ipv6Addr>();
    (address.map_or_else(|_| host.into(), |address| address.to_string()), port.into())
}
