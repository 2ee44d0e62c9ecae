//! The cookies a browser sent along.

use crate::fields::Fields;
use crate::names;

/// Iterates over the cookies of a request as names and values (RFC 6265, section 4.2), in order.
///
/// A server may get cookies in a WebSocket handshake as in any other request (RFC 6455, section 10.5). Values are given
/// as sent, quotes included; a pair without `=` is a cookie with an empty name.
///
/// ```
/// let fields = [("Cookie", "session=31d4d96e407aad42; lang=en-US")];
/// let mut cookies = ws_http::cookies(&fields);
/// assert_eq!(cookies.next(), Some((&b"session"[..], &b"31d4d96e407aad42"[..])));
/// assert_eq!(cookies.next(), Some((&b"lang"[..], &b"en-US"[..])));
/// ```
pub fn cookies<F: Fields + ?Sized>(fields: &F) -> impl Iterator<Item = (&[u8], &[u8])> {
    fields.all(names::COOKIE).flat_map(|line| Cookies { rest: Some(line) })
}

/// The cookies of one Cookie line.
struct Cookies<'a> {
    rest: Option<&'a [u8]>,
}

impl<'a> Iterator for Cookies<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (pair, rest) = cut(self.rest?, b';');
            self.rest = rest;
            if !pair.trim_ascii().is_empty() {
                return Some(match cut(pair, b'=') {
                    (name, Some(value)) => (name.trim_ascii(), value.trim_ascii()),
                    (value, None) => (b"", value.trim_ascii()),
                });
            }
        }
    }
}

/// Cuts at the first of these bytes.
fn cut(text: &[u8], at: u8) -> (&[u8], Option<&[u8]>) {
    let mut parts = text.splitn(2, |byte| *byte == at);
    (parts.next().unwrap_or_default(), parts.next())
}

/// Reports whether a cookie of this name and value can be written (RFC 6265, section 4.1.1).
pub(crate) fn is_cookie(name: &str, value: &str) -> bool {
    let octet = |byte: u8| matches!(byte, 0x21 | 0x23..=0x2b | 0x2d..=0x3a | 0x3c..=0x5b | 0x5d..=0x7e);
    let inner = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
    crate::list::is_token(name.as_bytes()) && inner.bytes().all(octet)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_6265_section_4_2_pairs_come_in_order_over_several_lines() {
        let fields = [("cookie", "a=1; b=\"2\";; c"), ("Host", "x=y"), ("Cookie", " ; =d;e==;")];
        let pairs: Vec<_> =
            cookies(&fields).map(|(name, value)| [name, value].map(|part| part.escape_ascii().to_string())).collect();
        assert_eq!(pairs, [["a", "1"], ["b", "\\\"2\\\""], ["", "c"], ["", "d"], ["e", "="]]);
    }

    #[test]
    fn rfc_6265_section_4_1_1_what_would_end_a_cookie_is_refused() {
        assert!(is_cookie("a", "") && is_cookie("a", "\"b\"") && is_cookie("a", "b=c/d:e"));
        for (name, value) in [
            ("", "b"),
            ("a b", "c"),
            ("a", "b;c"),
            ("a", "b c"),
            ("a", "b,c"),
            ("a", "\"b"),
            ("a", "b\r\n"),
            ("a", "é"),
        ] {
            assert!(!is_cookie(name, value), "{name:?}={value:?}");
        }
    }
}
