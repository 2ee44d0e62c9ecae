//! The table over the blocking driver, with the transport failing at operation 0, 1, 2 and so on, until it is not met.

use crate::app::By;
use crate::run_blocking::run_by;
use crate::run_machine::each;
use crate::scenario::{Failure, Outcome, Scenario, closed};
use std::io::ErrorKind;
use ws_conn::Role;
use ws_testkit::transport::{FailAt, Fault, Script, Transport, fail_at_every_operation};
use ws_testkit::{chunks, naive};

#[test]
fn a_short_late_or_interrupted_operation_changes_nothing() {
    for (how, by) in each_way([Fault::Short, Fault::Interrupted, Fault::TimedOut]) {
        each(|scenario, role| {
            at_every_operation(scenario, role, how, run_by(by), |outcome| scenario.check(role, outcome))
        });
    }
}

#[test]
fn a_transport_that_fails_ends_the_connection_and_nothing_false_is_received_or_sent() {
    for (how, by) in each_way([Fault::Error(ErrorKind::ConnectionAborted), Fault::Reset]) {
        each(|scenario, role| {
            at_every_operation(scenario, role, how, run_by(by), |outcome| is_beginning(scenario, role, outcome))
        });
    }
}

/// Each fault, whichever way is sent.
pub(crate) fn each_way<const N: usize>(faults: [Fault; N]) -> impl Iterator<Item = (Fault, By)> {
    faults.into_iter().flat_map(|how| By::EACH.map(|by| (how, by)))
}

pub(crate) fn at_every_operation(
    scenario: &Scenario,
    role: Role,
    how: Fault,
    run: impl Fn(&Scenario, Role, &Transport) -> Result<Outcome, String>,
    check: impl Fn(&Outcome) -> Result<(), String>,
) -> Result<(), String> {
    let wire = scenario.wire(role);
    let size = (wire.len() / 4).max(5);
    for pieces in [chunks::whole(&wire), chunks::fixed(&wire, size)] {
        let mut first = Ok(());
        fail_at_every_operation(how, |fail_at: FailAt| {
            let transport = Script::of_pieces(&pieces).fail_at(fail_at).start();
            let checked = run(scenario, role, &transport).and_then(|outcome| check(&outcome));
            if first.is_ok() {
                first = checked.map_err(|error| format!("{fail_at:?}, {} pieces: {error}", pieces.len()));
            }
            transport
        })?;
        first?;
    }
    Ok(())
}

/// What was received and what was sent are beginnings of what they would have been, and the end has a cause.
pub(crate) fn is_beginning(scenario: &Scenario, role: Role, outcome: &Outcome) -> Result<(), String> {
    let events: Vec<_> = outcome.events.iter().filter(|event| event.is_delivery()).collect();
    let all: Vec<_> = scenario.events.iter().filter(|event| event.is_delivery()).collect();
    if !all.starts_with(&events) {
        return Err(format!("gave {events:?}"));
    }
    // A write that fails leaves a part of a frame, or a message without its end: whole frames are judged.
    let mut whole = 0;
    while let Some((_, len)) = outcome.sent.get(whole..).and_then(naive::read) {
        whole += len;
    }
    let sent = scenario.frames(role, outcome.sent.get(..whole).unwrap_or_default())?;
    let legal = if scenario.extension || scenario.merges {
        sent.len() <= scenario.sent.len()
    } else {
        scenario.sent.starts_with(&sent)
    };
    if !legal {
        return Err(format!("sent {sent:?}"));
    }
    let by_transport = matches!(outcome.failure, Failure::Io(_)) && outcome.status == 1006
        || outcome.failure == Failure::Fault(closed(outcome.status));
    let as_ever = outcome.failure == Failure::Fault(scenario.fault) && outcome.status == scenario.status;
    if by_transport || as_ever { Ok(()) } else { Err(format!("{:?} with {}", outcome.failure, outcome.status)) }
}
