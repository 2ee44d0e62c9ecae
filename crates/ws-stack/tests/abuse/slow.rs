//! Peers that say nothing, drip, or do not read: each deadline holds, nothing extends it, and waiting costs nothing.

use core::time::Duration;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Instant;

use ws_testkit::naive::{self, Frame, binary, continuation, ping, pong, text};
use ws_testkit::{judge, raw};

use crate::habits::{INTERVAL, drip_to_the_end};
use crate::target::{MIB, Target, over_both_drivers};

#[test]
fn nothing_that_a_slow_peer_says_extends_a_deadline() {
    over_both_drivers(&["--handshake", "1", "--wire", "1", "--idle", "1"], |target| {
        let cpu = target.cpu_of(|| {
            thread::scope(|scope| {
                for slow in slow_peers() {
                    scope.spawn(move || is_cut_short(target, &slow));
                }
            });
        });
        assert!(cpu < Duration::from_millis(500), "{cpu:?} of work with peers that do next to nothing");
        target.never_held(2 * MIB);
    });
}

/// A kind of slow peer.
struct Slow {
    what: &'static str,
    /// What it says first; `None` if that is a whole handshake, and the bytes come after it.
    head: Option<&'static str>,
    begin: Vec<u8>,
    /// What it says over and over.
    drip: Vec<u8>,
}

fn slow_peers() -> [Slow; 12] {
    let handshake = |what, head, drip: &str| Slow { what, head: Some(head), begin: Vec::new(), drip: drip.into() };
    let begun = |what, begin: Vec<u8>, drip: Vec<u8>| Slow { what, head: None, begin, drip };
    let masked = |frame: Frame| frame.masked([5, 6, 7, 8]);
    [
        handshake("says nothing at all", "", ""),
        handshake("stops in its request", "GET / HTTP/1.1\r\nHost: ", ""),
        handshake("drips a line", "GET / HTTP/1.1\r\nX: ", "x"),
        handshake("drips lines", "GET / HTTP/1.1\r\n", "X: x\r\n"),
        begun("says nothing after its request", Vec::new(), Vec::new()),
        begun("says nothing but pings", Vec::new(), masked(ping("p")).bytes()),
        begun("says nothing but pongs", Vec::new(), masked(pong("p")).bytes()),
        begun("stops in a header", vec![0x82], Vec::new()),
        begun("drips a payload", raw::announced(&masked(binary([])), MIB), vec![b'x']),
        begun("drips a ping", raw::announced(&masked(ping([])), 125), vec![b'x']),
        begun(
            "drips empty fragments",
            masked(text("").not_final()).bytes(),
            masked(continuation("").not_final()).bytes(),
        ),
        begun("drips pings into a message", masked(text("").not_final()).bytes(), masked(ping("p")).bytes()),
    ]
}

fn is_cut_short(target: &Target, slow: &Slow) {
    let (what, began) = (slow.what, Instant::now());
    let mut peer = if slow.head.is_some() { target.connect() } else { target.open() };
    peer.send(slow.head.unwrap_or_default().as_bytes()).unwrap();
    peer.send(&slow.begin).unwrap();
    let heard = drip_to_the_end(&mut peer, &slow.drip);
    let lasted = began.elapsed();
    assert!((IN_TIME..LATE).contains(&lasted), "it {what}, for {lasted:?}");
    if slow.head.is_some() {
        let heard = String::from_utf8(heard).unwrap();
        assert!(heard.starts_with("HTTP/1.1 408 "), "it {what}, and hears {heard}");
    } else {
        let frames = judge::check_sent_bytes(false, &heard).unwrap();
        let (last, others) = frames.split_last().unwrap();
        assert_eq!(last.close_code(), Some(1008), "it {what}");
        assert!(others.iter().all(|frame| frame.opcode == naive::PONG), "it {what}, and hears {others:?}");
    }
}

#[test]
fn a_reader_that_drips_extends_no_write() {
    over_both_drivers(&["--wire", "1"], |target| {
        let mut peer = target.open();
        peer.say(&[binary(vec![b'e'; ECHO])]).unwrap();
        let (began, mut read) = (Instant::now(), 0);
        let (_tell, told) = channel::<()>();
        // It takes less than the system's buffers hold, so that the server never gets rid of all.
        while began.elapsed() < LATE {
            match peer.discard(1000) {
                Ok(0) | Err(_) => break,
                Ok(len) => read += len,
            }
            let _ = told.recv_timeout(INTERVAL);
            if target.descriptors() == 0 {
                break;
            }
        }
        assert_eq!(target.descriptors(), 0, "after {:?} and {read} bytes", began.elapsed());
        let rest = peer.rest().0.len();
        assert!(read + rest < ECHO, "all of it came");
    });
}

#[test]
fn a_close_that_is_not_answered_is_not_waited_for() {
    over_both_drivers(&["--idle", "1"], |target| {
        // It breaks no rule, it just goes on as if it had heard nothing.
        let (mut peer, began) = (target.open(), Instant::now());
        assert_eq!(peer.frame().unwrap().and_then(|frame| frame.close_code()), Some(1008));
        drip_to_the_end(&mut peer, &text("I hear nothing").masked([1, 1, 1, 1]).bytes());
        while peer.say(&[text("I hear nothing")]).is_ok() {
            assert!(began.elapsed() < LATE);
        }
    });
}

/// Nobody is cut off before a deadline, which is a second in all of these; two of it may be measured by another clock.
const IN_TIME: Duration = Duration::from_millis(990);

/// A deadline, the time the last word is given, and what a busy machine takes.
const LATE: Duration = Duration::from_secs(8);

/// More than the system's buffers on both sides take.
const ECHO: usize = 15_000_000;
