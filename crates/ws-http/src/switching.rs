//! The server's answer to a handshake: 101 Switching Protocols (RFC 6455, section 4.2.2).

use crate::extensions::ExtensionList;
use crate::fields::Fields;
use crate::invalid::{Invalid, check_header};
use crate::names;
use crate::response::push_field;
use crate::server::Upgrade;

/// The answer that makes the connection a WebSocket.
///
/// What is put in is checked against the request, so that no client is told of a subprotocol or an extension that it did
/// not offer.
///
/// ```
/// use ws_http::{Switching, Upgrade, Version};
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
/// let mut answer = Switching::new(&upgrade);
/// answer.protocol("chat").unwrap();
/// answer.header("Set-Cookie", "seen=1").unwrap();
/// assert_eq!(
///     answer.to_bytes(),
///     b"HTTP/1.1 101 Switching Protocols\r\n\
///       Upgrade: websocket\r\n\
///       Connection: Upgrade\r\n\
///       Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
///       Sec-WebSocket-Protocol: chat\r\n\
///       Set-Cookie: seen=1\r\n\
///       \r\n"
/// );
/// ```
#[derive(Debug)]
pub struct Switching<'u, 'a, F: ?Sized> {
    upgrade: &'u Upgrade<'a, F>,
    fields: Vec<(String, String)>,
}

impl<'u, 'a, F: Fields + ?Sized> Switching<'u, 'a, F> {
    /// Answers this request, with neither subprotocol nor extension.
    #[must_use]
    pub fn new(upgrade: &'u Upgrade<'a, F>) -> Self {
        let accept = upgrade.accept_key().map(char::from).iter().collect::<String>();
        let fields = [(names::UPGRADE, "websocket"), (names::CONNECTION, "Upgrade"), (names::ACCEPT, &accept)];
        Self { upgrade, fields: fields.map(|(name, value)| (name.into(), value.into())).into() }
    }

    /// Names the subprotocol in use from here on.
    ///
    /// # Errors
    ///
    /// [`Invalid::ProtocolNotOffered`] if the client did not offer it, [`Invalid::Protocol`] if one is named already.
    pub fn protocol(&mut self, chosen: &str) -> Result<&mut Self, Invalid> {
        // "The value chosen MUST be derived from the client's handshake" -- RFC 6455, section 4.2.2
        if !self.upgrade.protocols().any(|offered| offered == chosen) {
            return Err(Invalid::ProtocolNotOffered);
        }
        self.once(names::PROTOCOL, chosen, Invalid::Protocol)
    }

    /// Names the extensions in use from here on. An empty list names none.
    ///
    /// # Errors
    ///
    /// [`Invalid::ExtensionNotOffered`] if the client did not offer one of them, [`Invalid::Extension`] if one comes
    /// twice, or extensions are named already.
    pub fn extensions(&mut self, chosen: &ExtensionList) -> Result<&mut Self, Invalid> {
        if chosen.is_empty() {
            return Ok(self);
        }
        let mut seen = Vec::new();
        for own in chosen.iter().map(|extension| extension.name()) {
            if self.upgrade.extensions().all(|offered| offered.name() != own) {
                return Err(Invalid::ExtensionNotOffered);
            }
            if seen.contains(&own) {
                return Err(Invalid::Extension);
            }
            seen.push(own);
        }
        self.once(names::EXTENSIONS, chosen.as_str(), Invalid::Extension)
    }

    /// Adds a header of the application's own. One name may be added several times.
    ///
    /// # Errors
    ///
    /// [`Invalid::HeaderName`], [`Invalid::HeaderValue`], and [`Invalid::HandshakeHeader`] for a field that the
    /// handshake writes, or whose presence would change how the answer is read.
    pub fn header(&mut self, name: &str, value: &str) -> Result<&mut Self, Invalid> {
        check_header(name, value)?;
        if names::is_reserved(name) {
            return Err(Invalid::HandshakeHeader);
        }
        self.fields.push((name.into(), value.into()));
        Ok(self)
    }

    /// Iterates over the field lines, for an HTTP server of your own. The status is 101.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Returns the whole answer.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut head = String::from("HTTP/1.1 101 Switching Protocols\r\n");
        for (name, value) in self.fields() {
            push_field(&mut head, name, value);
        }
        head.push_str("\r\n");
        head.into_bytes()
    }

    fn once(&mut self, name: &str, value: &str, repeated: Invalid) -> Result<&mut Self, Invalid> {
        if self.fields().any(|(own, _)| own == name) {
            return Err(repeated);
        }
        self.fields.push((name.into(), value.into()));
        Ok(self)
    }
}
