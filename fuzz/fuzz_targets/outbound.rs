//! Runs [`ws_fuzz::connection::outbound`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| ws_fuzz::connection::outbound(input));
