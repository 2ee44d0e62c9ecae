//! Runs [`ws_fuzz::connection::pair`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| ws_fuzz::connection::pair(input));
