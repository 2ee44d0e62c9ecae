//! An end over the blocking driver: a thread that has the connection, and threads that have senders.

use crate::dice::Dice;
use crate::draw::PATIENCE;
use crate::link::Planned;
use crate::payload::{self, BYE, HEADER, OWNER};
use crate::plan::{Act, Early, Ending, Kind, What};
use crate::table::Table;
use core::sync::atomic::Ordering;
use core::time::Duration;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread;
use std::time::Instant;
use ws_conn::blocking::{Conn, Input, Output, Sender};
use ws_conn::{CloseCode, Error, Opcode, Timeouts};

/// Plays an end to its end.
pub(crate) fn play<R: Input, W: Output + Send>(table: &Table, end: usize, (read, write): (R, W)) {
    let plan = &table.plan.ends[end];
    let mut conn = Conn::new(read, write, plan.role);
    conn.set_message_limit(crate::LIMIT);
    let early = match table.plan.ending {
        Ending::Early(of, early, after) if of == end => Some((early, Duration::from_micros(after))),
        _ => None,
    };
    thread::scope(|scope| {
        if plan.owner.kind != Kind::Alone {
            let sender = conn.sender();
            scope.spawn(move || send_all(table, end, &sender));
        }
        if let Some((early, after)) = early.filter(|(early, _)| !matches!(early, Early::Drop | Early::Finish)) {
            let sender = conn.sender();
            scope.spawn(move || end_early(table, end, &sender, early, after));
        }
        let leaves = early.filter(|(early, _)| matches!(early, Early::Drop | Early::Finish));
        let mut owner = Owner::new(table, end, conn, leaves);
        owner.receive();
        // Dropped before the others are waited for: they find out.
        drop(owner);
        table.leave(end);
    });
}

/// All senders, each on a thread; then the last message, and the Close if that is for this end to send.
fn send_all<W: Output + Send>(table: &Table, end: usize, sender: &Sender<W>) {
    let senders = &table.plan.ends[end].senders;
    thread::scope(|scope| {
        for (at, plan) in senders.iter().enumerate() {
            let sender = sender.clone();
            scope.spawn(move || {
                for (count, act) in plan.acts.iter().enumerate() {
                    let _waits = table.wait(format!("sender {at} of end {end}, act {count}: {act:?}"));
                    if !send(table, end, at as u8, &sender, act, count) {
                        return;
                    }
                }
            });
        }
    });
    table.acted[end].wait();
    let wire = table.plan.wire.max(PATIENCE);
    let (name, opcode, payload) = table.compose(end, BYE, HEADER, false);
    let waits = table.wait(format!("end {end} says bye"));
    table.sent(name, true, caught(table, || sender.send(opcode, &payload, wire)));
    drop(waits);
    if end == 0 {
        table.byes[0].wait();
        let _waits = table.wait("end 0 closes".into());
        if let Some(Err(error)) = caught(table, || sender.send_close(CloseCode::NORMAL, "", wire)) {
            table.met("send_close", &error);
        }
    }
}

/// Returns whether there is more to be done.
fn send<W: Output>(table: &Table, end: usize, id: u8, sender: &Sender<W>, act: &Act, count: usize) -> bool {
    let wire = table.plan.wire;
    let goes_on = |what: &str, result: Option<Result<(), Error>>| match result {
        Some(Err(error)) => {
            table.met(what, &error);
            error.is_timeout()
        }
        _ => true,
    };
    match act.what {
        What::Send | What::Feed => {
            let (name, opcode, payload) = table.compose(end, id, act.len, act.text);
            let flushes = act.what == What::Send;
            let result = caught(table, || match flushes {
                true => sender.send(opcode, &payload, wire),
                false => sender.feed(opcode, &payload, wire),
            });
            table.sent(name, flushes, result)
        }
        What::Flush => {
            let result = caught(table, || sender.flush(wire));
            if let Some(Ok(())) = result {
                table.ledgers[end].flushed(id);
            }
            goes_on("flush", result)
        }
        What::Ping => {
            let ping = format!("{end}.{id}#{count}");
            goes_on("a Ping", caught(table, || sender.send(Opcode::PING, ping.as_bytes(), wire)))
        }
        What::Stream(chunk) => {
            let (name, opcode, payload) = table.compose(end, id, act.len, act.text);
            let result = caught(table, || {
                let mut writer = sender.send_stream(opcode, wire)?;
                for part in payload.chunks(chunk) {
                    writer.write_chunk(part)?;
                }
                writer.finish()
            });
            table.sent(name, true, result)
        }
        What::Rest(micros) => {
            thread::sleep(Duration::from_micros(micros));
            true
        }
    }
}

fn end_early<W: Output>(table: &Table, end: usize, sender: &Sender<W>, early: Early, after: Duration) {
    thread::sleep(after);
    let wire = table.plan.wire;
    let _waits = table.wait(format!("end {end}: {early:?}"));
    match early {
        Early::Abort => drop(sender.abort()),
        Early::Half => {
            if let Ok(mut writer) = sender.send_stream(Opcode::TEXT, wire) {
                let _ = writer.write_chunk(b"half");
            }
        }
        _ => drop(sender.send_close(CloseCode::GOING_AWAY, "", wire)),
    }
}

/// Who has the connection.
struct Owner<'t, R: Input, W: Output> {
    table: &'t Table,
    end: usize,
    conn: Conn<R, W>,
    dice: Dice,
    buffer: Vec<u8>,
    timeouts: Timeouts,
    leaves: Option<(Early, Duration)>,
}

impl<'t, R: Input, W: Output> Owner<'t, R, W> {
    fn new(table: &'t Table, end: usize, conn: Conn<R, W>, leaves: Option<(Early, Duration)>) -> Self {
        let longest = table.plan.ends[1 - end].acts().map(|act| act.len).max().unwrap_or_default();
        let idle = 2 * if table.plan.is_calm() { PATIENCE } else { table.plan.wire };
        let timeouts = Timeouts::new(table.plan.wire.max(Duration::from_secs(2)), idle);
        let dice = Dice::new(table.plan.ends[end].owner.seed);
        Self { table, end, conn, dice, buffer: vec![0; longest + HEADER], timeouts, leaves }
    }

    fn receive(&mut self) {
        let (table, plan) = (self.table, &self.table.plan.ends[self.end].owner);
        let mut acts = plan.acts.iter();
        let (mut says_bye, mut closes) = (plan.kind == Kind::Alone, plan.kind == Kind::Alone && self.end == 0);
        let begun = Instant::now();
        loop {
            if self.leaves.is_some_and(|(_, after)| begun.elapsed() >= after) {
                return self.leave();
            }
            for act in acts.by_ref() {
                self.send(OWNER, act.len, act.what);
                if !plan.first {
                    break;
                }
            }
            if acts.len() == 0 {
                table.acted[self.end].set();
                if says_bye {
                    says_bye = false;
                    self.send(BYE, HEADER, if plan.first { What::Feed } else { What::Send });
                }
                if closes && table.byes[0].is_set() {
                    closes = false;
                    self.close();
                }
            } else if plan.kind == Kind::Alone {
                // Nobody else sends: it receives when it has sent all.
                continue;
            }
            let _waits = table.wait(format!("end {} receives", self.end));
            if let Some(Err(error)) = self.get() {
                let closed = self.conn.closed();
                table.over(self.end, Some(&error), closed, self.conn.is_clean());
                match caught(table, || self.conn.receive(&mut [], self.timeouts)) {
                    Some(Err(later)) if later.closed() == closed.map(|closed| closed.0) => {}
                    later => table.fail(format!("end {} is over with {closed:?}, and later says {later:?}", self.end)),
                }
                return;
            }
        }
    }

    fn leave(&mut self) {
        let finishes = matches!(self.leaves, Some((Early::Finish, _)));
        if finishes
            && let Some(Err(error)) =
                caught(self.table, || self.conn.finish(CloseCode::GOING_AWAY, "", self.timeouts.wire))
        {
            self.table.met("finish", &error);
        }
    }

    /// One call that receives. `None` if the transport has panicked.
    fn get(&mut self) -> Option<Result<(), Error>> {
        let kind = self.dice.below(4);
        let (table, end, conn, timeouts) = (self.table, self.end, &mut self.conn, self.timeouts);
        match kind {
            0 | 1 => caught(table, || conn.message(timeouts).map(|message| table.heard(end, &message))),
            2 => {
                let received = caught(table, || conn.receive(&mut self.buffer, timeouts))?;
                Some(received.map(|received| table.heard(end, &self.buffer[..received.len])))
            }
            _ => {
                let skips = table.plan.is_calm() && self.dice.one_in(8);
                caught(table, || self.read(skips))
            }
        }
    }

    fn read(&mut self, skips: bool) -> Result<(), Error> {
        let (table, end) = (self.table, self.end);
        let mut reader = self.conn.receive_stream(self.timeouts)?;
        let mut message = Vec::new();
        loop {
            let len = self.buffer.len().min(1 + self.dice.below(5000).max(message.len() / 8));
            let read = reader.read_chunk(&mut self.buffer[..len])?;
            message.extend_from_slice(&self.buffer[..read]);
            if read == 0 {
                table.heard(end, &message);
                return Ok(());
            }
            if skips && message.len() >= HEADER {
                match payload::read_header(&message) {
                    Ok((name, _)) => table.heard_name(end, Some(name)),
                    Err(why) => table.fail(format!("end {end} has received something else: {why}")),
                }
                return Ok(());
            }
        }
    }

    /// Sends with its own hands.
    fn send(&mut self, sender: u8, len: usize, what: What) {
        let (table, wire) = (self.table, self.timeouts.wire);
        let _waits = table.wait(format!("end {} sends: {what:?}, {len} bytes", self.end));
        let mut own = self.conn.sender_mut();
        if what == What::Flush {
            if let Some(Ok(())) = caught(table, || own.flush(wire)) {
                table.ledgers[self.end].flushed(sender);
            }
            return;
        }
        let (name, opcode, payload) = table.compose(self.end, sender, len, false);
        let result = caught(table, || match what {
            What::Feed => own.feed(opcode, &payload, wire),
            _ => own.send(opcode, &payload, wire),
        });
        table.sent(name, what != What::Feed, result);
    }

    fn close(&mut self) {
        let close = 1000_u16.to_be_bytes();
        let closed = caught(self.table, || self.conn.sender_mut().send(Opcode::CLOSE, &close, self.timeouts.wire));
        if let Some(Err(error)) = closed {
            self.table.met("the Close", &error);
        }
    }
}

/// Does something. `None` if the transport has panicked by intent.
fn caught<T>(table: &Table, act: impl FnOnce() -> T) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(act)) {
        Ok(done) => Some(done),
        Err(panic) if panic.is::<Planned>() => {
            table.meter.panics.fetch_add(1, Ordering::Relaxed);
            None
        }
        Err(panic) => resume_unwind(panic),
    }
}
