//! Accepting and connecting over tokio: TCP and Unix sockets, a pair of halves, and
//! [`Whole`](ws_conn::tokio::Whole) of any other stream, such as TLS.
//!
//! A server in two steps reads the request, and then serves a page, or becomes a WebSocket, on the same port:
//!
//! ```no_run
//! use ws_http::tokio::{Error, Exchange, Policy};
//!
//! # async fn serve(stream: tokio::net::TcpStream, policy: &Policy) -> Result<(), Error> {
//! let exchange = Exchange::read(stream, policy).await?;
//! match exchange.request().path() {
//!     "/" => exchange.respond(200, &[("Content-Type", "text/html")], b"<!doctype html><p>Hello").await?,
//!     "/chat" => {
//!         let accepted = exchange.upgrade(policy).await?;
//!         println!("{} speaks {:?}", accepted.request.path(), accepted.protocol);
//!     }
//!     _ => exchange.respond(404, &[], b"").await?,
//! }
//! # Ok(())
//! # }
//! ```
//!
//! [`accept`] is both steps in one call. A client goes by [`Connect`]:
//!
//! ```no_run
//! use std::time::Duration;
//! use ws_http::tokio::Connect;
//!
//! # async fn connect() -> Result<(), ws_http::tokio::Error> {
//! let connected = Connect::to("ws://127.0.0.1:9001/chat")?
//!     .subprotocol("chat")
//!     .header("Authorization", "Bearer 123")
//!     .connect_timeout(Duration::from_secs(3))
//!     .open()
//!     .await?;
//! # drop(connected);
//! # Ok(())
//! # }
//! ```
//!
//! # Deadlines
//!
//! A handshake has one deadline for all its reads and writes: a peer that sends a byte now and then does not extend it.
//! A refusal takes at most [`LINGER`] longer, to be written and to survive what the peer still sends: this side closes
//! its direction and reads on for that long. Deadlines are those of [`tokio::time`], with its resolution of a
//! millisecond; a runtime without it makes the calls panic.
//!
//! # Cancel safety
//!
//! A handshake is done once or not at all: a future dropped before it resolves closes its stream, and the peer may have
//! got a part of the answer. To refuse in order what takes too long, use the deadline rather than a timeout of your own.
//!
//! # Memory
//!
//! The futures keep what they need for the handshake on the heap until they resolve: the task that goes on with the
//! connection is none the larger for it.

mod connect;
mod exchange;
mod parts;
mod wire;

pub use crate::driver::LINGER;
pub use crate::driver::error::Error;
pub use crate::policy::Policy;
pub use connect::Connect;
pub use exchange::{Exchange, accept};
pub use parts::{Accepted, Connected, Parts};
