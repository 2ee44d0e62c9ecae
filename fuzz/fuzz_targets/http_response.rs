//! Runs [`ws_fuzz::handshake::http_response`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| ws_fuzz::handshake::http_response(input));
