//! What the drivers share, free of any I/O: each decision of a handshake, and the vocabulary around it. A driver reads,
//! writes and watches the time.

pub(crate) mod attempts;
pub(crate) mod connect;
pub(crate) mod error;
pub(crate) mod exchange;
pub(crate) mod incoming;
pub(crate) mod interruptions;
pub(crate) mod parts;

use core::time::Duration;

/// How long a refusal may take to be written and to be read by the peer, after which the transport is closed.
pub const LINGER: Duration = Duration::from_secs(1);

/// What is read at once: most requests whole.
pub(crate) const CHUNK: usize = 4096;

/// The most that is read behind a last answer.
pub(crate) const DRAINED: usize = 1 << 20;
