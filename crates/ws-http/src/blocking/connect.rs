//! The client's side: a connection to the server of a URI.
#![expect(clippy::disallowed_methods, reason = "connecting has a deadline before there is a transport to ask the time")]

use std::net::{TcpStream, ToSocketAddrs};
use std::time::Instant;

use ws_conn::blocking::{Socket, Transport};

use super::parts::{Connected, Parts};
use super::wire::Wire;
use crate::driver::attempts::Attempts;
use crate::driver::connect::{check_plain, connect};
use crate::driver::error::Error;
use crate::head::ResponseHead;

connect!();

impl Connect {
    /// Connects to the URI's host over TCP, without delay of small packets (`TCP_NODELAY`), and opens the WebSocket.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for what a method was given in error, and for a `wss` URI; [`Error::Timeout`] if a deadline
    /// has passed; [`Error::Refused`] for any response but the one that accepts; [`Error::Io`], the one of the last
    /// address tried, if no connection comes about or it fails.
    pub fn open(&self) -> Result<Connected<Socket<TcpStream>, Socket<TcpStream>>, Error> {
        self.plan.check()?;
        self.open_over(self.connect_tcp()?)
    }

    /// Opens the WebSocket over a stream of your own: a Unix socket, TLS, a tunnel. The URI says what to ask for.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_over<T: Transport>(&self, stream: T) -> Result<Connected<T::Read, T::Write>, Error> {
        let parts = self.open_parts(stream)?;
        check_plain(&parts.head)?;
        Ok(parts.connected())
    }

    /// Opens the WebSocket as [`open_over`](Self::open_over) does, but for the connection: with the extensions that the
    /// head of the response names, it is for the caller to make.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_parts<T: Transport>(&self, stream: T) -> Result<Parts<T::Read, T::Write, ResponseHead>, Error> {
        let opening = self.plan.begin()?;
        let mut wire = Wire::new(stream);
        let deadline = wire.deadline(self.plan.handshake_timeout);
        wire.write_all(&opening.request(), deadline)?;
        let (head, leftover) = wire.read_head(opening.response(), deadline)?;
        let protocol = opening.check(&head)?;
        let Wire { read, write } = wire;
        Ok(Parts { read, write, leftover, protocol, head })
    }

    /// Connects to the URI's host over TCP, and no further. [`open`](Self::open) does this first.
    ///
    /// Looking up the host's addresses is not part of the [time to connect](Self::connect_timeout): the operating system
    /// has its own limit for that.
    ///
    /// # Errors
    ///
    /// [`Error::Timeout`], or the [`Error::Io`] of the last address tried.
    pub fn connect_tcp(&self) -> Result<TcpStream, Error> {
        let mut attempts = Attempts::new(self.plan.host().to_socket_addrs()?);
        let start = Instant::now();
        loop {
            let left = self.plan.connect_timeout.saturating_sub(start.elapsed());
            let (address, share) = attempts.next(left)?;
            match TcpStream::connect_timeout(&address, share) {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    return Ok(stream);
                }
                Err(error) => attempts.failed(error),
            }
        }
    }
}
