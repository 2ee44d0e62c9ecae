//! What the libraries are to do.

use core::fmt;

use super::payload::Kind;
use super::side::Side;

/// A table: the same for each size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// To receive messages, as a server.
    Receive(Kind),
    /// To send binary messages, and flush after so many.
    Send(Side, usize),
    /// To mask payloads in their place, which lies so many bytes behind a multiple of 64.
    Mask(usize),
}

impl Task {
    /// The sizes that it is done with: where several messages are held back, the small ones.
    pub fn sizes(self) -> &'static [usize] {
        match self {
            Self::Receive(_) | Self::Send(_, 1) | Self::Mask(_) => &SIZES,
            Self::Send(..) => &SIZES[..3],
        }
    }

    /// The name of its files.
    pub const fn stem(self) -> &'static str {
        match self {
            Self::Receive(Kind::Binary) => "receive-binary",
            Self::Receive(Kind::Ascii) => "receive-ascii",
            Self::Receive(Kind::Multibyte) => "receive-multibyte",
            Self::Send(Side::Server, 1) => "send-server",
            Self::Send(Side::Server, _) => "send-server-batch",
            Self::Send(Side::Client, 1) => "send-client",
            Self::Send(Side::Client, _) => "send-client-batch",
            Self::Mask(0) => "mask-aligned",
            Self::Mask(_) => "mask-unaligned",
        }
    }
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Receive(Kind::Binary) => f.write_str("Receive binary messages, as a server"),
            Self::Receive(Kind::Ascii) => f.write_str("Receive text, all of it ASCII, as a server"),
            Self::Receive(Kind::Multibyte) => f.write_str("Receive text of characters up to four bytes, as a server"),
            Self::Send(side, batch) => {
                let side = if *side == Side::Server { "server" } else { "client" };
                write!(f, "Send binary messages, as a {side}, ")?;
                if *batch == 1 { f.write_str("flushed each") } else { write!(f, "flushed after each {batch}") }
            }
            Self::Mask(0) => f.write_str("Mask payloads in their place, aligned"),
            Self::Mask(_) => f.write_str("Mask payloads in their place, not aligned"),
        }
    }
}

/// All of them.
pub const TASKS: [Task; 9] = [
    Task::Receive(Kind::Binary),
    Task::Receive(Kind::Ascii),
    Task::Receive(Kind::Multibyte),
    Task::Send(Side::Server, 1),
    Task::Send(Side::Server, BATCH),
    Task::Send(Side::Client, 1),
    Task::Send(Side::Client, BATCH),
    Task::Mask(0),
    Task::Mask(1),
];

/// The sizes of messages, in bytes.
pub const SIZES: [usize; 5] = [16, 125, 1024, 16 * 1024, 1024 * 1024];

const BATCH: usize = 16;
