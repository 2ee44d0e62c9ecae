//! Runs [`ws_fuzz::connection::utf8`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| ws_fuzz::connection::utf8(input));
