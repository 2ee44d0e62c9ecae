//! A peer that is none of ours: it reads and writes frames with the test kit's plain codec.

use crate::dice::Dice;
use crate::draw::PATIENCE;
use crate::naive::{self, BINARY, CLOSE, CONTINUATION, Frame, TEXT};
use crate::payload::{BYE, HEADER, OWNER};
use crate::plan::{Act, Shape, What};
use crate::table::{Table, lock};
use core::sync::atomic::Ordering;
use core::time::Duration;
use std::io::{self, ErrorKind, IoSlice};
use std::sync::Mutex;
use std::thread;
use std::time::Instant;
use ws_conn::Role;
use ws_conn::blocking::{Input, Output};

/// Plays an end to its end. Returns all that it has read.
pub(crate) fn play<R: Input, W: Output + Send>(table: &Table, end: usize, (read, write): (R, W)) -> Vec<u8> {
    let plan = &table.plan.ends[end];
    let dice = Dice::new(plan.owner.seed);
    let pen = Pen { write: Some(write), is_client: plan.role == Role::Client, dice };
    let pen = Mutex::new(pen);
    thread::scope(|scope| {
        scope.spawn(|| send_all(table, end, &pen));
        let record = Reader { table, end, read, pen: &pen, dice: Dice::new(plan.owner.seed ^ 1) }.receive();
        table.leave(end);
        record
    })
}

fn send_all<W: Output + Send>(table: &Table, end: usize, pen: &Mutex<Pen<W>>) {
    let plan = &table.plan.ends[end];
    thread::scope(|scope| {
        for (at, sender) in plan.senders.iter().enumerate() {
            scope.spawn(move || say(table, end, at as u8, &sender.acts, pen));
        }
    });
    say(table, end, OWNER, &plan.owner.acts, pen);
    let (name, _, payload) = table.compose(end, BYE, HEADER, false);
    let said = lock(pen).frames([Frame::new(BINARY, payload)]);
    if said.is_ok() {
        table.sent(name, true, Some(Ok(())));
    }
}

fn say<W: Output>(table: &Table, end: usize, id: u8, acts: &[Act], pen: &Mutex<Pen<W>>) {
    for (count, act) in acts.iter().enumerate() {
        let _waits = table.wait(format!("sender {id} of the raw end {end}, act {count}: {act:?}"));
        let opcode = if act.text { TEXT } else { BINARY };
        let said = match act.what {
            What::Flush => Ok(()),
            What::Rest(micros) => {
                thread::sleep(Duration::from_micros(micros));
                Ok(())
            }
            What::Ping => lock(pen).frames([naive::ping(format!("{end}.{id}#{count}"))]),
            What::Send | What::Feed | What::Stream(_) => {
                // Under the lock, so that the messages of a sender have their order.
                let mut pen = lock(pen);
                let (name, _, payload) = table.compose(end, id, act.len, act.text);
                let said = match act.what {
                    What::Stream(chunk) => {
                        let parts = payload.chunks(chunk).map(|part| naive::continuation(part).not_final());
                        let fragments = parts.chain([naive::continuation([])]).enumerate();
                        let first = |at| if at == 0 { opcode } else { CONTINUATION };
                        pen.frames(fragments.map(|(at, frame)| frame.opcode(first(at))))
                    }
                    _ => pen.frames([Frame::new(opcode, payload)]),
                };
                if said.is_ok() {
                    table.sent(name, true, Some(Ok(())));
                }
                said
            }
        };
        if let Err(error) = said {
            if table.plan.is_calm() {
                table.fail(format!("the raw end cannot write: {error}"));
            }
            return;
        }
    }
}

/// What writes.
struct Pen<W> {
    /// `None` behind the Close.
    write: Option<W>,
    is_client: bool,
    dice: Dice,
}

impl<W: Output> Pen<W> {
    fn frames(&mut self, frames: impl IntoIterator<Item = Frame>) -> io::Result<()> {
        for mut frame in frames {
            if self.is_client {
                frame = frame.masked((self.dice.seed() as u32 | 1).to_be_bytes());
            }
            self.bytes(&frame.bytes())?;
        }
        Ok(())
    }

    fn bytes(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        let write = self.write.as_mut().ok_or(ErrorKind::BrokenPipe)?;
        let until = Instant::now() + PATIENCE;
        while !bytes.is_empty() {
            match write.write(&[IoSlice::new(bytes)], PATIENCE) {
                Ok(wrote) => bytes = &bytes[wrote..],
                Err(error) => again(error, until)?,
            }
        }
        while let Err(error) = write.flush(PATIENCE) {
            again(error, until)?;
        }
        Ok(())
    }

    /// Answers a Close, and writes no more.
    fn close(&mut self, close: Frame) -> io::Result<()> {
        let closed = self.frames([Frame { mask: None, ..close }]);
        if let Some(mut write) = self.write.take() {
            let _ = write.half_close();
        }
        closed
    }
}

fn again(error: io::Error, until: Instant) -> io::Result<()> {
    match error.kind() {
        ErrorKind::Interrupted => Ok(()),
        ErrorKind::TimedOut | ErrorKind::WouldBlock if Instant::now() < until => Ok(()),
        _ => Err(error),
    }
}

struct Reader<'t, R, W> {
    table: &'t Table,
    end: usize,
    read: R,
    pen: &'t Mutex<Pen<W>>,
    dice: Dice,
}

impl<R: Input, W: Output> Reader<'_, R, W> {
    fn receive(&mut self) -> Vec<u8> {
        let mut record = Vec::with_capacity(self.table.plan.most_written(1 - self.end));
        let (mut at, mut message) = (0, Vec::new());
        let mut buffer = vec![0; 16 * 1024];
        let until = Instant::now() + 4 * PATIENCE;
        loop {
            let _waits = self.table.wait(format!("the raw end {} reads", self.end));
            match self.read.read(&mut buffer, PATIENCE) {
                Ok(0) => break,
                Ok(read) => record.extend_from_slice(&buffer[..read]),
                Err(error) => match again(error, until) {
                    Ok(()) => continue,
                    Err(_) => break,
                },
            }
            while let Some((frame, len)) = naive::read(&record[at..]) {
                at += len;
                if frame.opcode == CLOSE {
                    self.close(frame);
                } else {
                    self.take(&frame, &mut message);
                }
            }
            if self.table.plan.shape != Shape::Turns && self.dice.one_in(16) {
                thread::sleep(Duration::from_micros(self.dice.below(300) as u64));
            }
        }
        record
    }

    fn take(&self, frame: &Frame, message: &mut Vec<u8>) {
        if frame.is_control() {
            return;
        }
        message.extend_from_slice(&frame.payload);
        if frame.fin {
            self.table.heard(self.end, message);
            message.clear();
        }
    }

    fn close(&self, close: Frame) {
        let code = close.close_code();
        if self.table.plan.is_calm() && code != Some(1000) {
            self.table.fail(format!("the raw end was closed with {code:?} without a reason"));
        }
        if lock(self.pen).close(close).is_ok() {
            self.table.clean[self.end].store(true, Ordering::Relaxed);
        }
    }
}
