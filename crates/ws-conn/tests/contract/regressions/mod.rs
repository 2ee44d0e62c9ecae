//! What now holds where the seed had a fault. B-numbers count its faults.

mod endings;
mod receiving;
mod sending;
