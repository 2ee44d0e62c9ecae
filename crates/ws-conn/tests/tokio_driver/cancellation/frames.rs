use super::sending::{Tried, assert_sent, finish};
use super::{Drops, binary, each_transport, messages, text};
use crate::T;
use ws_conn::{CloseCode, Opcode, ReadMode};
use ws_testkit::naive::{self, BINARY, CONTINUATION, Frame, PING, TEXT, close, continuation, ping, pong};

#[test]
fn a_dropped_read_frame_loses_nothing() {
    let sizes = [(&[1, 2, 3, 7][..], [0, 1, 125, 126, 600]), (&[64, 4096], [600, 5000, 70_000, 0, 1])];
    for (paces, sizes) in sizes {
        each_transport(paces, |_, new| {
            for mut drops in Drops::all() {
                let (mut conn, peer) = new();
                let frames: Vec<Frame> = sizes.iter().flat_map(|&len| spoken(len)).collect();
                peer.send(&frames);
                peer.send(&[close(1001, "")]);
                peer.hang_up();
                let mut level = conn.frames(T);
                for frame in &frames {
                    let mut payload = Vec::new();
                    let mut opcode = frame.opcode;
                    loop {
                        let into = &mut [0; 500];
                        let Some(read) = peer.poll(level.read_frame(into), drops.polls()) else { continue };
                        payload.extend_from_slice(&into[..read.unwrap()]);
                        let ended = payload.len() == frame.payload.len();
                        let fin = ended && frame.fin;
                        assert_eq!(level.read_mode(), ReadMode { opcode: Opcode::from_bits(opcode), fin });
                        opcode = 0;
                        if ended {
                            break;
                        }
                    }
                    assert!(payload == frame.payload, "{drops:?}: {} bytes", payload.len());
                }
                let error = loop {
                    if let Some(read) = peer.poll(level.read_frame(&mut [0; 500]), drops.polls()) {
                        break read.unwrap_err();
                    }
                };
                assert_eq!(error.closed(), Some(CloseCode::GOING_AWAY), "{error}");
                assert_eq!(peer.sent(), [close(1001, "")]);
            }
        });
    }
}

fn spoken(len: usize) -> [Frame; 5] {
    let payload = binary(len, 1);
    [
        Frame::new(TEXT, text(len)),
        naive::binary(payload.clone()).not_final(),
        ping("in between"),
        pong(""),
        continuation(payload),
    ]
}

/// A fragment that is dropped is whole or absent, and what follows it is sent as what it is: a continuation or not.
#[test]
fn a_dropped_fragment_is_whole_or_absent() {
    each_transport(&[1, 7, 64, 4096], |_, new| {
        for mut drops in Drops::all().chain((0..4).map(Drops::Once)) {
            let (mut conn, peer) = new();
            let mut level = conn.frames(T);
            let mut tried = Vec::new();
            for (number, len) in [3, 0, 600, 5000, 0, 126, 2].into_iter().enumerate() {
                for opcode in [Opcode::BINARY, Opcode::PING] {
                    let payload = binary(if opcode.is_data() { len } else { 10 }, number as u8);
                    // The last one ends the message, and is not dropped.
                    let polls = if number == 6 { usize::MAX } else { drops.polls() };
                    level.set_write_mode(opcode, opcode.is_control() || number == 6);
                    let write = async { level.write_frame(&payload).await.unwrap() };
                    let resolved = peer.poll(write, polls).is_some();
                    tried.push(Tried { message: (opcode.bits(), payload), resolved, polled: polls > 0 });
                }
            }
            finish(&mut conn, &peer);
            let frames = peer.sent();
            assert_eq!(messages(&frames).len(), 1);
            let frames = frames.into_iter().filter(|frame| matches!(frame.opcode, PING | BINARY | CONTINUATION));
            let sent = frames.map(|frame| (if frame.is_control() { PING } else { BINARY }, frame.payload));
            assert_sent(&tried, &sent.collect::<Vec<_>>());
        }
    });
}
