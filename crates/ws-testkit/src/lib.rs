//! What the tests of this workspace share. Not published.
//!
//! | module | holds |
//! |---|---|
//! | [`naive`] | a frame reader and writer as plain as RFC 6455, section 5, and constructors for frames |
//! | [`raw`] | headers no honest peer sends: lengths that are not minimal, lengths without a payload |
//! | [`judge`] | the rules for everything a peer sends, applied to recorded bytes |
//! | [`golden`] | frames as hex with their meaning, the examples of RFC 6455, section 5.7, among them |
//! | [`chunks`] | ways to cut bytes into pieces |
//! | [`transport`] | a scripted transport in memory whose n-th operation can fail |
//! | [`clock`] | virtual time |
#![cfg_attr(
    feature = "live",
    doc = "| [`live`] | programs as processes, watched from outside, and a peer over real sockets |"
)]
#![cfg_attr(feature = "count-allocations", doc = "| [`alloc`] | allocations counted per thread |")]
//!
//! The kit depends on nothing of this workspace. It is the second opinion: a mistake it shared with the code under test
//! would stay unseen.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

#[cfg(feature = "count-allocations")]
pub mod alloc;
pub mod chunks;
pub mod clock;
pub mod golden;
pub mod judge;
#[cfg(feature = "live")]
pub mod live;
pub mod naive;
pub mod raw;
pub mod transport;
