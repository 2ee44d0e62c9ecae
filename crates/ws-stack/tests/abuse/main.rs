//! Abuse of running programs: `testee_server` over both drivers, and `testee_client` over both, met over real sockets by a
//! peer that breaks every rule it can. What they hold and use is read from the system, not from themselves.
//!
//! | module | what the peer does |
//! |---|---|
//! | `floods` | sends more small things than anybody has a use for, and does or does not read the answers |
//! | `lengths` | announces what it does not send, and breaks the rules of frames |
//! | `slow` | says nothing, drips, or does not read |
//! | `handshakes` | sends requests in every broken form, and more behind them |
//! | `origins` | is a page of somebody else |
//! | `neighbours` | floods, while others want to be served |
//! | `surroundings` | meets a program whose sockets do not block, or whose system ends who writes to nobody |
//! | `vanishing` | goes away at every moment, in every way |
//! | `client` | is a server that does any of this |
//!
//! Cargo builds the programs with all the tests of this package, and not with one of them alone.
#![cfg(all(target_os = "linux", feature = "tokio", feature = "blocking", feature = "http"))]
#![expect(clippy::disallowed_methods, reason = "real sockets take real time")]

mod client;
mod floods;
mod habits;
mod handshakes;
mod lengths;
mod neighbours;
mod origins;
mod slow;
mod surroundings;
mod target;
mod vanishing;
