//! What is forgotten (`core::mem::forget`) is neither dropped nor polled again. Nothing wrong comes of it.

use super::{binary, each_transport};
use crate::T;
use crate::transport::{Pair, Peer};
use core::future::Future;
use core::mem::forget;
use core::pin::Pin;
use core::task::{Context, Waker};
use core::time::Duration;
use tokio::runtime::Runtime;
use ws_conn::{Error, Fault, Opcode, Wait};
use ws_testkit::naive::{self, Frame, continuation, ping};

/// Polls a call so many times and forgets it. Its memory is lost with it.
fn begin_and_forget<'c, F: Future + 'c>(peer: &Peer, call: F, polls: usize) -> bool {
    let mut call: Pin<Box<F>> = Box::pin(call);
    for _ in 0..polls {
        if call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
            return false;
        }
        peer.tick();
    }
    forget(call);
    true
}

/// Two messages, the first in fragments.
fn spoken() -> [Frame; 4] {
    let first = naive::binary(binary(40, 0)).not_final();
    [first, ping("p"), continuation(binary(40, 1)), naive::binary(binary(50, 2))]
}

/// The messages that come whole from here on, however they are received.
fn received(conn: &mut Pair, peer: &Peer, way: usize) -> Vec<u8> {
    let mut buffer = [0xEE; 200];
    match way {
        0 => {
            let received = peer.run(conn.receive(&mut buffer, T)).unwrap();
            buffer[..received.len].to_vec()
        }
        1 => peer.run(async { conn.message(T).await.unwrap().to_vec() }),
        _ => peer.run(async {
            let (mut reader, mut whole) = (conn.receive_stream(T).await.unwrap(), Vec::new());
            loop {
                match reader.read_chunk(&mut buffer).await.unwrap() {
                    0 => return whole,
                    read => whole.extend_from_slice(&buffer[..read]),
                }
            }
        }),
    }
}

#[test]
fn a_forgotten_receive_loses_its_message_and_no_other() {
    let (one, two) = ([binary(40, 0), binary(40, 1)].concat(), binary(50, 2));
    each_transport(&[1, 7, 30], |_, new| {
        for polls in 1..100 {
            for way in 0..3 {
                let (mut conn, peer) = new();
                peer.send(&spoken());
                let mut buffer = [0; 200];
                if begin_and_forget(&peer, conn.receive(&mut buffer, T), polls) {
                    let came = received(&mut conn, &peer, way);
                    // Nothing of it had come yet, or what had come is gone.
                    assert!(came == one || came == two, "{polls} polls, {way}: {came:?}");
                    if came == one {
                        assert_eq!(received(&mut conn, &peer, way), two);
                    }
                }
            }
        }
    });
}

/// What it had got lies with the connection already.
#[test]
fn a_forgotten_message_or_resumed_receive_loses_nothing() {
    let (one, two) = ([binary(40, 0), binary(40, 1)].concat(), binary(50, 2));
    each_transport(&[1, 7, 30], |_, new| {
        for polls in 2..100 {
            for way in 0..3 {
                for resumed in [false, true] {
                    let (mut conn, peer) = new();
                    peer.send(&spoken());
                    let mut buffer = [0; 200];
                    let forgotten = if resumed {
                        // Then some bytes of the payload have come.
                        if peer.poll(conn.receive(&mut buffer, T), 12).is_some() {
                            continue;
                        }
                        begin_and_forget(&peer, conn.receive(&mut buffer, T), polls)
                    } else {
                        begin_and_forget(&peer, conn.message(T), polls)
                    };
                    if forgotten {
                        assert_eq!(received(&mut conn, &peer, way), one, "{polls} polls, {way}, {resumed}");
                        assert_eq!(received(&mut conn, &peer, way), two);
                    }
                }
            }
        }
    });
}

#[test]
fn a_forgotten_reader_loses_its_message_and_no_other() {
    each_transport(&[1, 7, 30], |_, new| {
        for parked in [0, 12, 40] {
            for reads in 0..3 {
                for way in 0..3 {
                    let (mut conn, peer) = new();
                    peer.send(&spoken());
                    if peer.poll(conn.receive(&mut [0; 200], T), parked).is_some() {
                        continue;
                    }
                    let mut reader = peer.run(conn.receive_stream(T)).unwrap();
                    for _ in 0..reads {
                        peer.run(reader.read_chunk(&mut [0; 3])).unwrap();
                    }
                    forget(reader);
                    assert_eq!(received(&mut conn, &peer, way), binary(50, 2), "{parked}, {reads}, {way}");
                }
            }
        }
    });
}

/// On the wire is what had been sent of it, and nothing follows: the connection is of no use for sending any more, but for
/// what needs no turn.
#[test]
fn who_waits_behind_a_forgotten_call_that_sends_meets_its_deadline() {
    let wire = Duration::from_secs(1);
    each_transport(&[7], |_, new| {
        for kind in 0..3 {
            let (mut conn, peer) = new();
            let runtime: Runtime = crate::paused();
            let sender = conn.sender();
            let payload = binary(100, 0);
            match kind {
                0 => assert!(begin_and_forget(&peer, sender.send(Opcode::BINARY, &payload, T.wire), 3)),
                1 => {
                    let mut writer = peer.run(sender.send_stream(Opcode::BINARY, T.wire)).unwrap();
                    peer.run(writer.write_chunk(b"part")).unwrap();
                    forget(writer);
                }
                _ => {
                    let mut frames = conn.frames(T);
                    frames.set_write_mode(Opcode::BINARY, false);
                    assert!(begin_and_forget(&peer, frames.write_frame(&payload), 3));
                }
            }
            let waits = async { sender.send(Opcode::BINARY, b"behind it", wire).await };
            let error = runtime.block_on(waits).unwrap_err();
            assert!(matches!(error, Error::Fault(Fault::Timeout(Wait::Turn))), "{kind}: {error}");
            if kind == 1 {
                // Its fragments were whole, so that control frames go on.
                peer.run(sender.send(Opcode::PING, b"p", wire)).unwrap();
                let sent = peer.sent();
                assert_eq!(sent.last().map(|frame| frame.opcode), Some(naive::PING));
                assert!(sent.iter().all(|frame| frame.is_control() || !frame.fin), "half a message is not finished");
            } else {
                assert!(peer.sent_len() < 100, "it broke off");
            }
        }
    });
}
