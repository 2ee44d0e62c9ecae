//! Why two implementations may differ, rule by rule. Each rule is as narrow as it can be told: it looks at the frame at
//! which ours decided.

use crate::verdict::{LIMIT, Ours, Verdict};
use ws_conn::Violation;
use ws_testkit::naive::{self, CLOSE, Frame};

/// The rules, by the names that `docs/differential.md` knows them by.
pub const RULES: [&str; 7] = [FORM, MOMENT, TEXT, SIZE, REASON, CODE, WITHIN];

/// "the minimal number of bytes MUST be used to encode the length" -- RFC 6455, section 5.2
const FORM: &str = "form of the length";
/// What a part of a frame shows may be answered at once, or when the frame is whole.
const MOMENT: &str = "moment of the answer";
/// Text may be looked at as it comes, or when the message is whole.
const TEXT: &str = "moment of the look at text";
/// A frame that breaks a rule may be too long besides.
const SIZE: &str = "rule or size";
/// A Close may have a code that is not allowed, and a reason that is not UTF-8 besides.
const REASON: &str = "code or reason";
/// Close codes were registered after RFC 6455.
const CODE: &str = "registered codes";
/// "Control frames (see Section 5.5) MAY be injected in the middle of a fragmented message." -- RFC 6455, section 5.4
const WITHIN: &str = "Close within a message";

/// The rule that explains a difference.
pub fn explain(stream: &[u8], ours: &Ours, theirs: &Verdict) -> Option<&'static str> {
    let verdict = &ours.verdict;
    let at = frame_at(stream, ours.read);
    if verdict.told == Some(1002) && has_other_form(at) {
        // Nothing that follows can be compared.
        return theirs.messages.starts_with(&verdict.messages).then_some(FORM);
    }
    // Whatever it is about, it is not about what was received before.
    if verdict.messages != theirs.messages {
        return None;
    }
    let whole = naive::read(at).map(|(frame, _)| frame);
    match (verdict.told, theirs.told) {
        (Some(_), None) if whole.is_none() => Some(MOMENT),
        (None, Some(1009)) if !header_is_whole(at) => Some(MOMENT),
        (Some(1007), None) if ours.violation == Some(Violation::Utf8) => Some(TEXT),
        (Some(1007), Some(1002 | 1009)) if whole.as_ref().is_none_or(|frame| !frame.is_control()) => Some(TEXT),
        (Some(1002 | 1007), Some(1009)) if announced(at) > LIMIT as u64 => Some(SIZE),
        (Some(1009), Some(1002 | 1007)) if announced(at) > LIMIT as u64 => Some(SIZE),
        (Some(1002), Some(1007)) if whole.as_ref().is_some_and(reason_is_not_utf8) => Some(REASON),
        (Some(_), Some(1002)) if ours.violation.is_none() && is_close(at) && is_open(stream, at) => Some(WITHIN),
        (Some(1012..=1014), Some(1002)) if ours.violation.is_none() => Some(CODE),
        _ => None,
    }
}

/// Whether a header ends within these bytes.
fn header_is_whole(frame: &[u8]) -> bool {
    let [_, second, ..] = frame else { return false };
    let length = match second & 0x7F {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    let key = if second & 0x80 == 0 { 0 } else { 4 };
    frame.len() >= 2 + length + key
}

fn is_close(frame: &[u8]) -> bool {
    naive::read(frame).is_some_and(|(frame, _)| frame.opcode == CLOSE)
}

/// Whether a message is not finished before the frame that the stream ends with.
fn is_open(stream: &[u8], frame: &[u8]) -> bool {
    let before = &stream[..stream.len() - frame.len()];
    let frames = naive::read_all(before).unwrap_or_default();
    frames.iter().rfind(|frame| !frame.is_control()).is_some_and(|frame| !frame.fin)
}

/// The stream from the frame on that holds the byte before a place.
fn frame_at(stream: &[u8], place: usize) -> &[u8] {
    let mut at = 0;
    while let Some((_, len)) = naive::read(&stream[at..]) {
        if at + len >= place {
            break;
        }
        at += len;
    }
    &stream[at..]
}

/// Whether the length of a frame is in another form than it must be.
fn has_other_form(frame: &[u8]) -> bool {
    match frame {
        [_, len, high, low, ..] if len % 128 == 126 => u16::from_be_bytes([*high, *low]) < 126,
        [_, len, ..] if len % 128 == 127 => announced(frame) >> 63 == 1 || announced(frame) < 1 << 16,
        _ => false,
    }
}

/// How long a frame says that it is.
fn announced(frame: &[u8]) -> u64 {
    match frame {
        [_, len, rest @ ..] if len % 128 == 127 => rest.first_chunk().map_or(0, |len| u64::from_be_bytes(*len)),
        _ => 0,
    }
}

fn reason_is_not_utf8(frame: &Frame) -> bool {
    frame.opcode == CLOSE && frame.payload.get(2..).is_some_and(|reason| core::str::from_utf8(reason).is_err())
}
