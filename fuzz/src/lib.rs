//! What the fuzz targets do with an input. Each body panics if a law does not hold.
//!
//! A target in `fuzz_targets` is one call of a function here. So is the replay of `corpus` as plain tests: `tests/corpus.rs`
//! of ws-conn includes the module [`connection`] with `#[path]`, that of ws-http the module [`handshake`], and both
//! `input`. That is why nothing else here is named by way of `crate`.
//!
//! Inputs are read by a cursor: the first bytes steer, and a body's own words say how. What is left is what the code under
//! test gets. There is nothing between an input and its meaning that a person could not write by hand.

mod input;

pub mod connection;
pub mod handshake;
