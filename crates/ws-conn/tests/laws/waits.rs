//! What is waited for, at every byte of a conversation, and when a new wait begins.

use ws_conn::{Inbound, Need, Receiving, Role, Shared, Step, Wait};
use ws_testkit::naive::{Frame, binary, continuation, ping, text};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Level {
    Message,
    Chunk,
    Frame,
    Discard,
}

const LEVELS: [Level; 4] = [Level::Message, Level::Chunk, Level::Frame, Level::Discard];

fn said() -> [Frame; 8] {
    [
        ping("before"),
        text("ab").not_final(),
        ping("inside"),
        continuation("").not_final(),
        continuation("c"),
        ping(""),
        binary("long".repeat(50)),
        binary(""),
    ]
}

/// A message has begun with the first byte of its first header. A control frame between messages is part of the wait for the
/// next one; on the level of frames it is what was waited for.
#[test]
fn a_wait_is_wire_inside_of_what_was_begun_and_idle_before_it() {
    for level in LEVELS {
        let mut receiver = Receiver::new(level);
        assert_eq!(receiver.need().wait, Wait::Idle);
        let mut open = false;
        for frame in said() {
            let bytes = frame.bytes();
            for (at, byte) in bytes.iter().enumerate() {
                receiver.input.push(*byte);
                let whole = at + 1 == bytes.len();
                open = if frame.is_control() { open } else { !(whole && frame.fin) };
                let inside = open || level == Level::Frame && !whole;
                let want = if inside { Wait::Wire } else { Wait::Idle };
                assert_eq!(receiver.need().wait, want, "{level:?}, {at} of {frame:?}");
            }
        }
    }
}

/// As long as nothing is delivered and nothing else is waited for, it is the same wait.
#[test]
fn a_new_wait_begins_with_what_is_delivered_and_with_another_kind_of_wait_alone() {
    for level in LEVELS {
        let mut receiver = Receiver::new(level);
        let mut last = receiver.need();
        for byte in said().iter().flat_map(Frame::bytes) {
            receiver.input.push(byte);
            receiver.delivered = false;
            let need = receiver.need();
            let same = need.wait == last.wait && !receiver.delivered;
            assert_eq!(need.epoch == last.epoch, same, "{level:?}: {last:?}, {need:?}");
            assert_eq!(receiver.need(), need, "asked once more, with nothing new");
            last = need;
        }
    }
}

#[test]
fn section_7_1_1_behind_a_close_of_this_side_there_is_one_wait_whatever_comes() {
    for level in LEVELS {
        let mut receiver = Receiver::new(level);
        let before = receiver.need();
        receiver.inbound.linger();
        let linger = receiver.need();
        assert!(linger.wait == Wait::Linger && linger.epoch != before.epoch);
        for byte in said().iter().flat_map(Frame::bytes) {
            receiver.input.push(byte);
            receiver.inbound.linger();
            assert_eq!(receiver.need(), linger, "{level:?}");
        }
    }
}

struct Receiver {
    level: Level,
    inbound: Inbound,
    shared: Shared,
    input: Vec<u8>,
    into: [u8; 300],
    delivered: bool,
}

impl Receiver {
    fn new(level: Level) -> Self {
        let (inbound, shared) = (Inbound::new(Role::Client), Shared::new(Role::Client));
        Self { level, inbound, shared, input: Vec::new(), into: [0; 300], delivered: false }
    }

    /// Receives what there is, and answers what the wait is for.
    fn need(&mut self) -> Need {
        loop {
            let mut op = match self.level {
                Level::Message => Receiving::message(&mut self.into),
                Level::Chunk => Receiving::chunk(&mut self.into),
                Level::Frame => Receiving::frame(&mut self.into),
                Level::Discard => Receiving::discard(),
            };
            let (used, step) = self.inbound.push(&mut op, &self.input);
            self.input.drain(..used);
            match step {
                Step::Need(need) => return need,
                Step::Done(_) => self.delivered = true,
                Step::Reply => self.inbound.reply(&mut self.shared).unwrap(),
                Step::Yield(_) => {}
                Step::Room => unreachable!("the buffer is not one that grows"),
            }
        }
    }
}
