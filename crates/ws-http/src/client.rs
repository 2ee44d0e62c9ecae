//! The client's side: the request, and whether the response answers it (RFC 6455, section 4.1).

use core::fmt;
use core::iter::once;
use std::borrow::Cow;

use crate::cookies::is_cookie;
use crate::extensions::{Extension, ExtensionList, Extensions};
use crate::fields::{Fields, Single, announce_body, single};
use crate::invalid::{Invalid, check_own_header};
use crate::key::Key;
use crate::list::{self, is_token};
use crate::names;
use crate::origin::Origin;
use crate::reader::HeadError;
use crate::response::push_field;
use crate::uri::Uri;
use crate::version::Version;

/// A client's handshake: what it asks for, and the check of what it gets.
///
/// ```
/// use ws_http::{Key, Request, Version};
///
/// let request = Request::new(&"ws://server.example.com/chat".parse()?).protocol("chat")?.protocol("superchat")?;
/// let key = Key::from_nonce(*b"the sample nonce"); // Key::generate() draws one
/// let bytes = request.to_bytes(&key);
/// assert!(bytes.starts_with(b"GET /chat HTTP/1.1\r\nHost: server.example.com\r\n"));
///
/// let fields = [
///     ("Upgrade", "websocket"),
///     ("Connection", "Upgrade"),
///     ("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
///     ("Sec-WebSocket-Protocol", "chat"),
/// ];
/// let agreed = request.check(&key, Version::HTTP_11, 101, &fields).unwrap();
/// assert_eq!(agreed.protocol(), Some("chat"));
/// # Ok::<(), ws_http::Invalid>(())
/// ```
#[derive(Debug, Clone)]
pub struct Request {
    target: String,
    authority: String,
    protocols: Vec<String>,
    extensions: ExtensionList,
    cookies: String,
    /// Origin and the application's own headers.
    fields: Vec<(String, String)>,
}

impl Request {
    /// Asks for the resource of this URI.
    #[must_use]
    pub fn new(uri: &Uri) -> Self {
        Self {
            target: uri.target().into(),
            authority: uri.authority(),
            protocols: Vec::new(),
            extensions: ExtensionList::default(),
            cookies: String::new(),
            fields: Vec::new(),
        }
    }

    /// Offers a subprotocol. The first offered is the one preferred most.
    ///
    /// # Errors
    ///
    /// [`Invalid::Protocol`] if it is not a token, or is offered already.
    pub fn protocol(mut self, name: &str) -> Result<Self, Invalid> {
        if !is_token(name.as_bytes()) || self.protocols.iter().any(|own| own == name) {
            return Err(Invalid::Protocol);
        }
        self.protocols.push(name.into());
        Ok(self)
    }

    /// Offers these extensions, in place of those offered before.
    #[must_use]
    pub fn extensions(mut self, offers: ExtensionList) -> Self {
        self.extensions = offers;
        self
    }

    /// Sends this origin, as a browser does for its pages, in place of one given before.
    ///
    /// # Errors
    ///
    /// [`Invalid::Origin`] if the text is not the serialization of one origin.
    pub fn origin(mut self, origin: &str) -> Result<Self, Invalid> {
        let origin: Origin = origin.parse()?;
        self.fields.retain(|(name, _)| name != names::ORIGIN);
        self.fields.push((names::ORIGIN.into(), origin.to_string()));
        Ok(self)
    }

    /// Sends this cookie. Cookies go out in one line, in the order given.
    ///
    /// # Errors
    ///
    /// [`Invalid::Cookie`] if name or value holds a character that would end it.
    pub fn cookie(mut self, name: &str, value: &str) -> Result<Self, Invalid> {
        if !is_cookie(name, value) {
            return Err(Invalid::Cookie);
        }
        let separator = if self.cookies.is_empty() { "" } else { "; " };
        for part in [separator, name, "=", value] {
            self.cookies.push_str(part);
        }
        Ok(self)
    }

    /// Adds a header of the application's own, next to those of the handshake. One name may be added several times.
    ///
    /// # Errors
    ///
    /// [`Invalid::HeaderName`], [`Invalid::HeaderValue`], and [`Invalid::HandshakeHeader`] for a field that the
    /// handshake writes itself: those there are methods for, and those that would change how the request is read.
    pub fn header(mut self, name: &str, value: &str) -> Result<Self, Invalid> {
        check_own_header(name, value)?;
        self.fields.push((name.into(), value.into()));
        Ok(self)
    }

    /// Returns the whole request. The key must be a new one for each connection.
    #[must_use]
    pub fn to_bytes(&self, key: &Key) -> Vec<u8> {
        let mut head = format!("GET {} HTTP/1.1\r\n", self.target);
        for (name, value) in self.fields(key) {
            push_field(&mut head, name, &value);
        }
        head.push_str("\r\n");
        head.into_bytes()
    }

    /// Returns the request-target: path and query.
    #[must_use]
    pub fn target(&self) -> &str {
        &self.target
    }

    /// Iterates over the field lines, for an HTTP client of your own. The method is GET, the version HTTP/1.1.
    pub fn fields<'r>(&'r self, key: &'r Key) -> impl Iterator<Item = (&'r str, Cow<'r, str>)> {
        let always = [
            (names::HOST, self.authority.as_str()),
            (names::UPGRADE, "websocket"),
            (names::CONNECTION, "Upgrade"),
            (names::KEY, key.as_str()),
            (names::VERSION, "13"),
        ];
        let protocols = once((names::PROTOCOL, Cow::Owned(self.protocols.join(", "))));
        let lists = [(names::EXTENSIONS, self.extensions.as_str()), (names::COOKIE, &self.cookies)];
        let own = self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let always = always.into_iter().map(borrowed);
        // A list without elements has no line.
        let lists = protocols.chain(lists.into_iter().map(borrowed)).filter(|(_, list)| !list.is_empty());
        always.chain(lists).chain(own.map(borrowed))
    }

    /// Checks the response that came for this key.
    ///
    /// # Errors
    ///
    /// A [`Refused`]: in the order of its variants from [`Refused::Version`] on. The client then ends the connection.
    pub fn check<'r, F: Fields + ?Sized>(
        &self,
        key: &Key,
        version: Version,
        status: u16,
        fields: &'r F,
    ) -> Result<Agreed<'r, F>, Refused> {
        if version != Version::HTTP_11 {
            return Err(Refused::Version);
        }
        if status != 101 {
            return Err(Refused::Status(status));
        }
        match single(fields, names::ACCEPT) {
            Single::Once(accept) if accept == key.accept_key() => {}
            _ => return Err(Refused::Accept),
        }
        // "If the response lacks an |Upgrade| header field or the |Upgrade| header field contains a value that is not
        // an ASCII case-insensitive match for the value "websocket", the client MUST _Fail the WebSocket Connection_."
        // -- RFC 6455, section 4.1
        match single(fields, names::UPGRADE) {
            Single::Once(upgrade) if upgrade.eq_ignore_ascii_case(b"websocket") => {}
            _ => return Err(Refused::Upgrade),
        }
        if list::contains(fields.all(names::CONNECTION), "upgrade") != Ok(true) {
            return Err(Refused::Connection);
        }
        if announce_body(fields) {
            return Err(Refused::Body);
        }
        let protocol = self.check_protocol(fields)?;
        self.check_extensions(fields)?;
        Ok(Agreed { fields, protocol })
    }

    fn check_protocol<'r, F: Fields + ?Sized>(&self, fields: &'r F) -> Result<Option<&'r str>, Refused> {
        // "If the response includes a |Sec-WebSocket-Protocol| header field and this header field indicates the use of
        // a subprotocol that was not present in the client's handshake (the server has indicated a subprotocol not
        // requested by the client), the client MUST _Fail the WebSocket Connection_." -- RFC 6455, section 4.1
        match single(fields, names::PROTOCOL) {
            Single::Absent => Ok(None),
            Single::Once(value) if self.protocols.iter().any(|offered| offered.as_bytes() == value) => {
                Ok(core::str::from_utf8(value).ok())
            }
            _ => Err(Refused::Protocol),
        }
    }

    fn check_extensions<F: Fields + ?Sized>(&self, fields: &F) -> Result<(), Refused> {
        // "If the response includes a |Sec-WebSocket-Extensions| header field and this header field indicates the use
        // of an extension that was not present in the client's handshake (the server has indicated an extension not
        // requested by the client), the client MUST _Fail the WebSocket Connection_." -- RFC 6455, section 4.1
        // Each answer uses up an offer, so this list is never longer than what was offered.
        let mut open: Vec<&str> = Vec::new();
        for offer in self.extensions.iter() {
            if !open.contains(&offer.name()) {
                open.push(offer.name());
            }
        }
        for answer in Extensions::parse(fields.all(names::EXTENSIONS)) {
            let name = answer.map_err(|_| Refused::Extensions)?.name();
            let at = open.iter().position(|offered| *offered == name).ok_or(Refused::Extensions)?;
            open.swap_remove(at);
        }
        Ok(())
    }
}

fn borrowed<'r>((name, value): (&'r str, &'r str)) -> (&'r str, Cow<'r, str>) {
    (name, Cow::Borrowed(value))
}

/// What client and server have agreed on.
pub struct Agreed<'r, F: ?Sized> {
    fields: &'r F,
    protocol: Option<&'r str>,
}

impl<'r, F: Fields + ?Sized> Agreed<'r, F> {
    /// Returns the subprotocol in use: one of those offered, or none.
    #[must_use]
    pub const fn protocol(&self) -> Option<&'r str> {
        self.protocol
    }

    /// Iterates over the extensions in use: each was offered, and none comes twice. Their parameters are theirs to check.
    pub fn extensions(&self) -> impl Iterator<Item = Extension<'r>> {
        Extensions::parse(self.fields.all(names::EXTENSIONS)).flatten()
    }
}

impl<F: ?Sized> fmt::Debug for Agreed<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Agreed").field("protocol", &self.protocol).finish_non_exhaustive()
    }
}

/// Why a response does not make the connection a WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refused {
    /// What came is no HTTP response head.
    Head(HeadError),
    /// Another HTTP version than 1.1.
    Version,
    /// Another status than 101: the server refuses. Redirections are not followed.
    Status(u16),
    /// Sec-WebSocket-Accept is not there once, or does not answer the key.
    Accept,
    /// Upgrade is not there once, or is not `websocket`.
    Upgrade,
    /// Connection does not name `upgrade`.
    Connection,
    /// A body is announced.
    Body,
    /// Sec-WebSocket-Protocol is repeated, or names what was not offered.
    Protocol,
    /// Sec-WebSocket-Extensions is malformed, repeats a name, or names what was not offered.
    Extensions,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Head(error) => return error.fmt(f),
            Self::Status(status) => return write!(f, "server answered with HTTP status {status}"),
            Self::Version => "HTTP version of the response is not 1.1",
            Self::Accept => "Sec-WebSocket-Accept does not answer the key",
            Self::Upgrade => "response does not upgrade to websocket",
            Self::Connection => "response lacks the connection option upgrade",
            Self::Body => "response to the handshake announces a body",
            Self::Protocol => "server chose a subprotocol that was not offered",
            Self::Extensions => "server chose extensions that were not offered",
        })
    }
}

impl core::error::Error for Refused {}

impl From<HeadError> for Refused {
    fn from(error: HeadError) -> Self {
        match error {
            HeadError::Version => Self::Version,
            error => Self::Head(error),
        }
    }
}
