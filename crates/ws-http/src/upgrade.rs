//! The server's side: whether a request is a WebSocket handshake (RFC 6455, section 4.2.1; RFC 8441).

use core::fmt;
use std::collections::HashSet;

use crate::authority::is_host_value;
use crate::cookies::cookies;
use crate::extensions::{Extension, Extensions};
use crate::fields::{Fields, Single, announce_body, single};
use crate::head::RequestHead;
use crate::hosts::{Hosts, host};
use crate::key;
use crate::list::{self, tokens};
use crate::names;
use crate::origin::{self, Origin, OriginPolicy};
use crate::rejection::Rejection;
use crate::scanner::is_tchar;
use crate::version::Version;

/// A request that was found to be a WebSocket handshake.
///
/// Whether to accept it is still to be decided. [`Policy::decide`](crate::Policy::decide) does that: it checks the host
/// ([`Upgrade::check_host`]) and the origin ([`Upgrade::check_origin`]), chooses a subprotocol if any is offered, and
/// returns the [`UpgradeResponse`](crate::UpgradeResponse).
pub struct Upgrade<'a, F: ?Sized> {
    pub(crate) fields: &'a F,
    pub(crate) authority: &'a str,
    /// The key of HTTP/1.1; extended CONNECT has none.
    pub(crate) key: Option<&'a [u8]>,
}

impl<'a, F: Fields + ?Sized> Upgrade<'a, F> {
    /// Checks everything that RFC 6455 section 4.2.1 asks of an HTTP/1.1 request but its origin. Of Host it asks the form
    /// alone. [`Upgrade::check_connect`] is for HTTP/2 and 3.
    ///
    /// # Errors
    ///
    /// In this order: [`Rejection::HttpVersion`], [`Rejection::Method`], [`Rejection::Host`], [`Rejection::Body`],
    /// [`Rejection::NotUpgrade`], [`Rejection::Version`] or [`Rejection::VersionRepeated`], [`Rejection::Key`],
    /// [`Rejection::Protocols`], [`Rejection::Extensions`]; and [`Rejection::Malformed`] for a Connection or Upgrade
    /// that is no list.
    pub fn check(method: &str, version: Version, fields: &'a F) -> Result<Self, Rejection> {
        if version != Version::HTTP_11 {
            return Err(Rejection::HttpVersion);
        }
        // "The method of the request MUST be GET, and the HTTP version MUST be at least 1.1." -- RFC 6455, section 4.1
        if method != "GET" {
            return Err(Rejection::Method);
        }
        let authority = host(fields)?;
        // RFC 9112 section 3.2 orders 400 for a Host that is missing, repeated or invalid.
        if !is_host_value(authority) {
            return Err(Rejection::Host);
        }
        if announce_body(fields) {
            return Err(Rejection::Body);
        }
        check_tokens(fields)?;
        check_version(fields, Rejection::Version)?;
        let Single::Once(key) = single(fields, names::KEY) else { return Err(Rejection::Key) };
        if !key::is_key(key) {
            return Err(Rejection::Key);
        }
        check_offers(fields)?;
        Ok(Self { fields, authority, key: Some(key) })
    }

    /// Decides whether the request is for this server; see [`Hosts::check_authority`].
    ///
    /// # Errors
    ///
    /// As [`Hosts::check_authority`].
    pub fn check_host(&self, hosts: &Hosts) -> Result<(), Rejection> {
        hosts.check_authority(self.authority)
    }

    /// Decides whether the page that connects may do so.
    ///
    /// # Errors
    ///
    /// [`Rejection::OriginRepeated`] and [`Rejection::Origin`], as [`OriginPolicy::check`] says.
    pub fn check_origin(&self, policy: &OriginPolicy) -> Result<(), Rejection> {
        policy.check_authority(self.authority, self.fields)
    }

    /// Returns host and port that the client connects to: the value of Host, or the `:authority` of HTTP/2 and 3.
    #[must_use]
    pub const fn authority(&self) -> &'a str {
        self.authority
    }

    /// Returns the origin of the page that connects; `None` for a request without one.
    ///
    /// # Errors
    ///
    /// [`Rejection::OriginRepeated`] for two Origin lines, [`Rejection::Origin`] for a value that is no origin, `null`
    /// among them.
    pub fn origin(&self) -> Result<Option<Origin>, Rejection> {
        match single(self.fields, names::ORIGIN) {
            Single::Absent => Ok(None),
            Single::Once(value) => origin::parse(value).map(Some),
            Single::Repeated => Err(Rejection::OriginRepeated),
        }
    }

    /// Iterates over the subprotocols that the client offers, in its order of preference.
    pub fn protocols(&self) -> impl Iterator<Item = &'a str> {
        self.fields.all(names::PROTOCOL).flat_map(tokens).flatten()
    }

    /// Iterates over the extensions that the client offers, in its order of preference.
    pub fn extensions(&self) -> impl Iterator<Item = Extension<'a>> {
        Extensions::parse(self.fields.all(names::EXTENSIONS)).flatten()
    }

    /// Iterates over the cookies, as names and values.
    pub fn cookies(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        cookies(self.fields)
    }

    /// Returns the Sec-WebSocket-Accept value of the response; `None` for extended CONNECT, which has none.
    #[must_use]
    pub fn accept_key(&self) -> Option<[u8; 28]> {
        self.key.map(key::accept_key)
    }
}

impl RequestHead {
    /// Checks whether the request is a WebSocket handshake; see [`Upgrade::check`].
    ///
    /// # Errors
    ///
    /// As [`Upgrade::check`].
    pub fn upgrade(&self) -> Result<Upgrade<'_, Self>, Rejection> {
        Upgrade::check(self.method(), Version::HTTP_11, self)
    }
}

impl<F: ?Sized> fmt::Debug for Upgrade<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Upgrade { .. }")
    }
}

/// Returns the first subprotocol of the server's list that the client offers.
///
/// Names compare with regard to case. `None` means that the answer names no subprotocol; browsers then fail the
/// connection if the page had asked for one.
///
/// ```
/// let offered = ["chat", "superchat"];
/// assert_eq!(ws_http::choose_protocol(&["superchat", "chat"], offered), Some("superchat"));
/// assert_eq!(ws_http::choose_protocol(&["Chat"], offered), None);
/// ```
pub fn choose_protocol<'s, 'o>(
    supported: &'s [impl AsRef<str>],
    offered: impl IntoIterator<Item = &'o str>,
) -> Option<&'s str> {
    if supported.is_empty() {
        return None;
    }
    let offered: HashSet<&str> = offered.into_iter().collect();
    supported.iter().map(AsRef::as_ref).find(|name| offered.contains(name))
}

fn check_tokens<F: Fields + ?Sized>(fields: &F) -> Result<(), Rejection> {
    let connection = list::contains(fields.all(names::CONNECTION), "upgrade").map_err(|_| Rejection::Malformed)?;
    let mut websocket = false;
    for element in fields.all(names::UPGRADE).flat_map(|line| line.split(|byte| *byte == b',')) {
        // A protocol is a token or two with a slash between (RFC 9110, section 7.8).
        let element = element.trim_ascii();
        if !element.iter().all(|byte| is_tchar(*byte) || *byte == b'/') {
            return Err(Rejection::Malformed);
        }
        websocket |= element.eq_ignore_ascii_case(b"websocket") || element.eq_ignore_ascii_case(b"websocket/13");
    }
    if connection && websocket { Ok(()) } else { Err(Rejection::NotUpgrade) }
}

/// Checks the version of the WebSocket protocol; another one gets this rejection.
pub(crate) fn check_version<F: Fields + ?Sized>(fields: &F, another: Rejection) -> Result<(), Rejection> {
    // "If this version does not match a version understood by the server, the server MUST abort the WebSocket handshake
    // described in this section and instead send an appropriate HTTP error code (such as 426 Upgrade Required) and a
    // |Sec-WebSocket-Version| header field indicating the version(s) the server is capable of understanding."
    // -- RFC 6455, section 4.2.2
    match single(fields, names::VERSION) {
        Single::Once(b"13") => Ok(()),
        Single::Once(_) | Single::Absent => Err(another),
        Single::Repeated => Err(Rejection::VersionRepeated),
    }
}

/// Checks what the client offers: subprotocols and extensions.
pub(crate) fn check_offers<F: Fields + ?Sized>(fields: &F) -> Result<(), Rejection> {
    check_protocols(fields)?;
    // "If a value is received by either the client or the server during negotiation that does not conform to the ABNF
    // below, the recipient of such malformed data MUST immediately _Fail the WebSocket Connection_."
    // -- RFC 6455, section 9.1
    if Extensions::parse(fields.all(names::EXTENSIONS)).any(|extension| extension.is_err()) {
        return Err(Rejection::Extensions);
    }
    Ok(())
}

fn check_protocols<F: Fields + ?Sized>(fields: &F) -> Result<(), Rejection> {
    // "The elements that comprise this value MUST be non-empty strings with characters in the range U+0021 to U+007E not
    // including separator characters as defined in [RFC2616] and MUST all be unique strings." -- RFC 6455, section 4.1
    let mut seen = HashSet::new();
    for name in fields.all(names::PROTOCOL).flat_map(tokens) {
        if !name.is_ok_and(|name| seen.insert(name)) {
            return Err(Rejection::Protocols);
        }
    }
    Ok(())
}
