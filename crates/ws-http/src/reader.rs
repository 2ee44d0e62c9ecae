//! Finds the end of a head, however it is cut into reads, and looks at each byte once.

use core::fmt;

use crate::scanner::{Scanner, count, is_tchar};

/// What a head may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest head in bytes, first and last line included.
    pub bytes: usize,
    /// The most field lines.
    pub fields: usize,
}

impl Default for Limits {
    /// 8 KiB and 100 field lines.
    fn default() -> Self {
        Self { bytes: 8 * 1024, fields: 100 }
    }
}

/// Why bytes are no head that is understood here. A server answers as [`Rejection`](crate::Rejection) says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HeadError {
    /// The grammar of HTTP/1.1 is broken.
    Malformed,
    /// The head is longer than [`Limits::bytes`].
    TooLong,
    /// There are more field lines than [`Limits::fields`].
    TooManyFields,
    /// The HTTP version is another than 1.1.
    Version,
}

impl fmt::Display for HeadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "malformed HTTP head",
            Self::TooLong => "HTTP head too long",
            Self::TooManyFields => "too many header fields",
            Self::Version => "HTTP version is not 1.1",
        })
    }
}

impl core::error::Error for HeadError {}

/// Collects a head from reads of any size.
///
/// The grammar is that of [`httparse`], which gets the whole head in [`RequestHead::parse`](crate::RequestHead::parse)
/// or [`ResponseHead::parse`](crate::ResponseHead::parse). Before that, it gets the first word of each line when the word
/// ends, so that what is no HTTP is refused although no line ends: a TLS handshake or other binary input, a folded line,
/// whitespace before a colon. A control character is refused when it comes, and so is what exceeds the limits.
/// All this takes time linear in the length of the head. Memory grows with what was received, up to [`Limits::bytes`].
///
/// Stricter than RFC 9112 asks for in two places: lines end with CRLF, never LF alone (section 2.2 lets a recipient
/// take both), and no empty line comes first.
///
/// ```
/// use ws_http::{HeadReader, Limits, RequestHead};
///
/// let mut reader = HeadReader::request(Limits::default());
/// assert_eq!(reader.push(b"GET /chat HTTP/1.1\r\nHost: a"), Ok(None));
/// assert_eq!(reader.push(b".example\r\n\r\nleftover"), Ok(Some(12)));
/// let head = RequestHead::parse(reader)?;
/// assert_eq!(head.path(), "/chat");
/// # Ok::<(), ws_http::HeadError>(())
/// ```
#[derive(Debug, Clone)]
pub struct HeadReader {
    kind: Kind,
    limits: Limits,
    bytes: Vec<u8>,
    state: State,
    /// Where the current line begins.
    line: usize,
    /// Field lines begun.
    fields: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Request,
    Response,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// In the first word of a line: a request's method, the `HTTP` of a response, a field's name.
    Word,
    /// In the rest of the line.
    Text,
    /// After the CR that ends a line.
    LineEnd,
    /// After the CR of the empty line.
    HeadEnd,
    Complete,
    Failed(HeadError),
}

impl HeadReader {
    /// Reads the head of a request.
    #[must_use]
    pub const fn request(limits: Limits) -> Self {
        Self::new(Kind::Request, limits)
    }

    /// Reads the head of a response.
    #[must_use]
    pub const fn response(limits: Limits) -> Self {
        Self::new(Kind::Response, limits)
    }

    const fn new(kind: Kind, limits: Limits) -> Self {
        Self { kind, limits, bytes: Vec::new(), state: State::Word, line: 0, fields: 0 }
    }

    /// Takes the bytes of one read.
    ///
    /// Returns `None` while more is needed. At the end of the head it returns how many of these bytes belong to the
    /// head; those after it are the connection's first, and must not be lost. Later calls take nothing.
    ///
    /// # Errors
    ///
    /// [`HeadError::Malformed`], [`HeadError::TooLong`] or [`HeadError::TooManyFields`], the same whatever the cuts, and
    /// again at every later call.
    pub fn push(&mut self, input: &[u8]) -> Result<Option<usize>, HeadError> {
        match self.state {
            State::Complete => return Ok(Some(0)),
            State::Failed(error) => return Err(error),
            _ => {}
        }
        let taken = self.take(input);
        if let Err(error) = taken {
            self.state = State::Failed(error);
            self.bytes = Vec::new();
        }
        taken
    }

    /// Returns how many bytes were taken so far.
    #[must_use]
    pub fn received(&self) -> usize {
        self.bytes.len()
    }

    /// Returns the whole head and the number of its field lines, if it is complete.
    pub(crate) fn complete(self) -> Result<(Vec<u8>, usize), HeadError> {
        match self.state {
            State::Complete => Ok((self.bytes, self.fields)),
            State::Failed(error) => Err(error),
            _ => Err(HeadError::Malformed),
        }
    }

    fn take(&mut self, input: &[u8]) -> Result<Option<usize>, HeadError> {
        let before = self.bytes.len();
        let room = self.limits.bytes.saturating_sub(before);
        let within = input.get(..room).unwrap_or(input);
        self.keep(within);
        let mut scanner = Scanner::new(within);
        loop {
            if self.state == State::Text {
                let _ = scanner.run(is_text);
            }
            let Some(byte) = scanner.byte() else { break };
            let taken = within.len().saturating_sub(scanner.rest().len());
            let end = before.saturating_add(taken);
            self.state = self.next(byte, end)?;
            if self.state == State::Complete {
                self.bytes.truncate(end);
                return Ok(Some(taken));
            }
        }
        if input.len() > room { Err(HeadError::TooLong) } else { Ok(None) }
    }

    /// Appends, in room that doubles as a vector's does but ends at the limit.
    fn keep(&mut self, bytes: &[u8]) {
        let len = self.bytes.len().saturating_add(bytes.len());
        if len > self.bytes.capacity() {
            let room = self.bytes.capacity().saturating_mul(2).min(self.limits.bytes).max(len);
            self.bytes.reserve_exact(room.saturating_sub(self.bytes.len()));
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// Passes a byte, up to whose `end` the head has been looked at.
    fn next(&mut self, byte: u8, end: usize) -> Result<State, HeadError> {
        match (self.state, byte) {
            (State::Word, _) if byte == b'\r' || is_text(byte) => self.word(byte, end),
            (State::Text, b'\r') => Ok(State::LineEnd),
            (State::LineEnd, b'\n') => {
                self.line = end;
                Ok(State::Word)
            }
            (State::HeadEnd, b'\n') => Ok(State::Complete),
            // A control character: RFC 9110 section 5.5 calls CR, LF and NUL dangerous and the others invalid. A CR
            // without LF is one of them (RFC 9112, section 2.2), and here a LF without CR too.
            _ => Err(HeadError::Malformed),
        }
    }

    /// Passes a byte of a line's first word, or the one that ends it.
    fn word(&mut self, byte: u8, end: usize) -> Result<State, HeadError> {
        // The longest of the methods that IANA lists, UPDATEREDIRECTREF, has 17 letters.
        const LONGEST_METHOD: usize = 32;
        let first_line = self.line == 0;
        let len = end.saturating_sub(self.line);
        if byte == b'\r' && len == 1 {
            return if first_line { Err(HeadError::Malformed) } else { Ok(State::HeadEnd) };
        }
        if !is_tchar(byte) {
            return self.check_line(end).map(|()| State::Text);
        }
        match self.kind {
            Kind::Request if first_line && len > LONGEST_METHOD => return Err(HeadError::Malformed),
            // This word is always the same: the first byte that is another shows it.
            Kind::Response if first_line => self.check_line(end)?,
            _ => {}
        }
        if !first_line && len == 1 {
            if self.fields >= self.limits.fields {
                return Err(HeadError::TooManyFields);
            }
            self.fields = self.fields.saturating_add(1);
        }
        Ok(State::Word)
    }

    /// Checks what there is of the current line, up to `end`.
    fn check_line(&self, end: usize) -> Result<(), HeadError> {
        let line = self.bytes.get(self.line..end).unwrap_or_default();
        count(line.len());
        let checked = match self.kind {
            Kind::Request if self.line == 0 => httparse::Request::new(&mut []).parse(line).map(drop),
            Kind::Response if self.line == 0 => httparse::Response::new(&mut []).parse(line).map(drop),
            _ => httparse::parse_headers(line, &mut [httparse::EMPTY_HEADER]).map(drop),
        };
        checked.map_err(|_| HeadError::Malformed)
    }
}

/// Reports whether the byte may stand within a line: no control character but a tab.
const fn is_text(byte: u8) -> bool {
    matches!(byte, b'\t' | b' '..=b'~' | 0x80..)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scanner::steps;

    /// What is looked at includes what the parser is given on the way: no byte more than twice, but for the five that the
    /// version of a response begins with.
    #[test]
    fn one_byte_at_a_time_is_linear_work() {
        const VERSION: usize = 1 + 2 + 3 + 4 + 5;
        let long = "x".repeat(4000);
        let request = || HeadReader::request(Limits::default());
        for (reader, head) in [
            (request(), format!("GET / HTTP/1.1\r\nHost: a\r\nX: {long}\r\n\r\n")),
            (request(), format!("GET / HTTP/1.1\r\n{long}: a\r\n{long}: b\r\n\r\n")),
            (request(), format!("GET / HTTP/1.1\r\n{}\r\n", "x:\r\n".repeat(100))),
            (HeadReader::response(Limits::default()), format!("HTTP/1.1 101 {long}\r\nX: a\r\n\r\n")),
        ] {
            let work = |chunk: usize| {
                let mut reader = reader.clone();
                steps::of(|| {
                    let ends =
                        head.as_bytes().chunks(chunk).filter(|bytes| reader.push(bytes).unwrap().is_some()).count();
                    assert_eq!(ends, 1);
                })
            };
            let whole = work(head.len());
            assert!((head.len()..=2 * head.len() + VERSION).contains(&whole), "{whole} for {}", head.len());
            assert_eq!([work(1), work(2), work(100)], [whole; 3]);
        }
    }

    #[test]
    fn memory_grows_with_what_was_received_and_not_past_the_limit() {
        let mut reader = HeadReader::request(Limits { bytes: 1000, fields: 10 });
        assert_eq!(reader.push(b"GET /"), Ok(None));
        assert!(reader.bytes.capacity() < 100);
        for len in 6..=1000 {
            let before = reader.bytes.capacity();
            assert_eq!(reader.push(b"a"), Ok(None));
            assert!(reader.bytes.capacity() <= 1000.min(2 * len + 8), "{len}");
            assert!(len > before || reader.bytes.capacity() == before, "{len} bytes fit, and it has grown");
        }
        assert_eq!(reader.push(b"a"), Err(HeadError::TooLong));
        assert_eq!(reader.bytes.capacity(), 0);
        assert_eq!(reader.push(b"\r\n"), Err(HeadError::TooLong));

        let mut reader = HeadReader::request(Limits { bytes: 1000, fields: 10 });
        for piece in ["GET /", &"a".repeat(600), &"a".repeat(390)] {
            assert_eq!(reader.push(piece.as_bytes()), Ok(None));
            assert!(reader.bytes.capacity() <= 1000, "in pieces of any length");
        }
    }
}
