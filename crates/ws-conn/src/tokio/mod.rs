//! Connections over tokio: any `AsyncRead` and `AsyncWrite`, TCP, Unix, TLS and in-memory transports among them.
//!
//! [`Conn`] receives, in one task at a time; any number of [`Sender`]s send, from any task. No task is spawned: answers
//! to Pings and Closes, what was fed and not flushed, keepalive and deadlines advance while a call is in progress.
//!
//! The runtime needs its timer (`enable_time`, or `enable_all`).
//!
//! # Cancel safety
//!
//! Every future may be dropped at any time, in `select!` or a timeout: nothing is lost, repeated or torn. What a dropped
//! [`receive`](Conn::receive) had put into the caller's buffer goes first to the next call; what a dropped
//! [`send`](Sender::send) had begun is finished by the next poll of anyone.
//!
//! # Memory
//!
//! A connection that waits holds no buffer. Buffers of 64 KiB are lent by the worker thread for one read or write, and
//! stay with the connection only while they hold unread or unsent bytes.

mod access;
mod at_once;
mod conn;
mod ending;
mod frames;
mod hold;
mod io;
mod keepalive;
mod line;
#[cfg(feature = "messages")]
mod messages;
#[cfg(all(test, ws_loom))]
mod model;
mod out;
mod reader;
mod receive;
mod send;
mod sender;
mod sender_mut;
mod share;
mod timers;
mod whole;
mod writer;

pub use crate::driver::message::MessageRef;
pub use conn::Conn;
pub use frames::Frames;
pub use io::{SocketWrite, Transport, Whole, WholeRead, WholeWrite};
pub use keepalive::Keepalive;
#[cfg(feature = "messages")]
#[cfg_attr(docsrs, doc(cfg(feature = "messages")))]
pub use messages::{Message, Messages};
pub use reader::MessageReader;
pub use sender::Sender;
pub use sender_mut::SenderMut;
pub use writer::MessageWriter;
