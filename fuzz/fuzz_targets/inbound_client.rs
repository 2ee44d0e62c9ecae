//! Runs [`ws_fuzz::connection::inbound_client`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| ws_fuzz::connection::inbound_client(input));
