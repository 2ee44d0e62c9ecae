//! Runs [`ws_fuzz::handshake::origin`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| ws_fuzz::handshake::origin(input));
