//! The laws of time. The machine says which wait it is and whether it is another one; the driver says when it is over.

use crate::app::{App, By};
use crate::blocking::over_script;
use crate::scenario::{Call, Event, Failure, closed};
use core::time::Duration;
use ws_conn::{Fault, Inbound, Need, Opcode, Plain, Receiving, Role, Shared, Step, Timeouts, Wait};
use ws_testkit::naive::{self, Frame, continuation, ping};
use ws_testkit::raw;
use ws_testkit::transport::{Script, Step as Meets};

/// What the machine asks for after each piece, received as messages of at most 64 bytes.
struct Asks {
    inbound: Inbound,
    shared: Shared,
    into: [u8; 64],
    messages: usize,
}

impl Asks {
    fn new() -> Self {
        Self { inbound: Inbound::new(Role::Client), shared: Shared::new(Role::Client), into: [0; 64], messages: 0 }
    }

    /// Gives a piece, settles what comes of it, and says what is asked for then.
    fn after(&mut self, piece: impl AsRef<[u8]>) -> Need {
        let mut rest = piece.as_ref();
        loop {
            let (used, step) = self.inbound.push(&mut Receiving::message(&mut self.into), rest);
            rest = &rest[used..];
            match step {
                Step::Need(need) => return need,
                Step::Done(_) => self.messages += 1,
                Step::Reply => self.inbound.reply(&mut self.shared).unwrap(),
                Step::Yield(_) => {}
                Step::Room => panic!("a buffer that does not grow"),
            }
        }
    }
}

#[test]
fn one_wait_goes_on_inside_a_message_whatever_comes() {
    let mut asks = Asks::new();
    let idle = asks.after([]);
    let wire = asks.after(&naive::binary(*b"0123456789").not_final().bytes()[..3]);
    assert_eq!((idle.wait, wire.wait), (Wait::Idle, Wait::Wire));
    assert_ne!(idle, wire);
    for byte in b"123456789" {
        assert_eq!(asks.after([*byte]), wire);
    }
    let frames = [continuation([]).not_final(), ping("p"), naive::pong("p"), continuation("x").not_final()];
    for frame in frames.iter().cycle().take(20) {
        for byte in frame.bytes() {
            assert_eq!(asks.after([byte]), wire);
        }
    }
}

#[test]
fn one_wait_goes_on_between_messages_whatever_control_frames_come() {
    let mut asks = Asks::new();
    let idle = asks.after([]);
    for _ in 0..20 {
        for byte in [ping("ping").bytes(), naive::pong([]).bytes()].concat() {
            assert_eq!(asks.after([byte]), idle);
        }
    }
}

#[test]
fn the_first_byte_of_a_header_ends_the_wait_for_a_message() {
    let mut asks = Asks::new();
    let idle = asks.after(ping([]).bytes());
    let first = naive::text("").bytes();
    let wire = asks.after(&first[..1]);
    assert_eq!((idle.wait, wire.wait), (Wait::Idle, Wait::Wire));
    let next = asks.after(&first[1..]);
    assert_eq!((next.wait, asks.messages), (Wait::Idle, 1));
}

#[test]
fn every_message_begins_a_new_wait_for_the_next_one() {
    let mut asks = Asks::new();
    let mut known = vec![asks.after([])];
    for message in [naive::text("a"), naive::binary([]), naive::text("")] {
        let need = asks.after(message.bytes());
        assert_eq!(need.wait, Wait::Idle);
        assert!(!known.contains(&need), "{need:?} in {known:?}");
        known.push(need);
    }
    assert_eq!(asks.messages, 3);
}

#[test]
fn a_call_that_is_dropped_and_made_again_restarts_nothing() {
    let mut asks = Asks::new();
    let idle = asks.after([]);
    let mut other = [0; 100];
    for _ in 0..3 {
        assert_eq!(asks.after([]), idle);
        assert_eq!(asks.inbound.push(&mut Receiving::held(&mut other, 100), &[]).1, Step::Need(idle));
        assert_eq!(asks.inbound.push(&mut Receiving::chunk(&mut []), &[]).1, Step::Need(idle));
    }
    let wire = asks.after(naive::text("half").not_final().bytes());
    for _ in 0..3 {
        assert_eq!(asks.after([]), wire);
    }
}

#[test]
fn every_chunk_of_a_stream_begins_a_new_wait() {
    let mut inbound = Inbound::new(Role::Client);
    let wire = raw::announced(&naive::binary([]), 1000);
    assert!(matches!(inbound.push(&mut Receiving::chunk(&mut []), &wire).1, Step::Done(_)));
    let mut known = Vec::new();
    for _ in 0..5 {
        let mut into = [0; 10];
        let Step::Need(need) = inbound.push(&mut Receiving::chunk(&mut into), &[]).1 else { panic!("not a need") };
        assert_eq!(inbound.push(&mut Receiving::chunk(&mut into), &[]).1, Step::Need(need));
        assert_eq!(need.wait, Wait::Wire);
        assert!(!known.contains(&need));
        known.push(need);
        assert!(matches!(inbound.push(&mut Receiving::chunk(&mut into), b"x").1, Step::Done(_)));
    }
}

#[test]
fn after_our_close_there_is_one_wait_and_no_other() {
    let mut asks = Asks::new();
    let half = naive::text("half").not_final().bytes();
    asks.after(&half[..3]);
    asks.inbound.linger();
    let linger = asks.after([]);
    assert_eq!(linger.wait, Wait::Linger);
    let rest = [&half[3..], &continuation([]).bytes(), &ping([]).bytes(), &naive::text("more").bytes()].concat();
    for byte in rest.repeat(3).iter().take(rest.len()) {
        assert_eq!(asks.after([*byte]), linger);
    }
    asks.inbound.linger();
    assert_eq!((asks.after([]), asks.messages), (linger, 2));
}

/// Ten seconds for everything.
const TIMEOUTS: Timeouts = Timeouts::new(secs(10), secs(10));
/// A connection that has ended by a fault reads on for as long.
const DRAIN: Duration = secs(1);

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// A peer that sends `begin`, and then `drip` again and again, every three seconds.
fn dripping(begin: &[Frame], drip: &[u8]) -> Vec<Meets> {
    let masked = |frame: &Frame| frame.clone().masked([1, 2, 3, 4]).bytes();
    let mut steps = vec![Meets::Wait(secs(4)), Meets::Bytes(begin.iter().flat_map(masked).collect())];
    steps.extend((0..100).flat_map(|_| [Meets::Wait(secs(3)), Meets::Bytes(drip.to_vec())]));
    steps
}

/// Makes the calls one after the other, the last one until it fails: what they gave, the failure, and when it came.
fn timed(steps: Vec<Meets>, calls: &[Call]) -> (Vec<Event>, Failure, Duration, Vec<Frame>) {
    let transport = Script::new(steps).start();
    let mut app = over_script(By::Sender, &transport, Role::Server, Plain, Plain, TIMEOUTS);
    let again = calls.iter().chain(core::iter::repeat(calls.last().unwrap()));
    let mut events = Vec::new();
    for call in again.take(1000) {
        match app.call(call) {
            Ok(event) => events.extend(event),
            Err(failure) => {
                let sent = ws_testkit::judge::check_sent_bytes(false, &transport.written()).unwrap();
                return (events, failure, transport.clock().now(), sent);
            }
        }
    }
    panic!("does not end");
}

fn timeout(wait: Wait) -> Failure {
    Failure::Fault(Fault::Timeout(wait))
}

fn told(sent: &[Frame], wait: Wait) -> bool {
    sent.last() == Some(&naive::close(1008, Fault::Timeout(wait).reason()))
}

#[test]
fn wire_is_over_when_it_is_over_whatever_drips() {
    let masked = |frame: Frame| frame.masked([9, 8, 7, 6]).bytes();
    let header = |len| raw::announced(&naive::text("").masked([0; 4]), len);
    let announced = [Meets::Wait(secs(4)), Meets::Bytes(header(50))];
    let bytes = announced.into_iter().chain(dripping(&[], b"x").split_off(2)).collect::<Vec<_>>();
    let fragmented = |drip: Frame| dripping(&[naive::text("half").not_final()], &masked(drip));
    let peers = [
        bytes,
        fragmented(continuation([]).not_final()),
        fragmented(continuation("x").not_final()),
        fragmented(ping("p")),
        fragmented(naive::pong([])),
    ];
    for steps in peers {
        for call in [Call::Receive(1000), Call::Message(1000)] {
            let (events, failure, when, sent) = timed(steps.clone(), &[call]);
            assert_eq!((events, failure), (vec![], timeout(Wait::Wire)));
            assert_eq!(when, secs(4 + 10) + DRAIN, "it began four seconds in");
            assert!(told(&sent, Wait::Wire), "{sent:?}");
        }
    }
}

#[test]
fn idle_is_over_when_it_is_over_whatever_drips() {
    for drip in [ping("p"), naive::pong("p")] {
        let steps = dripping(&[], &drip.masked([9, 8, 7, 6]).bytes());
        for call in [Call::Receive(10), Call::Message(10), Call::Stream(10)] {
            let (events, failure, when, sent) = timed(steps.clone(), &[call]);
            assert_eq!((events, failure, when), (vec![], timeout(Wait::Idle), secs(10) + DRAIN));
            assert!(told(&sent, Wait::Idle), "{sent:?}");
        }
    }
}

#[test]
fn a_message_begins_the_wait_for_the_next_one_anew() {
    let message = || Meets::Bytes(naive::text("x").masked([1; 4]).bytes());
    let steps: Vec<_> = (0..5).flat_map(|_| [Meets::Wait(secs(9)), message()]).collect();
    for call in [Call::Receive(10), Call::Message(10), Call::Stream(10), Call::Frames(10)] {
        let (events, failure, when, _) = timed(steps.clone(), &[call]);
        assert_eq!(events, vec![Event::Message(Opcode::TEXT, b"x".to_vec()); 5]);
        assert_eq!((failure, when), (timeout(Wait::Idle), secs(5 * 9 + 10) + DRAIN));
    }
}

#[test]
fn wire_of_a_stream_begins_anew_with_every_call_that_gives_something() {
    let some = |payload: &str| continuation(payload).not_final().masked([9, 8, 7, 6]).bytes();
    // Something every three seconds, eight times, and then nothing.
    let mut steps = dripping(&[naive::text("begun").not_final()], &some("x"));
    steps.truncate(2 + 2 * 8);
    let (_, failure, when, _) = timed(steps, &[Call::Stream(10)]);
    assert_eq!((failure, when), (timeout(Wait::Wire), secs(4 + 3 * 8 + 10) + DRAIN));
    // Empty fragments are nothing.
    let steps = dripping(&[naive::text("begun").not_final()], &some(""));
    let (_, failure, when, sent) = timed(steps, &[Call::Stream(10)]);
    assert_eq!((failure, when), (timeout(Wait::Wire), secs(4 + 10) + DRAIN));
    assert!(told(&sent, Wait::Wire));
}

#[test]
fn what_a_dropped_stream_leaves_is_discarded_within_wire() {
    let steps = dripping(&[naive::text("begun").not_final()], &continuation("x").not_final().masked([0; 4]).bytes());
    let (events, failure, when, _) = timed(steps, &[Call::Prefix(5, 5), Call::Receive(10)]);
    assert_eq!(events, [Event::Prefix(Opcode::TEXT, b"begun".to_vec())]);
    assert_eq!((failure, when), (timeout(Wait::Wire), secs(4 + 10) + DRAIN));
}

#[test]
fn section_7_1_1_the_wait_for_the_peers_close_runs_from_ours() {
    let data = naive::text("x").masked([9, 8, 7, 6]).bytes();
    let close = Call::Close(1000, String::new());
    let (events, failure, when, sent) = timed(dripping(&[], &data), &[close, Call::Receive(10)]);
    // They come at 7 and, just in time, at 10.
    assert_eq!(events, vec![Event::Message(Opcode::TEXT, b"x".to_vec()); 2]);
    assert_eq!((failure, when), (Failure::Fault(closed(1000)), secs(10) + DRAIN));
    assert_eq!(sent, [naive::close(1000, "")]);

    // With `finish` the end is part of it.
    let (_, failure, when, _) = timed(dripping(&[], &data), &[Call::Finish(1000, String::new())]);
    assert_eq!((failure, when), (Failure::Fault(closed(1000)), secs(10)));
}

#[test]
fn a_peer_that_drains_slowly_does_not_extend_the_wire_of_a_send() {
    for by in By::EACH {
        let transport = Script::new([Meets::Eof]).write_limit(100).write_takes(secs(1)).start();
        let mut app = over_script(by, &transport, Role::Server, Plain, Plain, TIMEOUTS);
        let failure = app.call(&Call::Send(Opcode::BINARY, vec![0; 100_000]));
        assert_eq!(failure, Err(timeout(Wait::Wire)), "{by:?}");
        assert_eq!(transport.clock().now(), secs(10));
        assert_eq!(app.call(&Call::Receive(10)), Err(Failure::Fault(closed(1008))));
    }
}
