//! Peers that go away: at every moment, in every way.

use ws_testkit::live::{Peer, request};
use ws_testkit::naive::{binary, close, continuation, encode_all, ping, text};

use crate::habits::frames_until_the_end;
use crate::target::{MIB, Target, over_both_drivers};

#[test]
fn a_peer_may_vanish_at_every_byte() {
    over_both_drivers(&[], |target| {
        let session = session(target);
        for cut in 0..session.len() {
            for end in [dropped, half_closed, reset] {
                let mut peer = target.connect();
                peer.send(&session[..cut]).unwrap();
                end(peer);
            }
        }
        target.never_held(MIB);
    });
}

/// Everything at once: all of them are there still when the first one goes.
#[test]
fn a_crowd_may_vanish_at_once() {
    over_both_drivers(&[], |target| {
        let session = session(target);
        for end in [dropped, half_closed, reset] {
            let cuts = (0..session.len()).step_by(3);
            let crowd: Vec<Peer> = cuts
                .map(|cut| {
                    let mut peer = target.connect();
                    peer.send(&session[..cut]).unwrap();
                    peer
                })
                .collect();
            crowd.into_iter().for_each(end);
        }
        target.never_held(64 * MIB);
    });
}

#[test]
fn a_peer_may_vanish_while_its_echo_is_written() {
    over_both_drivers(&[], |target| {
        for _ in 0..20 {
            let mut peer = target.open();
            peer.say(&[binary(vec![b'e'; 1_000_000])]).unwrap();
            peer.reset().unwrap();
        }
    });
}

/// Half-closed, a peer gets the answers to what it has sent, and no end in order: there was no Close.
#[test]
fn a_half_closed_peer_gets_its_answers() {
    over_both_drivers(&[], |target| {
        let mut peer = target.open();
        peer.say(&[text("one"), ping("two"), text("three").not_final()]).unwrap();
        peer.half_close().unwrap();
        let frames = frames_until_the_end(&mut peer);
        assert_eq!(frames.first(), Some(&text("one")));
        assert!(frames.contains(&ping("two").opcode(ws_testkit::naive::PONG)), "{frames:?}");
    });
}

/// A peer that is gone is no work: neither a stream at its end nor one that was reset keeps anybody busy.
#[test]
fn who_has_vanished_costs_no_time() {
    over_both_drivers(&["--idle", "1"], |target| {
        let halves: Vec<Peer> = (0..50).map(|_| target.open()).collect();
        halves.iter().for_each(|peer| peer.half_close().unwrap());
        for _ in 0..50 {
            dropped(target.open());
        }
        // As long as a connection lives that has been idle from now on: a second.
        let mut idle = target.open();
        let cpu = target.cpu_of(|| drop(idle.frame().unwrap()));
        assert!(cpu.as_millis() < 200, "{cpu:?} of work in a second with nobody there");
    });
}

/// All a client says: a handshake, messages whole and in fragments, a ping, a Close.
fn session(target: &Target) -> Vec<u8> {
    let frames =
        [text("hello"), binary([7; 300]), text("a").not_final(), ping("p"), continuation("b"), close(1000, "bye")];
    let frames: Vec<_> = frames.into_iter().map(|frame| frame.masked([3, 1, 4, 1])).collect();
    [request("/", &target.host(), "").as_bytes(), &encode_all(&frames)].concat()
}

fn dropped(peer: Peer) {
    drop(peer);
}

fn half_closed(mut peer: Peer) {
    peer.half_close().unwrap();
    let (_, error) = peer.rest();
    assert!(error.is_none(), "{error:?}");
}

fn reset(peer: Peer) {
    peer.reset().unwrap();
}
