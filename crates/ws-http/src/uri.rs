//! `ws://host:port/path?query` (RFC 6455, section 3).

use core::fmt;
use core::str::FromStr;

use crate::authority::Authority;
use crate::target::is_target_text;

/// A WebSocket URI.
///
/// ```
/// let uri: ws_http::Uri = "ws://[::1]:9001/chat?room=7".parse()?;
/// assert_eq!((uri.host(), uri.port(), uri.target()), ("::1", 9001, "/chat?room=7"));
/// # Ok::<(), ws_http::UriError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Uri {
    secure: bool,
    host: String,
    port: u16,
    target: String,
}

impl Uri {
    /// Reports whether the scheme is wss: TLS is asked for.
    #[must_use]
    pub const fn is_secure(&self) -> bool {
        self.secure
    }

    /// Returns the host in lower case, as a resolver takes it: an IPv6 address without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        self.host.trim_start_matches('[').trim_end_matches(']')
    }

    /// Returns the port; 80 for ws and 443 for wss if none is written.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Returns the resource name: path and query, at least `/`.
    #[must_use]
    pub fn target(&self) -> &str {
        &self.target
    }

    /// Returns the value of the Host header field: the host, and the port where it is not the scheme's default.
    #[must_use]
    pub fn authority(&self) -> String {
        if self.port == default_port(self.secure) { self.host.clone() } else { format!("{}:{}", self.host, self.port) }
    }
}

impl FromStr for Uri {
    type Err = UriError;

    /// Parses an absolute ws or wss URI. The scheme may be written in any case.
    fn from_str(text: &str) -> Result<Self, UriError> {
        let (scheme, rest) = text.split_once("://").ok_or(UriError::Scheme)?;
        let secure = match scheme {
            _ if scheme.eq_ignore_ascii_case("ws") => false,
            _ if scheme.eq_ignore_ascii_case("wss") => true,
            _ => return Err(UriError::Scheme),
        };
        // "Fragment identifiers are meaningless in the context of WebSocket URIs and MUST NOT be used on these URIs."
        // -- RFC 6455, section 3
        if rest.contains('#') {
            return Err(UriError::Fragment);
        }
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, resource) = rest.split_at_checked(end).ok_or(UriError::Authority)?;
        if authority.contains('@') {
            return Err(UriError::UserInfo);
        }
        let Authority { host, port } = Authority::parse(authority).ok_or(UriError::Authority)?;
        if !is_target_text(resource) {
            return Err(UriError::Target);
        }
        // An empty path counts as a slash: RFC 6455, section 3.
        let slash = if resource.starts_with('/') { "" } else { "/" };
        let port = port.unwrap_or_else(|| default_port(secure));
        Ok(Self { secure, host, port, target: format!("{slash}{resource}") })
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", if self.secure { "wss" } else { "ws" }, self.authority(), self.target)
    }
}

/// Why a text is no URI to connect to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UriError {
    /// The scheme is neither ws nor wss.
    Scheme,
    /// The scheme is wss, and no TLS stream was given to speak over.
    Tls,
    /// A user name or password is written before the host; send an Authorization header instead.
    UserInfo,
    /// The host is no name or address, or the port is not one of 1 to 65535.
    Authority,
    /// The path or query holds whitespace, a control character or one outside of ASCII, not percent-encoded.
    Target,
    /// A fragment is written.
    Fragment,
}

impl fmt::Display for UriError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scheme => "URI scheme is neither ws nor wss",
            Self::Tls => "wss needs a TLS stream of your own to open over",
            Self::UserInfo => "URI holds user information",
            Self::Authority => "URI has no valid host and port",
            Self::Target => "URI path or query is not percent-encoded",
            Self::Fragment => "URI holds a fragment",
        })
    }
}

impl core::error::Error for UriError {}

const fn default_port(secure: bool) -> u16 {
    if secure { 443 } else { 80 }
}
