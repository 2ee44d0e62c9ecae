//! Laws of the state machine, for any conversation: what holds however it is fragmented, chunked and interleaved.

mod asked;
mod ending;
mod extension;
mod inbound;
mod outbound;
mod pair;
mod plan;
mod waits;
