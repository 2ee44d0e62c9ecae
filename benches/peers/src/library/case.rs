//! A task with messages of one size: to verify a library with, and to time it.

use std::sync::Arc;
use tokio::runtime::Runtime;

use super::masking::{self, Payloads};
use super::meter::{Expected, Meter};
use super::payload::{Kind, Message, check, frame_len, script};
use super::place::{PLACES, Placed};
use super::wire::Wire;
use super::{Library, Receive, Send, Task};
use crate::Result;

impl Library {
    /// Whether it has a way to do this.
    pub(super) fn can(&self, task: Task) -> bool {
        match task {
            Task::Receive(_) => self.receive.is_some(),
            Task::Send(_, batch) => self.send.is_some() && (self.batches || batch == 1),
            Task::Mask(_) => self.mask.is_some(),
        }
    }
}

/// A task with one size: the messages, in all places.
pub(super) struct Case {
    task: Task,
    payload: Vec<u8>,
    scripts: Vec<Arc<Placed>>,
    messages: Vec<Message>,
}

impl Case {
    pub(super) fn new(task: Task, size: usize) -> Self {
        let kind = if let Task::Receive(kind) = task { kind } else { Kind::Binary };
        let payload = kind.payload(size);
        let script = if let Task::Receive(kind) = task { script(kind, &payload) } else { Vec::new() };
        // Three places that go through the page in different orders.
        let scripts = (0..PLACES).map(|place| Arc::new(Placed::new(&script, place))).collect();
        let messages = (0..PLACES).map(|place| Message::new(&payload, place * 5)).collect();
        Self { task, payload, scripts, messages }
    }

    /// How many messages take about so long.
    pub(super) fn count(&self, nanos: usize) -> usize {
        (nanos / (50 + self.payload.len() / 8)).next_multiple_of(self.batch()).max(self.batch() * 2).max(LEAST)
    }

    fn batch(&self) -> usize {
        if let Task::Send(_, batch) = self.task { batch } else { 1 }
    }

    /// Plays once; answers how long a message took.
    pub(super) fn play(&self, library: &Library, count: usize, round: usize, runtime: &Runtime) -> Result<f64> {
        if let Task::Mask(off) = self.task {
            let mut meter = Meter::new(count, 1, Expected::Len(self.payload.len()));
            Payloads::new(self.payload.len(), off).play(library.mask.ok_or("has no way to do this")?, &mut meter);
            return meter.nanos().ok_or_else(|| "did not finish".into());
        }
        let place = round % PLACES;
        let wire = Wire::new(Arc::clone(&self.scripts[place]), place * 3, false);
        let wrote = wire.wrote();
        let mut meter = Meter::new(count, self.batch(), Expected::Len(self.payload.len()));
        self.with(library, wire, place, &mut meter, runtime)?;
        if let Task::Send(side, _) = self.task {
            let (wrote, expected) = (wrote.count(), (count * frame_len(side, self.payload.len())) as u64);
            if wrote != expected {
                return Err(format!("wrote {wrote} bytes, not {expected}").into());
            }
        }
        meter.nanos().ok_or_else(|| "did not finish".into())
    }

    /// Plays with a few messages, all of which are compared.
    pub(super) fn verify(&self, library: &Library, runtime: &Runtime) -> Result<()> {
        let count = 4 * self.batch();
        let wire = Wire::new(Arc::clone(&self.scripts[0]), 0, true);
        let wrote = wire.wrote();
        match self.task {
            Task::Receive(kind) => {
                let mut meter = Meter::new(count, 1, Expected::Exactly(self.payload.clone(), kind.is_text()));
                self.with(library, wire, 0, &mut meter, runtime)?;
                if kind.is_text() { self.refuses(kind, library, runtime) } else { Ok(()) }
            }
            Task::Send(side, batch) => {
                let mut meter = Meter::new(count, batch, Expected::Len(self.payload.len()));
                self.with(library, wire, 0, &mut meter, runtime)?;
                Ok(check(&wrote.kept(), side, &self.payload, count)?)
            }
            Task::Mask(_) => Ok(masking::check(library.mask.ok_or("has no way to do this")?, &self.payload)?),
        }
    }

    /// Whether text is checked: a message that is none must not be taken for it.
    fn refuses(&self, kind: Kind, library: &Library, runtime: &Runtime) -> Result<()> {
        let mut wrong = self.payload.clone();
        if let Some(last) = wrong.last_mut() {
            *last = 0xff;
        }
        let wire = Wire::new(Arc::new(Placed::new(&script(kind, &wrong), 0)), 0, false);
        let mut meter = Meter::new(1, 1, Expected::Len(wrong.len()));
        match self.with(library, wire, 0, &mut meter, runtime) {
            Ok(()) => Err("takes text that is not UTF-8".into()),
            Err(_) => Ok(()),
        }
    }

    fn with(&self, library: &Library, wire: Wire, place: usize, meter: &mut Meter, runtime: &Runtime) -> Result<()> {
        let play = match self.task {
            Task::Receive(kind) => {
                let receive = Receive { wire, text: kind.is_text(), size: self.payload.len(), meter };
                library.receive.map(|play| play(receive))
            }
            Task::Send(side, _) => {
                let send = Send { wire, side, message: &self.messages[place], meter };
                library.send.map(|play| play(send))
            }
            Task::Mask(_) => None,
        };
        runtime.block_on(play.ok_or("has no way to do this")?)
    }
}

/// The fewest messages in a play, of which the first few warm up.
const LEAST: usize = 16;

#[cfg(test)]
mod tests {
    use super::super::measure::runtime;
    use super::super::{Side, TASKS, chosen};
    use super::*;

    /// Receives without a look at the bytes, and sends one frame that is no binary message.
    static LIAR: Library = Library {
        name: "liar",
        receive: Some(|Receive { size, meter, .. }| {
            Box::pin(async move {
                while meter.more() {
                    meter.note(false, &vec![0; size])?;
                }
                Ok(())
            })
        }),
        send: Some(|Send { mut wire, message, meter, .. }| {
            Box::pin(async move {
                while meter.more() {
                    std::io::Write::write_all(&mut wire, &[0x81, 125])?;
                    std::io::Write::write_all(&mut wire, message.bytes())?;
                }
                Ok(())
            })
        }),
        mask: None,
        batches: true,
    };

    #[test]
    fn every_library_does_what_it_is_measured_at() {
        let runtime = runtime().unwrap();
        for task in TASKS {
            let case = Case::new(task, 125);
            let libraries: Vec<_> = chosen(&[]).into_iter().filter(|library| library.can(task)).collect();
            assert!(libraries.len() >= if matches!(task, Task::Mask(_)) { 5 } else { 9 }, "{task}");
            for library in libraries {
                case.verify(library, &runtime).unwrap_or_else(|error| panic!("{}: {task}: {error}", library.name));
                assert!(case.play(library, 32, 3, &runtime).unwrap() > 0.0);
            }
        }
    }

    #[test]
    fn a_library_that_does_something_else_is_noticed() {
        let runtime = runtime().unwrap();
        for (task, why) in [
            (Task::Receive(Kind::Binary), "a message is not what was sent"),
            (Task::Send(Side::Server, 1), "message 1 is not what was to be sent"),
            (Task::Send(Side::Client, 16), "message 1 is not what was to be sent"),
        ] {
            assert_eq!(Case::new(task, 125).verify(&LIAR, &runtime).unwrap_err().to_string(), why);
        }
        assert_eq!(masking::check(|payload, _| payload.fill(0), &[1; 125]).unwrap_err(), "masks something else");
        let error = Case::new(Task::Send(Side::Client, 1), 125).play(&LIAR, 2, 0, &runtime).unwrap_err();
        assert_eq!(error.to_string(), "wrote 254 bytes, not 262");
    }
}
