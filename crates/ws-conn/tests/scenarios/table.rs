//! The scenarios.

mod closes;
mod coded;
mod fragments;
mod levels;
mod messages;
mod refusals;
mod sending;
mod violations;

use crate::scenario::{Event, Scenario};
use ws_conn::Opcode;

/// All of them.
pub(crate) fn all() -> Vec<Scenario> {
    let mut all = messages::scenarios();
    all.extend(fragments::scenarios());
    all.extend(levels::scenarios());
    all.extend(violations::scenarios());
    all.extend(refusals::scenarios());
    all.extend(closes::scenarios());
    all.extend(sending::scenarios());
    all.extend(coded::scenarios());
    all
}

/// The boundaries of the forms of a length (RFC 6455, section 5.2), and one length past them.
const LENGTHS: [usize; 8] = [0, 1, 125, 126, 127, 65535, 65536, 70000];

fn text(text: &str) -> Event {
    Event::Message(Opcode::TEXT, text.into())
}

fn binary(payload: impl Into<Vec<u8>>) -> Event {
    Event::Message(Opcode::BINARY, payload.into())
}

fn prefix(opcode: Opcode, payload: impl Into<Vec<u8>>) -> Event {
    Event::Prefix(opcode, payload.into())
}

fn control(opcode: Opcode, payload: impl Into<Vec<u8>>) -> Event {
    Event::Control(opcode, payload.into())
}

fn failed(fault: impl Into<ws_conn::Fault>) -> Event {
    Event::Failed(crate::scenario::Failure::Fault(fault.into()))
}

/// Bytes that differ from their neighbours, and from themselves one masking key further on.
pub(crate) fn bytes(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at * 7 + at / 251) as u8).collect()
}

#[test]
fn the_table_is_of_a_size() {
    let all = all();
    let mut names: Vec<&str> = all.iter().map(|scenario| scenario.name.as_str()).collect();
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "two scenarios of one name");
    assert!(all.len() >= 350, "{} scenarios", all.len());
    for scenario in &all {
        assert!(
            crate::scenario::ends_with_close(&scenario.sent) || scenario.status == 1006,
            "{}: a status without a Close",
            scenario.name
        );
    }
}
