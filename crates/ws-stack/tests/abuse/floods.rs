//! More small things than anybody has a use for.
//!
//! Each flood costs time in proportion to its length, and memory in proportion to nothing.

use std::thread;

use ws_testkit::live::Peer;
use ws_testkit::naive::{self, Frame, binary, close, continuation, encode_all, ping, pong, text};

use crate::habits::{closed_with, flood, flood_until_cut_off, frames_until_the_end};
use crate::target::{KIB, MIB, over_both_drivers};

#[test]
fn pings_whose_pongs_nobody_reads_end_with_the_write_deadline() {
    over_both_drivers(&["--wire", "1"], |target| {
        let mut peer = target.open();
        flood_until_cut_off(&mut peer, &ping([b'p'; 125]).masked(MASK).bytes());
        target.never_held(MIB);
    });
}

#[test]
fn pings_cost_linear_time_and_the_last_one_is_answered() {
    over_both_drivers(&[], |target| {
        target.is_linear(4096, |count| {
            let mut peer = target.open();
            let reader = reading(&peer, ping("last").opcode(naive::PONG));
            flood(&mut peer, &ping([b'p'; 125]).masked(MASK).bytes(), count);
            peer.say(&[ping("last")]).unwrap();
            let pongs = reader.join().unwrap();
            assert!(pongs <= count, "{pongs} answers before the last to {count} pings");
        });
        target.never_held(MIB);
    });
}

#[test]
fn pongs_that_nobody_asked_for_cost_linear_time_and_are_not_answered() {
    over_both_drivers(&[], |target| {
        target.is_linear(4096, |count| {
            let mut peer = target.open();
            flood(&mut peer, &pong([b'p'; 125]).masked(MASK).bytes(), count);
            peer.say(&[text("here")]).unwrap();
            assert_eq!(peer.frame().unwrap(), Some(text("here")));
        });
        target.never_held(MIB);
    });
}

#[test]
fn empty_fragments_cost_linear_time_and_no_memory() {
    over_both_drivers(&[], |target| {
        target.is_linear(4096, |count| {
            let mut peer = target.open();
            peer.say(&[text("").not_final()]).unwrap();
            flood(&mut peer, &continuation("").not_final().masked(MASK).bytes(), count);
            peer.say(&[continuation("")]).unwrap();
            assert_eq!(peer.frame().unwrap(), Some(text("")));
        });
        target.never_held(MIB);
    });
}

#[test]
fn fragments_of_one_byte_cost_linear_time_and_the_memory_of_their_message() {
    over_both_drivers(&[], |target| {
        target.is_linear(4096, |count| {
            let mut peer = target.open();
            peer.say(&[text("").not_final()]).unwrap();
            flood(&mut peer, &continuation("x").not_final().masked(MASK).bytes(), count);
            peer.say(&[continuation("")]).unwrap();
            assert_eq!(peer.frame().unwrap(), Some(text(&"x".repeat(count))));
            // The message, the buffer that it has outgrown last, and what sends it back.
            target.never_held(4 * count as u64 + MIB);
        });
    });
}

#[test]
fn pings_between_the_fragments_of_a_message_cost_linear_time() {
    over_both_drivers(&[], |target| {
        target.is_linear(4096, |count| {
            let mut peer = target.open();
            let reader = reading(&peer, text(&"x".repeat(count)));
            peer.say(&[text("").not_final()]).unwrap();
            let both = [ping("p"), continuation("x").not_final()].map(|frame| frame.masked(MASK).bytes()).concat();
            flood(&mut peer, &both, count);
            peer.say(&[continuation("")]).unwrap();
            reader.join().unwrap();
        });
    });
}

#[test]
fn empty_messages_cost_linear_time_and_no_memory() {
    over_both_drivers(&[], |target| {
        target.is_linear(4096, |count| {
            let mut peer = target.open();
            let reader = reading(&peer, binary("last"));
            flood(&mut peer, &text("").masked(MASK).bytes(), count);
            peer.say(&[binary("last")]).unwrap();
            assert_eq!(reader.join().unwrap(), count, "every message comes back");
        });
        target.never_held(MIB);
    });
}

#[test]
fn messages_whose_echoes_nobody_reads_end_with_the_write_deadline() {
    over_both_drivers(&["--wire", "1"], |target| {
        // Of the empty ones it takes millions to fill the system's buffers.
        for (message, peers) in [(text(""), 1), (binary([b'm'; 1000]), 8), (binary(vec![b'm'; 100_000]), 8)] {
            let mut peers: Vec<Peer> = (0..peers).map(|_| target.open()).collect();
            thread::scope(|scope| {
                for peer in &mut peers {
                    scope.spawn(|| flood_until_cut_off(peer, &message.clone().masked(MASK).bytes()));
                }
            });
        }
        // A message each, what was read of the next one, and the frames that wait to be written.
        target.never_held(8 * 512 * KIB + MIB);
    });
}

#[test]
fn messages_in_one_byte_writes_cost_linear_time() {
    over_both_drivers(&[], |target| {
        target.is_linear(1024, |len| {
            let mut peer = target.open();
            let message = binary(vec![b'm'; len]);
            message.clone().masked(MASK).bytes().chunks(1).for_each(|byte| peer.send(byte).unwrap());
            assert_eq!(peer.frame().unwrap(), Some(message));
        });
    });
}

#[test]
fn of_many_closes_the_first_one_is_answered_and_nothing_else() {
    over_both_drivers(&[], |target| {
        let mut peer = target.open();
        let more = encode_all(&[text("late"), ping("late"), close(1001, "late")].map(|frame| frame.masked(MASK)));
        peer.send(&[close(3001, "first").masked(MASK).bytes(), more.repeat(100)].concat()).unwrap();
        assert_eq!(closed_with(&mut peer), Some(3001));

        // Without end: they are not read, and the end comes all the same.
        let mut peer = target.open();
        let mut twin = peer.twin().unwrap();
        let reader = thread::spawn(move || frames_until_the_end(&mut twin));
        flood_until_cut_off(&mut peer, &close(3002, "").masked(MASK).bytes());
        let frames = reader.join().unwrap();
        assert_eq!(frames, [close(3002, "")]);
        target.never_held(MIB);
    });
}

/// Reads frames in a thread until `last` comes, and counts those before it.
fn reading(peer: &Peer, last: Frame) -> thread::JoinHandle<usize> {
    let mut twin = peer.twin().unwrap();
    thread::spawn(move || {
        let mut count = 0;
        while twin.frame().unwrap().expect("no end before the last frame") != last {
            count += 1;
        }
        count
    })
}

const MASK: [u8; 4] = [1, 2, 3, 4];
