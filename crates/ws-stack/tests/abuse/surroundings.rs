//! What a program may have around it: sockets that do not block, and a system that ends who writes to nobody.

use core::time::Duration;

use ws_testkit::naive::binary;

use crate::target::{over, over_both_drivers};

#[test]
fn sockets_that_do_not_block_are_waited_for_like_others() {
    over("blocking", &["--nonblocking", "--handshake", "1", "--idle", "2"], |target| {
        let message = binary(vec![b'm'; LARGE]);
        let mut peer = target.open();
        peer.say(std::slice::from_ref(&message)).unwrap();
        assert_eq!(peer.frame().unwrap(), Some(message), "more than the system's buffers take");
        let cpu = target.cpu_of(|| {
            let mut silent = target.connect();
            assert!(silent.head().unwrap().starts_with("HTTP/1.1 408 "), "the handshake's deadline");
            assert_eq!(peer.frame().unwrap().and_then(|close| close.close_code()), Some(1008), "that of an idle peer");
        });
        assert!(cpu < Duration::from_millis(200), "{cpu:?} of work with peers that say nothing");
    });
}

/// The peer is gone before its first echo is written. That one meets a reset, and without care the next one is SIGPIPE.
#[test]
fn peers_that_hang_up_do_not_end_a_program_with_sigpipe_at_its_default() {
    over_both_drivers(&["--sigpipe", "--spin", "1000"], |target| {
        for len in [100, 16 << 10, 1 << 20] {
            for _ in 0..5 {
                let mut peer = target.open();
                peer.say(&vec![binary(vec![b'e'; len]); 4]).unwrap();
            }
        }
    });
}

/// More than the system's buffers on both sides take.
const LARGE: usize = 15_000_000;
