//! The names that a server is reached by: the Host header field (RFC 9110, sections 7.2 and 7.4).

use crate::authority::Authority;
use crate::fields::{Fields, Single, single};
use crate::invalid::Invalid;
use crate::names;
use crate::rejection::Rejection;

/// The names a server is reached by, each a host with or without a port.
///
/// Host comes from the client: a browser takes it from the URL. An attacker who points a name of their own at this server
/// (DNS rebinding) has pages under that name, whose Origin and Host agree. Only a list of names tells them from the
/// server's own pages. Cookies of the server's real names stay out of reach, but whatever is open to clients of its network
/// is open to such a page.
///
/// Hosts compare as a browser compares them: without regard to case, an IPv6 address by its value, a name with the dot
/// of the DNS root at its end like the one without. A name without a port matches every port. A name with port 80 or 443
/// matches a Host without a port too: clients leave out the default port of their scheme.
///
/// ```
/// use ws_http::{Hosts, Rejection};
///
/// let hosts = Hosts::new(["localhost", "[::1]", "chat.example.com:443"])?;
/// assert_eq!(hosts.check(&[("Host", "LOCALHOST:9001")]), Ok(()));
/// assert_eq!(hosts.check(&[("Host", "chat.example.com")]), Ok(()));
/// assert_eq!(hosts.check(&[("Host", "chat.example.com:8443")]), Err(Rejection::Misdirected));
/// assert_eq!(hosts.check(&[("Host", "evil.example:9001")]), Err(Rejection::Misdirected));
/// # Ok::<(), ws_http::Invalid>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hosts(Vec<Authority>);

impl Hosts {
    /// Makes a list of these names. An empty list refuses every request.
    ///
    /// # Errors
    ///
    /// [`Invalid::Host`] if one is no host name or address, or its port is not one of 1 to 65535.
    pub fn new(names: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Self, Invalid> {
        let parsed = names.into_iter().map(|name| Authority::parse_rooted(name.as_ref()).ok_or(Invalid::Host));
        parsed.collect::<Result<_, _>>().map(Self)
    }

    /// Decides whether an HTTP/1.1 request is for this server.
    ///
    /// # Errors
    ///
    /// [`Rejection::Misdirected`] (421) for a Host that is not one of these names; [`Rejection::Host`] (400) for one that
    /// is missing or repeated.
    pub fn check<F: Fields + ?Sized>(&self, fields: &F) -> Result<(), Rejection> {
        self.check_authority(host(fields)?)
    }

    /// Decides whether a request to this authority is for this server: the `:authority` of HTTP/2 and 3, the value of Host
    /// elsewhere.
    ///
    /// # Errors
    ///
    /// [`Rejection::Misdirected`] (421) for an authority that is not one of these names.
    pub fn check_authority(&self, authority: &str) -> Result<(), Rejection> {
        let host = Authority::parse_rooted(authority);
        // RFC 9110 section 7.4 has a server refuse what it is not configured for; 421 is its status for that.
        if host.is_some_and(|host| self.0.iter().any(|name| matches(name, &host))) {
            Ok(())
        } else {
            Err(Rejection::Misdirected)
        }
    }
}

/// Returns the value of the Host field; an empty one, which no policy lets in, where it is no text.
pub(crate) fn host<F: Fields + ?Sized>(fields: &F) -> Result<&str, Rejection> {
    match single(fields, names::HOST) {
        Single::Once(host) => Ok(core::str::from_utf8(host).unwrap_or_default()),
        Single::Absent | Single::Repeated => Err(Rejection::Host),
    }
}

fn matches(name: &Authority, host: &Authority) -> bool {
    let port = match (name.port, host.port) {
        (None, _) | (Some(80 | 443), None) => true,
        (port, other) => port == other,
    };
    port && name.host == host.host
}
