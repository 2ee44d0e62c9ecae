//! The server's response to a handshake (RFC 6455, section 4.2.2; RFC 8441, section 5).

use core::fmt;
use std::borrow::Cow;

use crate::extensions::ExtensionList;
use crate::fields::Fields;
use crate::invalid::{Invalid, check_own_header};
use crate::names;
use crate::response::write_head;
use crate::upgrade::Upgrade;

/// The response that makes a connection, or a stream of one, a WebSocket.
///
/// It owns its text: the request may be gone when it is sent. [`Policy::decide`](crate::Policy::decide) makes it of a
/// policy, [`UpgradeResponse::new`] of the request alone. What is put in is checked against the request, so that no
/// client is told of a subprotocol or an extension that it did not offer.
///
/// ```
/// use ws_http::{Upgrade, UpgradeResponse, Version};
///
/// let fields = [
///     ("Host", "example.com"),
///     ("Connection", "Upgrade"),
///     ("Upgrade", "websocket"),
///     ("Sec-WebSocket-Version", "13"),
///     ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
///     ("Sec-WebSocket-Protocol", "chat, superchat"),
/// ];
/// let upgrade = Upgrade::check("GET", Version::HTTP_11, &fields).unwrap();
/// let mut response = UpgradeResponse::new(&upgrade);
/// response.set_protocol(&upgrade, "chat").unwrap();
/// response.header("Set-Cookie", "seen=1").unwrap();
/// assert_eq!((response.status(), response.protocol()), (101, Some("chat")));
/// assert_eq!(
///     response.to_bytes(),
///     b"HTTP/1.1 101 Switching Protocols\r\n\
///       Upgrade: websocket\r\n\
///       Connection: Upgrade\r\n\
///       Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
///       Sec-WebSocket-Protocol: chat\r\n\
///       Set-Cookie: seen=1\r\n\
///       \r\n"
/// );
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct UpgradeResponse {
    status: u16,
    fields: Vec<(Cow<'static, str>, Cow<'static, str>)>,
}

impl UpgradeResponse {
    /// Accepts this request, with neither subprotocol nor extension.
    #[must_use]
    pub fn new<F: Fields + ?Sized>(upgrade: &Upgrade<'_, F>) -> Self {
        let Some(accept) = upgrade.accept_key() else {
            // The key and its answer, Upgrade and Connection belong to HTTP/1.1: RFC 8441, section 5.
            return Self { status: 200, fields: Vec::new() };
        };
        let mut response = Self { status: 101, fields: Vec::with_capacity(4) };
        response.push(names::UPGRADE, "websocket");
        response.push(names::CONNECTION, "Upgrade");
        response.push(names::ACCEPT, accept.iter().copied().map(char::from).collect::<String>());
        response
    }

    /// Names the subprotocol in use from here on: one that `upgrade`, the request accepted here, offers.
    ///
    /// # Errors
    ///
    /// [`Invalid::ProtocolNotOffered`] if the client did not offer it, [`Invalid::Protocol`] if one is named already.
    pub fn set_protocol<F: Fields + ?Sized>(
        &mut self,
        upgrade: &Upgrade<'_, F>,
        chosen: &str,
    ) -> Result<&mut Self, Invalid> {
        // "The value chosen MUST be derived from the client's handshake" -- RFC 6455, section 4.2.2
        if !upgrade.protocols().any(|offered| offered == chosen) {
            return Err(Invalid::ProtocolNotOffered);
        }
        self.push_once(names::PROTOCOL, chosen, Invalid::Protocol)
    }

    /// Names the extensions in use from here on: of those that `upgrade`, the request accepted here, offers. An empty
    /// list names none.
    ///
    /// # Errors
    ///
    /// [`Invalid::ExtensionNotOffered`] if the client did not offer one of them, [`Invalid::Extension`] if one comes
    /// twice, or extensions are named already.
    pub fn set_extensions<F: Fields + ?Sized>(
        &mut self,
        upgrade: &Upgrade<'_, F>,
        chosen: &ExtensionList,
    ) -> Result<&mut Self, Invalid> {
        if chosen.is_empty() {
            return Ok(self);
        }
        let mut seen = Vec::new();
        for own in chosen.iter().map(|extension| extension.name()) {
            if upgrade.extensions().all(|offered| offered.name() != own) {
                return Err(Invalid::ExtensionNotOffered);
            }
            if seen.contains(&own) {
                return Err(Invalid::Extension);
            }
            seen.push(own);
        }
        self.push_once(names::EXTENSIONS, chosen.as_str(), Invalid::Extension)
    }

    /// Adds a header of the application's own. One name may be added several times.
    ///
    /// # Errors
    ///
    /// [`Invalid::HeaderName`], [`Invalid::HeaderValue`], and [`Invalid::HandshakeHeader`] for a field that the
    /// handshake writes, or whose presence would change how the response is read.
    pub fn header(&mut self, name: &str, value: &str) -> Result<&mut Self, Invalid> {
        check_own_header(name, value)?;
        self.push(String::from(name), String::from(value));
        Ok(self)
    }

    /// Returns the status code: 101 for HTTP/1.1, 200 for extended CONNECT.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// Returns the subprotocol in use, if one is named.
    #[must_use]
    pub fn protocol(&self) -> Option<&str> {
        self.fields().find(|(name, _)| *name == names::PROTOCOL).map(|(_, value)| value)
    }

    /// Iterates over the field lines, for an HTTP server of your own.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|(name, value)| (name.as_ref(), value.as_ref()))
    }

    /// Returns the whole response as HTTP/1.1 writes it, which is of use for status 101 alone.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        write_head(self.status, self.fields())
    }

    /// Appends a field that was checked.
    pub(crate) fn push(&mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Cow<'static, str>>) {
        self.fields.push((name.into(), value.into()));
    }

    fn push_once(&mut self, name: &'static str, value: &str, repeated: Invalid) -> Result<&mut Self, Invalid> {
        if self.fields().any(|(own, _)| own == name) {
            return Err(repeated);
        }
        self.push(name, String::from(value));
        Ok(self)
    }
}

impl fmt::Debug for UpgradeResponse {
    /// Writes the status and the names of the fields; their values may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.fields().map(|(name, _)| name).collect();
        f.debug_struct("UpgradeResponse").field("status", &self.status).field("fields", &names).finish()
    }
}
