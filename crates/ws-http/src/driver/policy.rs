//! What a server lets in, and what it answers.

use core::time::Duration;

use crate::hosts::Hosts;
use crate::invalid::{Invalid, check_header};
use crate::list::is_token;
use crate::names;
use crate::origin::OriginPolicy;
use crate::reader::Limits;

/// What a server asks of a handshake, and what its answer holds.
///
/// The default: any host, same origin, no subprotocol, a head of 8 KiB and 100 field lines within 10 seconds.
///
/// ```
/// use std::time::Duration;
/// use ws_http::{OriginPolicy, Policy};
///
/// let policy = Policy::default()
///     .hosts(["chat.example.com", "localhost"])?
///     .origin(OriginPolicy::Only(vec!["https://example.com".parse()?]))
///     .protocols(["chat.v2", "chat"])?
///     .header("Server", "example")?
///     .timeout(Duration::from_secs(5));
/// # Ok::<(), ws_http::Invalid>(())
/// ```
#[derive(Debug)]
pub struct Policy {
    pub(crate) hosts: Option<Hosts>,
    pub(crate) origin: OriginPolicy,
    pub(crate) protocols: Vec<String>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) limits: Limits,
    pub(crate) timeout: Duration,
}

impl Policy {
    /// Names the hosts that this server is reached by, each with or without a port. A request for another one is refused
    /// with 421, whether it has an Origin or not; [`Hosts`] says how they compare, and which attack this ends.
    ///
    /// Behind a proxy these are the names that it is reached by, and it must forward Host. Only handshakes are looked at:
    /// before a page is served, [`Hosts::check`] takes the request.
    ///
    /// # Errors
    ///
    /// As [`Hosts::new`].
    pub fn hosts(mut self, names: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Self, Invalid> {
        self.hosts = Some(Hosts::new(names)?);
        Ok(self)
    }

    /// Decides which pages may connect.
    #[must_use]
    pub fn origin(mut self, origin: OriginPolicy) -> Self {
        self.origin = origin;
        self
    }

    /// Names the subprotocols spoken here, the one preferred most first. The first that a client offers is chosen; where
    /// it offers none of them, the connection has none.
    ///
    /// # Errors
    ///
    /// [`Invalid::Protocol`] if one is not a token.
    pub fn protocols(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Result<Self, Invalid> {
        self.protocols = names.into_iter().map(Into::into).collect();
        if self.protocols.iter().all(|name| is_token(name.as_bytes())) { Ok(self) } else { Err(Invalid::Protocol) }
    }

    /// Adds a header to the answer that accepts. One name may be added several times.
    ///
    /// # Errors
    ///
    /// As [`Switching::header`](crate::Switching::header).
    pub fn header(mut self, name: &str, value: &str) -> Result<Self, Invalid> {
        check_header(name, value)?;
        if names::is_reserved(name) {
            return Err(Invalid::HandshakeHeader);
        }
        self.headers.push((name.into(), value.into()));
        Ok(self)
    }

    /// Limits the head. Has an effect in a driver's `accept`; its `Exchange::read` takes limits of its own.
    #[must_use]
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Limits the time of the whole handshake, as [`limits`](Self::limits) does its size.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            hosts: None,
            origin: OriginPolicy::default(),
            protocols: Vec::new(),
            headers: Vec::new(),
            limits: Limits::default(),
            timeout: Duration::from_secs(10),
        }
    }
}
