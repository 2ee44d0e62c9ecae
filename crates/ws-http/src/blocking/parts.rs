//! What comes out of a handshake.

use core::fmt;

use ws_conn::Role;
use ws_conn::blocking::{Conn, Input, Output};

use crate::head::{RequestHead, ResponseHead};

/// A WebSocket connection that a server has accepted.
#[non_exhaustive]
pub struct Accepted<R: Input, W: Output> {
    /// The connection. What the client sent right behind its request is in it.
    pub conn: Conn<R, W>,
    /// The subprotocol in use, one of the server's that the client offered.
    pub protocol: Option<String>,
    /// The request, for its path, cookies and other fields.
    pub request: RequestHead,
}

/// A WebSocket connection that a client has opened.
#[non_exhaustive]
pub struct Connected<R: Input, W: Output> {
    /// The connection. What the server sent right behind its response is in it.
    pub conn: Conn<R, W>,
    /// The subprotocol in use, one of those offered.
    pub protocol: Option<String>,
    /// The response, for its header fields.
    pub response: ResponseHead,
}

/// The halves of a transport behind a handshake, for a connection that the caller makes.
#[non_exhaustive]
pub struct Parts<R, W, H> {
    /// The receiving half.
    pub read: R,
    /// The sending half.
    pub write: W,
    /// What the peer sent right behind its head, to be given to [`Conn::preload`].
    pub leftover: Vec<u8>,
    /// The subprotocol in use.
    pub protocol: Option<String>,
    /// The peer's head: a server gets a [`RequestHead`], a client a [`ResponseHead`].
    pub head: H,
}

impl<R: Input, W: Output> Parts<R, W, RequestHead> {
    /// Makes them a server's connection without extensions.
    pub fn accepted(self) -> Accepted<R, W> {
        let conn = conn(self.read, self.write, Role::Server, &self.leftover);
        Accepted { conn, protocol: self.protocol, request: self.head }
    }
}

impl<R: Input, W: Output> Parts<R, W, ResponseHead> {
    /// Makes them a client's connection without extensions.
    pub fn connected(self) -> Connected<R, W> {
        let conn = conn(self.read, self.write, Role::Client, &self.leftover);
        Connected { conn, protocol: self.protocol, response: self.head }
    }
}

impl<R: Input, W: Output> fmt::Debug for Accepted<R, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accepted")
            .field("protocol", &self.protocol)
            .field("request", &self.request)
            .finish_non_exhaustive()
    }
}

impl<R: Input, W: Output> fmt::Debug for Connected<R, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connected")
            .field("protocol", &self.protocol)
            .field("response", &self.response)
            .finish_non_exhaustive()
    }
}

impl<R, W, H: fmt::Debug> fmt::Debug for Parts<R, W, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts").field("protocol", &self.protocol).field("head", &self.head).finish_non_exhaustive()
    }
}

fn conn<R: Input, W: Output>(read: R, write: W, role: Role, leftover: &[u8]) -> Conn<R, W> {
    let mut conn = Conn::new(read, write, role);
    // A connection that waits holds no buffer: it gets one only for what there is.
    if !leftover.is_empty() {
        conn.preload(leftover);
    }
    conn
}
