//! A parsed head, of a request or a response.

use core::fmt;
use core::ops::Range;

use crate::cookies::cookies;
use crate::fields::{Fields, Single, single};
use crate::names;
use crate::reader::{HeadError, HeadReader};
use crate::table::Table;
use crate::target::Target;

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
            // The parser must end the head where the reader does.
            Ok(httparse::Status::Complete(len)) if len == bytes.len() => {}
            Err(httparse::Error::Version) => return Err(version_error(&bytes)),
            _ => return Err(HeadError::Malformed),
        }
        if request.version != Some(1) {
            return Err(HeadError::Version);
        }
        let (Some(method), Some(target)) = (request.method, request.path) else { return Err(HeadError::Malformed) };
        let parts = Target::parse(target).ok_or(HeadError::Malformed)?;
        let mut table = Table::with_capacity(bytes.len());
        let method = table.push(method.as_bytes());
        let start = table.push(parts.origin.as_bytes()).start;
        let path = table.push(parts.path.as_bytes());
        let query = parts.query.map(|query| {
            table.push(b"?");
            table.push(query.as_bytes())
        });
        let target = start..table.len();
        table.push_fields(request.headers);
        if let Some(authority) = parts.authority {
            // "If the target URI includes an authority component, then a client MUST send a field value for Host that
            // is identical to that authority component" -- RFC 9112, section 3.2
            match single(&table, names::HOST) {
                Single::Once(host) if host.eq_ignore_ascii_case(authority.as_bytes()) => {}
                _ => return Err(HeadError::Malformed),
            }
        }
        Ok(Self { table, method, target, path, query })
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
    pub fn header(&self, name: &str) -> Option<&[u8]> {
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
    fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a [u8]> {
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
            // The parser must end the head where the reader does.
            Ok(httparse::Status::Complete(len)) if len == bytes.len() => {}
            Err(httparse::Error::Version) => return Err(HeadError::Version),
            _ => return Err(HeadError::Malformed),
        }
        if response.version != Some(1) {
            return Err(HeadError::Version);
        }
        let status = response.code.filter(|code| *code >= 100).ok_or(HeadError::Malformed)?;
        let mut table = Table::with_capacity(bytes.len());
        table.push_fields(response.headers);
        Ok(Self { table, status })
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
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.all(name).next()
    }

    /// Iterates over names and values of all field lines, in order.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.table.iter()
    }
}

impl Fields for ResponseHead {
    fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.table.all(name)
    }
}

impl fmt::Debug for ResponseHead {
    /// Writes the status and the names of the fields; their values may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseHead").field("status", &self.status).field("fields", &self.table).finish()
    }
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
