//! The types of the crate `http`, for servers and clients that have parsed a request with another library.

use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::uri::InvalidUri;
use http::{Method, StatusCode};

use crate::client::Request;
use crate::extended_connect::PseudoHeaders;
use crate::fields::Fields;
use crate::head::{RequestHead, ResponseHead};
use crate::invalid::Invalid;
use crate::key::Key;
use crate::rejection::{CONTENT_TYPE, Rejection};
use crate::upgrade_response::UpgradeResponse;
use crate::uri::{Uri, UriError};
use crate::version::Version;

impl Fields for HeaderMap {
    fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        // A map that no parser has filled may hold values with spaces and tabs around them.
        self.get_all(name).iter().map(|value| value.as_bytes().trim_ascii())
    }
}

impl From<http::Version> for Version {
    /// Converts a version. One that is newer than this crate becomes 0.0, which no handshake is spoken in.
    fn from(version: http::Version) -> Self {
        let (major, minor) = match version {
            http::Version::HTTP_09 => (0, 9),
            http::Version::HTTP_10 => (1, 0),
            http::Version::HTTP_11 => (1, 1),
            http::Version::HTTP_2 => (2, 0),
            http::Version::HTTP_3 => (3, 0),
            _ => (0, 0),
        };
        Self { major, minor }
    }
}

impl TryFrom<Version> for http::Version {
    type Error = Invalid;

    /// Converts a version; [`Invalid::HttpVersion`] for one that the crate `http` does not know.
    fn try_from(version: Version) -> Result<Self, Invalid> {
        match (version.major, version.minor) {
            (0, 9) => Ok(Self::HTTP_09),
            (1, 0) => Ok(Self::HTTP_10),
            (1, 1) => Ok(Self::HTTP_11),
            (2, 0) => Ok(Self::HTTP_2),
            (3, 0) => Ok(Self::HTTP_3),
            _ => Err(Invalid::HttpVersion),
        }
    }
}

impl TryFrom<&http::Uri> for Uri {
    type Error = UriError;

    /// Converts an absolute ws or wss URI, as parsing its text does.
    fn try_from(uri: &http::Uri) -> Result<Self, UriError> {
        uri.to_string().parse()
    }
}

impl TryFrom<&Uri> for http::Uri {
    type Error = InvalidUri;

    /// Converts a URI. The crate `http` refuses a few characters in it that are visible ASCII, `<` among them.
    fn try_from(uri: &Uri) -> Result<Self, InvalidUri> {
        uri.to_string().parse()
    }
}

impl<'a> PseudoHeaders<'a> {
    /// Takes the pseudo-header fields of a request as the crate `http` has them. It has no place for `:protocol`: HTTP
    /// servers put that into an extension of the request.
    #[must_use]
    #[cfg_attr(docsrs, doc(cfg(feature = "http")))]
    pub fn from_http(method: &'a Method, uri: &'a http::Uri, protocol: Option<&'a str>) -> Self {
        Self {
            method: method.as_str(),
            protocol,
            scheme: uri.scheme_str(),
            authority: uri.authority().map(|authority| authority.as_str()),
            path: uri.path_and_query().map(|path| path.as_str()),
        }
    }
}

impl TryFrom<&RequestHead> for http::Request<()> {
    type Error = http::Error;

    /// Converts a request head without its body.
    fn try_from(head: &RequestHead) -> Result<Self, http::Error> {
        let request = Self::builder().method(head.method()).uri(head.target());
        head.headers().fold(request, |request, (name, value)| request.header(name, value)).body(())
    }
}

impl TryFrom<&ResponseHead> for http::Response<()> {
    type Error = http::Error;

    /// Converts a response head without its body.
    fn try_from(head: &ResponseHead) -> Result<Self, http::Error> {
        let response = Self::builder().status(head.status());
        head.headers().fold(response, |response, (name, value)| response.header(name, value)).body(())
    }
}

impl TryFrom<&UpgradeResponse> for http::Response<()> {
    type Error = http::Error;

    /// Converts the response that accepts. Only headers of the application's own can make it fail: more of them, or longer
    /// names, than the crate `http` has room for.
    fn try_from(response: &UpgradeResponse) -> Result<Self, http::Error> {
        let own = Self::builder().status(response.status());
        response.fields().fold(own, |own, (name, value)| own.header(name, value.as_bytes())).body(())
    }
}

impl From<Rejection> for http::Response<String> {
    /// Makes the answer that refuses: status, headers and the text. To a HEAD the server sends it without the text.
    fn from(rejection: Rejection) -> Self {
        let mut response = Self::new(rejection.body());
        *response.status_mut() = StatusCode::from_u16(rejection.status()).unwrap_or(StatusCode::BAD_REQUEST);
        for (name, value) in [CONTENT_TYPE].iter().chain(rejection.headers()) {
            if let Ok(name) = HeaderName::from_bytes(name.as_bytes()) {
                response.headers_mut().append(name, HeaderValue::from_static(value));
            }
        }
        response
    }
}

impl Request {
    /// Returns the request for an HTTP client that takes the crate `http`'s, over HTTP/1.1: the target is a path, and Host
    /// names the server. The key must be a new one for each connection.
    ///
    /// The [check](Request::check) of what comes back takes the [`HeaderMap`] of the response.
    ///
    /// # Errors
    ///
    /// When the crate `http` refuses a character of the URI, or has no room for the headers.
    #[cfg_attr(docsrs, doc(cfg(feature = "http")))]
    pub fn to_http(&self, key: &Key) -> Result<http::Request<()>, http::Error> {
        let request = http::Request::builder().method(Method::GET).uri(self.target());
        self.fields(key).fold(request, |request, (name, value)| request.header(name, value.as_bytes())).body(())
    }
}
