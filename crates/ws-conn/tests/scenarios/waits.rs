//! The laws of time.
