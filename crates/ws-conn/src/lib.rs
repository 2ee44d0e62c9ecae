//! A WebSocket connection (RFC 6455): a state machine without I/O, clock, lock or allocation, and drivers over it.
//!
//! Without features this crate is `no_std` and needs no allocator: [`Inbound`], [`Outbound`] and [`Shared`] between
//! them are the whole protocol behind the opening handshake. They own no payload: a driver lends them bytes it has
//! read, and room for bytes it is going to write.
//!
//! The drivers hold no opcode, close code, length or mask. `blocking` is the one for blocking
//! sockets, `tokio` the one for tokio.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![no_std]
#![forbid(unsafe_code)]
#![warn(clippy::std_instead_of_core)]
// No panic can be reached from the wire or from an argument.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(any(feature = "blocking", feature = "tokio"))]
extern crate std;

pub use ws_frame::{Close, CloseCode, Opcode, Role, Violation};

// Vocabulary.
mod accept;
mod fault;
mod timeouts;

pub use accept::Accept;
pub use fault::{Closed, Fault, Misuse};
pub use timeouts::{Need, Timeouts, Wait};

// The state machine.
mod control;
mod extension;
mod inbound;
mod outbound;
mod receiving;
mod shared;

pub use extension::{Coded, Decode, Encode, Plain};
pub use inbound::Inbound;
pub use outbound::{Keys, Out, Outbound, Sending};
pub use receiving::{ReadMode, Received, Receiving, Step};
pub use shared::{Ending, Shared};

// The drivers.
#[cfg(feature = "blocking")]
#[cfg_attr(docsrs, doc(cfg(feature = "blocking")))]
pub mod blocking;
#[cfg(any(feature = "blocking", feature = "tokio"))]
mod driver;
#[cfg(feature = "tokio")]
#[cfg_attr(docsrs, doc(cfg(feature = "tokio")))]
pub mod tokio;

#[cfg(any(feature = "blocking", feature = "tokio"))]
#[cfg_attr(docsrs, doc(cfg(any(feature = "blocking", feature = "tokio"))))]
pub use driver::error::Error;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
