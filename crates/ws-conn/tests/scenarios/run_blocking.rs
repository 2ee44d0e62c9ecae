//! The table over the blocking driver and the kit's scripted transport, under every way of cutting.

use crate::app::{By, play};
use crate::blocking::over_script;
use crate::extension::{Roll, Unroll};
use crate::run_machine::{cuts, each};
use crate::scenario::{Outcome, Scenario};
use core::time::Duration;
use ws_conn::{Plain, Role, Timeouts};
use ws_testkit::chunks;
use ws_testkit::transport::{Script, Transport};

#[test]
fn every_scenario_comes_out_as_it_must_over_the_blocking_driver() {
    each(|scenario, role| in_all_pieces(scenario, role, run));
}

/// Under every way of cutting, whichever way is sent.
pub(crate) fn in_all_pieces(
    scenario: &Scenario,
    role: Role,
    run: impl Fn(By, &Scenario, Role, &Transport) -> Result<Outcome, String>,
) -> Result<(), String> {
    let wire = scenario.wire(role);
    for pieces in core::iter::once(chunks::whole(&wire)).chain(cuts(&wire)) {
        for by in By::EACH {
            let transport = Script::of_pieces(&pieces).start();
            let outcome = run(by, scenario, role, &transport)?;
            let cut = pieces.iter().map(|piece| piece.len()).take(40).collect::<Vec<_>>();
            scenario.check(role, &outcome).map_err(|error| format!("{by:?}, in pieces of {cut:?}: {error}"))?;
            if transport.ran_dry() || !transport.is_exhausted() || !transport.write_is_shut_down() {
                return Err(format!("{by:?}, in pieces of {cut:?}: not read to its end, or not closed"));
            }
        }
    }
    Ok(())
}

#[test]
fn every_scenario_comes_out_as_it_must_when_the_transport_takes_and_gives_little() {
    each(|scenario, role| {
        let wire = scenario.wire(role);
        let few = scenario.sent.iter().map(|frame| frame.payload.len()).sum::<usize>() + wire.len() < 2000;
        let limits: &[_] = if few { &[(1, 1), (usize::MAX, 1), (7, 13)] } else { &[(1000, 4095), (4096, 1000)] };
        for &(reads, writes) in limits {
            for by in By::EACH {
                let script = Script::of_pieces(&chunks::whole(&wire)).read_limit(reads).write_limit(writes);
                let outcome = run(by, scenario, role, &script.start())?;
                let checked = scenario.check(role, &outcome);
                checked.map_err(|error| format!("{by:?}, reads {reads}, writes {writes}: {error}"))?;
            }
        }
        Ok(())
    });
}

pub(crate) fn run_by(by: By) -> impl Fn(&Scenario, Role, &Transport) -> Result<Outcome, String> {
    move |scenario, role, transport| run(by, scenario, role, transport)
}

fn run(by: By, scenario: &Scenario, role: Role, transport: &Transport) -> Result<Outcome, String> {
    let timeouts = Timeouts::new(LONG, LONG);
    if scenario.extension {
        play(&mut over_script(by, transport, role, Unroll::default(), Roll::default(), timeouts), scenario)
    } else {
        play(&mut over_script(by, transport, role, Plain, Plain, timeouts), scenario)
    }
}

const LONG: Duration = Duration::from_secs(1000);
