//! Both drivers: one table of handshakes, run over each under virtual time, and each over real sockets.
//!
//! | | holds |
//! |---|---|
//! | [`server`], [`client`] | the table: what the peer does, what must come of it, when, and what must have been written |
//! | [`blocking`], [`tokio`] | how each driver is run over the test kit's scripted transport |
//! | [`blocking_sockets`], [`tokio_sockets`] | what needs sockets, threads and tasks |
//! | [`numbers`] | the defaults, and what a head costs |
//! | [`spinning`] | transports that are always ready, or always interrupted |
//! | [`tokio_futures`] | what the futures weigh, and what dropping one does |
#![cfg(any(feature = "blocking", feature = "tokio"))]

#[cfg(feature = "blocking")]
mod blocking;
#[cfg(feature = "blocking")]
mod blocking_sockets;
mod client;
mod messages;
mod numbers;
mod run;
mod server;
mod spinning;
#[cfg(feature = "tokio")]
mod tokio;
#[cfg(feature = "tokio")]
mod tokio_futures;
#[cfg(feature = "tokio")]
mod tokio_sockets;
