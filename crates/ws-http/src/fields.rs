//! "All values of this header", whoever parsed it.

/// The header fields of a parsed request or response.
///
/// Implemented for this crate's heads, for slices of pairs and, with the feature `http`, for the `HeaderMap` of the crate
/// `http`. Any other HTTP server implements it in three lines for its header map:
///
/// ```
/// use ws_http::{Fields, Upgrade, Version};
///
/// struct HeaderMap(std::collections::HashMap<String, Vec<Vec<u8>>>);
///
/// impl Fields for HeaderMap {
///     fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a [u8]> {
///         self.0.get(&name.to_ascii_lowercase()).into_iter().flatten().map(Vec::as_slice)
///     }
/// }
///
/// let mut map = HeaderMap(Default::default());
/// for (name, value) in [
///     ("host", "example.com"),
///     ("connection", "keep-alive, Upgrade"),
///     ("upgrade", "websocket"),
///     ("sec-websocket-version", "13"),
///     ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
/// ] {
///     map.0.entry(name.into()).or_default().push(value.into());
/// }
/// let upgrade = Upgrade::check("GET", Version::HTTP_11, &map)?;
/// assert_eq!(upgrade.accept_key(), Some(*b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
/// # Ok::<(), ws_http::Rejection>(())
/// ```
pub trait Fields {
    /// Returns the values of every field line of this name, in the order received, without outer whitespace.
    ///
    /// Names compare without regard to ASCII case. Lines of one name must not be joined: the handshake refuses some
    /// fields for being repeated.
    /// The values outlive the name.
    fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a [u8]>;
}

impl<F: Fields + ?Sized> Fields for &F {
    fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        (**self).all(name)
    }
}

impl<N: AsRef<[u8]>, V: AsRef<[u8]>> Fields for [(N, V)] {
    fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.iter()
            .filter(move |(own, _)| own.as_ref().eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| value.as_ref())
    }
}

impl<N: AsRef<[u8]>, V: AsRef<[u8]>, const COUNT: usize> Fields for [(N, V); COUNT] {
    fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.as_slice().all(name)
    }
}

impl<N: AsRef<[u8]>, V: AsRef<[u8]>> Fields for Vec<(N, V)> {
    fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.as_slice().all(name)
    }
}

/// How often a field that may stand once stands there.
pub(crate) enum Single<'a> {
    Absent,
    Once(&'a [u8]),
    Repeated,
}

/// Returns the value of a field that must not be repeated.
pub(crate) fn single<'a, F: Fields + ?Sized>(fields: &'a F, name: &str) -> Single<'a> {
    let mut values = fields.all(name);
    match (values.next(), values.next()) {
        (None, _) => Single::Absent,
        (Some(value), None) => Single::Once(value),
        (Some(_), Some(_)) => Single::Repeated,
    }
}

/// Reports whether these fields announce a body: any Transfer-Encoding, any Content-Length but one of `0`.
pub(crate) fn announce_body<F: Fields + ?Sized>(fields: &F) -> bool {
    let length = match single(fields, crate::names::CONTENT_LENGTH) {
        Single::Absent => false,
        Single::Once(value) => value != b"0",
        Single::Repeated => true,
    };
    length || fields.all(crate::names::TRANSFER_ENCODING).next().is_some()
}
