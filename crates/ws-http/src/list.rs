//! Tokens, and comma-separated lists of them (RFC 9110, sections 5.6.1 and 5.6.2).

use core::fmt;

use crate::scanner::{Scanner, is_tchar};

/// A field value that its grammar does not allow.
///
/// A server answers it with 400, see [`Rejection`](crate::Rejection); a client fails the handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Malformed;

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("malformed header value")
    }
}

impl core::error::Error for Malformed {}

/// Iterates over the tokens of one field line, in linear time.
///
/// A list that stands in several field lines is the lines' tokens one after the other.
///
/// ```
/// let list: Result<Vec<_>, _> = ws_http::tokens(b"keep-alive,, Upgrade").collect();
/// assert_eq!(list, Ok(vec!["keep-alive", "Upgrade"]));
/// ```
#[must_use]
pub fn tokens(line: &[u8]) -> Tokens<'_> {
    Tokens { scanner: Scanner::new(line), failed: false }
}

/// The tokens of one field line; see [`tokens`].
///
/// The first element that is not a token ends the iteration with [`Malformed`].
#[derive(Debug, Clone)]
pub struct Tokens<'a> {
    scanner: Scanner<'a>,
    failed: bool,
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Result<&'a str, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed || !skip_to_element(&mut self.scanner) {
            return None;
        }
        let token = self.scanner.token().filter(|_| ends_element(&mut self.scanner));
        self.failed = token.is_none();
        Some(token.ok_or(Malformed))
    }
}

impl core::iter::FusedIterator for Tokens<'_> {}

/// Reports whether these bytes are a token: one or more of the characters that RFC 9110 section 5.6.2 lists.
#[must_use]
pub fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|byte| is_tchar(*byte))
}

/// Passes empty elements and whitespace; false at the end of the line.
pub(crate) fn skip_to_element(scanner: &mut Scanner<'_>) -> bool {
    // "A recipient MUST parse and ignore a reasonable number of empty list elements" -- RFC 9110, section 5.6.1.2
    // What is reasonable is bounded by the limit of the whole head.
    let _ = scanner.run(|byte| matches!(byte, b',' | b' ' | b'\t'));
    !scanner.is_empty()
}

/// Passes whitespace; true where a comma or the end of the line follows an element.
pub(crate) fn ends_element(scanner: &mut Scanner<'_>) -> bool {
    scanner.skip_whitespace();
    scanner.is_empty() || scanner.eat(b',')
}

/// Reports whether the tokens of these lines name `wanted`, compared without regard to ASCII case.
pub(crate) fn contains<'a>(lines: impl Iterator<Item = &'a [u8]>, wanted: &str) -> Result<bool, Malformed> {
    let mut found = false;
    for token in lines.flat_map(tokens) {
        found |= token?.eq_ignore_ascii_case(wanted);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scanner::steps;

    #[test]
    fn section_5_6_1_empty_elements_are_ignored() {
        let list = |line: &'static [u8]| tokens(line).collect::<Result<Vec<_>, _>>();
        assert_eq!(list(b""), Ok(vec![]));
        assert_eq!(list(b" , ,,\t"), Ok(vec![]));
        assert_eq!(list(b",a , b,, c,"), Ok(vec!["a", "b", "c"]));
    }

    #[test]
    fn section_5_6_2_anything_but_a_token_is_malformed_and_ends_the_list() {
        for line in [&b"a b"[..], b"a;q=1", b"\"a\"", b"a/b", b"\xe9", b"a\x00", b"(a)", b"a=b", b"@"] {
            let mut list = tokens(line).skip_while(Result::is_ok);
            assert_eq!(list.next(), Some(Err(Malformed)), "{line:?}");
            assert_eq!(list.next(), None, "{line:?}");
        }
    }

    #[test]
    fn a_list_takes_time_linear_in_its_length() {
        for pattern in ["a,", ",", "a ,", "\t", "abc"] {
            let work = |times: usize| {
                let line = pattern.repeat(times);
                steps::of(|| drop(tokens(line.as_bytes()).collect::<Vec<_>>()))
            };
            assert!(work(1000) >= pattern.len() * 1000);
            assert!(work(2000) <= 2 * work(1000), "{pattern:?}");
        }
    }
}
