//! Runs [`ws_fuzz::connection::mask`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| ws_fuzz::connection::mask(input));
