//! The corpora of the fuzz targets for the handshake, replayed on a stable compiler: the bodies are those of `fuzz/src`.

#[path = "../../../fuzz/src/handshake/mod.rs"]
#[allow(unreachable_pub, reason = "it is a module of another package's library")]
mod handshake;
#[path = "../../../fuzz/src/input.rs"]
#[allow(dead_code, reason = "each of the test programs takes a part")]
mod input;
#[path = "../../../fuzz/replay.rs"]
mod replay;

replay::tests!(handshake: http_request http_response origin extensions);

#[test]
fn every_target_is_replayed() {
    replay::assert_complete(
        REPLAYED,
        &["header", "mask", "utf8", "inbound_server", "inbound_client", "outbound", "pair", "seam"],
    );
}
