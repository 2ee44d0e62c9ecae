//! What a receiver has to make of a string of bytes, found out with the naive reader and the judge alone.

use super::driver::Event;
use ws_conn::{Closed, Fault, Role};
use ws_testkit::judge::Judge;
use ws_testkit::naive::{self, CLOSE, CONTINUATION, Frame, PING};

/// The events of everything that is legal, and how it ends.
#[derive(Debug)]
pub(crate) struct Expected {
    events: Vec<Event>,
    end: End,
}

#[derive(Debug, PartialEq, Eq)]
enum End {
    /// With a Close of this code; none is 1005.
    Close(u16),
    /// With a frame that must not be.
    Violation,
    /// Behind a whole frame.
    Between,
    /// Within a frame, which may or may not be found wrong by what is there of it.
    Within,
}

impl Expected {
    /// Reads what a peer sent to this role.
    pub(crate) fn of(role: Role, reserved_opcodes: bool, wire: &[u8]) -> Self {
        let judge = Judge::new(role.peer() == Role::Client).allow_any_keys();
        let judge = if reserved_opcodes { judge.allow_reserved_opcodes() } else { judge };
        let mut frames = Vec::new();
        let mut rest = wire;
        let mut end = End::Between;
        while !rest.is_empty() {
            let Some((frame, len)) = naive::read(rest) else {
                end = End::Within;
                break;
            };
            if naive::encode(&frame) != rest[..len] {
                end = End::Violation;
                break;
            }
            rest = &rest[len..];
            let close = frame.opcode == CLOSE;
            let code = frame.close_code().unwrap_or(1005);
            frames.push(frame);
            if close {
                end = End::Close(code);
                break;
            }
        }
        // What is legal stays legal when less follows it, so the first illegal frame is found by halving.
        let (mut legal, mut illegal) = (0, frames.len() + 1);
        while illegal - legal > 1 {
            let middle = legal.midpoint(illegal);
            match judge.frames(&frames[..middle]) {
                Ok(()) => legal = middle,
                Err(_) => illegal = middle,
            }
        }
        if legal < frames.len() {
            end = End::Violation;
        }
        Self { events: events(&frames[..legal]), end }
    }

    /// What is legal is not taken for a violation.
    pub(crate) fn assert_no_worse(&self, events: &[Event]) {
        let violation = events.iter().any(|event| matches!(event, Event::End(Fault::Violation(_))));
        assert!(!violation || matches!(self.end, End::Violation | End::Within), "{self:?}, but {events:?}");
    }

    /// Compares what happened. A limit may end it before its time, and then with nothing else.
    pub(crate) fn assert_is(&self, events: &[Event], limited: bool) {
        let at = events.iter().position(|event| matches!(event, Event::End(_))).unwrap_or(events.len());
        let (before, tail) = events.split_at(at);
        let Some((Event::End(fault), answer)) = tail.split_first() else {
            assert!(matches!(self.end, End::Between | End::Within), "{self:?}, but it goes on");
            return assert_eq!(before, self.events);
        };
        match fault {
            Fault::Overflow => assert!(limited || self.end == End::Within, "{self:?}, and nothing limits it"),
            Fault::Closed(Closed(code)) => assert_eq!(End::Close(code.get()), self.end),
            Fault::Violation(_) => assert!(matches!(self.end, End::Violation | End::Within), "{self:?}, but {fault}"),
            other => panic!("{other}"),
        }
        if *fault == Fault::Overflow {
            assert!(self.events.starts_with(before));
        } else {
            assert_eq!(before, self.events);
        }
        let close = if fault.code().may_be_sent() {
            naive::close(fault.code().get(), fault.reason())
        } else {
            naive::close_empty()
        };
        assert_eq!(answer, [Event::Reply(close)]);
    }
}

/// Messages and the answers to Pings, in order. The answer to a Close belongs to the end.
fn events(frames: &[Frame]) -> Vec<Event> {
    let mut events = Vec::new();
    let (mut opcode, mut message) = (CONTINUATION, Vec::new());
    for frame in frames {
        if frame.opcode == PING {
            events.push(Event::Reply(naive::pong(frame.payload.clone())));
        }
        if frame.is_control() {
            continue;
        }
        if frame.opcode != CONTINUATION {
            opcode = frame.opcode;
        }
        message.extend_from_slice(&frame.payload);
        if frame.fin {
            events.push(Event::Message(opcode, core::mem::take(&mut message)));
        }
    }
    events
}
