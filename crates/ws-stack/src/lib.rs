//! A WebSocket ([RFC 6455](https://www.rfc-editor.org/rfc/rfc6455)) stack: codec, state machine, drivers and opening
//! handshake, each a crate of its own, here under one name.
//!
//! | to | go to |
//! |---|---|
//! | accept or open connections over blocking sockets | [`blocking`] |
//! | decide who may connect, and take part in an HTTP server of your own | [`http`] |
//! | write a driver for another runtime | [`conn`] |
//! | read and write frames, and nothing else | [`frame`] |
//!
//! The words that all of them share stand here: the [`Opcode`] of a message, the [`CloseCode`] a connection ends with,
//! the [`Timeouts`] of a call, and the [`Fault`] that says why one did not succeed.
#![cfg_attr(all(feature = "blocking", feature = "http"), doc = "```no_run")]
#![cfg_attr(not(all(feature = "blocking", feature = "http")), doc = "```ignore")]
//! use std::time::Duration;
//! use ws_stack::blocking::Connect;
//! use ws_stack::{CloseCode, Opcode, Timeouts};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let wire = Duration::from_secs(1);
//! let mut conn = Connect::to("ws://127.0.0.1:9001/")?.open()?.conn;
//! conn.sender().send(Opcode::TEXT, b"hello", wire)?;
//! let message = conn.message(Timeouts::new(wire, Duration::from_secs(60)))?;
//! println!("{:?}", message.text());
//! conn.finish(CloseCode::NORMAL, "bye", wire)?;
//! # Ok(())
//! # }
//! ```
//!
//! # Features
//!
//! All of these are on by default, and each only adds.
//!
//! | feature | adds |
//! |---|---|
//! | `blocking` | [`blocking`]: connections over blocking sockets, and any pair of `Read` and `Write` |
//! | `http` | [`http`]: the opening handshake; with `blocking`, accepting and connecting |
//! | `simd` | vector kernels for masking and text, chosen at run time |
#![cfg_attr(docsrs, feature(doc_cfg))]
#![no_std]
#![forbid(unsafe_code)]

#[cfg(feature = "blocking")]
#[cfg_attr(docsrs, doc(cfg(feature = "blocking")))]
pub use ws_conn::Error;
pub use ws_conn::{
    Accept, CloseCode, Closed, Fault, Misuse, Opcode, ReadMode, Received, Role, Timeouts, Violation, Wait,
};

/// The frame codec: headers, masking, UTF-8, close payloads. `no_std`, without allocation.
pub use ws_frame as frame;

/// The state machine, for drivers of your own. `no_std`, without I/O, clock, lock or allocation.
pub use ws_conn as conn;

/// The opening handshake without I/O: for HTTP servers and clients of your own, and the rules about origins.
#[cfg(feature = "http")]
#[cfg_attr(docsrs, doc(cfg(feature = "http")))]
pub use ws_http as http;

#[cfg(feature = "blocking")]
#[cfg_attr(docsrs, doc(cfg(feature = "blocking")))]
pub mod blocking;

#[cfg(all(doctest, feature = "http", feature = "blocking"))]
#[doc = include_str!("../README.md")]
struct Readme;
