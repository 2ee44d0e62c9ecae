//! What is measured, by name.

use clap::ValueEnum;
use core::fmt;

/// A part of the measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Scenario {
    /// 1 connection, 16 B
    I,
    /// 64 connections, 125 B
    Ii,
    /// 64 connections, 125 B, 16 in flight
    Iii,
    /// 8 connections, 16 KiB
    Iv,
    /// 1 connection, 1 MiB
    V,
    /// Memory of idle connections
    Memory,
    /// System calls per message
    Syscalls,
    /// The libraries alone, without sockets
    Library,
}

/// What a load generator does.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// How many connections there are.
    pub conns: usize,
    /// How many messages are under way on each.
    pub depth: usize,
    /// The length of a message.
    pub size: usize,
}

impl Scenario {
    /// The load; none for what is no matter of speed.
    pub fn load(self) -> Option<Load> {
        let load = |conns, depth, size| Some(Load { conns, depth, size });
        match self {
            Self::I => load(1, 1, 16),
            Self::Ii => load(64, 1, 125),
            Self::Iii => load(64, 16, 125),
            Self::Iv => load(8, 1, 16 * 1024),
            Self::V => load(1, 1, 1024 * 1024),
            Self::Memory | Self::Syscalls | Self::Library => None,
        }
    }

    /// The name of its files.
    pub fn stem(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().into())
    }
}

impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { conns, depth, size } = self;
        let plural = if *conns == 1 { "" } else { "s" };
        write!(f, "{conns} connection{plural}, {}", self::size(*size))?;
        if *depth > 1 { write!(f, ", {depth} in flight") } else { Ok(()) }
    }
}

/// The length of a message in words.
pub(crate) fn size(bytes: usize) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..0x10_0000 => format!("{} KiB", bytes >> 10),
        _ => format!("{} MiB", bytes >> 20),
    }
}
