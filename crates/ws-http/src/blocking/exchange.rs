//! The server's side: a request, and the one answer to it.

use core::fmt;
use core::time::Duration;

use ws_conn::blocking::{Input, Output, Transport};

use super::parts::{Accepted, Parts};
use super::wire::Wire;
use crate::driver::error::Error;
use crate::driver::exchange::{decide, in_time, page, refusal};
use crate::driver::incoming::Incoming;
use crate::head::RequestHead;
use crate::policy::Policy;
use crate::rejection::Rejection;
use crate::upgrade::Upgrade;
use crate::upgrade_response::UpgradeResponse;

/// Reads a handshake from the stream, checks it, and answers it.
///
/// The same as [`Exchange::read`] and [`Exchange::upgrade`].
///
/// # Errors
///
/// As those two.
pub fn accept<T: Transport>(stream: T, policy: &Policy) -> Result<Accepted<T::Read, T::Write>, Error> {
    Exchange::read(stream, policy)?.upgrade(policy)
}

/// A request on a stream, to be answered once: with a page, with a refusal, or by becoming a WebSocket.
///
/// Dropping it closes the stream without an answer.
pub struct Exchange<R, W> {
    wire: Wire<R, W>,
    head: RequestHead,
    /// What the client sent right behind it.
    leftover: Vec<u8>,
    /// What is left of the handshake's time for its answer. The time a program takes between the two does not count.
    patience: Duration,
}

impl<R: Input, W: Output> Exchange<R, W> {
    /// Reads the head of a request.
    ///
    /// Size and time are those of [`Policy::limits`] and [`Policy::timeout`]. The time is for the whole handshake, this
    /// head and its answer; no single byte extends it.
    ///
    /// # Errors
    ///
    /// [`Error::Rejected`] for a head that is malformed, too large or too late, after the client was told so (400, 431,
    /// 505, 408); [`Error::Io`] if the client hangs up before that, or the transport fails.
    pub fn read<T: Transport<Read = R, Write = W>>(stream: T, policy: &Policy) -> Result<Self, Error> {
        let mut wire = Wire::new(stream);
        let deadline = wire.deadline(policy.handshake_timeout());
        let read = wire.read_head(Incoming::new(policy.head_limits()), deadline);
        let patience = wire.left(deadline);
        match in_time(read, if R::TIMED { patience } else { Duration::MAX }) {
            Ok((head, leftover)) => Ok(Self { wire, head, leftover, patience }),
            Err(error) => Err(end(wire, error, None)),
        }
    }

    /// Returns the request.
    pub const fn request(&self) -> &RequestHead {
        &self.head
    }

    /// Answers with a page, and closes: delimited by its length, without the body if the method is HEAD.
    ///
    /// A body of the request is not read, but for what it takes that the answer survives.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] as [`response`](crate::response) says, [`Error::Timeout`] and [`Error::Io`] if the client does not take it.
    pub fn respond(self, status: u16, headers: &[(&str, &str)], body: &[u8]) -> Result<(), Error> {
        let answer = page(&self.head, status, headers, body)?;
        self.wire.write_last(&answer, self.patience)
    }

    /// Answers with a refusal, and closes. Returns [`Error::Rejected`], to be passed on.
    pub fn reject(self, rejection: Rejection) -> Error {
        end(self.wire, rejection.into(), Some(&self.head))
    }

    /// Answers with 101 if the request is a handshake that the policy lets in; the stream is a WebSocket then.
    ///
    /// # Errors
    ///
    /// [`Error::Rejected`] for any other request, after the client was told so; [`Error::Timeout`] and [`Error::Io`] if
    /// the client does not take the answer.
    pub fn upgrade(self, policy: &Policy) -> Result<Accepted<R, W>, Error> {
        self.upgrade_with(policy, |_, _| Ok(())).map(Parts::accepted)
    }

    /// As [`upgrade`](Self::upgrade), with a closer look at the request and more in the response: headers of this one
    /// request, or extensions, for which the halves of the transport come without a connection yet.
    ///
    /// `more` is called for a request that the policy lets in, with the response that [`Policy::decide`] gives it.
    ///
    /// # Errors
    ///
    /// As [`upgrade`](Self::upgrade), and what `more` returns: [`Error::Rejected`] is told to the client, after any
    /// other error the stream is closed.
    pub fn upgrade_with(
        mut self,
        policy: &Policy,
        more: impl FnOnce(&Upgrade<'_, RequestHead>, &mut UpgradeResponse) -> Result<(), Error>,
    ) -> Result<Parts<R, W, RequestHead>, Error> {
        match decide(&self.head, policy, more) {
            Ok(response) => {
                let deadline = self.wire.deadline(self.patience);
                self.wire.write_all(&response.to_bytes(), deadline)?;
                let Wire { read, write } = self.wire;
                let protocol = response.protocol().map(String::from);
                Ok(Parts { read, write, leftover: self.leftover, protocol, head: self.head })
            }
            Err(error) => Err(end(self.wire, error, Some(&self.head))),
        }
    }
}

impl<R, W> fmt::Debug for Exchange<R, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").field("head", &self.head).finish_non_exhaustive()
    }
}

/// Tells the client of a refusal, as far as it listens, and closes.
fn end<R: Input, W: Output>(wire: Wire<R, W>, error: Error, head: Option<&RequestHead>) -> Error {
    if let Some(answer) = refusal(&error, head) {
        // Best effort: that the request was refused is what the caller must know, not whether the client has heard it.
        let _ = wire.write_last(&answer, Duration::ZERO);
    }
    error
}
