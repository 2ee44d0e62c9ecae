//! The client's side: a connection to the server of a URI.
#![expect(clippy::disallowed_methods, reason = "connecting has a deadline before there is a transport to ask the time")]

use core::net::SocketAddr;
use core::time::Duration;
use std::io;
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Instant;

use ws_conn::blocking::{Input, Output, Socket, Transport};

use super::error::Error;
use super::parts::{Connected, Parts};
use super::wire::{Deadline, Wire};
use crate::client::{Refused, Request};
use crate::extensions::{ExtensionList, Extensions};
use crate::fields::Fields as _;
use crate::head::{ResponseHead, Version};
use crate::invalid::Invalid;
use crate::key::Key;
use crate::names;
use crate::reader::{HeadReader, Limits};
use crate::uri::{Uri, UriError};

/// What to connect to, and with which request. It can be opened again and again, each time with a new key.
///
/// Defaults: no subprotocol, no Origin, 10 seconds to connect and 10 for the handshake, a response head of 8 KiB and 100
/// field lines. What a method is given in error is reported when it is opened.
#[derive(Debug, Clone)]
pub struct Connect {
    uri: Uri,
    request: Result<Request, Invalid>,
    connect_timeout: Duration,
    handshake_timeout: Duration,
    limits: Limits,
}

impl Connect {
    /// Connects to `ws://host:port/path?query`. A `wss` URI can be opened over a TLS stream of your own.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] with the [`UriError`].
    pub fn to(uri: &str) -> Result<Self, Error> {
        let uri: Uri = uri.parse().map_err(Invalid::Uri)?;
        Ok(Self {
            request: Ok(Request::new(&uri)),
            uri,
            connect_timeout: Duration::from_secs(10),
            handshake_timeout: Duration::from_secs(10),
            limits: Limits::default(),
        })
    }

    /// Offers a subprotocol; see [`Request::protocol`].
    #[must_use]
    pub fn subprotocol(self, name: &str) -> Self {
        self.with(|request| request.protocol(name))
    }

    /// Offers extensions; see [`Request::extensions`]. [`open`](Self::open) and [`open_over`](Self::open_over) refuse a
    /// server that accepts one, since the connection they make has none: use [`open_parts`](Self::open_parts).
    #[must_use]
    pub fn extensions(self, offers: ExtensionList) -> Self {
        self.with(|request| Ok(request.extensions(offers)))
    }

    /// Sends an origin, as a browser would; see [`Request::origin`].
    #[must_use]
    pub fn origin(self, origin: &str) -> Self {
        self.with(|request| request.origin(origin))
    }

    /// Sends a cookie; see [`Request::cookie`].
    #[must_use]
    pub fn cookie(self, name: &str, value: &str) -> Self {
        self.with(|request| request.cookie(name, value))
    }

    /// Sends a header of the application's own; see [`Request::header`].
    #[must_use]
    pub fn header(self, name: &str, value: &str) -> Self {
        self.with(|request| request.header(name, value))
    }

    /// Limits the time to connect, over all addresses of the host. Each address gets an equal share of what is left.
    ///
    /// Looking up the host's addresses is not part of it: the operating system has its own limit for that.
    #[must_use]
    pub const fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Limits the time from the first byte of the request to the last of the response.
    #[must_use]
    pub const fn handshake_timeout(mut self, timeout: Duration) -> Self {
        self.handshake_timeout = timeout;
        self
    }

    /// Limits the head of the response.
    #[must_use]
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Connects to the URI's host over TCP, without delay of small packets (`TCP_NODELAY`), and opens the WebSocket.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for what a method was given in error, and for a `wss` URI; [`Error::Timeout`] if a deadline
    /// has passed; [`Error::Refused`] for any response but the one that accepts; [`Error::Io`], the one of the last
    /// address tried, if no connection comes about or it fails.
    pub fn open(&self) -> Result<Connected<Socket<TcpStream>, Socket<TcpStream>>, Error> {
        if self.uri.is_secure() {
            return Err(Invalid::Uri(UriError::Tls).into());
        }
        self.request()?;
        self.open_over(self.connect_tcp()?)
    }

    /// Opens the WebSocket over a stream of your own: a Unix socket, TLS, a tunnel. The URI says what to ask for.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_over<T: Transport>(&self, stream: T) -> Result<Connected<T::Read, T::Write>, Error> {
        let parts = self.open_parts(stream)?;
        let extended = Extensions::parse(parts.head.all(names::EXTENSIONS)).next().is_some();
        if extended { Err(Refused::Extensions.into()) } else { Ok(parts.connected()) }
    }

    /// Opens the WebSocket as [`open_over`](Self::open_over) does, but for the connection: with the extensions that the
    /// head of the response names, it is for the caller to make.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_parts<T: Transport>(&self, stream: T) -> Result<Parts<T::Read, T::Write, ResponseHead>, Error> {
        let request = self.request()?;
        let key = Key::generate()?;
        let (read, write) = stream.split();
        let mut wire = Wire::new(read, write);
        let deadline = wire.deadline(self.handshake_timeout);
        wire.write_all(&request.to_bytes(&key), deadline)?;
        let head = read_response(&mut wire, self.limits, deadline)?;
        let agreed = request.check(&key, Version::HTTP_11, head.status(), &head)?;
        let protocol = agreed.protocol().map(String::from);
        let Wire { read, write, leftover } = wire;
        Ok(Parts { read, write, leftover, protocol, head })
    }

    /// Connects to the URI's host over TCP, and no further. [`open`](Self::open) does this first.
    ///
    /// # Errors
    ///
    /// [`Error::Timeout`], or the [`Error::Io`] of the last address tried.
    pub fn connect_tcp(&self) -> Result<TcpStream, Error> {
        let addresses: Vec<SocketAddr> = (self.uri.host(), self.uri.port()).to_socket_addrs()?.collect();
        let start = Instant::now();
        let mut last = io::Error::from(io::ErrorKind::NotFound);
        for (at, address) in addresses.iter().enumerate() {
            let left = self.connect_timeout.saturating_sub(start.elapsed());
            let others = u32::try_from(addresses.len().saturating_sub(at)).unwrap_or(u32::MAX);
            let share = left.checked_div(others).unwrap_or(left);
            if share.is_zero() {
                return Err(Error::Timeout);
            }
            match TcpStream::connect_timeout(address, share) {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    return Ok(stream);
                }
                Err(error) => last = error,
            }
        }
        match last.kind() {
            io::ErrorKind::TimedOut => Err(Error::Timeout),
            _ => Err(last.into()),
        }
    }

    fn request(&self) -> Result<&Request, Invalid> {
        self.request.as_ref().map_err(|invalid| *invalid)
    }

    fn with(mut self, change: impl FnOnce(Request) -> Result<Request, Invalid>) -> Self {
        self.request = self.request.and_then(change);
        self
    }
}

/// Reads the final response. Those that only announce one are passed over (RFC 9110, section 15.2), within the limits of
/// one head.
fn read_response<R: Input, W: Output>(
    wire: &mut Wire<R, W>,
    mut limits: Limits,
    deadline: Deadline,
) -> Result<ResponseHead, Error> {
    loop {
        let reader = wire.read_head::<Refused>(HeadReader::response(limits), deadline)?;
        limits.bytes = limits.bytes.saturating_sub(reader.received());
        let head = ResponseHead::parse(reader).map_err(Refused::from)?;
        if !head.is_interim() {
            return Ok(head);
        }
    }
}
