//! Targets for the frame codec and the state machine of a connection.

use ws_conn::Role;

mod driver;
mod expected;
mod header;
mod inbound;
mod keys;
mod mask;
mod outbound;
mod pair;
#[path = "../../../crates/ws-conn/tests/scenarios/extension.rs"]
#[allow(dead_code, reason = "a part of it is for the scenarios")]
mod runs;
mod seam;
mod utf8;

pub use header::header;
pub use mask::mask;
pub use outbound::outbound;
pub use pair::pair;
pub use seam::seam;
pub use utf8::utf8;

/// The receiving direction of a server; see the module `inbound`.
pub fn inbound_server(input: &[u8]) {
    inbound::inbound(Role::Server, input);
}

/// The receiving direction of a client; see the module `inbound`.
pub fn inbound_client(input: &[u8]) {
    inbound::inbound(Role::Client, input);
}
