//! Programs under test as processes of their own, over real sockets: started, watched through `/proc`, and met by a peer
//! that does as it likes.
//!
//! What a process holds is told on Linux only: nothing else says it so plainly.

mod figures;
mod peer;
mod program;

pub use figures::Figures;
pub use peer::{KEY, PATIENCE, Peer, request};
pub use program::{Finished, Program, Server, example};
