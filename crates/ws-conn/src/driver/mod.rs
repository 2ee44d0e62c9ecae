//! What the drivers are made of besides the state machine, free of any runtime: errors, buffers, deadlines, masking keys,
//! and the locks of the sending direction.

// For both.
pub(crate) mod buffer;
pub(crate) mod error;
#[cfg(unix)]
pub(crate) mod gather;
pub(crate) mod keys;
pub(crate) mod message;
pub(crate) mod sync;

// For threads, which wait.
#[cfg(feature = "blocking")]
pub(crate) mod deadline;
#[cfg(feature = "blocking")]
pub(crate) mod write_lock;

// For tasks, which are woken.
#[cfg(feature = "tokio")]
pub(crate) mod deferred;
#[cfg(feature = "tokio")]
pub(crate) mod hub;
#[cfg(all(test, ws_loom))]
#[cfg_attr(not(feature = "tokio"), expect(dead_code, reason = "some are for tasks, which are woken"))]
pub(crate) mod model;
#[cfg(feature = "tokio")]
pub(crate) mod pool;
#[cfg(feature = "tokio")]
pub(crate) mod turns;
