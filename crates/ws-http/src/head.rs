//! A parsed head, of a request or a response.

use core::fmt;
use core::ops::Range;

use crate::authority::Authority;
use crate::cookies::cookies;
use crate::fields::{Fields, Single, single};
use crate::names;
use crate::reader::{HeadError, HeadReader};

/// An HTTP version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Version {
    /// The digit before the dot.
    pub major: u8,
    /// The digit after the dot.
    pub minor: u8,
}

impl Version {
    /// HTTP/1.1, in which alone an RFC 6455 handshake is spoken.
    pub const HTTP_11: Self = Self { major: 1, minor: 1 };
}

/// The head of an HTTP/1.1 request.
#[derive(Clone)]
pub struct RequestHead {
    table: Table,
    method: Range<usize>,
    target: Range<usize>,
    path: Range<usize>,
    query: Option<Range<usize>>,
}

impl RequestHead {
    /// Parses what the reader has collected.
    ///
    /// # Errors
    ///
    /// [`HeadError::Version`] for another version than HTTP/1.1; [`HeadError::Malformed`] for everything else that is
    /// no request: a reader that is not at the end of the head, a request-target that is neither a path nor an http or
    /// https URI (RFC 9112, sections 3.2.1 and 3.2.2), and a URI of another host than the Host field names; what the
    /// reader had refused.
    pub fn parse(reader: HeadReader) -> Result<Self, HeadError> {
        let (bytes, count) = reader.complete()?;
        let mut slots = vec![httparse::EMPTY_HEADER; count];
        let mut request = httparse::Request::new(&mut slots);
        match request.parse(&bytes) {
            Ok(httparse::Status::Complete(_)) => {}
            Err(httparse::Error::Version) => return Err(version_error(&bytes)),
            _ => return Err(HeadError::Malformed),
        }
        if request.version != Some(1) {
            return Err(HeadError::Version);
        }
        let (Some(method), Some(target)) = (request.method, request.path) else { return Err(HeadError::Malformed) };
        let Target { authority, path, query } = Target::parse(target).ok_or(HeadError::Malformed)?;
        if let Some(authority) = authority {
            // "If the target URI includes an authority component, then a client MUST send a field value for Host that
            // is identical to that authority component" -- RFC 9112, section 3.2
            let fields = Borrowed(request.headers);
            let Single::Once(host) = single(&fields, names::HOST) else {
                return Err(HeadError::Malformed);
            };
            if !host.eq_ignore_ascii_case(authority.as_bytes()) {
                return Err(HeadError::Malformed);
            }
        }
        let span = |part: &str| span(&bytes, part.as_bytes());
        let (method, target, path, query) = (span(method), span(target), span(path), query.map(span));
        let fields = Table::index(&bytes, request.headers);
        Ok(Self { table: Table { bytes, fields }, method, target, path, query })
    }

    /// Returns the method.
    #[must_use]
    pub fn method(&self) -> &str {
        self.table.text(&self.method)
    }

    /// Returns the request-target as it stands on the request line.
    #[must_use]
    pub fn target(&self) -> &str {
        self.table.text(&self.target)
    }

    /// Returns the path of the target, percent-encoded as sent. It begins with a slash.
    #[must_use]
    pub fn path(&self) -> &str {
        match self.table.text(&self.path) {
            "" => "/",
            path => path,
        }
    }

    /// Returns the query of the target without its question mark, percent-encoded as sent.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        self.query.as_ref().map(|query| self.table.text(query))
    }

    /// Returns the first value of this header.
    #[must_use]
    pub fn header<'a>(&'a self, name: &'a str) -> Option<&'a [u8]> {
        self.all(name).next()
    }

    /// Iterates over names and values of all field lines, in order.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.table.iter()
    }

    /// Iterates over the cookies, as names and values.
    pub fn cookies(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        cookies(&self.table)
    }
}

impl Fields for RequestHead {
    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.table.all(name)
    }
}

impl fmt::Debug for RequestHead {
    /// Writes the method and the names of the fields; their values may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestHead").field("method", &self.method()).field("fields", &self.table).finish()
    }
}

/// The head of an HTTP/1.1 response.
#[derive(Clone)]
pub struct ResponseHead {
    table: Table,
    status: u16,
}

impl ResponseHead {
    /// Parses what the reader has collected.
    ///
    /// # Errors
    ///
    /// [`HeadError::Version`] for another version than HTTP/1.1; [`HeadError::Malformed`] for everything else that is
    /// no response, and for a reader that is not at the end of the head; what the reader had refused.
    pub fn parse(reader: HeadReader) -> Result<Self, HeadError> {
        let (bytes, count) = reader.complete()?;
        let mut slots = vec![httparse::EMPTY_HEADER; count];
        let mut response = httparse::Response::new(&mut slots);
        match response.parse(&bytes) {
            Ok(httparse::Status::Complete(_)) => {}
            Err(httparse::Error::Version) => return Err(HeadError::Version),
            _ => return Err(HeadError::Malformed),
        }
        if response.version != Some(1) {
            return Err(HeadError::Version);
        }
        let status = response.code.filter(|code| *code >= 100).ok_or(HeadError::Malformed)?;
        let fields = Table::index(&bytes, response.headers);
        Ok(Self { table: Table { bytes, fields }, status })
    }

    /// Returns the status code.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// Reports whether another response will follow: the status is 1xx, but not 101.
    // "A client MUST be able to parse one or more 1xx responses received prior to a final response, even if the client
    // does not expect one." -- RFC 9110, section 15.2
    #[must_use]
    pub const fn is_interim(&self) -> bool {
        matches!(self.status, 100 | 102..=199)
    }

    /// Returns the first value of this header.
    #[must_use]
    pub fn header<'a>(&'a self, name: &'a str) -> Option<&'a [u8]> {
        self.all(name).next()
    }

    /// Iterates over names and values of all field lines, in order.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.table.iter()
    }
}

impl Fields for ResponseHead {
    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.table.all(name)
    }
}

impl fmt::Debug for ResponseHead {
    /// Writes the status and the names of the fields; their values may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseHead").field("status", &self.status).field("fields", &self.table).finish()
    }
}

/// The parts of a request-target.
struct Target<'a> {
    authority: Option<&'a str>,
    path: &'a str,
    query: Option<&'a str>,
}

impl<'a> Target<'a> {
    // The request-target "MUST match the /resource name/ defined in Section 3 (a relative URI) or be an absolute
    // http/https URI that, when parsed, has a /resource name/, /host/, and /port/ that match the corresponding ws/wss
    // URI." -- RFC 6455, section 4.1
    fn parse(target: &'a str) -> Option<Self> {
        if !is_target_text(target) {
            return None;
        }
        let (authority, rest) = if target.starts_with('/') {
            (None, target)
        } else {
            let (scheme, rest) = target.split_once("://")?;
            if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
                return None;
            }
            let (authority, rest) = rest.split_at_checked(rest.find(['/', '?']).unwrap_or(rest.len()))?;
            Authority::parse(authority)?;
            (Some(authority), rest)
        };
        Some(match rest.split_once('?') {
            Some((path, query)) => Self { authority, path, query: Some(query) },
            None => Self { authority, path: rest, query: None },
        })
    }
}

/// Reports whether the text can stand in a request-target: visible ASCII without the mark of a fragment.
pub(crate) fn is_target_text(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#')
}

/// Tells a request in a version of HTTP that is not ours from a line that is no request line.
fn version_error(bytes: &[u8]) -> HeadError {
    let line = bytes.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let mut words = line.split(|byte| *byte == b' ').skip(1);
    match (words.next(), words.next(), words.next()) {
        (Some([_, ..]), Some([b'H', b'T', b'T', b'P', b'/', major, b'.', minor]), None)
            if major.is_ascii_digit() && minor.is_ascii_digit() =>
        {
            HeadError::Version
        }
        _ => HeadError::Malformed,
    }
}

/// The field lines as parsed, before they have a table of their own.
struct Borrowed<'h, 'b>(&'h [httparse::Header<'b>]);

impl Fields for Borrowed<'_, '_> {
    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.0.iter().filter(move |field| field.name.eq_ignore_ascii_case(name)).map(|field| field.value)
    }
}

/// A head's bytes, and where its names and values lie in them.
#[derive(Clone)]
struct Table {
    bytes: Vec<u8>,
    fields: Vec<(Range<usize>, Range<usize>)>,
}

impl Table {
    fn index(bytes: &[u8], headers: &[httparse::Header<'_>]) -> Vec<(Range<usize>, Range<usize>)> {
        headers.iter().map(|field| (span(bytes, field.name.as_bytes()), span(bytes, field.value))).collect()
    }

    fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.fields.iter().map(|(name, value)| (self.text(name), self.slice(value)))
    }

    fn slice(&self, span: &Range<usize>) -> &[u8] {
        self.bytes.get(span.clone()).unwrap_or_default()
    }

    fn text(&self, span: &Range<usize>) -> &str {
        core::str::from_utf8(self.slice(span)).unwrap_or_default()
    }
}

impl Fields for Table {
    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.fields
            .iter()
            .filter(move |(own, _)| self.slice(own).eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| self.slice(value))
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(|(name, _)| name)).finish()
    }
}

/// Returns where a part lies in the bytes it was cut from.
fn span(whole: &[u8], part: &[u8]) -> Range<usize> {
    let start = part.as_ptr().addr().saturating_sub(whole.as_ptr().addr());
    start..start.saturating_add(part.len())
}
