//! An end over the tokio driver: a task that has the connection, tasks and threads that have senders.

use crate::dice::Dice;
use crate::fate::limited;
use crate::payload::{self, BYE, HEADER, OWNER};
use crate::plan::{Early, Ending, Fate, Kind, What};
use crate::table::{Table, lock};
use crate::{sink_end, tokio_sender};
use core::time::Duration;
use std::sync::Arc;
use std::thread;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::yield_now;
use tokio::time::timeout;
use ws_conn::tokio::Conn;
use ws_conn::{CloseCode, Error, Opcode, Timeouts};

pub(crate) type Reading = Box<dyn AsyncRead + Send + Unpin>;
pub(crate) type Writing = Box<dyn AsyncWrite + Send + Unpin>;
pub(crate) type Connection = Conn<Reading, Writing>;

/// Plays an end to its end.
pub(crate) async fn play(table: Arc<Table>, end: usize, (read, write): (Reading, Writing)) {
    let plan = &table.plan.ends[end];
    let mut conn = Conn::new(read, write, plan.role);
    conn.set_message_limit(crate::LIMIT);
    let speakers: Vec<_> = (0..plan.senders.len()).map(|at| start_sender(&table, end, at, &conn)).collect();
    let helper = (plan.owner.kind != Kind::Alone)
        .then(|| tokio::spawn(tokio_sender::say_bye(Arc::clone(&table), end, conn.sender(), speakers)));
    let early = match table.plan.ending {
        Ending::Early(of, early, after) if of == end => Some((early, Duration::from_micros(after))),
        _ => None,
    };
    let ender = early.filter(|(early, _)| !matches!(early, Early::Drop | Early::Finish)).map(|(early, after)| {
        tokio::spawn(tokio_sender::end_early(Arc::clone(&table), end, conn.sender(), early, after))
    });
    match (plan.owner.kind, early) {
        (Kind::Sink, _) => sink_end::receive(&table, end, conn).await,
        (_, Some((Early::Drop, after))) => {
            let mut owner = Owner::new(&table, end, conn);
            let _ = timeout(after, owner.receive()).await;
        }
        (_, Some((Early::Finish, after))) => {
            let mut owner = Owner::new(&table, end, conn);
            let _ = timeout(after, owner.receive()).await;
            let finished =
                limited(&table, Fate::Kept, owner.conn.finish(CloseCode::GOING_AWAY, "", table.plan.wire)).await;
            if let Some(Err(error)) = finished {
                table.met("finish", &error);
            }
        }
        _ => Owner::new(&table, end, conn).receive().await,
    }
    table.leave(end);
    for task in helper.into_iter().chain(ender) {
        if let Err(error) = task.await {
            table.fail(format!("a task of end {end}: {error}"));
        }
    }
}

/// Starts a sender in a task or on a thread. What is returned tells when it has ended.
fn start_sender(table: &Arc<Table>, end: usize, at: usize, conn: &Connection) -> oneshot::Receiver<()> {
    let (done, told) = oneshot::channel();
    let speech = tokio_sender::speak(Arc::clone(table), end, at, conn.sender());
    let speech = async move {
        speech.await;
        let _ = done.send(());
    };
    if table.plan.ends[end].senders[at].thread {
        let runtime = Handle::current();
        let thread = thread::spawn(move || runtime.block_on(speech));
        lock(&table.threads).push(thread);
    } else {
        tokio::spawn(speech);
    }
    told
}

/// Who has the connection.
struct Owner<'t> {
    table: &'t Arc<Table>,
    end: usize,
    conn: Connection,
    dice: Dice,
    buffer: Vec<u8>,
    timeouts: Timeouts,
}

impl<'t> Owner<'t> {
    fn new(table: &'t Arc<Table>, end: usize, conn: Connection) -> Self {
        let longest = table.plan.ends[1 - end].acts().map(|act| act.len).max().unwrap_or_default();
        let timeouts = Timeouts::new(table.plan.wire, 2 * table.plan.wire);
        let dice = Dice::new(table.plan.ends[end].owner.seed);
        Self { table, end, conn, dice, buffer: vec![0; longest + HEADER], timeouts }
    }

    /// Receives until the connection is over, and sends what it has to send in between.
    async fn receive(&mut self) {
        let plan = &self.table.plan.ends[self.end].owner;
        let mut acts = plan.acts.iter();
        let (mut says_bye, mut closes) = (plan.kind == Kind::Alone, plan.kind == Kind::Alone && self.end == 0);
        loop {
            if let Some(act) = acts.next() {
                self.put(OWNER, act.len, act.what, act.fate).await;
            } else if says_bye {
                says_bye = false;
                self.put(BYE, HEADER, What::Send, Fate::Kept).await;
            }
            if closes && !says_bye && self.table.byes[0].is_set() {
                closes = false;
                self.close().await;
            }
            let goes_on = acts.len() > 0 || says_bye;
            if acts.len() == 0 {
                self.table.acted[self.end].set();
            }
            let fate = match plan.drops {
                _ if goes_on => self.dice.pick(&[Fate::Polls(1), Fate::Time(500)]),
                drops if self.dice.one_in(drops) => {
                    self.dice.pick(&[Fate::Polls(1), Fate::Polls(4), Fate::Time(300), Fate::Select(2)])
                }
                _ => Fate::Kept,
            };
            match self.get(fate, goes_on).await {
                // The others go first.
                None => yield_now().await,
                Some(Ok(())) => {}
                Some(Err(error)) => return self.over(&error).await,
            }
        }
    }

    async fn over(&mut self, error: &Error) {
        let closed = self.conn.closed();
        self.table.over(self.end, Some(error), closed, self.conn.is_clean());
        match limited(self.table, Fate::Kept, self.conn.receive(&mut [], self.timeouts)).await {
            Some(Err(later)) if later.closed() == closed.map(|closed| closed.0) => {}
            later => self.table.fail(format!("end {} is over with {closed:?}, and later says {later:?}", self.end)),
        }
    }

    /// One call that receives, and answers what has come if it may. `None` if it was dropped.
    async fn get(&mut self, fate: Fate, answers: bool) -> Option<Result<(), Error>> {
        let kind = self.dice.below(5);
        let _waits = self.table.wait(format!("end {} receives, call {kind}, {fate:?}", self.end));
        let (table, end, conn, timeouts) = (self.table, self.end, &mut self.conn, self.timeouts);
        match kind {
            0 | 1 => {
                let message = limited(table, fate, conn.message(timeouts)).await?;
                Some(message.map(|message| table.heard(end, &message)))
            }
            2 => {
                let received = limited(table, fate, conn.receive(&mut self.buffer, timeouts)).await?;
                Some(received.map(|received| table.heard(end, &self.buffer[..received.len])))
            }
            3 => match limited(table, fate, conn.message_and_sender(timeouts)).await? {
                Err(error) => Some(Err(error)),
                Ok((message, mut sender)) => {
                    table.heard(end, &message);
                    if answers {
                        let (name, opcode, payload) = table.compose(end, OWNER, 0, true);
                        let answer = limited(table, Fate::Time(500), sender.feed(opcode, &payload, timeouts.wire));
                        table.sent(name, false, answer.await);
                    }
                    Some(Ok(()))
                }
            },
            _ => self.read(fate).await,
        }
    }

    async fn read(&mut self, fate: Fate) -> Option<Result<(), Error>> {
        let (table, end, timeouts) = (self.table, self.end, self.timeouts);
        let skips = table.plan.is_calm() && self.dice.one_in(8);
        let mut reader = match limited(table, fate, self.conn.receive_stream(timeouts)).await? {
            Ok(reader) => reader,
            Err(error) => return Some(Err(error)),
        };
        let mut message = Vec::new();
        loop {
            let len = self.buffer.len().min(1 + self.dice.below(5000).max(message.len() / 8));
            let fate = if self.dice.one_in(3) { fate } else { Fate::Kept };
            match limited(table, fate, reader.read_chunk(&mut self.buffer[..len])).await {
                None => yield_now().await,
                Some(Ok(0)) => break table.heard(end, &message),
                Some(Ok(len)) => message.extend_from_slice(&self.buffer[..len]),
                Some(Err(error)) => return Some(Err(error)),
            }
            if skips && message.len() >= HEADER {
                // The rest of the message is for the next call to discard.
                match payload::read_header(&message) {
                    Ok((name, _)) => table.heard_name(end, Some(name)),
                    Err(why) => table.fail(format!("end {end} has received something else: {why}")),
                }
                break;
            }
        }
        Some(Ok(()))
    }

    /// Sends with its own hands.
    async fn put(&mut self, sender: u8, len: usize, what: What, fate: Fate) {
        let (table, wire) = (self.table, self.timeouts.wire);
        let _waits = table.wait(format!("end {} sends: {what:?}, {len} bytes, {fate:?}", self.end));
        if what == What::Flush {
            if limited(table, fate, self.conn.sender_mut().flush(wire)).await.is_some_and(|result| result.is_ok()) {
                table.ledgers[self.end].flushed(sender);
            }
            return;
        }
        let (name, opcode, payload) = table.compose(self.end, sender, len, false);
        let mut own = self.conn.sender_mut();
        let result = match what {
            What::Feed => limited(table, fate, own.feed(opcode, &payload, wire)).await,
            _ => limited(table, fate, own.send(opcode, &payload, wire)).await,
        };
        table.sent(name, what != What::Feed, result);
    }

    async fn close(&mut self) {
        let wire = self.timeouts.wire;
        let close = 1000_u16.to_be_bytes();
        let closed = limited(self.table, Fate::Kept, self.conn.sender_mut().send(Opcode::CLOSE, &close, wire)).await;
        if let Some(Err(error)) = closed {
            self.table.met("the Close", &error);
        }
    }
}
