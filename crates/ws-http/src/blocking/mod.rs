//! Accepting and connecting over blocking sockets.
//!
//! A server in two steps reads the request, and then serves a page, or becomes a WebSocket, on the same port:
//!
//! ```no_run
//! use ws_http::blocking::{Error, Exchange, Policy};
//!
//! # fn serve(stream: std::net::TcpStream, policy: &Policy) -> Result<(), Error> {
//! let exchange = Exchange::read(stream, policy)?;
//! match exchange.request().path() {
//!     "/" => exchange.respond(200, &[("Content-Type", "text/html")], b"<!doctype html><p>Hello")?,
//!     "/chat" => {
//!         let accepted = exchange.upgrade(policy)?;
//!         println!("{} speaks {:?}", accepted.request.path(), accepted.protocol);
//!     }
//!     _ => exchange.respond(404, &[], b"")?,
//! }
//! # Ok(())
//! # }
//! ```
//!
//! [`accept`] is both steps in one call. A client goes by [`Connect`]:
//!
//! ```no_run
//! use std::time::Duration;
//! use ws_http::blocking::Connect;
//!
//! let connected = Connect::to("ws://127.0.0.1:9001/chat")?
//!     .subprotocol("chat")
//!     .header("Authorization", "Bearer 123")
//!     .connect_timeout(Duration::from_secs(3))
//!     .open()?;
//! # drop(connected);
//! # Ok::<(), ws_http::blocking::Error>(())
//! ```
//!
//! # Deadlines
//!
//! A handshake has one deadline for all its reads and writes: a peer that sends a byte now and then does not extend it.
//! A refusal takes at most [`LINGER`] longer, to be written and to survive what the peer still sends: this side closes
//! its direction and reads on for that long. A plain pair of `Read` and `Write` cannot keep deadlines
//! ([`Input::TIMED`](ws_conn::blocking::Input::TIMED)): there each call takes as long as the transport takes.

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
