//! Who opened the page that connects: the Origin header field (RFC 6454; RFC 6455, section 10.2).

use core::fmt;
use core::str::FromStr;

use crate::authority::Authority;
use crate::fields::{Fields, Single, single};
use crate::hosts::host;
use crate::invalid::Invalid;
use crate::names;
use crate::rejection::Rejection;

/// An origin: scheme, host and port (RFC 6454, section 4), in the form in which two of them compare.
///
/// Scheme and host are lower-cased, an IPv6 address has its canonical form, and a port that is not written is the
/// default of http, https, ws or wss. `null`, lists of origins, user information, paths, host names that end with a dot
/// and ports outside of 1 to 65535 are no origins.
///
/// ```
/// use ws_http::Origin;
///
/// let origin: Origin = "HTTPS://Example.com:443".parse()?;
/// assert_eq!((origin.scheme(), origin.host(), origin.port()), ("https", "example.com", Some(443)));
/// assert_eq!(origin, "https://example.com".parse()?);
/// assert!("https://example.com/".parse::<Origin>().is_err());
/// # Ok::<(), ws_http::Invalid>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    scheme: String,
    host: String,
    port: Option<u16>,
}

impl Origin {
    /// Returns the scheme in lower case, without its colon.
    #[must_use]
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// Returns the host in lower case; an IPv6 address stands in brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns the port, or the scheme's default if none is written; `None` for a scheme without a default known here.
    #[must_use]
    pub const fn port(&self) -> Option<u16> {
        self.port
    }

    /// Reports whether a page of this origin was served by the server that an authority names.
    fn is_served_by(&self, authority: &str) -> bool {
        let default = default_port(&self.scheme);
        matches!(self.scheme.as_str(), "http" | "https")
            && Authority::parse(authority)
                .is_some_and(|host| host.host == self.host && host.port.or(default) == self.port)
    }
}

impl FromStr for Origin {
    type Err = Invalid;

    /// Parses the serialization of one origin.
    ///
    /// # Errors
    ///
    /// [`Invalid::Origin`] for everything else, `null` included.
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let (scheme, authority) =
            text.split_once("://").filter(|(scheme, _)| is_scheme(scheme)).ok_or(Invalid::Origin)?;
        let authority = Authority::parse(authority).ok_or(Invalid::Origin)?;
        let scheme = scheme.to_ascii_lowercase();
        let port = authority.port.or_else(|| default_port(&scheme));
        Ok(Self { scheme, host: authority.host, port })
    }
}

impl fmt::Display for Origin {
    /// Writes the serialization of RFC 6454 section 6.2: the port stands only where it is not the default.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host)?;
        match self.port {
            Some(port) if default_port(&self.scheme) != Some(port) => write!(f, ":{port}"),
            _ => Ok(()),
        }
    }
}

/// Which pages may connect.
///
/// A browser sends the origin of the page that opens a WebSocket, and it sends the user's cookies to any server that
/// page asks for. So a server that knows its users by cookies and does not look at the origin lets every page of the web
/// speak in their name. Programs that are not browsers send what they like: this is no protection against them.
#[derive(Default)]
#[non_exhaustive]
pub enum OriginPolicy {
    /// Pages this server has served itself, and whoever sends no Origin.
    ///
    /// Scheme http or https, and host and port are those of Host, or of `:authority` over HTTP/2 and 3; a port that is
    /// absent on either side is the default of the Origin's scheme. Behind a proxy, the proxy must forward Host.
    ///
    /// Both values come from the client. This lets in a page of any name that resolves to this server, and a page over
    /// plain http even where the server's own pages are https: [`Hosts`](crate::Hosts) and
    /// [`SameOriginHttps`](Self::SameOriginHttps) refuse them.
    #[default]
    SameOrigin,
    /// As [`SameOrigin`](Self::SameOrigin), with the scheme https alone.
    ///
    /// For a server whose pages are all https, by itself or behind a proxy that speaks TLS. A page of the same host and
    /// port over plain http may have been written by anybody on the way to the browser.
    SameOriginHttps,
    /// Everyone. Only right where cookies, client certificates and the network a client is in open nothing.
    Any,
    /// Pages of these origins, and whoever sends no Origin.
    Only(Vec<Origin>),
    /// Whom the predicate approves; it gets `None` where the request has no Origin.
    ///
    /// A value that is no origin, `null` among them, is refused without asking.
    Predicate(OriginPredicate),
}

/// Decides about an origin, or about a request without one.
pub type OriginPredicate = Box<dyn Fn(Option<&Origin>) -> bool + Send + Sync>;

impl OriginPolicy {
    /// Decides by [`OriginPolicy::Predicate`].
    pub fn predicate(approve: impl Fn(Option<&Origin>) -> bool + Send + Sync + 'static) -> Self {
        Self::Predicate(Box::new(approve))
    }

    /// Decides about an HTTP/1.1 request. [`Upgrade::check_origin`](crate::Upgrade::check_origin) does so for a handshake
    /// of any version.
    ///
    /// # Errors
    ///
    /// [`Rejection::OriginRepeated`] (400) for two Origin lines, under every policy; [`Rejection::Host`] (400) for a Host
    /// that is missing or repeated; [`Rejection::Origin`] (403) for an origin this policy does not let in, and for a value
    /// that is no origin under all but [`OriginPolicy::Any`].
    pub fn check<F: Fields + ?Sized>(&self, fields: &F) -> Result<(), Rejection> {
        self.check_with(fields, || host(fields))
    }

    /// Decides about a request to this authority.
    pub(crate) fn check_authority<F: Fields + ?Sized>(&self, authority: &str, fields: &F) -> Result<(), Rejection> {
        self.check_with(fields, || Ok(authority))
    }

    fn check_with<'a, F: Fields + ?Sized>(
        &self,
        fields: &F,
        authority: impl FnOnce() -> Result<&'a str, Rejection>,
    ) -> Result<(), Rejection> {
        let value = match single(fields, names::ORIGIN) {
            Single::Absent => None,
            Single::Once(value) => Some(value),
            Single::Repeated => return Err(Rejection::OriginRepeated),
        };
        let origin = match (self, value) {
            (Self::Any, _) => return Ok(()),
            (_, None) => None,
            (_, Some(value)) => Some(parse(value)?),
        };
        let allowed = match (self, &origin) {
            (Self::Any, _) | (Self::SameOrigin | Self::SameOriginHttps | Self::Only(_), None) => true,
            (Self::SameOriginHttps, Some(origin)) if origin.scheme != "https" => false,
            (Self::SameOrigin | Self::SameOriginHttps, Some(origin)) => origin.is_served_by(authority()?),
            (Self::Only(list), Some(origin)) => list.contains(origin),
            (Self::Predicate(approve), origin) => approve(origin.as_ref()),
        };
        // "If the origin indicated is unacceptable to the server, then it SHOULD respond to the WebSocket handshake
        // with a reply containing HTTP 403 Forbidden status code." -- RFC 6455, section 10.2
        if allowed { Ok(()) } else { Err(Rejection::Origin) }
    }
}

impl fmt::Debug for OriginPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SameOrigin => f.write_str("SameOrigin"),
            Self::SameOriginHttps => f.write_str("SameOriginHttps"),
            Self::Any => f.write_str("Any"),
            Self::Only(list) => f.debug_tuple("Only").field(list).finish(),
            Self::Predicate(_) => f.write_str("Predicate(..)"),
        }
    }
}

/// Parses the value of an Origin line.
pub(crate) fn parse(value: &[u8]) -> Result<Origin, Rejection> {
    core::str::from_utf8(value).ok().and_then(|text| text.parse().ok()).ok_or(Rejection::Origin)
}

/// Reports whether the text is a scheme (RFC 3986, section 3.1).
fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
}

const fn default_port(scheme: &str) -> Option<u16> {
    match scheme.as_bytes() {
        b"http" | b"ws" => Some(80),
        b"https" | b"wss" => Some(443),
        _ => None,
    }
}
