//! The client's side: a connection to the server of a URI.

use std::io;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use ws_conn::tokio::Transport;

use super::parts::{Connected, Parts};
use super::wire::{Deadline, Wire};
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
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime, and in one without its timer and its I/O driver (`enable_all`).
    ///
    /// # Cancel safety
    ///
    /// Dropped before it resolves, it closes the stream, if there is one yet; the server may have accepted already.
    pub async fn open(
        &self,
    ) -> Result<Connected<<TcpStream as Transport>::Read, <TcpStream as Transport>::Write>, Error> {
        self.plan.check()?;
        Box::pin(async { connected(self.exchange(self.tcp().await?).await?) }).await
    }

    /// Opens the WebSocket over a stream of your own: a Unix socket, TLS, a tunnel. The URI says what to ask for.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime, and in one without its timer (`enable_time`, or `enable_all`).
    ///
    /// # Cancel safety
    ///
    /// As [`open`](Self::open).
    pub async fn open_over<T: Transport>(&self, stream: T) -> Result<Connected<T::Read, T::Write>, Error> {
        connected(self.open_parts(stream).await?)
    }

    /// Opens the WebSocket as [`open_over`](Self::open_over) does, but for the connection: with the extensions that the
    /// head of the response names, it is for the caller to make.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    ///
    /// # Cancel safety
    ///
    /// As [`open`](Self::open).
    pub async fn open_parts<T: Transport>(&self, stream: T) -> Result<Parts<T::Read, T::Write, ResponseHead>, Error> {
        Box::pin(self.exchange(stream)).await
    }

    /// Connects to the URI's host over TCP, and no further. [`open`](Self::open) does this first.
    ///
    /// Looking up the host's addresses is part of the [time to connect](Self::connect_timeout). A look-up that is given
    /// up goes on in one of the runtime's threads until the operating system ends it.
    ///
    /// # Errors
    ///
    /// [`Error::Timeout`], or the [`Error::Io`] of the last address tried.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it resolves, it ends the attempt.
    pub async fn connect_tcp(&self) -> Result<TcpStream, Error> {
        Box::pin(self.tcp()).await
    }

    async fn exchange<T: Transport>(&self, stream: T) -> Result<Parts<T::Read, T::Write, ResponseHead>, Error> {
        let opening = self.plan.begin()?;
        let mut wire = Wire::new(stream);
        let deadline = Deadline::after(self.plan.handshake_timeout);
        wire.write_all(&opening.request(), deadline).await?;
        let (head, leftover) = wire.read_head(opening.response(), deadline).await?;
        let protocol = opening.check(&head)?;
        let Wire { read, write } = wire;
        Ok(Parts { read, write, leftover, protocol, head })
    }

    async fn tcp(&self) -> Result<TcpStream, Error> {
        let deadline = Deadline::after(self.plan.connect_timeout);
        let addresses = deadline.bound(io_result(lookup_host(self.plan.host()))).await?;
        let mut attempts = Attempts::new(addresses);
        loop {
            let (address, share) = attempts.next(deadline.left())?;
            match Deadline::after(share).bound(io_result(TcpStream::connect(address))).await {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    return Ok(stream);
                }
                Err(error) => attempts.failed(error.into()),
            }
        }
    }
}

fn connected<R: AsyncRead + Unpin, W: AsyncWrite + Unpin>(
    parts: Parts<R, W, ResponseHead>,
) -> Result<Connected<R, W>, Error> {
    check_plain(&parts.head)?;
    Ok(parts.connected())
}

async fn io_result<T>(work: impl Future<Output = io::Result<T>>) -> Result<T, Error> {
    Ok(work.await?)
}
