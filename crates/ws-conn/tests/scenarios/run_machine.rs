//! The table over the bare state machine, under every way of cutting.

use crate::app::play;
use crate::extension::{Roll, Unroll};
use crate::machine::Machine;
use crate::scenario::{Failure, Outcome, Scenario, closed, same};
use crate::table;
use core::panic::AssertUnwindSafe;
use std::panic;
use ws_conn::{Fault, Outbound, Plain, Role};
use ws_testkit::chunks;

#[test]
fn every_scenario_comes_out_as_it_must_however_the_input_is_cut() {
    each(|scenario, role| {
        let wire = scenario.wire(role);
        let whole = run(scenario, role, &chunks::whole(&wire), 1 << 17)?;
        scenario.check(role, &whole)?;
        let twice = (wire.len() <= VERY_SHORT).then(|| chunks::two_splits(&wire)).into_iter().flatten();
        for (at, pieces) in cuts(&wire).chain(twice).enumerate() {
            // The room that is lent for sending changes nothing but how an extension's messages are cut.
            let room = if at % 2 == 0 { <Outbound>::MIN_ROOM } else { 1 << 17 };
            let outcome = run(scenario, role, &pieces, room)?;
            let cut = || pieces.iter().map(|piece| piece.len()).take(40).collect::<Vec<_>>();
            if scenario.extension {
                scenario.check(role, &outcome).map_err(|error| format!("in pieces of {:?}: {error}", cut()))?;
            } else {
                same("", &outcome, &whole).map_err(|error| format!("in pieces of {:?}: {error}", cut()))?;
            }
        }
        Ok(())
    });
}

#[test]
fn section_7_1_5_an_end_at_any_byte_is_1006_unless_the_end_came_before() {
    each(|scenario, role| {
        let wire = scenario.wire(role);
        let whole = run(scenario, role, &chunks::whole(&wire), 1 << 17)?;
        let frames = scenario.frames(role, &whole.sent)?;
        for at in points(&wire) {
            let cut = &wire[..at];
            let error = |error: String| format!("ending at byte {at}: {error}");
            let outcome = run(scenario, role, &chunks::whole(cut), 1 << 17)?;
            same("cut and not", &run(scenario, role, &chunks::fixed(cut, 3), 1 << 17)?, &outcome).map_err(error)?;

            let events = outcome.events.iter().filter(|event| event.is_delivery());
            let of_whole = whole.events.iter().filter(|event| event.is_delivery());
            if !events.zip(of_whole).all(|(event, of_whole)| event == of_whole) {
                return Err(error(format!("gave {:?}", outcome.events)));
            }
            let sent = scenario.frames(role, &outcome.sent)?;
            if outcome.status == whole.status && outcome.failure == whole.failure {
                continue;
            }
            same("status", &outcome.status, &1006).map_err(error)?;
            same("failed with", &outcome.failure, &Failure::Fault(closed(1006))).map_err(error)?;
            if crate::scenario::ends_with_close(&sent) || !frames.starts_with(&sent) {
                return Err(error(format!("sent {sent:?}")));
            }
        }
        Ok(())
    });
}

#[test]
fn a_cause_is_reported_once_and_the_status_ever_after() {
    // `play` checks it behind every scenario; here it is shown that the scenarios hold every cause there is.
    let mut causes: Vec<String> = table::all()
        .iter()
        .filter(|scenario| !matches!(scenario.fault, Fault::Closed(_)))
        .map(|scenario| format!("{:?}", scenario.fault))
        .collect();
    causes.sort();
    causes.dedup();
    let violations = [
        "ReservedBits",
        "MaskMissing",
        "MaskUnexpected",
        "ControlFragmented",
        "ControlTooLong",
        "LengthNotMinimal",
        "LengthSign",
        "ContinuationMissing",
        "ContinuationUnexpected",
        "ReservedOpcode",
        "CloseLength",
        "CloseCode",
        "Utf8",
        "Extension",
    ];
    for violation in violations {
        assert!(causes.contains(&format!("Violation({violation})")), "no scenario for {violation}: {causes:?}");
    }
    assert!(causes.contains(&"Overflow".into()) && causes.contains(&"Refused(text)".into()), "{causes:?}");
}

/// Runs every scenario in each of its roles and tells of all that went wrong.
pub(crate) fn each(mut run: impl FnMut(&Scenario, Role) -> Result<(), String>) {
    let mut wrong = Vec::new();
    for scenario in table::all() {
        for &role in scenario.roles {
            let outcome = panic::catch_unwind(AssertUnwindSafe(|| run(&scenario, role)));
            if let Err(error) = outcome.unwrap_or_else(|_| Err("panicked, see above".into())) {
                wrong.push(format!("{} ({role:?}): {error}", scenario.name));
            }
        }
    }
    let all = wrong.len();
    wrong.truncate(20);
    assert!(wrong.is_empty(), "{all} went wrong, the first of them:\n{}", wrong.join("\n"));
}

/// The ways of cutting. What is short is cut at every point, what is long around every header and at its end: there is
/// nothing to be met in the middle of a payload but the blocks of a loop.
pub(crate) fn cuts(wire: &[u8]) -> impl Iterator<Item = Vec<&[u8]>> {
    let splits = points(wire).into_iter().map(|at| chunks::cut(wire, &[at]));
    let sizes = [1, 2, 3, 5, 7, 13, 64, 1000, 4096].into_iter().filter(|&size| size < wire.len());
    let random = (0..6).map(|seed| chunks::random(wire, seed, 1 + wire.len() / 3));
    splits.chain(sizes.map(|size| chunks::fixed(wire, size))).chain(random)
}

/// Every point of what is short; of what is long those around the headers, and some between.
pub(crate) fn points(wire: &[u8]) -> Vec<usize> {
    if wire.len() <= SHORT {
        return (0..=wire.len()).collect();
    }
    let mut points: Vec<usize> = (0..wire.len()).step_by(9973).collect();
    let mut at = 0_usize;
    loop {
        points.extend(at.saturating_sub(2)..(at + 16).min(wire.len()));
        match ws_testkit::naive::read(&wire[at..]) {
            Some((_, len)) if at + len < wire.len() => at += len,
            _ => break,
        }
    }
    points.extend(wire.len() - 2..=wire.len());
    points.sort_unstable();
    points.dedup();
    points
}

fn run(scenario: &Scenario, role: Role, pieces: &[&[u8]], room: usize) -> Result<Outcome, String> {
    if scenario.extension {
        play(&mut Machine::new(role, Unroll::default(), Roll::default(), pieces, room), scenario)
    } else {
        play(&mut Machine::new(role, Plain, Plain, pieces, room), scenario)
    }
}

/// Up to this many bytes the input is cut at every pair of points, too.
const VERY_SHORT: usize = 24;
const SHORT: usize = 600;
