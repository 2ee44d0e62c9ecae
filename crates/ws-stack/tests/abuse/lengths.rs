//! Lengths that are announced and not sent, and frames that break the rules.

use ws_testkit::live::Peer;
use ws_testkit::naive::{self, Frame, binary, close, continuation, ping, text};
use ws_testkit::raw;

use crate::habits::closed_with;
use crate::target::{KIB, MIB, over_both_drivers};

const LIMIT: u64 = MIB;
const FLAGS: &[&str] = &["--max-message", "1048576", "--wire", "1"];

#[test]
fn a_length_beyond_the_limit_is_answered_before_any_of_it_has_come() {
    over_both_drivers(FLAGS, |target| {
        let binary = binary([]).masked(MASK);
        let beyond = [LIMIT + 1, u64::from(u32::MAX), u64::from(u32::MAX) + 1, i64::MAX as u64];
        for len in beyond {
            assert_eq!(answer(&mut target.open(), &raw::announced(&binary, len)), Some(1009), "{len}");
        }
        // "the most significant bit MUST be 0" -- RFC 6455, section 5.2
        for len in [1 << 63, (1 << 63) + 1, u64::MAX] {
            assert_eq!(answer(&mut target.open(), &raw::announced(&binary, len)), Some(1002), "{len}");
        }
        target.never_held(MIB);
    });
}

#[test]
fn the_limit_is_for_the_sum_of_the_fragments() {
    over_both_drivers(FLAGS, |target| {
        let half = binary(vec![0; LIMIT as usize / 2]).not_final().masked(MASK);
        for len in [LIMIT / 2 + 1, LIMIT, i64::MAX as u64] {
            let mut peer = target.open();
            peer.send(&half.bytes()).unwrap();
            let more = raw::announced(&continuation([]).masked(MASK), len);
            assert_eq!(answer(&mut peer, &more), Some(1009), "{len}");
        }
        let mut peer = target.open();
        peer.say(&[half, continuation(vec![0; LIMIT as usize / 2])]).unwrap();
        assert_eq!(peer.frame().unwrap(), Some(binary(vec![0; LIMIT as usize])), "the limit itself is none too many");
    });
}

#[test]
fn what_is_announced_and_not_sent_costs_nothing() {
    over_both_drivers(&["--wire", "1"], |target| {
        let header = raw::announced(&binary([]).masked(MASK), 16 * MIB);
        let mut peers: Vec<Peer> = (0..CROWD).map(|_| target.open()).collect();
        for peer in &mut peers {
            peer.send(&header).unwrap();
            peer.send(b"a few bytes of sixteen million").unwrap();
        }
        assert_eq!(target.descriptors(), CROWD);
        for peer in &mut peers {
            assert_eq!(closed_with(peer), Some(1008), "the wire deadline");
        }
        // Over blocking sockets each has the stack of a thread beside it.
        target.never_held(CROWD as u64 * 64 * KIB + MIB);
    });
}

#[test]
fn every_rule_of_frames_that_is_broken_has_its_code_and_nothing_is_delivered_after_it() {
    let table: &[(&str, u16, Vec<u8>)] = &[
        ("not masked", 1002, text("hello").bytes()),
        ("not masked, and much of it announced", 1002, raw::announced(&binary([]), LIMIT)),
        ("not masked, a ping", 1002, ping("p").bytes()),
        ("RSV1", 1002, text("hello").rsv(4).masked(MASK).bytes()),
        ("RSV3 in the middle", 1002, after(text("a").not_final(), continuation("b").rsv(1))),
        ("a reserved opcode", 1002, text("hello").opcode(3).masked(MASK).bytes()),
        ("a reserved opcode, much of it announced", 1002, raw::announced(&text("").opcode(7).masked(MASK), LIMIT)),
        ("a reserved control opcode", 1002, ping("p").opcode(11).masked(MASK).bytes()),
        ("a fragmented ping", 1002, ping("p").not_final().masked(MASK).bytes()),
        ("a fragmented close", 1002, close(1000, "").not_final().masked(MASK).bytes()),
        ("a long ping", 1002, ping([0; 126]).masked(MASK).bytes()),
        ("a very long close", 1002, raw::announced(&close(1000, "").masked(MASK), LIMIT)),
        ("a length in 16 bits", 1002, raw::with_16_bit_length(&text("hello").masked(MASK)).unwrap()),
        ("a length in 64 bits", 1002, raw::with_64_bit_length(&text("hello").masked(MASK))),
        ("nothing to continue", 1002, continuation("b").masked(MASK).bytes()),
        ("a message in a message", 1002, after(text("a").not_final(), text("b"))),
        ("half a close code", 1002, Frame::new(naive::CLOSE, [3]).masked(MASK).bytes()),
        ("a close code that is not sent", 1002, close(1005, "").masked(MASK).bytes()),
        ("a close code that is none", 1002, close(999, "").masked(MASK).bytes()),
        ("a reason that is no text", 1007, Frame::new(naive::CLOSE, b"\x03\xe8\xff".to_vec()).masked(MASK).bytes()),
        ("text that is none", 1007, Frame::new(naive::TEXT, b"a\xffb".to_vec()).masked(MASK).bytes()),
        ("a surrogate", 1007, Frame::new(naive::TEXT, b"\xed\xa0\x80".to_vec()).masked(MASK).bytes()),
        ("half a character", 1007, Frame::new(naive::TEXT, b"\xf0\x9f".to_vec()).masked(MASK).bytes()),
        ("half a character, and an empty end", 1007, {
            after(Frame::new(naive::TEXT, b"\xf0\x9f".to_vec()).not_final(), continuation(""))
        }),
        ("text that is none, the rest to come", 1007, {
            [raw::announced(&text("").masked([0; 4]), LIMIT), b"\xff".to_vec()].concat()
        }),
    ];
    over_both_drivers(FLAGS, |target| {
        let late = [text("late"), ping("late")].map(|frame| frame.masked(MASK).bytes()).concat();
        for (what, code, bytes) in table {
            assert_eq!(answer(&mut target.open(), bytes), Some(*code), "{what}");
            assert_eq!(answer(&mut target.open(), &[&bytes[..], &late].concat()), Some(*code), "{what}, and more");
        }
        target.never_held(MIB);
    });
}

#[test]
fn the_answer_survives_what_nobody_reads_any_more() {
    over_both_drivers(FLAGS, |target| {
        let mut peer = target.open();
        peer.send(&text("not masked").bytes()).unwrap();
        // It may be cut off meanwhile, when the answer has long gone out.
        let _ = peer.send(&vec![0; 300_000]);
        assert_eq!(closed_with(&mut peer), Some(1002));
    });
}

/// Two frames, as a client sends them.
fn after(first: Frame, second: Frame) -> Vec<u8> {
    naive::encode_all(&[first.masked(MASK), second.masked(MASK)])
}

/// What the server says to these bytes, and to nothing after them. The wire deadline would end it with another code.
fn answer(peer: &mut Peer, bytes: &[u8]) -> Option<u16> {
    peer.send(bytes).unwrap();
    closed_with(peer)
}

/// How many do it at once.
const CROWD: usize = 100;

const MASK: [u8; 4] = [9, 8, 7, 6];
