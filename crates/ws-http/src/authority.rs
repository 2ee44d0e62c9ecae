//! `host[:port]`, strictly.

use core::net::{Ipv4Addr, Ipv6Addr};

/// A host, lower-cased, and a port if one is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Authority {
    /// A name, an IPv4 address, or an IPv6 address in its canonical form between brackets.
    pub(crate) host: String,
    pub(crate) port: Option<u16>,
}

impl Authority {
    /// Parses `host` or `host:port`; `None` for anything else, user information included.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (host, port) = split(text)?;
        Self::of(host, port)
    }

    /// Parses as [`parse`](Self::parse) does, and takes a name that ends with the dot of the DNS root for the same name
    /// without it.
    pub(crate) fn parse_rooted(text: &str) -> Option<Self> {
        let (host, port) = split(text)?;
        Self::of(host.strip_suffix('.').unwrap_or(host), port)
    }

    fn of(host: &str, port: Option<&str>) -> Option<Self> {
        let port = match port {
            Some(digits) => Some(parse_port(digits)?),
            None => None,
        };
        Some(Self { host: parse_host(host)?, port })
    }
}

/// Reports whether a Host value is `uri-host [ ":" port ]` (RFC 9110, section 7.2) of a named server.
///
/// Wider than [`Authority::parse`]: whatever RFC 3986 section 3.2.2 allows in a name may stand here, since a mere name
/// of a server does no harm. Empty hosts and ports outside of 1 to 65535 are refused.
pub(crate) fn is_host_value(text: &str) -> bool {
    let Some((host, port)) = split(text) else { return false };
    let name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=".contains(&byte);
    let valid = match host.strip_prefix('[') {
        Some(_) => parse_host(host).is_some(),
        None => !host.is_empty() && host.bytes().all(name),
    };
    valid && port.is_none_or(|port| parse_port(port).is_some())
}

/// Parses a port: digits only, 1 to 65535, no leading zero.
pub(crate) fn parse_port(digits: &str) -> Option<u16> {
    if digits.starts_with('0') || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}

/// Cuts at the colon before the port, which is not one of those between brackets.
fn split(text: &str) -> Option<(&str, Option<&str>)> {
    if text.starts_with('[') {
        let close = text.find(']')?;
        let (host, rest) = text.split_at_checked(close.checked_add(1)?)?;
        return match rest.strip_prefix(':') {
            Some(port) => Some((host, Some(port))),
            None if rest.is_empty() => Some((host, None)),
            None => None,
        };
    }
    match text.split_once(':') {
        Some((host, port)) => Some((host, Some(port))),
        None => Some((text, None)),
    }
}

/// Parses a host into the form that is compared.
fn parse_host(host: &str) -> Option<String> {
    if let Some(literal) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let address: Ipv6Addr = literal.parse().ok()?;
        return Some(format!("[{address}]"));
    }
    let label = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    // 253 characters are the longest name that DNS can carry.
    if host.len() > 253 || !host.split('.').all(label) {
        return None;
    }
    // A name whose last label is a number is an IPv4 address to a browser, which writes it in dotted decimals.
    if host.rsplit('.').next().is_some_and(is_number) && host.parse::<Ipv4Addr>().is_err() {
        return None;
    }
    Some(host.to_ascii_lowercase())
}

fn is_number(label: &str) -> bool {
    match label.strip_prefix("0x").or_else(|| label.strip_prefix("0X")) {
        Some(digits) => digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
        None => label.bytes().all(|byte| byte.is_ascii_digit()),
    }
}
