//! A WebSocket ([RFC 6455](https://www.rfc-editor.org/rfc/rfc6455)) stack: codec, state machine, drivers and opening
//! handshake, each a crate of its own, here under one name.
//!
//! | to | go to |
//! |---|---|
//! | accept or open connections over tokio | this page |
//! | do the same over blocking sockets | [`blocking`], by the same names |
//! | decide who may connect, and take part in an HTTP server of your own | [`http`] |
//! | write a driver for another runtime | [`conn`] |
//! | read and write frames, and nothing else | [`frame`] |
//!
//! # Connections
//!
//! A [`Conn`] receives, in one task at a time; its [`Sender`]s send, from any number of tasks. No task is spawned behind
//! your back: answers to Pings and Closes, keepalive and deadlines advance while a call is in progress. Every future may
//! be dropped at any time, in `select!` or a timeout: nothing is lost, repeated or torn.
//!
//! | to | use |
//! |---|---|
//! | accept a connection | [`accept`], or [`Exchange`] to serve pages on the same port |
//! | open a connection | [`Connect`] |
//! | receive whole messages | [`Conn::receive`] into a buffer of yours, [`Conn::message`] lent from the connection's |
//! | receive a message of any length | [`Conn::receive_stream`], an `AsyncRead` |
//! | send messages | [`Conn::sender_mut`] where the connection is, [`Sender::send`] from any task; `feed` and `flush`, many at once |
//! | answer a message that is lent | [`Conn::message_and_sender`] |
//! | send a message of unknown length | [`Sender::send_stream`], an `AsyncWrite` |
//! | own messages, as `Stream` and `Sink` | `Messages` (feature `messages`) |
//! | close | [`Conn::finish`] in order, [`Sender::send_close`] from any task, [`Sender::abort`] at once |
//! | find out that a silent peer is gone | [`Conn::set_keepalive`] |
//! | see each frame | [`Conn::frames`] |
//! | run over TLS or any other stream | [`Whole`] |
//!
//! Two kinds of errors come from here, as two things go wrong: [`Error`] from a connection, and [`HandshakeError`] where
//! none came about. What they speak of stands here too: the [`Opcode`] of a message, the [`CloseCode`] a connection ends
//! with, the [`Timeouts`] of a call, and the [`Fault`] that says why one did not succeed.
#![cfg_attr(all(feature = "tokio", feature = "http"), doc = "```no_run")]
#![cfg_attr(not(all(feature = "tokio", feature = "http")), doc = "```ignore")]
//! use std::time::Duration;
//! use ws_stack::{CloseCode, Connect, Opcode, Timeouts};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let wire = Duration::from_secs(1);
//! let mut conn = Connect::to("ws://127.0.0.1:9001/")?.open().await?.conn;
//! conn.sender_mut().send(Opcode::TEXT, b"hello", wire).await?;
//! let message = conn.message(Timeouts::new(wire, Duration::from_secs(60))).await?;
//! println!("{:?}", message.text());
//! conn.finish(CloseCode::NORMAL, "bye", wire).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Features
//!
//! All but `messages` are on by default, and each only adds.
//!
//! | feature | adds |
//! |---|---|
//! | `tokio` | connections over tokio: any `AsyncRead` and `AsyncWrite` |
//! | `blocking` | [`blocking`]: connections over blocking sockets, and any pair of `Read` and `Write` |
//! | `http` | [`http`]: the opening handshake; with a driver, accepting and connecting |
//! | `messages` | owned messages over tokio, as `Stream` and `Sink` |
//! | `simd` | vector kernels for masking and text, chosen at run time |
#![cfg_attr(docsrs, feature(doc_cfg))]
#![no_std]
#![forbid(unsafe_code)]

#[cfg(any(feature = "tokio", feature = "blocking"))]
#[cfg_attr(docsrs, doc(cfg(any(feature = "tokio", feature = "blocking"))))]
pub use ws_conn::Error;
pub use ws_conn::{
    Accept, CloseCode, Closed, Fault, Misuse, Opcode, ReadMode, Received, Role, Timeouts, Violation, Wait,
};

#[cfg(feature = "tokio")]
#[cfg_attr(docsrs, doc(cfg(feature = "tokio")))]
pub use ws_conn::tokio::{
    Conn, Frames, Keepalive, MessageReader, MessageRef, MessageWriter, Sender, SenderMut, SocketWrite, Transport,
    Whole, WholeRead, WholeWrite,
};
#[cfg(feature = "messages")]
#[cfg_attr(docsrs, doc(cfg(feature = "messages")))]
pub use ws_conn::tokio::{Message, Messages};
#[cfg(all(feature = "tokio", feature = "http"))]
#[cfg_attr(docsrs, doc(cfg(all(feature = "tokio", feature = "http"))))]
pub use ws_http::tokio::{Accepted, Connect, Connected, Error as HandshakeError, Exchange, Parts, Policy, accept};

#[cfg(feature = "blocking")]
#[cfg_attr(docsrs, doc(cfg(feature = "blocking")))]
pub mod blocking;

/// The frame codec: headers, masking, UTF-8, close payloads. `no_std`, without allocation.
pub use ws_frame as frame;

/// The state machine, for drivers of your own. `no_std`, without I/O, clock, lock or allocation.
pub use ws_conn as conn;

/// The opening handshake without I/O: for HTTP servers and clients of your own, and the rules about origins.
#[cfg(feature = "http")]
#[cfg_attr(docsrs, doc(cfg(feature = "http")))]
pub use ws_http as http;

#[cfg(all(doctest, feature = "http", feature = "tokio", feature = "blocking"))]
#[doc = include_str!("../README.md")]
struct Readme;
