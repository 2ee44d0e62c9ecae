//! One table of scenarios, run over the bare state machine and over both drivers.
//!
//! A scenario says what the peer sends, which calls the application makes, what must come out of them and what must
//! have been sent (see [`scenario`]). The runs differ in how the bytes arrive and in what the transport does meanwhile;
//! the outcome must not.
//!
//! | run | over | how the bytes arrive |
//! |---|---|---|
//! | [`run_machine`] | `Inbound`, `Outbound`, `Shared` | cut at every point, into every size, at random; ending at every byte |
//! | [`run_blocking`] | `blocking::Conn`, scripted transport | likewise |
//! | [`run_failures`] | `blocking::Conn`, scripted transport | with every operation failing, short, late or interrupted |
//! | `tokio_driver` | `tokio::Conn`, scripted transport | likewise, both; with the feature `tokio` |
//! | [`run_sockets`] | `blocking::Conn`, TCP and Unix sockets | as the operating system likes |
//!
//! [`waits`] holds the laws of time, under virtual time; [`extension`] a toy extension for the scenarios that need one, and
//! [`run_extension`] what the table cannot say about it: what it costs, and how its messages are cut.

mod app;
mod blocking;
mod extension;
mod machine;
mod run_blocking;
mod run_extension;
mod run_failures;
mod run_machine;
mod run_sockets;
mod scenario;
mod table;
#[cfg(feature = "tokio")]
mod tokio_driver;
mod waits;
