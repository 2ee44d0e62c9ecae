//! Sec-WebSocket-Extensions, read and written (RFC 6455, section 9.1).

use core::iter::FusedIterator;
use std::borrow::Cow;

use crate::invalid::Invalid;
use crate::list::{Malformed, ends_element, is_token, skip_to_element};
use crate::scanner::{Scanner, is_tchar};

/// Iterates over the extensions named in Sec-WebSocket-Extensions lines, in order, in linear time.
///
/// The first element outside of the grammar ends the iteration with [`Malformed`].
///
/// ```
/// use ws_http::Extensions;
///
/// let lines = [&b"permessage-deflate; client_max_window_bits; server_max_window_bits=\"10\", x-other"[..]];
/// let offers: Vec<_> = Extensions::parse(lines.into_iter()).collect::<Result<_, _>>()?;
/// assert_eq!(offers[0].name(), "permessage-deflate");
/// let params: Vec<_> = offers[0].params().collect();
/// assert_eq!(params[0], ("client_max_window_bits", None));
/// assert_eq!(params[1], ("server_max_window_bits", Some("10".into())));
/// assert_eq!(offers[1].name(), "x-other");
/// # Ok::<(), ws_http::Malformed>(())
/// ```
#[derive(Debug, Clone)]
pub struct Extensions<'a, I> {
    lines: I,
    line: Scanner<'a>,
    failed: bool,
}

impl<'a, I: Iterator<Item = &'a [u8]>> Extensions<'a, I> {
    /// Reads the values of all Sec-WebSocket-Extensions lines as one list.
    // "Note that like other HTTP header fields, this header field MAY be split or combined across multiple lines."
    // -- RFC 6455, section 9.1
    pub fn parse(lines: I) -> Self {
        Self { lines, line: Scanner::new(b""), failed: false }
    }

    fn element(&mut self) -> Result<Extension<'a>, Malformed> {
        let name = self.line.token().ok_or(Malformed)?;
        let params = self.line.rest();
        while param(&mut self.line)?.is_some() {}
        let len = params.len().saturating_sub(self.line.rest().len());
        if !ends_element(&mut self.line) {
            return Err(Malformed);
        }
        Ok(Extension { name, params: params.get(..len).unwrap_or_default() })
    }
}

impl<'a, I: Iterator<Item = &'a [u8]>> Iterator for Extensions<'a, I> {
    type Item = Result<Extension<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        while !skip_to_element(&mut self.line) {
            self.line = Scanner::new(self.lines.next()?);
        }
        let element = self.element();
        self.failed = element.is_err();
        Some(element)
    }
}

/// One extension with its parameters: a client's offer or a server's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extension<'a> {
    name: &'a str,
    params: &'a [u8],
}

impl<'a> Extension<'a> {
    /// Returns the extension's name, a token. Names compare with regard to case.
    #[must_use]
    pub const fn name(&self) -> &'a str {
        self.name
    }

    /// Iterates over the parameters in order: a name and, if it has one, its value with quotes and escapes undone.
    #[must_use]
    pub fn params(&self) -> Params<'a> {
        Params { scanner: Scanner::new(self.params) }
    }
}

/// The parameters of one extension; see [`Extension::params`].
#[derive(Debug, Clone)]
pub struct Params<'a> {
    scanner: Scanner<'a>,
}

impl<'a> Iterator for Params<'a> {
    type Item = (&'a str, Option<Cow<'a, str>>);

    fn next(&mut self) -> Option<Self::Item> {
        // The extension was parsed before it was handed out: nothing malformed is left.
        let (name, value) = param(&mut self.scanner).ok().flatten()?;
        Some((name, value.map(unescape)))
    }
}

impl FusedIterator for Params<'_> {}

/// Extensions to write into a Sec-WebSocket-Extensions line.
///
/// ```
/// let mut list = ws_http::ExtensionList::default();
/// list.push("permessage-deflate", [("client_max_window_bits", None), ("server_max_window_bits", Some("10"))])?;
/// assert_eq!(list.as_str(), "permessage-deflate; client_max_window_bits; server_max_window_bits=10");
/// # Ok::<(), ws_http::Invalid>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExtensionList {
    line: String,
}

impl ExtensionList {
    /// Appends an extension with its parameters.
    ///
    /// # Errors
    ///
    /// [`Invalid::Extension`] if a name or value is not a token; the list is then as before.
    pub fn push<'p>(
        &mut self,
        name: &str,
        params: impl IntoIterator<Item = (&'p str, Option<&'p str>)>,
    ) -> Result<(), Invalid> {
        let before = self.line.len();
        let pushed = self.write(name, params);
        if pushed.is_err() {
            self.line.truncate(before);
        }
        pushed
    }

    /// Returns the header value.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.line
    }

    /// Reports whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.line.is_empty()
    }

    /// Iterates over the extensions in the list.
    pub fn iter(&self) -> impl Iterator<Item = Extension<'_>> {
        Extensions::parse(core::iter::once(self.line.as_bytes())).flatten()
    }

    fn write<'p>(
        &mut self,
        name: &str,
        params: impl IntoIterator<Item = (&'p str, Option<&'p str>)>,
    ) -> Result<(), Invalid> {
        if !self.line.is_empty() {
            self.line.push_str(", ");
        }
        self.token(name)?;
        for (name, value) in params {
            self.line.push_str("; ");
            self.token(name)?;
            if let Some(value) = value {
                self.line.push('=');
                self.token(value)?;
            }
        }
        Ok(())
    }

    fn token(&mut self, token: &str) -> Result<(), Invalid> {
        if !is_token(token.as_bytes()) {
            return Err(Invalid::Extension);
        }
        self.line.push_str(token);
        Ok(())
    }
}

/// A parameter's value as it stands on the wire.
enum Raw<'a> {
    Token(&'a str),
    /// What stands between the quotes.
    Quoted(&'a str),
}

/// Passes `; name` or `; name=value`, if one follows.
fn param<'a>(scanner: &mut Scanner<'a>) -> Result<Option<(&'a str, Option<Raw<'a>>)>, Malformed> {
    scanner.skip_whitespace();
    if !scanner.eat(b';') {
        return Ok(None);
    }
    // Whitespace may stand around each of these: RFC 6455 section 4.3 takes the ABNF of RFC 2616 with its implied
    // linear whitespace.
    scanner.skip_whitespace();
    let name = scanner.token().ok_or(Malformed)?;
    scanner.skip_whitespace();
    if !scanner.eat(b'=') {
        return Ok(Some((name, None)));
    }
    scanner.skip_whitespace();
    let value = if scanner.eat(b'"') { quoted(scanner)? } else { Raw::Token(scanner.token().ok_or(Malformed)?) };
    Ok(Some((name, Some(value))))
}

/// Passes the rest of a quoted string.
// "When using the quoted-string syntax variant, the value after quoted-string unescaping MUST conform to the
// 'token' ABNF." -- RFC 6455, section 9.1
fn quoted<'a>(scanner: &mut Scanner<'a>) -> Result<Raw<'a>, Malformed> {
    let start = scanner.rest();
    let mut len = 0usize;
    loop {
        let (byte, passed) = match scanner.byte().ok_or(Malformed)? {
            b'"' => break,
            b'\\' => (scanner.byte().ok_or(Malformed)?, 2),
            byte => (byte, 1),
        };
        if !is_tchar(byte) {
            return Err(Malformed);
        }
        len = len.saturating_add(passed);
    }
    let inner = start.get(..len).and_then(|inner| core::str::from_utf8(inner).ok());
    inner.filter(|inner| !inner.is_empty()).map(Raw::Quoted).ok_or(Malformed)
}

fn unescape(raw: Raw<'_>) -> Cow<'_, str> {
    match raw {
        // No token character is a backslash, so each one here escapes the next.
        Raw::Quoted(inner) if inner.contains('\\') => Cow::Owned(inner.replace('\\', "")),
        Raw::Token(value) | Raw::Quoted(value) => Cow::Borrowed(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scanner::steps;

    #[test]
    fn section_9_1_offers_take_time_linear_in_their_length() {
        for pattern in ["a;b=c,", "a,", ";b", "\"", ";b=\"c", "a;b=\"\\c\",", "a ; b = \"c\" ,", "a;;"] {
            let work = |times: usize| {
                let line = format!("x{}", pattern.repeat(times));
                steps::of(|| {
                    for extension in Extensions::parse(core::iter::once(line.as_bytes())).map_while(Result::ok) {
                        assert!(extension.params().count() <= line.len());
                    }
                })
            };
            assert!(work(2000) <= 2 * work(1000) + 8, "{pattern:?}");
            assert!(work(1000) <= 3 * (pattern.len() * 1000 + 1), "{pattern:?}");
        }
    }
}
