//! Runs [`ws_fuzz::connection::seam`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| ws_fuzz::connection::seam(input));
