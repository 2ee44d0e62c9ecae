//! The seed's document, sentence by sentence. P-numbers count its promises.

mod closing;
mod frames;
mod receiving;
mod sending;
