//! Connections over blocking sockets, and over any pair of `Read` and `Write`.
//!
//! A [`Conn`] receives, in one thread at a time; its [`Sender`]s send, from any number of threads. No thread is started
//! behind your back.
//!
//! | to | use |
//! |---|---|
//! | receive whole messages | [`Conn::receive`] into a buffer of yours, [`Conn::message`] lent from the connection's |
//! | receive a message of any length | [`Conn::receive_stream`], a `Read` |
//! | send messages | [`Conn::sender_mut`] where the connection is, [`Sender::send`] from any thread; `feed` and `flush`, many at once |
//! | answer a message that is lent | [`Conn::message_and_sender`] |
//! | send a message of unknown length | [`Sender::send_stream`], a `Write` |
//! | close | [`Conn::finish`] in order, [`Sender::send_close`] from any thread, [`Sender::abort`] at once |
//! | see each frame | [`Conn::frames`] |
#![cfg_attr(
    feature = "http",
    doc = "| accept a connection | [`accept`], or [`Exchange`] to serve pages on the same port |"
)]
#![cfg_attr(feature = "http", doc = "| open a connection | [`Connect`] |")]
//!
//! Two kinds of errors come from here, as two things go wrong: [`Error`](crate::Error) from a connection, and
#![cfg_attr(feature = "http", doc = "[`HandshakeError`]")]
#![cfg_attr(not(feature = "http"), doc = "`HandshakeError` (feature `http`)")]
//! where none came about.

pub use ws_conn::blocking::{
    Conn, Frames, HangUp, Input, MessageReader, MessageRef, MessageWriter, Output, Sender, SenderMut, Socket,
    Transport, Untimed,
};

#[cfg(feature = "http")]
#[cfg_attr(docsrs, doc(cfg(feature = "http")))]
pub use ws_http::blocking::{Accepted, Connect, Connected, Error as HandshakeError, Exchange, Parts, Policy, accept};
