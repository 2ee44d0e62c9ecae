//! The client's decisions: what to ask for, and whether the response grants it.

use core::time::Duration;

use super::error::Error;
use super::incoming::Incoming;
use crate::client::{Refused, Request};
use crate::extensions::Extensions;
use crate::fields::Fields as _;
use crate::head::ResponseHead;
use crate::invalid::Invalid;
use crate::key::Key;
use crate::names;
use crate::reader::Limits;
use crate::uri::{Uri, UriError};
use crate::version::Version;

/// What to connect to, with which request and how much patience.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) connect_timeout: Duration,
    pub(crate) handshake_timeout: Duration,
    pub(crate) limits: Limits,
    uri: Uri,
    request: Result<Request, Invalid>,
}

/// A request that is made, and waits for its response.
pub(crate) struct Opening<'a> {
    request: &'a Request,
    key: Key,
    limits: Limits,
}

impl Plan {
    pub(crate) fn to(uri: &str) -> Result<Self, Error> {
        let uri: Uri = uri.parse().map_err(Invalid::Uri)?;
        Ok(Self {
            connect_timeout: Duration::from_secs(10),
            handshake_timeout: Duration::from_secs(10),
            limits: Limits::default(),
            request: Ok(Request::new(&uri)),
            uri,
        })
    }

    /// Changes the request. The first change that fails is what opening it reports.
    pub(crate) fn with(mut self, change: impl FnOnce(Request) -> Result<Request, Invalid>) -> Self {
        self.request = self.request.and_then(change);
        self
    }

    /// Returns host and port, to connect to over TCP.
    pub(crate) fn host(&self) -> (&str, u16) {
        (self.uri.host(), self.uri.port())
    }

    /// Checks that TCP alone will do, and that there is a request to be sent over it.
    pub(crate) fn check(&self) -> Result<(), Invalid> {
        if self.uri.is_secure() {
            return Err(Invalid::Uri(UriError::Tls));
        }
        self.request().map(|_| ())
    }

    /// Makes the request, with a key of its own.
    pub(crate) fn begin(&self) -> Result<Opening<'_>, Error> {
        Ok(Opening { request: self.request()?, key: Key::generate()?, limits: self.limits })
    }

    fn request(&self) -> Result<&Request, Invalid> {
        self.request.as_ref().map_err(|invalid| *invalid)
    }
}

impl Opening<'_> {
    pub(crate) fn request(&self) -> Vec<u8> {
        self.request.to_bytes(&self.key)
    }

    pub(crate) fn response(&self) -> Incoming<ResponseHead> {
        Incoming::new(self.limits)
    }

    /// Returns the subprotocol that both sides agree on.
    pub(crate) fn check(&self, head: &ResponseHead) -> Result<Option<String>, Refused> {
        let agreed = self.request.check(&self.key, Version::HTTP_11, head.status(), head)?;
        Ok(agreed.protocol().map(String::from))
    }
}

/// Checks that a connection without extensions will do.
pub(crate) fn check_plain(head: &ResponseHead) -> Result<(), Refused> {
    let extended = Extensions::parse(head.all(names::EXTENSIONS)).next().is_some();
    if extended { Err(Refused::Extensions) } else { Ok(()) }
}

/// Defines the `Connect` of one driver, but for the methods that connect.
macro_rules! connect {
    () => {
        /// What to connect to, and with which request. It can be opened again and again, each time with a new key.
        ///
        /// Defaults: no subprotocol, no Origin, 10 seconds to connect and 10 for the handshake, a response head of 8 KiB
        /// and 100 field lines. What a method is given in error is reported when it is opened.
        #[derive(Debug, Clone)]
        pub struct Connect {
            plan: $crate::driver::connect::Plan,
        }

        impl Connect {
            /// Connects to `ws://host:port/path?query`. A `wss` URI can be opened over a TLS stream of your own.
            ///
            /// # Errors
            ///
            /// [`Error::Invalid`] with the [`UriError`](crate::UriError).
            pub fn to(uri: &str) -> Result<Self, Error> {
                Ok(Self { plan: $crate::driver::connect::Plan::to(uri)? })
            }

            /// Offers a subprotocol; see [`Request::protocol`](crate::Request::protocol).
            #[must_use]
            pub fn subprotocol(self, name: &str) -> Self {
                Self { plan: self.plan.with(|request| request.protocol(name)) }
            }

            /// Offers extensions; see [`Request::extensions`](crate::Request::extensions). [`open`](Self::open) and
            /// [`open_over`](Self::open_over) refuse a server that accepts one, since the connection they make has none:
            /// use [`open_parts`](Self::open_parts).
            #[must_use]
            pub fn extensions(self, offers: $crate::ExtensionList) -> Self {
                Self { plan: self.plan.with(|request| Ok(request.extensions(offers))) }
            }

            /// Sends an origin, as a browser would; see [`Request::origin`](crate::Request::origin).
            #[must_use]
            pub fn origin(self, origin: &str) -> Self {
                Self { plan: self.plan.with(|request| request.origin(origin)) }
            }

            /// Sends a cookie; see [`Request::cookie`](crate::Request::cookie).
            #[must_use]
            pub fn cookie(self, name: &str, value: &str) -> Self {
                Self { plan: self.plan.with(|request| request.cookie(name, value)) }
            }

            /// Sends a header of the application's own; see [`Request::header`](crate::Request::header).
            #[must_use]
            pub fn header(self, name: &str, value: &str) -> Self {
                Self { plan: self.plan.with(|request| request.header(name, value)) }
            }

            /// Limits the time to connect, over all addresses of the host. Each address gets an equal share of what is
            /// left. [`connect_tcp`](Self::connect_tcp) says whether looking them up is part of it.
            #[must_use]
            pub const fn connect_timeout(mut self, timeout: core::time::Duration) -> Self {
                self.plan.connect_timeout = timeout;
                self
            }

            /// Limits the time from the first byte of the request to the last of the response.
            #[must_use]
            pub const fn handshake_timeout(mut self, timeout: core::time::Duration) -> Self {
                self.plan.handshake_timeout = timeout;
                self
            }

            /// Limits the head of the response.
            #[must_use]
            pub const fn limits(mut self, limits: $crate::Limits) -> Self {
                self.plan.limits = limits;
                self
            }
        }
    };
}

pub(crate) use connect;
