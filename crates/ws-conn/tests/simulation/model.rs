//! What has to be true when a simulation is over, found out from the wires by the naive reader, the judge, and what the
//! actors wrote down.

use crate::book::{Book, Outcome};
use crate::plan::{Do, LONGEST, Said};
use crate::said::Print;
use core::iter::Sum;
use core::time::Duration;
use std::collections::BTreeMap;
use ws_conn::{CloseCode, Closed, Fault, Role};
use ws_testkit::judge::Judge;
use ws_testkit::naive::{self, CLOSE, Frame, PING, PONG, TEXT};

/// What an end has sent.
struct Sent {
    frames: Vec<Frame>,
    /// Messages and where they end on the wire.
    messages: Vec<(u8, Vec<u8>, usize)>,
    /// The beginning of another message, and something behind it.
    tail: Option<(u8, Vec<u8>)>,
    close: Option<u16>,
    torn: bool,
    /// How much of it the other end has read.
    read: usize,
}

/// Checks both ends.
pub(crate) fn check(books: &[Book; 2]) -> Result<(), String> {
    let sent = books.each_ref().map(Sent::of);
    let [first, second] = sent;
    let (first, second) = (first?, second?);
    for (book, own, others) in [(&books[0], &first, &second), (&books[1], &second, &first)] {
        let laws = [
            ("said", said(book, own)),
            ("heard", heard(book, others)),
            ("closed", closed(book, own, others)),
            ("answered", answered(own, others)),
        ];
        for (law, result) in laws {
            result.map_err(|why| format!("{:?}, {law}: {why}", book.of().role))?;
        }
    }
    Ok(())
}

impl Sent {
    /// Reads what an end wrote; every frame is legal.
    fn of(book: &Book) -> Result<Self, String> {
        let (wire, read) = book.link.look(book.end, |pipe| (pipe.wire.clone(), pipe.read));
        let coded = book.plan.extension;
        let mut sent = Self { frames: Vec::new(), messages: Vec::new(), tail: None, close: None, torn: false, read };
        let (mut at, mut open) = (0, None);
        while let Some((frame, len)) = naive::read(&wire[at..]) {
            at += len;
            if frame.opcode == CLOSE {
                sent.close = Some(frame.close_code().unwrap_or(1005));
            }
            if !frame.is_control() {
                add(&mut open, &frame);
                if let Some((first, payload)) = open.take_if(|_| frame.fin) {
                    sent.messages.push((first.opcode, plain(coded, &first, &payload), at));
                }
            }
            sent.frames.push(frame);
        }
        sent.torn = at < wire.len();
        let judge = Judge::new(book.of().role == Role::Client).allow_rsv(if coded { 4 } else { 0 });
        judge.bytes(&wire[..at])?;
        // What is there of the last frame, and zeros for the rest.
        let rest = [&wire[at..], &vec![0; 4 * LONGEST]].concat();
        if let Some((frame, _)) = naive::read(&rest).filter(|(frame, _)| sent.torn && !frame.is_control()) {
            add(&mut open, &frame);
        }
        sent.tail = open.map(|(first, payload)| (first.opcode, plain(coded, &first, &payload)));
        Ok(sent)
    }
}

fn add(open: &mut Option<(Frame, Vec<u8>)>, frame: &Frame) {
    let (_, payload) = open.get_or_insert_with(|| (frame.clone(), Vec::new()));
    payload.extend_from_slice(&frame.payload);
}

/// The payload without the extension: pairs of a count and a byte become runs.
fn plain(coded: bool, first: &Frame, payload: &[u8]) -> Vec<u8> {
    if !coded || first.rsv == 0 {
        return payload.to_vec();
    }
    payload.chunks_exact(2).flat_map(|pair| core::iter::repeat_n(pair[1], pair[0].into())).collect()
}

/// Nothing was sent but what somebody said, once, and in his order; what resolved was sent.
fn said(book: &Book, sent: &Sent) -> Result<(), String> {
    let log = book.log();
    let named: BTreeMap<Print, Said> =
        log.tried.iter().map(|(said, _)| (Print::of(said.opcode().bits(), &said.payload()), *said)).collect();
    let mut last = BTreeMap::new();
    let mut there = Vec::new();
    for (opcode, payload, _) in &sent.messages {
        let said = named.get(&Print::of(*opcode, payload)).ok_or("something was sent that nobody said")?;
        there.push(*said);
        // Empty ones have no name, and are counted.
        if said.len > 0 && last.insert(said.actor, said.number).is_some_and(|last| last >= said.number) {
            return Err(format!("{said:?} was sent twice, or not in order"));
        }
    }
    let must = |outcome| outcome == Outcome::Sent || outcome == Outcome::Fed && sent.close.is_some();
    for (said, outcome) in log.tried.iter().filter(|(said, _)| said.len > 0) {
        match there.contains(said) {
            false if must(*outcome) => return Err(format!("{said:?} has resolved, and was not sent")),
            true if *outcome == Outcome::Not => return Err(format!("{said:?} was refused, and sent")),
            _ => {}
        }
    }
    for text in [true, false] {
        let empty = |said: &Said| said.len == 0 && said.text == text;
        let count = there.iter().filter(|said| empty(said)).count();
        let tried = || log.tried.iter().filter(|(said, _)| empty(said));
        let least = tried().filter(|(_, outcome)| must(*outcome)).count();
        let most = tried().filter(|(_, outcome)| *outcome != Outcome::Not).count();
        if !(least..=most).contains(&count) {
            return Err(format!("{count} empty messages were sent, not {least} to {most}"));
        }
    }
    Ok(())
}

/// What was received is what was sent: each once, whole, in order; and all of it, if nothing came in between.
fn heard(book: &Book, sent: &Sent) -> Result<(), String> {
    let log = book.log();
    let tail = sent.tail.iter().map(|(opcode, payload)| (*opcode, payload, usize::MAX));
    let mut there = sent.messages.iter().map(|(opcode, payload, end)| (*opcode, payload, *end)).chain(tail);
    for (at, heard) in log.heard.iter().enumerate() {
        let wrong = || format!("{heard:?}, the message {at}, is not what was sent");
        let (opcode, payload, end) = there.next().ok_or_else(wrong)?;
        let payload = payload.get(..heard.print.len).filter(|part| !heard.whole || part.len() == payload.len());
        if Some(heard.print) != payload.map(|payload| Print::of(opcode, payload)) || heard.whole && end > sent.read {
            return Err(wrong());
        }
    }
    let all = match log.over {
        // Both have said that there is nothing more.
        _ if log.clean => Some(usize::MAX),
        Some(Fault::Closed(Closed(CloseCode::ABNORMAL))) if !log.aborted => Some(sent.read),
        _ => None,
    };
    let all = all.map(|read| sent.messages.iter().filter(|(.., end)| *end <= read).count());
    match all {
        Some(all) if log.heard.len() < all => Err(format!("{} of {all} messages were received", log.heard.len())),
        _ => Ok(()),
    }
}

/// The first status stands, and the other end is told no other one.
fn closed(book: &Book, own: &Sent, others: &Sent) -> Result<(), String> {
    let log = book.log();
    let status = log.status.ok_or("it ended without a status")?;
    if let Some(told) = own.close.filter(|told| *told != status) {
        return Err(format!("the status is {status}, and {told} was told"));
    }
    if log.clean && (own.close.is_none() || others.close.is_none() || own.torn) {
        return Err("it was clean, and not both have sent a Close".into());
    }
    let acts = || book.of().actors.iter().flatten().map(|act| &act.what);
    let legal = match status {
        _ if others.close == Some(status) => true,
        1006 => own.close.is_none(),
        1008 => true,
        1009 => acts().any(|act| matches!(act, Do::Receive(size) if *size < LONGEST)),
        1011 => acts().any(|act| matches!(act, Do::Stream(..) | Do::HalfStream(_))),
        status => status / 1000 == 3 + book.end as u16,
    };
    if legal { Ok(()) } else { Err(format!("nobody gave a reason for {status}")) }
}

/// Each Pong answers a Ping, in their order; a Ping that another overtook may go without.
fn answered(own: &Sent, others: &Sent) -> Result<(), String> {
    let mut pings = others.frames.iter().filter(|frame| frame.opcode == PING);
    let mut pongs = own.frames.iter().filter(|frame| frame.opcode == PONG && frame.payload.first() != Some(&b'-'));
    match pongs.find(|pong| !pings.any(|ping| ping.payload == pong.payload)) {
        Some(pong) => Err(format!("{pong:?} answers nothing")),
        None => Ok(()),
    }
}

/// What a simulation amounts to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) runs: u64,
    pub(crate) calls: u64,
    pub(crate) messages: u64,
    pub(crate) texts: u64,
    pub(crate) bytes: u64,
    pub(crate) clean: u64,
    pub(crate) late: u64,
    pub(crate) lost: u64,
    /// How much virtual time has passed.
    pub(crate) time: Duration,
    /// The most memory that a thread held, in bytes.
    pub(crate) memory: u64,
}

impl Tally {
    pub(crate) fn of(books: &[Book; 2], memory: u64) -> Self {
        let mut tally = Self { runs: 1, time: books[0].link.time.now(), memory, ..Self::default() };
        for book in books {
            let log = book.log();
            tally.calls += log.calls as u64;
            tally.messages += log.heard.len() as u64;
            tally.texts += log.heard.iter().filter(|heard| heard.print.opcode == TEXT).count() as u64;
            tally.bytes += book.link.look(book.end, |pipe| pipe.wire.len()) as u64;
            tally.clean += u64::from(log.clean);
            tally.late += u64::from(log.status == Some(1008));
            tally.lost += u64::from(log.status == Some(1006));
        }
        tally
    }

    /// Without what depends on the runs before it, which leave buffers behind.
    pub(crate) fn without_memory(self) -> Self {
        Self { memory: 0, ..self }
    }
}

impl Sum for Tally {
    fn sum<I: Iterator<Item = Self>>(tallies: I) -> Self {
        tallies.fold(Self::default(), |sum, tally| Self {
            runs: sum.runs + tally.runs,
            calls: sum.calls + tally.calls,
            messages: sum.messages + tally.messages,
            texts: sum.texts + tally.texts,
            bytes: sum.bytes + tally.bytes,
            clean: sum.clean + tally.clean,
            late: sum.late + tally.late,
            lost: sum.lost + tally.lost,
            time: sum.time + tally.time,
            memory: sum.memory.max(tally.memory),
        })
    }
}
