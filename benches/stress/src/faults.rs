//! Each check finds the fault that it is there for.

use crate::draw::PATIENCE;
use crate::fate::{fated, limited};
use crate::ledger::{Ledger, Outcome};
use crate::link::{Manners, Planned, Wrong};
use crate::naive::{self, Frame, binary, close, continuation, ping, pong};
use crate::payload::{self, HEADER, Name};
use crate::plan::{Act, Driver, End, Ending, Fate, Kind, Owner, Plan, Sender, Shape, Transport, What, Who};
use crate::run::{self, check_polls};
use crate::table::Table;
use crate::wire::Wire;
use crate::{large, memory};
use core::future::{pending, poll_fn, ready};
use core::sync::atomic::Ordering;
use core::task::Poll;
use core::time::Duration;
use std::panic::panic_any;
use std::sync::Arc;
use tokio::runtime::Builder;
use ws_conn::Role;

#[test]
fn a_case_is_the_same_each_time_and_another_for_each_number() {
    for driver in [Driver::Tokio, Driver::Blocking] {
        let cases: Vec<_> = (0..50).map(|case| format!("{:?}", Plan::of(7, case, driver))).collect();
        assert!((0..50).all(|case| cases[case as usize] == format!("{:?}", Plan::of(7, case, driver))));
        assert!((1..50).all(|case| cases[case] != cases[case - 1]));
    }
}

#[test]
fn a_transport_without_fault_passes_over_both_drivers() {
    for plan in plans() {
        let report = run::run(plan);
        assert_eq!(report.failures, [""; 0]);
        assert_eq!((report.messages, report.clean), (2 * (3 * 4 + 1), 1));
    }
}

#[test]
fn a_transport_that_loses_bytes_is_found() {
    for at in [1, 20, 300, 1000] {
        for mut plan in plans() {
            plan.manners[0].wrong = Some((at, Wrong::Loses(3)));
            assert_ne!(run::run(plan).failures, [""; 0], "3 bytes from {at} on were lost");
        }
    }
}

#[test]
fn a_transport_that_repeats_bytes_is_found() {
    for at in [1, 20, 300, 1000] {
        for mut plan in plans() {
            plan.manners[0].wrong = Some((at, Wrong::Repeats(7)));
            assert_ne!(run::run(plan).failures, [""; 0], "7 bytes from {at} on came twice");
        }
    }
}

#[test]
fn a_task_that_is_not_woken_is_found_when_its_deadline_passes() {
    let mut plan = deaf_plan();
    plan.wire = Duration::from_millis(300);
    let failures = run::run(plan).failures;
    assert!(failures.iter().any(|why| why.contains("1008")), "{failures:?}");
}

#[test]
fn a_case_that_does_not_end_is_stopped_and_tells_who_waits() {
    let mut plan = deaf_plan();
    plan.wire = Duration::from_secs(10_000);
    plan.watchdog = Duration::from_secs(1);
    let report = run::run(plan);
    assert!(!report.is_stuck);
    let tells =
        |why: &String| why.contains("does not come to an end; there wait: ") && why.contains("sender 0 of end 0");
    assert!(report.failures.iter().any(tells), "{:?}", report.failures);
}

#[test]
fn a_message_that_was_sent_and_is_not_received_is_missing() {
    let ledger = Ledger::default();
    let names = sent(&ledger, &[Outcome::Sent, Outcome::Open, Outcome::Fed]);
    assert!(hear(&ledger, &[]).unwrap_err().contains("not received"));
    assert!(hear(&ledger, &names[..1]).unwrap_err().contains("message 2 of sender 1 was sent (Fed)"));
    assert!(hear(&ledger, &names[2..]).unwrap_err().contains("message 0"));
    assert_eq!(hear(&ledger, &[names[0], names[2]]), Ok(()));
    assert_eq!(hear(&ledger, &names), Ok(()));
}

#[test]
fn a_message_that_comes_twice_late_or_from_nowhere_is_found() {
    let ledger = Ledger::default();
    let names = sent(&ledger, &[Outcome::Sent, Outcome::Not, Outcome::Sent]);
    for (heard, why) in [
        (vec![names[0], names[0]], "twice"),
        (vec![names[2], names[0]], "behind a later one"),
        (vec![names[1]], "refused"),
        (vec![Name { number: 3, ..names[0] }], "never sent"),
        (vec![Name { sender: 9, ..names[0] }], "never sent"),
    ] {
        let mut book = ledger.book();
        book.heard = heard.iter().copied().map(Some).collect();
        let found = book.check(false).unwrap_err();
        assert!(found.contains(why), "{heard:?}: {found}");
    }
}

#[test]
fn empty_messages_are_counted() {
    let ledger = Ledger::default();
    ledger.settle(Name { number: ledger.begin(1, true), ..NAME }, Outcome::Sent);
    assert!(ledger.book().check(true).unwrap_err().contains("0 empty messages"));
    ledger.heard(None);
    assert_eq!(ledger.book().check(true), Ok(()));
    ledger.heard(None);
    assert!(ledger.book().check(false).unwrap_err().contains("2 empty messages"));
}

#[test]
fn a_payload_that_was_changed_has_no_name() {
    for len in [HEADER, HEADER + 1, 1000] {
        let payload = payload::build(NAME, len);
        assert_eq!((payload.len(), payload::read(&payload)), (len, Ok(Some(NAME))));
        for at in 0..len {
            let mut changed = payload.clone();
            changed[at] ^= 1;
            assert!(at == HEADER - 1 || payload::read(&changed).is_err(), "byte {at} of {len}");
        }
        assert!(payload::read(&payload[..len - 1]).is_err());
        assert!(payload::read(&[&payload[..], b"."].concat()).is_err());
    }
}

#[test]
fn what_is_wrong_on_the_wire_is_found() {
    let message = || binary(payload::build(NAME, 100));
    let wire = |frames: &[Frame]| Wire::read(false, &naive::encode_all(frames));
    assert!(wire(&[continuation("a")]).unwrap_err().contains("without a message"));
    assert!(wire(&[binary("somebody else's")]).is_err());
    assert!(wire(&[close(1000, ""), message()]).unwrap_err().contains("follows a Close"));

    let whole = wire(&[message(), close(1000, "")]).unwrap();
    assert_eq!(whole.check_heard(&[Some(NAME)], true), Ok(()));
    assert!(whole.check_heard(&[], true).unwrap_err().contains("0 of 1"));
    assert!(whole.check_heard(&[None], false).is_err());
    assert!(whole.check_heard(&[Some(NAME), Some(NAME)], false).is_err());
    assert!(wire(&[message()]).unwrap().check_heard(&[Some(NAME)], true).is_err(), "there is no Close");
    let torn = naive::encode_all(&[message(), message()]);
    let torn = Wire::read(false, &torn[..torn.len() - 1]).unwrap();
    assert!(torn.check_heard(&[Some(NAME)], true).is_err(), "a frame is cut off");
}

#[test]
fn pongs_that_answer_nothing_or_come_twice_or_not_are_found() {
    let wire = |frames: &[Frame]| Wire::read(false, &naive::encode_all(frames)).unwrap();
    let pings = wire(&[ping("1"), ping("2")]);
    assert_eq!(wire(&[pong("2")]).check_pongs(&pings, true), Ok(()));
    assert!(wire(&[pong("1")]).check_pongs(&pings, true).unwrap_err().contains("no answer"));
    assert_eq!(wire(&[pong("1")]).check_pongs(&pings, false), Ok(()));
    for pongs in [&["3"][..], &["2", "1"], &["2", "2"]] {
        let pongs: Vec<_> = pongs.iter().map(|pong| naive::pong(*pong)).collect();
        assert!(wire(&pongs).check_pongs(&pings, false).unwrap_err().contains("answers nothing"));
    }
}

#[test]
fn a_future_that_spins_is_found() {
    let table = Arc::new(Table::new(plans()[0].clone()));
    let spins = poll_fn(|cx| {
        cx.waker().wake_by_ref();
        Poll::<()>::Pending
    });
    runtime().block_on(limited(&table, Fate::Polls(1001), spins));
    assert!(check_polls(0, &table).unwrap_err().contains("spins"));
    assert_eq!(check_polls(1000, &table), Ok(()));
}

#[test]
fn fates_drop_move_and_catch() {
    let table = Arc::new(Table::new(plans()[0].clone()));
    runtime().block_on(async {
        for fate in [Fate::Polls(0), Fate::Polls(1), Fate::Time(100), Fate::Select(2)] {
            assert_eq!(fated(&table, fate, pending::<()>()).await, None, "{fate:?}");
        }
        assert_eq!(table.meter.dropped.load(Ordering::Relaxed), 4);
        assert_eq!(fated(&table, Fate::Moved(0), ready(1)).await, Some(1));
        assert_eq!(table.meter.moved.load(Ordering::Relaxed), 1);
        assert_eq!(fated(&table, Fate::Kept, poll_fn(|_| -> Poll<()> { panic_any(Planned) })).await, None);
        assert_eq!(table.meter.panics.load(Ordering::Relaxed), 1);
    });
}

#[test]
fn memory_beyond_the_bound_or_kept_is_found() {
    assert_eq!(memory::check(1000, 1000, 0), Ok(()));
    assert!(memory::check(1001, 1000, 0).unwrap_err().contains("1001 bytes at one time"));
    assert!(memory::check(0, 1000, 1 << 20).unwrap_err().contains("still held"));
}

#[test]
fn work_that_grows_with_the_square_is_found() {
    let millis = Duration::from_millis;
    assert_eq!(large::check(millis(10), millis(70)), Ok(()));
    assert!(large::check(millis(10), millis(160)).is_err());
}

const NAME: Name = Name { end: 0, sender: 1, number: 0 };

/// Three senders at each end, four messages each; over either driver, and a peer with the plain codec.
fn plans() -> [Plan; 2] {
    let manners = Manners {
        seed: 1,
        room: 200,
        longest: 64,
        held: 0,
        yields: 0,
        spurious: 0,
        interrupts: 0,
        late: Duration::ZERO,
        forgets: false,
        gathers: true,
        pause: Duration::ZERO,
        hangs_up: true,
        panics: None,
        wrong: None,
    };
    let act = |what, len| Act { what, len, text: false, fate: Fate::Kept };
    let acts = vec![act(What::Send, 30), act(What::Send, 200), act(What::Send, 50), act(What::Send, 500)];
    let owner = Owner { seed: 1, drops: 0, acts: Vec::new(), first: false, kind: Kind::Shared };
    let end = |who, role| End {
        role,
        who,
        senders: vec![Sender { thread: who != Who::Tokio, acts: acts.clone() }; 3],
        owner: owner.clone(),
    };
    [(Driver::Tokio, Who::Tokio), (Driver::Blocking, Who::Blocking)].map(|(driver, who)| Plan {
        seed: 0,
        case: 0,
        driver,
        shape: Shape::Talk,
        ends: [end(who, Role::Client), end(Who::Raw, Role::Server)],
        transport: Transport::Halves,
        manners: [manners.clone(), manners.clone()],
        ending: Ending::Calm,
        workers: 2,
        wire: Duration::from_secs(2),
        watchdog: 3 * PATIENCE,
    })
}

/// The writer is not woken any more from a byte on, and hardly anything comes that would wake it by chance.
fn deaf_plan() -> Plan {
    let [mut plan, _] = plans();
    plan.manners[0].wrong = Some((500, Wrong::Deafens));
    plan.ends[1].senders.clear();
    for sender in &mut plan.ends[0].senders {
        sender.acts[0].len = 2000;
    }
    plan
}

/// Messages of one sender, with what became of them.
fn sent(ledger: &Ledger, outcomes: &[Outcome]) -> Vec<Name> {
    let name = |outcome: &Outcome| {
        let name = Name { number: ledger.begin(NAME.sender, false), ..NAME };
        ledger.settle(name, *outcome);
        name
    };
    outcomes.iter().map(name).collect()
}

/// What the check says when these are received, and no others.
fn hear(ledger: &Ledger, names: &[Name]) -> Result<(), String> {
    let mut book = ledger.book();
    book.heard = names.iter().copied().map(Some).collect();
    book.check(true)
}

fn runtime() -> tokio::runtime::Runtime {
    Builder::new_current_thread().enable_time().build().unwrap()
}
