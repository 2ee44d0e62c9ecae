//! The server's side: a request, and the one answer to it.

use core::fmt;
use core::time::Duration;

use ws_conn::blocking::{Input, Output, Transport};

use super::error::Error;
use super::parts::{Accepted, Parts};
use super::policy::Policy;
use super::wire::{Deadline, Wire};
use crate::head::RequestHead;
use crate::reader::{HeadReader, Limits};
use crate::rejection::Rejection;
use crate::response::response;
use crate::server::{Upgrade, choose_protocol};
use crate::switching::Switching;

/// Reads a handshake from the stream, checks it, and answers it.
///
/// The same as [`Exchange::read`] with the policy's limits, and [`Exchange::upgrade`].
///
/// # Errors
///
/// As those two.
pub fn accept<T: Transport>(stream: T, policy: &Policy) -> Result<Accepted<T::Read, T::Write>, Error> {
    Exchange::read(stream, policy.limits, policy.timeout)?.upgrade(policy)
}

/// A request on a stream, to be answered once: with a page, with a refusal, or by becoming a WebSocket.
///
/// Dropping it closes the stream without an answer.
pub struct Exchange<R, W> {
    wire: Wire<R, W>,
    head: RequestHead,
    /// What is left of the handshake's time for its answer. The time a program takes between the two does not count.
    patience: Duration,
}

impl<R: Input, W: Output> Exchange<R, W> {
    /// Reads the head of a request.
    ///
    /// `timeout` is for the whole handshake, this head and its answer; no single byte extends it.
    ///
    /// # Errors
    ///
    /// [`Error::Rejected`] for a head that is malformed, too large or too late, after the client was told so (400, 431,
    /// 505, 408); [`Error::Io`] if the client hangs up before that, or the transport fails.
    pub fn read<T: Transport<Read = R, Write = W>>(
        stream: T,
        limits: Limits,
        timeout: Duration,
    ) -> Result<Self, Error> {
        let (read, write) = stream.split();
        let mut wire = Wire::new(read, write);
        let deadline = wire.deadline(timeout);
        let head = read_request(&mut wire, limits, deadline);
        let patience = wire.left(deadline);
        match head {
            // A head whose last byte comes with the deadline leaves no time to answer it.
            Ok(_) if R::TIMED && patience.is_zero() => Err(refuse(wire, Rejection::Timeout, false)),
            Ok(head) => Ok(Self { wire, head, patience }),
            Err(Error::Rejected(rejection)) => Err(refuse(wire, rejection, false)),
            Err(Error::Timeout) => Err(refuse(wire, Rejection::Timeout, false)),
            Err(error) => Err(error),
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
    /// [`Error::Invalid`] as [`response`] says, [`Error::Timeout`] and [`Error::Io`] if the client does not take it.
    pub fn respond(self, status: u16, headers: &[(&str, &str)], body: &[u8]) -> Result<(), Error> {
        let answer = response(status, headers, body, is_head(&self.head))?;
        self.wire.write_last(&answer, self.patience)
    }

    /// Answers with a refusal, and closes. Returns [`Error::Rejected`], to be passed on.
    pub fn reject(self, rejection: Rejection) -> Error {
        refuse(self.wire, rejection, is_head(&self.head))
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

    /// As [`upgrade`](Self::upgrade), with a closer look at the request and more in the answer: headers of this one
    /// request, or extensions, for which the halves of the transport come without a connection yet.
    ///
    /// `answer` is called for a request that passed the checks, with the subprotocol chosen already.
    ///
    /// # Errors
    ///
    /// As [`upgrade`](Self::upgrade), and what `answer` returns: [`Error::Rejected`] is told to the client, after any
    /// other error the stream is closed.
    pub fn upgrade_with(
        mut self,
        policy: &Policy,
        answer: impl FnOnce(&Upgrade<'_, RequestHead>, &mut Switching<'_, '_, RequestHead>) -> Result<(), Error>,
    ) -> Result<Parts<R, W, RequestHead>, Error> {
        match decide(&self.head, policy, answer) {
            Ok((switching, protocol)) => {
                let deadline = self.wire.deadline(self.patience);
                self.wire.write_all(&switching, deadline)?;
                let Wire { read, write, leftover } = self.wire;
                Ok(Parts { read, write, leftover, protocol, head: self.head })
            }
            Err(Error::Rejected(rejection)) => Err(self.reject(rejection)),
            Err(error) => Err(error),
        }
    }
}

impl<R, W> fmt::Debug for Exchange<R, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").field("head", &self.head).finish_non_exhaustive()
    }
}

fn read_request<R: Input, W: Output>(
    wire: &mut Wire<R, W>,
    limits: Limits,
    deadline: Deadline,
) -> Result<RequestHead, Error> {
    let reader = wire.read_head::<Rejection>(HeadReader::request(limits), deadline)?;
    Ok(RequestHead::parse(reader).map_err(Rejection::from)?)
}

/// Returns the 101 and the subprotocol in it.
fn decide(
    head: &RequestHead,
    policy: &Policy,
    answer: impl FnOnce(&Upgrade<'_, RequestHead>, &mut Switching<'_, '_, RequestHead>) -> Result<(), Error>,
) -> Result<(Vec<u8>, Option<String>), Error> {
    let upgrade = head.upgrade()?;
    upgrade.check_origin(&policy.origin)?;
    let protocol = choose_protocol(&policy.protocols, upgrade.protocols());
    let mut switching = Switching::new(&upgrade);
    if let Some(protocol) = protocol {
        switching.protocol(protocol)?;
    }
    for (name, value) in &policy.headers {
        switching.header(name, value)?;
    }
    answer(&upgrade, &mut switching)?;
    Ok((switching.to_bytes(), protocol.map(String::from)))
}

/// Tells the client, as far as it listens.
fn refuse<R: Input, W: Output>(wire: Wire<R, W>, rejection: Rejection, head_only: bool) -> Error {
    let answer = if head_only { rejection.response_to_head() } else { rejection.response() };
    // Best effort: that the request was refused is what the caller must know, not whether the client has heard it.
    let _ = wire.write_last(&answer, Duration::ZERO);
    Error::Rejected(rejection)
}

fn is_head(head: &RequestHead) -> bool {
    head.method() == "HEAD"
}
