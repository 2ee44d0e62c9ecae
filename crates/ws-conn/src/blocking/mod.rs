//! Connections over blocking sockets, and over any pair of `Read` and `Write`.
//!
//! [`Conn`] receives, in one thread at a time; any number of [`Sender`]s send, from any thread. No thread is started:
//! answers to Pings and Closes, and what was fed and not flushed, go out while a call is in progress.
//!
//! # Deadlines
//!
//! A write waits with the system's `poll`, which is exact to the resolution of its timers; on systems other than Unix, and
//! for reads, with the time-out of the socket, which the system rounds up to its clock's ticks (on Linux two of them,
//! 2 to 20 milliseconds in all). A blocked read looks up at least once a [second](Conn::NOTICE): that is how long a
//! Close from another thread may go unnoticed by a thread that waits in [`receive`](Conn::receive). [`Sender::abort`]
//! wakes it at once.
//!
//! A plain `Read` or `Write` ([`Untimed`]) has no time-outs: all deadlines are lost there, and a call takes as long as
//! the transport takes.

mod conn;
mod ending;
mod frames;
mod io;
mod line;
#[cfg(all(test, ws_loom))]
mod model;
mod reader;
mod receive;
mod sender;
mod sender_mut;
mod serving;
mod socket;
mod stalled;
mod writer;
mod writing;

pub use crate::driver::message::MessageRef;
pub use conn::Conn;
pub use frames::Frames;
pub use io::{HangUp, Input, Output, Transport, Untimed};
pub use reader::MessageReader;
pub use sender::Sender;
pub use sender_mut::SenderMut;
pub use socket::Socket;
pub use writer::MessageWriter;
