//! The contract: what the seed of this design promises, what must not go wrong again, and what we ruled ourselves.
//!
//! | module | holds |
//! |---|---|
//! | `promises` | one test for each promise P1 to P21, the seed's own sentence above it |
//! | `regressions` | one test for each fault B1 to B24 and H1, named after what now holds |
//! | `rulings` | one test for each ruling on the protocol |
//! | `deadlines` | real sockets, and peers that drip |
//! | `endings` | real sockets: what reaches whom when a connection ends |
//! | `late` | turns to send that come late |
//! | `memory` | what bad input costs |
//! | `patience` | how exactly time is kept, and that neither direction waits for the other |
//! | `unwinding` | transports that panic |
//!
//! Everything the connection sends is judged by the test kit. Time is the scripted transport's, but for `deadlines` and
//! `endings`.

mod deadlines;
mod endings;
mod harness;
mod late;
mod memory;
mod patience;
mod promises;
mod regressions;
mod rulings;
mod sockets;
mod unwinding;
