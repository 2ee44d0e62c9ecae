//! A handshake over HTTP/2 or HTTP/3: extended CONNECT (RFC 8441 and RFC 9220).

use crate::authority::is_host_value;
use crate::fields::{Fields, Single, announce_body, single};
use crate::names;
use crate::rejection::Rejection;
use crate::target::is_target_text;
use crate::upgrade::{Upgrade, check_offers, check_version};

/// The pseudo-header fields of a request (RFC 9113, section 8.3.1; RFC 8441, section 4): what stands in place of the
/// request line and Host in HTTP/2 and 3.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PseudoHeaders<'a> {
    /// `:method`.
    pub method: &'a str,
    /// `:protocol`, if there is one.
    pub protocol: Option<&'a str>,
    /// `:scheme`, if there is one.
    pub scheme: Option<&'a str>,
    /// `:authority`, if there is one.
    pub authority: Option<&'a str>,
    /// `:path`, with the query, if there is one.
    pub path: Option<&'a str>,
}

impl<'a, F: Fields + ?Sized> Upgrade<'a, F> {
    /// Checks everything that RFC 8441 and RFC 9220 ask of an extended CONNECT but its origin. Of `:authority` it asks the
    /// form alone.
    ///
    /// The request is the same in HTTP/2 and HTTP/3. The server has announced that it takes it
    /// (SETTINGS_ENABLE_CONNECT_PROTOCOL), and the stream becomes the connection once the response is sent.
    ///
    /// # Errors
    ///
    /// In this order: [`Rejection::NotConnect`], [`Rejection::ConnectProtocol`], [`Rejection::Malformed`] for a field that
    /// belongs to HTTP/1.1 and for a `:scheme` or `:path` that is missing or invalid, [`Rejection::Host`],
    /// [`Rejection::Body`], [`Rejection::ConnectVersion`] or [`Rejection::VersionRepeated`], [`Rejection::Protocols`],
    /// [`Rejection::Extensions`].
    ///
    /// # Examples
    ///
    /// ```
    /// use ws_http::{Policy, PseudoHeaders, Upgrade};
    ///
    /// let pseudo = PseudoHeaders {
    ///     method: "CONNECT",
    ///     protocol: Some("websocket"),
    ///     scheme: Some("https"),
    ///     authority: Some("server.example.com"),
    ///     path: Some("/chat"),
    /// };
    /// let fields = [
    ///     ("sec-websocket-version", "13"),
    ///     ("sec-websocket-protocol", "chat, superchat"),
    ///     ("origin", "https://server.example.com"),
    /// ];
    /// let upgrade = Upgrade::check_connect(&pseudo, &fields)?;
    /// let response = Policy::default().protocols(["chat"]).unwrap().decide(&upgrade)?;
    /// assert_eq!(response.status(), 200);
    /// assert!(response.fields().eq([("Sec-WebSocket-Protocol", "chat")]));
    /// # Ok::<(), ws_http::Rejection>(())
    /// ```
    pub fn check_connect(pseudo: &PseudoHeaders<'a>, fields: &'a F) -> Result<Self, Rejection> {
        if pseudo.method != "CONNECT" {
            return Err(Rejection::NotConnect);
        }
        // RFC 9220 section 3 has a server answer 501 to a protocol that it does not know.
        if pseudo.protocol != Some("websocket") {
            return Err(Rejection::ConnectProtocol);
        }
        check_connection_specific(fields)?;
        // With :protocol, RFC 8441 section 4 asks for :scheme and :path; section 5 has them be those of the ws or wss URI.
        let scheme = pseudo.scheme.is_some_and(|scheme| matches!(scheme, "http" | "https"));
        if !scheme || !pseudo.path.is_some_and(|path| path.starts_with('/') && is_target_text(path)) {
            return Err(Rejection::Malformed);
        }
        let authority = pseudo.authority.filter(|authority| is_host_value(authority)).ok_or(Rejection::Host)?;
        // A Host beside it must be the same: RFC 9113, section 8.3.1, and RFC 9114, section 4.3.1.
        match single(fields, names::HOST) {
            Single::Absent => {}
            Single::Once(host) if host.eq_ignore_ascii_case(authority.as_bytes()) => {}
            Single::Once(_) | Single::Repeated => return Err(Rejection::Host),
        }
        if announce_body(fields) {
            return Err(Rejection::Body);
        }
        check_version(fields, Rejection::ConnectVersion)?;
        // A Sec-WebSocket-Key has no meaning here: RFC 8441, section 5.
        check_offers(fields)?;
        Ok(Self { fields, authority, key: None })
    }
}

/// Refuses the fields about one connection.
// "any message containing connection-specific fields MUST be treated as malformed." -- RFC 9114, section 4.2; RFC 9113
// section 8.2.2 says the same of HTTP/2.
fn check_connection_specific<F: Fields + ?Sized>(fields: &F) -> Result<(), Rejection> {
    let any = names::CONNECTION_SPECIFIC.iter().any(|name| fields.all(name).next().is_some());
    // "The only exception to this is the TE header field, which MAY be present in an HTTP/3 request header; when it is, it
    // MUST NOT contain any value other than "trailers"." -- RFC 9114, section 4.2
    let te = fields.all(names::TE).any(|value| !value.eq_ignore_ascii_case(b"trailers"));
    if any || te { Err(Rejection::Malformed) } else { Ok(()) }
}
