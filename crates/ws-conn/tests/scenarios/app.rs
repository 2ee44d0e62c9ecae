//! The application of a scenario: the same calls over whatever carries them out.

use crate::scenario::{Call, Event, Failure, Outcome, Scenario, closed};
use ws_conn::{Accept, Opcode};

/// What carries out the calls of a scenario.
pub(crate) trait App {
    fn accept(&mut self, accept: Accept);
    fn call(&mut self, call: &Call) -> Result<Option<Event>, Failure>;
    fn status(&self) -> Option<u16>;
    /// The bytes sent so far.
    fn sent(&mut self) -> Vec<u8>;
}

/// Plays a scenario to its end, and a little beyond it.
pub(crate) fn play(app: &mut impl App, scenario: &Scenario) -> Result<Outcome, String> {
    app.accept(scenario.accept);
    let mut events = Vec::new();
    let again = scenario.calls.last().ok_or("a scenario without calls")?;
    let mut calls = scenario.calls.iter().chain(core::iter::repeat(again));
    let failure = loop {
        let call = calls.next().ok_or("an endless iterator ended")?;
        match app.call(call) {
            Ok(event) => events.extend(event),
            Err(failure) if call.receives() && is_final(&failure) => break failure,
            Err(failure) => events.push(Event::Failed(failure)),
        }
        if events.len() > 1000 {
            return Err("does not end".into());
        }
    };
    let status = app.status().ok_or("ended without a status")?;

    // "the status in effect" is what every later call reports, whichever it is.
    let over = Failure::Fault(closed(status));
    for call in [again.clone(), Call::Receive(10), Call::Message(10), Call::Stream(10), Call::Frames(10)] {
        let later = app.call(&call);
        if call.receives() && later != Err(over.clone()) {
            return Err(format!("after the end {call:?} gave {later:?} instead of {over:?}"));
        }
    }
    let mut before = app.sent();
    let later = app.call(&Call::Send(Opcode::BINARY, b"late".to_vec()));
    if later != Err(over.clone()) {
        return Err(format!("after the end a send gave {later:?} instead of {over:?}"));
    }
    let _ = app.call(&Call::Close(4999, "late".into()));
    if app.sent() != before || app.status() != Some(status) {
        return Err("something was sent, or the status changed, after the end".into());
    }
    Ok(Outcome { events, failure, status, sent: core::mem::take(&mut before) })
}

/// Puts the parts that the level of frames gives together: a control frame is at its end with `fin`, a message too. What
/// a part is a part of is told by the first one; a control frame may come between the parts of a message.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    control: Option<(Opcode, Vec<u8>)>,
    message: Option<(Opcode, Vec<u8>)>,
}

impl Parts {
    pub(crate) fn add(&mut self, opcode: Opcode, fin: bool, part: &[u8]) -> Option<Event> {
        if opcode != Opcode::CONTINUATION {
            let place = if opcode.is_control() { &mut self.control } else { &mut self.message };
            *place = Some((opcode, Vec::new()));
        }
        let place = if self.control.is_some() { &mut self.control } else { &mut self.message };
        place.as_mut()?.1.extend_from_slice(part);
        if !fin {
            return None;
        }
        let (opcode, payload) = place.take()?;
        Some(if opcode.is_control() { Event::Control(opcode, payload) } else { Event::Message(opcode, payload) })
    }
}

/// Checks the text of a stream as the application sees it: at any time the beginning of something valid.
pub(crate) fn check_stream(opcode: Opcode, so_far: &[u8]) {
    if opcode == Opcode::TEXT
        && let Err(error) = core::str::from_utf8(so_far)
    {
        assert_eq!(error.error_len(), None, "a stream gave text that no text begins with");
    }
}

fn is_final(failure: &Failure) -> bool {
    match failure {
        Failure::Fault(fault) => fault.is_fatal(),
        Failure::Io(_) => true,
    }
}

/// How an application sends on a driver's connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// By a handle.
    Sender,
    /// By the connection itself, of which there is no handle then.
    SenderMut,
}

impl By {
    pub(crate) const EACH: [Self; 2] = [Self::Sender, Self::SenderMut];
}
