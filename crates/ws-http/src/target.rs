//! The request-target of an HTTP/1.1 request (RFC 9112, section 3.2).

use crate::authority::Authority;

/// The parts of a request-target. Written one after the other, with the question mark before the query, they are it.
pub(crate) struct Target<'a> {
    /// Scheme and authority of an absolute URI; empty where the target begins with the path.
    pub(crate) origin: &'a str,
    /// The authority in `origin`.
    pub(crate) authority: Option<&'a str>,
    pub(crate) path: &'a str,
    pub(crate) query: Option<&'a str>,
}

impl<'a> Target<'a> {
    // The request-target "MUST match the /resource name/ defined in Section 3 (a relative URI) or be an absolute
    // http/https URI that, when parsed, has a /resource name/, /host/, and /port/ that match the corresponding ws/wss
    // URI." -- RFC 6455, section 4.1
    pub(crate) fn parse(target: &'a str) -> Option<Self> {
        if !is_target_text(target) {
            return None;
        }
        let (origin, authority, rest) = if target.starts_with('/') {
            ("", None, target)
        } else {
            let (scheme, rest) = target.split_once("://")?;
            if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
                return None;
            }
            let (authority, rest) = rest.split_at_checked(rest.find(['/', '?']).unwrap_or(rest.len()))?;
            Authority::parse(authority)?;
            (target.strip_suffix(rest)?, Some(authority), rest)
        };
        Some(match rest.split_once('?') {
            Some((path, query)) => Self { origin, authority, path, query: Some(query) },
            None => Self { origin, authority, path: rest, query: None },
        })
    }
}

/// Reports whether the text can stand in a request-target: visible ASCII without the mark of a fragment.
pub(crate) fn is_target_text(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#')
}
