//! What bad input costs: memory in proportion to what was received, however much is announced.

use core::time::Duration;
use std::io::{self, IoSlice};
use std::time::Instant;

use crate::harness::{TIMEOUTS, closed, fault, wire};
use ws_conn::blocking::{Conn, Input, Output};
use ws_conn::{Fault, Role, Timeouts, Wait};
use ws_testkit::alloc::{Count, count_allocations};
use ws_testkit::clock::Clock;
use ws_testkit::naive::{Frame, binary, continuation, ping, text};
use ws_testkit::raw;

/// A read buffer and a write buffer of 64 KiB, each with a page to align it in, and small change.
const BUFFERS: u64 = 2 * (64 + 8) * 1024;

/// How long a read takes: all of them take longer than a deadline for writing.
const EACH_READ: Duration = Duration::from_millis(10);

/// A peer that says one thing, then another over and over, then one more, and ends the stream. It allocates nothing, so
/// that what is counted is the connection's.
struct Flood {
    parts: [(Vec<u8>, usize); 3],
    at: usize,
    clock: Clock,
    start: Instant,
}

/// Where the connection writes to: nowhere, for as many bytes as there is room for. Then it waits for ever.
struct Sink {
    room: usize,
    clock: Clock,
    start: Instant,
}

impl Input for Flood {
    fn read(&mut self, into: &mut [u8], _: Duration) -> io::Result<usize> {
        self.clock.advance(EACH_READ);
        let mut len = 0;
        while let Some((part, times)) = self.parts.iter_mut().find(|(part, times)| *times > 0 && !part.is_empty()) {
            let rest = &part[self.at..];
            let some = rest.len().min(into.len() - len);
            into[len..len + some].copy_from_slice(&rest[..some]);
            (len, self.at) = (len + some, self.at + some);
            if some < rest.len() {
                break;
            }
            (self.at, *times) = (0, *times - 1);
        }
        Ok(len)
    }

    fn now(&self) -> Instant {
        self.clock.since(self.start)
    }
}

impl Output for Sink {
    fn write(&mut self, bufs: &[IoSlice<'_>], patience: Duration) -> io::Result<usize> {
        let len = bufs.iter().map(|buf| buf.len()).sum::<usize>().min(self.room);
        self.room -= len;
        if len == 0 {
            self.clock.advance(patience);
            return Err(io::ErrorKind::TimedOut.into());
        }
        Ok(len)
    }

    fn half_close(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn now(&self) -> Instant {
        self.clock.since(self.start)
    }
}

#[expect(clippy::disallowed_methods, reason = "the one moment from which virtual time is counted")]
fn flooded(first: Vec<u8>, flood: Vec<u8>, times: usize, last: Vec<u8>, room: usize) -> Conn<Flood, Sink> {
    let (clock, start) = (Clock::new(), Instant::now());
    let input = Flood { parts: [(first, 1), (flood, times), (last, 1)], at: 0, clock: clock.clone(), start };
    Conn::new(input, Sink { room, clock, start }, Role::Server)
}

fn said(frame: Frame) -> Vec<u8> {
    wire(Role::Client, &[frame])
}

fn counted<T>(body: impl FnOnce() -> T) -> (T, Count) {
    let mut answer = None;
    let count = count_allocations(|| answer = Some(body()));
    (answer.unwrap(), count)
}

#[test]
fn an_announced_length_costs_nothing_until_it_comes() {
    for announced in [1 << 20, 1 << 40, (1 << 63) - 1] {
        let header = raw::announced(&binary([]).masked([1, 2, 3, 4]), announced);
        for came in [0, 1, 10_000, 1_000_000] {
            let mut conn = flooded(header.clone(), b"x".to_vec(), came, vec![], usize::MAX);
            conn.set_message_limit(usize::MAX);
            let (end, count) = counted(|| fault(conn.message(TIMEOUTS)));
            assert_eq!(end, closed(1006));
            // A buffer that doubles holds at most twice what came, and the half it grew from while it grows.
            let proportional = 3 * came as u64 + 3 * 16 * 1024;
            assert!(count.max_live <= BUFFERS + proportional, "{came} of {announced}: {count:?}");
        }
        let mut conn = flooded(header, b"x".to_vec(), 1000, vec![], usize::MAX);
        let mut buf = [0; 64];
        let (end, count) = counted(|| fault(conn.receive(&mut buf, TIMEOUTS)));
        assert_eq!(end, Fault::Overflow);
        assert!(count.max_live <= BUFFERS, "{count:?}");
    }
}

#[test]
fn empty_fragments_cost_nothing() {
    let first = said(binary("begun").not_final());
    let (empty, last) = (said(continuation("").not_final()), said(continuation(" and done")));
    for times in [3, 300_000] {
        let mut conn = flooded(first.clone(), empty.clone(), times, last.clone(), usize::MAX);
        let (message, count) = counted(|| conn.message(TIMEOUTS).unwrap().len());
        assert_eq!(message, "begun and done".len());
        assert!(count.max_live <= BUFFERS + 3 * 16 * 1024 && count.calls <= 4, "{times}: {count:?}");

        let mut conn = flooded(first.clone(), empty.clone(), times, last.clone(), usize::MAX);
        let mut buf = [0; 14];
        let (received, count) = counted(|| conn.receive(&mut buf, TIMEOUTS).unwrap());
        assert_eq!((received.len, &buf), (14, b"begun and done"));
        assert!(count.max_live <= BUFFERS && count.calls <= 3, "{times}: {count:?}");
    }
}

#[test]
fn pings_cost_nothing_where_the_answers_are_read() {
    let (flood, last) = (said(ping([b'?'; 125])), said(text("done")));
    let mut conn = flooded(vec![], flood, 200_000, last, usize::MAX);
    let mut buf = [0; 64];
    let (received, count) = counted(|| conn.receive(&mut buf, TIMEOUTS).unwrap());
    assert_eq!(&buf[..received.len], b"done");
    assert!(count.max_live <= BUFFERS + 1024, "{count:?}");
}

#[test]
fn pings_cost_nothing_where_the_answers_are_not_read() {
    for room in [0, 1000, 1_000_000] {
        let mut conn = flooded(vec![], said(ping([b'?'; 125])), 200_000, said(text("never seen")), room);
        let mut buf = [0; 64];
        let timeouts = Timeouts::new(Duration::from_secs(1), Duration::MAX);
        let (end, count) = counted(|| fault(conn.receive(&mut buf, timeouts)));
        assert_eq!(end, Fault::Timeout(Wait::Wire));
        assert!(count.max_live <= BUFFERS + 1024, "{room}: {count:?}");
        assert_eq!(fault(conn.receive(&mut buf, timeouts)), closed(1008));
    }
}

#[test]
fn fragments_past_the_limit_stop_at_the_limit() {
    let flood = said(continuation([b'x'; 1000]).not_final());
    let mut conn = flooded(said(binary("").not_final()), flood, 1_000_000, vec![], usize::MAX);
    conn.set_message_limit(1_000_000);
    let (end, count) = counted(|| fault(conn.message(TIMEOUTS)));
    assert_eq!(end, Fault::Overflow);
    assert!(count.max_live <= BUFFERS + 3 * 1_000_000, "{count:?}");
}
