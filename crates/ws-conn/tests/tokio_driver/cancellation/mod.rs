//! Every public future, dropped wherever it waits, and repeated: the conversation goes on as if nothing had happened.
//!
//! The transport gives and takes a few bytes between two polls, so that the places to wait at lie between all bytes.

mod closing;
mod forgotten;
mod frames;
mod receiving;
mod sending;

use crate::transport::{Pair, Peer};
use ws_conn::Role;
use ws_testkit::chunks::Lcg;
use ws_testkit::naive::Frame;

/// When calls are dropped.
#[derive(Clone, Debug)]
enum Drops {
    /// After so many polls, each call.
    Every(usize),
    /// The first call after so many polls, which may be none; no call after it.
    Once(usize),
    /// After 0 to 5 polls, each call.
    Random(Lcg),
}

impl Drops {
    /// How often the next call is polled.
    fn polls(&mut self) -> usize {
        match self {
            Self::Every(polls) => *polls,
            Self::Once(polls) => core::mem::replace(polls, usize::MAX),
            Self::Random(lcg) => lcg.below(6),
        }
    }

    /// Drops at every place to wait at, at every second and third one, and at random.
    fn all() -> impl Iterator<Item = Self> {
        let random = (0..2).map(|seed| Self::Random(Lcg::new(seed)));
        [1, 2, 3].map(Self::Every).into_iter().chain(random)
    }
}

/// Runs a test for both roles, however many bytes come and go at a time, gathered or not.
fn each_transport(paces: &[usize], mut test: impl FnMut(Role, &dyn Fn() -> (Pair, Peer))) {
    let runtime = crate::paused();
    let _time = runtime.enter();
    for role in [Role::Server, Role::Client] {
        for &pace in paces {
            for vectored in [true, false] {
                test(role, &|| Peer::paced(role, pace, vectored));
            }
        }
    }
}

/// The payloads of these frames without continuation: Pings, say.
fn payloads(frames: &[Frame], opcode: u8) -> Vec<Vec<u8>> {
    frames.iter().filter(|frame| frame.opcode == opcode).map(|frame| frame.payload.clone()).collect()
}

/// The messages in these frames, control frames left out.
fn messages(frames: &[Frame]) -> Vec<(u8, Vec<u8>)> {
    let mut messages = Vec::new();
    let mut open = None;
    for frame in frames.iter().filter(|frame| !frame.is_control()) {
        let (_, payload) = open.get_or_insert((frame.opcode, Vec::new()));
        payload.extend_from_slice(&frame.payload);
        if frame.fin {
            messages.extend(open.take());
        }
    }
    assert_eq!(open, None, "a message is not finished");
    messages
}

/// Text of characters of 1 to 4 bytes.
fn text(len: usize) -> Vec<u8> {
    let mut text = String::new();
    for character in ['a', 'é', '€', '😀'].into_iter().cycle() {
        if text.len() + character.len_utf8() > len {
            break;
        }
        text.push(character);
    }
    text.extend(core::iter::repeat_n('.', len - text.len()));
    text.into_bytes()
}

/// Bytes that differ from their neighbours, and from those of another `salt`.
fn binary(len: usize, salt: u8) -> Vec<u8> {
    (0..len).map(|at| (at as u8).wrapping_mul(7).wrapping_add((at >> 8) as u8).wrapping_add(salt)).collect()
}
