//! What the drivers have in common: errors, buffers, deadlines, masking keys, and the lock of the sending direction.

pub(crate) mod buffer;
pub(crate) mod deadline;
pub(crate) mod error;
pub(crate) mod keys;
pub(crate) mod sync;
pub(crate) mod write_lock;
