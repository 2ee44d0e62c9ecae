//! What the drivers have in common: errors, buffers, deadlines, masking keys, and the locks of the sending direction.

pub(crate) mod buffer;
pub(crate) mod deadline;
pub(crate) mod error;
#[cfg(feature = "tokio")]
pub(crate) mod hub;
pub(crate) mod keys;
pub(crate) mod message;
#[cfg(feature = "tokio")]
pub(crate) mod pool;
pub(crate) mod sync;
#[cfg(feature = "tokio")]
pub(crate) mod turns;
#[cfg(feature = "blocking")]
pub(crate) mod write_lock;
