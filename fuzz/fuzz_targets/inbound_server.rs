//! Runs [`ws_fuzz::connection::inbound_server`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| ws_fuzz::connection::inbound_server(input));
