use crate::control::Control;
use crate::fault::{Closed, Fault, Misuse};
use ws_frame::{Close, CloseCode, Role};

/// The facts that the two directions of a connection share: the status, and what is owed to the peer.
///
/// RFC 6455 couples receiving and sending at two points only: a Ping asks for a Pong, a Close for a Close. Each has one
/// slot here, so that a peer that asks faster than it reads costs no more than that. A driver keeps the value behind a
/// lock of its own; which status code wins is settled here alone.
#[derive(Debug)]
pub struct Shared {
    role: Role,
    status: Option<Closed>,
    pong: Control,
    pong_owed: bool,
    close: Control,
    close_owed: bool,
    close_sent: bool,
    close_received: bool,
    abandoned: bool,
}

/// How the transport is to be closed once everything owed is sent (RFC 6455, section 7.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// This side closes its direction now, then waits for the peer to close the other.
    HalfClose,
    /// This side waits for the peer to close first.
    Await,
}

impl Shared {
    /// Nothing owed, nothing closed.
    #[must_use]
    pub fn new(role: Role) -> Self {
        Self {
            role,
            status: None,
            pong: Control::default(),
            pong_owed: false,
            close: Control::default(),
            close_owed: false,
            close_sent: false,
            close_received: false,
            abandoned: false,
        }
    }

    /// Closes the connection from this side. The first status code stays in effect; a later one is discarded.
    ///
    /// The reason is cut to 123 bytes, at a character boundary. [`CloseCode::NO_STATUS`] sends a Close without a code,
    /// and without the reason.
    ///
    /// # Errors
    ///
    /// [`Misuse::Close`] for any other code that may not be sent (RFC 6455, section 7.4); nothing has happened then.
    pub fn close(&mut self, code: CloseCode, reason: &str) -> Result<Closed, Misuse> {
        if !code.may_be_sent() && code != CloseCode::NO_STATUS {
            return Err(Misuse::Close);
        }
        Ok(self.status.unwrap_or_else(|| self.claim(code, reason)))
    }

    /// As [`close`](Self::close), with the payload of a Close frame in place of code and reason.
    ///
    /// # Errors
    ///
    /// [`Misuse::Close`] if the payload is malformed, or its code may not be sent; nothing has happened then. It may be
    /// longer than a control frame: the reason is cut.
    pub fn close_with(&mut self, payload: &[u8]) -> Result<Closed, Misuse> {
        match Close::parse(payload) {
            Ok(Some(close)) => self.close(close.code, close.reason),
            Ok(None) => self.close(CloseCode::NO_STATUS, ""),
            Err(_) => Err(Misuse::Close),
        }
    }

    /// As [`close_with`](Self::close_with), for a Close that is sent like a message: once the status is set, nothing can be
    /// sent.
    ///
    /// # Errors
    ///
    /// [`Fault::Closed`], and as [`close_with`](Self::close_with).
    pub fn send_close(&mut self, payload: &[u8]) -> Result<Closed, Fault> {
        match self.status {
            Some(closed) => Err(closed.into()),
            None => Ok(self.close_with(payload)?),
        }
    }

    /// Ends the connection without another word: the transport is gone, or about to be. The status becomes `code` if
    /// there is none yet, and nothing is owed any more.
    pub fn abandon(&mut self, code: CloseCode) -> Closed {
        self.pong_owed = false;
        self.close_owed = false;
        self.abandoned |= !self.close_sent;
        self.close_sent = true;
        *self.status.get_or_insert(Closed(code))
    }

    /// The status, once there is one.
    #[must_use]
    #[inline]
    pub fn closed(&self) -> Option<Closed> {
        self.status
    }

    /// Whether the connection was closed in order: a Close was sent, and the peer's has come. Whether what was sent has
    /// left is the driver's to know.
    ///
    /// "If the TCP connection was closed after the WebSocket closing handshake was completed, the WebSocket connection
    /// is said to have been closed _cleanly_." (RFC 6455, section 7.1.4)
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.close_sent && self.close_received && !self.abandoned
    }

    /// Whether a Pong or a Close waits to be sent.
    #[must_use]
    #[inline]
    pub fn owes(&self) -> bool {
        self.pong_owed || self.close_owed
    }

    /// What to do with the transport once nothing is owed any more.
    #[must_use]
    pub fn ending(&self) -> Ending {
        // "The underlying TCP connection, in most normal cases, SHOULD be closed first by the server, so that it holds
        // the TIME_WAIT state and not the client" -- RFC 6455, section 7.1.1
        if self.role == Role::Client && self.close_received { Ending::Await } else { Ending::HalfClose }
    }

    /// Posts the answer to a Ping. It replaces one that has not been sent yet.
    pub(crate) fn pong(&mut self, payload: &[u8]) {
        // "If an endpoint receives a Ping frame and has not yet sent Pong frame(s) in response to previous Ping
        // frame(s), the endpoint MAY elect to send a Pong frame for only the most recently processed Ping frame."
        // -- RFC 6455, section 5.5.3
        if !self.close_sent && self.status.is_none() {
            self.pong.set(payload);
            self.pong_owed = true;
        }
    }

    /// Takes note of the peer's Close and posts the answer, unless a Close of this side is under way.
    pub(crate) fn closed_by_peer(&mut self, code: CloseCode) -> Closed {
        self.close_received = true;
        // "When sending a Close frame in response, the endpoint typically echos the status code it received."
        // -- RFC 6455, section 5.5.1
        self.status.unwrap_or_else(|| self.claim(code, ""))
    }

    /// Ends the connection for a fault: the one that comes first sets the status, and is the one that is reported.
    pub(crate) fn fail(&mut self, fault: Fault) -> Fault {
        if !fault.is_fatal() {
            return fault;
        }
        match self.status {
            Some(first) => Fault::Closed(first),
            None => {
                self.claim(fault.code(), fault.reason());
                fault
            }
        }
    }

    /// The Pong that is owed, as long as it is not taken.
    pub(crate) fn pong_owed(&self) -> Option<&[u8]> {
        self.pong_owed.then(|| self.pong.as_slice())
    }

    pub(crate) fn pong_sent(&mut self) {
        self.pong_owed = false;
    }

    /// The payload of the Close that is owed.
    pub(crate) fn close_owed(&self) -> Option<&[u8]> {
        self.close_owed.then(|| self.close.as_slice())
    }

    pub(crate) fn close_sent(&mut self) {
        self.close_owed = false;
        self.pong_owed = false;
        self.close_sent = true;
    }

    /// The status is set here, once: by whoever comes first.
    fn claim(&mut self, code: CloseCode, reason: &str) -> Closed {
        // 1006 "is designated for use in applications expecting a status code to indicate that the connection was
        // closed abnormally, e.g., without sending or receiving a Close control frame." -- RFC 6455, section 7.4.1
        if code != CloseCode::ABNORMAL && !self.close_sent {
            if code.may_be_sent() {
                self.close.set(Close { code, reason }.encode(&mut [0; Control::MAX]));
            } else {
                self.close.clear();
            }
            self.close_owed = true;
        }
        *self.status.insert(Closed(code))
    }
}
