//! The libraries alone: what each does with messages in memory, without sockets, in one process.
//!
//! The bytes to read lie ready, and what is written is copied once and forgotten. Handshakes are left out.

mod allocations;
mod case;
mod masking;
mod measure;
mod meter;
mod ours;
mod payload;
mod peers;
mod place;
mod side;
mod table;
mod task;
mod wire;

pub use allocations::{allocations, counted};
pub use measure::{SAMPLES, Table, run, steps};
pub use side::Side;
pub use table::{allocation_table, bars, time_table};
pub use task::{SIZES, TASKS, Task};

use core::pin::Pin;

use meter::Meter;
use payload::Message;
use wire::Wire;

/// A library, or one way to use it.
#[derive(Debug)]
pub struct Library {
    /// What it is called in the tables: as the server that uses it so.
    pub name: &'static str,
    receive: Option<fn(Receive<'_>) -> Play<'_>>,
    send: Option<fn(Send<'_>) -> Play<'_>>,
    /// Its routine to mask with, if it has one that others may call.
    mask: Option<fn(&mut [u8], [u8; 4])>,
    /// Whether it can hold back messages, to write several at once.
    batches: bool,
}

/// Messages to receive, in the role of a server.
struct Receive<'m> {
    wire: Wire,
    /// Whether they are text.
    text: bool,
    /// The longest of them, in bytes.
    size: usize,
    meter: &'m mut Meter,
}

/// A message to send again and again.
struct Send<'m> {
    wire: Wire,
    side: Side,
    message: &'m Message,
    meter: &'m mut Meter,
}

/// A library at work.
type Play<'m> = Pin<Box<dyn Future<Output = crate::Result<()>> + 'm>>;

/// Those that are named: all of them, if none is.
pub fn chosen(names: &[String]) -> Vec<&'static Library> {
    let named = |library: &&Library| names.is_empty() || names.iter().any(|name| name == library.name);
    ours::LIBRARIES.iter().chain(&peers::LIBRARIES).filter(named).collect()
}
