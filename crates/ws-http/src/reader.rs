//! Finds the end of a head, however it is cut into reads, and looks at each byte once.

use core::fmt;

use crate::scanner::{count, is_tchar};

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
/// Each byte is looked at once as it comes, and what cannot become a head is refused at the first byte that shows it: a
/// TLS handshake or other binary input at once, a bare CR, LF or NUL, a folded line or whitespace before a colon when it
/// comes. Memory grows with what was received, up to [`Limits::bytes`].
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
    bytes: Vec<u8>,
    limits: Limits,
    state: State,
    /// Field lines begun.
    fields: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// In the method that a request begins with, so many bytes of it.
    Method(usize),
    /// In the version that a response begins with, so many bytes of it.
    Version(usize),
    /// In the rest of the first line.
    FirstLine,
    /// At the first byte of a line.
    LineStart,
    /// In a field's name.
    Name,
    /// In a field's value.
    Value,
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
        Self { bytes: Vec::new(), limits, state: State::Method(0), fields: 0 }
    }

    /// Reads the head of a response.
    #[must_use]
    pub const fn response(limits: Limits) -> Self {
        Self { bytes: Vec::new(), limits, state: State::Version(0), fields: 0 }
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
        if self.state == State::Complete {
            return Ok(Some(0));
        }
        let room = self.limits.bytes.saturating_sub(self.bytes.len());
        let mut taken = 0usize;
        for byte in input.iter().take(room) {
            self.state = self.next(*byte);
            taken = taken.saturating_add(1);
            if matches!(self.state, State::Complete | State::Failed(_)) {
                break;
            }
        }
        count(taken);
        if taken < input.len() && !matches!(self.state, State::Complete | State::Failed(_)) {
            self.state = State::Failed(HeadError::TooLong);
        }
        match self.state {
            State::Failed(error) => {
                self.bytes = Vec::new();
                Err(error)
            }
            state => {
                self.keep(input.get(..taken).unwrap_or_default());
                Ok((state == State::Complete).then_some(taken))
            }
        }
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

    /// Appends, in room that doubles as a vector's does but ends at the limit.
    fn keep(&mut self, bytes: &[u8]) {
        let len = self.bytes.len().saturating_add(bytes.len());
        if len > self.bytes.capacity() {
            let room = self.bytes.capacity().saturating_mul(2).min(self.limits.bytes).max(len);
            self.bytes.reserve_exact(room.saturating_sub(self.bytes.len()));
        }
        self.bytes.extend_from_slice(bytes);
    }

    fn next(&mut self, byte: u8) -> State {
        const MALFORMED: State = State::Failed(HeadError::Malformed);
        // The longest of the methods that IANA lists, UPDATEREDIRECTREF, has 17 letters.
        const LONGEST_METHOD: usize = 32;
        const VERSION_START: &[u8] = b"HTTP/";
        match (self.state, byte) {
            (State::Failed(error), _) => State::Failed(error),
            (State::Method(at), b' ') if at > 0 => State::FirstLine,
            (State::Method(at), _) if at < LONGEST_METHOD && is_tchar(byte) => State::Method(at.saturating_add(1)),
            (State::Version(at), _) => match VERSION_START.get(at) {
                Some(expected) if *expected == byte => State::Version(at.saturating_add(1)),
                Some(_) => MALFORMED,
                None => self.text(byte, State::FirstLine),
            },
            (State::LineStart, b'\r') => State::HeadEnd,
            (State::LineStart, _) if is_tchar(byte) => self.field(),
            // RFC 9112 section 5.1: no whitespace stands between a field's name and the colon; section 5.2: a line
            // that begins with whitespace is a folded one, which a server answers with 400.
            (State::Name, b':') => State::Value,
            (State::Name, _) if is_tchar(byte) => State::Name,
            (State::FirstLine | State::Value, _) => self.text(byte, self.state),
            (State::LineEnd, b'\n') => State::LineStart,
            (State::HeadEnd, b'\n') => State::Complete,
            _ => MALFORMED,
        }
    }

    fn text(&self, byte: u8, same: State) -> State {
        match byte {
            b'\r' => State::LineEnd,
            b'\t' | b' '..=b'~' | 0x80.. => same,
            _ => State::Failed(HeadError::Malformed),
        }
    }

    fn field(&mut self) -> State {
        if self.fields >= self.limits.fields {
            return State::Failed(HeadError::TooManyFields);
        }
        self.fields = self.fields.saturating_add(1);
        State::Name
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scanner::steps;

    #[test]
    fn one_byte_at_a_time_is_linear_work() {
        let head = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(4000));
        let whole = steps::of(|| {
            assert_eq!(HeadReader::request(Limits::default()).push(head.as_bytes()), Ok(Some(head.len())));
        });
        let bytewise = steps::of(|| {
            let mut reader = HeadReader::request(Limits::default());
            let ends = head.as_bytes().chunks(1).filter(|byte| reader.push(byte).unwrap().is_some()).count();
            assert_eq!(ends, 1);
        });
        assert_eq!((whole, bytewise), (head.len(), head.len()));
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
