//! What a server lets in, and what it answers.

use core::time::Duration;

use crate::fields::Fields;
use crate::hosts::Hosts;
use crate::invalid::{Invalid, check_own_header};
use crate::list::is_token;
use crate::names;
use crate::origin::OriginPolicy;
use crate::reader::Limits;
use crate::rejection::Rejection;
use crate::upgrade::{Upgrade, choose_protocol};
use crate::upgrade_response::UpgradeResponse;

/// What a server asks of a handshake, and what its response holds.
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
    hosts: Option<Hosts>,
    origin: OriginPolicy,
    protocols: Vec<String>,
    headers: Vec<(String, String)>,
    limits: Limits,
    timeout: Duration,
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

    /// Adds a header to the response that accepts. One name may be added several times.
    ///
    /// # Errors
    ///
    /// As [`UpgradeResponse::header`].
    pub fn header(mut self, name: &str, value: &str) -> Result<Self, Invalid> {
        check_own_header(name, value)?;
        self.headers.push((name.into(), value.into()));
        Ok(self)
    }

    /// Limits the head of the request. The drivers enforce it; an HTTP server of your own enforces limits of its own.
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

    /// Decides about a handshake: returns the response that accepts it, to be sent as it is or with
    /// [headers](UpgradeResponse::header) and [extensions](UpgradeResponse::set_extensions) more.
    ///
    /// No I/O is done, and what [`Upgrade::check`] and [`Upgrade::check_connect`] have found is not looked at again.
    ///
    /// # Errors
    ///
    /// In this order: [`Rejection::Misdirected`] for a host that is not one of [`hosts`](Self::hosts),
    /// [`Rejection::OriginRepeated`] and [`Rejection::Origin`] for a page that may not connect.
    #[cfg_attr(feature = "http", doc = include_str!("policy/server.md"))]
    pub fn decide<F: Fields + ?Sized>(&self, upgrade: &Upgrade<'_, F>) -> Result<UpgradeResponse, Rejection> {
        if let Some(hosts) = &self.hosts {
            upgrade.check_host(hosts)?;
        }
        upgrade.check_origin(&self.origin)?;
        let mut response = UpgradeResponse::new(upgrade);
        if let Some(protocol) = choose_protocol(&self.protocols, upgrade.protocols()) {
            response.push(names::PROTOCOL, String::from(protocol));
        }
        for (name, value) in &self.headers {
            response.push(name.clone(), value.clone());
        }
        Ok(response)
    }

    /// Returns the limits of the request's head, for a driver.
    #[must_use]
    pub const fn head_limits(&self) -> Limits {
        self.limits
    }

    /// Returns the time of the whole handshake, for a driver.
    #[must_use]
    pub const fn handshake_timeout(&self) -> Duration {
        self.timeout
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
