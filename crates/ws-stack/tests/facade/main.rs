//! What the README and the examples build on, by the names that the facade gives: the same tests over both drivers.

#[cfg(all(feature = "blocking", feature = "http"))]
mod blocking;
#[cfg(all(feature = "messages", feature = "http"))]
mod messages;
#[cfg(all(feature = "tokio", feature = "http"))]
mod tokio;
