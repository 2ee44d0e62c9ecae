//! Who else is served while eight peers flood: a neighbour's round trip, and a newcomer's handshake and echo.
//!
//! The program spends 5 microseconds on each message, and tokio has one worker or two. Over blocking sockets each peer has a
//! thread, and it is up to the system which of them runs.

use core::fmt;
use core::net::SocketAddr;
use core::time::Duration;
use std::io;
use std::thread;
use std::time::Instant;

use ws_testkit::live::{Peer, Server, example};
use ws_testkit::naive::{Frame, binary, close, continuation, encode_all, ping, pong, text};

use crate::target::{DRIVERS, alone};

#[test]
fn a_flood_of_pings_keeps_nobody_waiting() {
    keeps_nobody_waiting(&Flood::of(ping([b'p'; 125])));
}

#[test]
fn a_flood_of_empty_pings_keeps_nobody_waiting() {
    keeps_nobody_waiting(&Flood::of(ping("")));
}

#[test]
fn a_flood_of_pongs_keeps_nobody_waiting() {
    keeps_nobody_waiting(&Flood::of(pong("")));
}

#[test]
fn a_flood_of_closes_keeps_nobody_waiting() {
    keeps_nobody_waiting(&Flood { bound: LOOSE, ..Flood::of(close(1000, "")) });
}

#[test]
fn a_flood_of_empty_messages_keeps_nobody_waiting() {
    keeps_nobody_waiting(&Flood::of(text("")));
}

#[test]
fn a_flood_of_messages_of_one_byte_keeps_nobody_waiting() {
    keeps_nobody_waiting(&Flood::of(text("x")));
}

#[test]
fn a_flood_of_empty_fragments_keeps_nobody_waiting() {
    keeps_nobody_waiting(&Flood { begin: Some(text("").not_final()), ..Flood::of(continuation("").not_final()) });
}

#[test]
fn a_flood_of_fragments_of_one_byte_keeps_nobody_waiting() {
    keeps_nobody_waiting(&Flood { begin: Some(text("").not_final()), ..Flood::of(continuation("x").not_final()) });
}

#[test]
fn a_flood_of_messages_whose_echoes_nobody_reads_keeps_nobody_waiting() {
    keeps_nobody_waiting(&Flood { reads: false, bound: LOOSE, ..Flood::of(binary([b'm'; 1000])) });
}

fn keeps_nobody_waiting(flood: &Flood) {
    // No other test may take part of the machine meanwhile.
    let _alone = alone();
    for driver in DRIVERS {
        for workers in if driver == "tokio" { ["1", "2"].as_slice() } else { &["1"] } {
            let tries: Vec<_> = (0..TRIES).map_while(|_| beside(flood, driver, workers).err()).collect();
            assert!(tries.len() < TRIES, "over {driver}, {workers} workers: {tries:?}");
        }
    }
}

/// Serves a neighbour and newcomers beside a flood. An error says who waited too long.
fn beside(flood: &Flood, driver: &str, workers: &str) -> Result<(), String> {
    let flags = ["--listen", "127.0.0.1:0", "--driver", driver, "--workers", workers, "--spin", "5"];
    let server = Server::start(&example("testee_server").unwrap(), &flags).unwrap();
    let address = server.address();
    thread::scope(|scope| {
        let mut neighbour = Peer::open(address).unwrap();
        (0..PEERS).for_each(|_| drop(scope.spawn(|| flood.run(address))));
        let bound = if driver == "tokio" { flood.bound } else { LOOSE };
        let mut waits = [Waits::new("a round trip", bound), Waits::new("a handshake and an echo", bound)];
        for _ in 0..ROUNDS {
            waits[0].note(|| round_trip(&mut neighbour))?;
            waits[1].note(|| round_trip(&mut Peer::open(address)?))?;
        }
        // The floods end with the server.
        assert_eq!(server.complaints(), "", "{driver}");
        println!("{driver}, {workers} workers: {}; {}", waits[0], waits[1]);
        Ok(())
    })
}

fn round_trip(peer: &mut Peer) -> io::Result<()> {
    let message = text("anybody there?");
    peer.say(std::slice::from_ref(&message))?;
    if peer.frame()? == Some(message) { Ok(()) } else { Err(io::Error::other("no echo")) }
}

/// How long something took, time and again.
struct Waits {
    what: &'static str,
    bound: Duration,
    took: Vec<Duration>,
}

impl Waits {
    const fn new(what: &'static str, bound: Duration) -> Self {
        Self { what, bound, took: Vec::new() }
    }

    /// An error as soon as more than one in a hundred have taken too long.
    fn note(&mut self, run: impl FnOnce() -> io::Result<()>) -> Result<(), String> {
        let began = Instant::now();
        run().map_err(|error| format!("{}: {error}", self.what))?;
        self.took.push(began.elapsed());
        let late = self.took.iter().filter(|took| **took > self.bound);
        if late.count() > ROUNDS / 100 { Err(self.to_string()) } else { Ok(()) }
    }
}

impl fmt::Display for Waits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut took = self.took.clone();
        took.sort_unstable();
        let median = took.get(took.len() / 2).copied().unwrap_or_default();
        let longest = took.split_off(took.len().saturating_sub(2));
        write!(f, "{}, {} times: {median:?} in the middle, {longest:?} at most", self.what, self.took.len())
    }
}

/// What each peer sends over and over, on one connection after the other if need be.
struct Flood {
    begin: Option<Frame>,
    frame: Frame,
    reads: bool,
    /// How long others may wait over tokio.
    bound: Duration,
}

impl Flood {
    const fn of(frame: Frame) -> Self {
        Self { begin: None, frame, reads: true, bound: BOUND }
    }

    /// Floods until there is no server any more.
    fn run(&self, address: SocketAddr) {
        let begin = encode_all(&self.begin.iter().cloned().map(|frame| frame.masked(MASK)).collect::<Vec<_>>());
        let frame = self.frame.clone().masked(MASK).bytes();
        let many = frame.repeat(BUFFER / frame.len());
        while let Ok(mut peer) = Peer::open(address) {
            let mut twin = peer.twin().unwrap();
            thread::scope(|scope| {
                if self.reads {
                    scope.spawn(move || while twin.discard(BUFFER).is_ok_and(|len| len > 0) {});
                }
                if peer.send(&begin).is_ok() {
                    while peer.send(&many).is_ok() {}
                }
            });
        }
    }
}

/// How many flood.
const PEERS: usize = 8;

/// How often each wait is measured.
const ROUNDS: usize = 100;

/// How long 99 of 100 may take at most.
const BOUND: Duration = Duration::from_millis(50);

/// The same where the system decides, several times over, whose turn it is: each peer has a thread that is never done, or
/// connections come and go.
const LOOSE: Duration = Duration::from_millis(250);

/// How often it is tried: the machine may be busy with something else.
const TRIES: usize = 3;

/// What goes with one write: prepared once, so that the peers take little of the machine.
const BUFFER: usize = 64 * 1024;

const MASK: [u8; 4] = [6, 4, 5, 5];
