//! Tasks and threads with senders of the tokio driver.

use crate::fate::{fated, limited};
use crate::payload::{BYE, HEADER};
use crate::plan::{Act, Early, Fate, What};
use crate::table::Table;
use crate::tokio_end::Writing;
use core::future::poll_fn;
use core::pin::Pin;
use core::time::Duration;
use std::io;
use std::sync::Arc;
use tokio::io::AsyncWrite;
use tokio::sync::oneshot;
use tokio::time::sleep;
use ws_conn::tokio::{MessageWriter, Sender};
use ws_conn::{CloseCode, Error, Opcode};

/// Does the acts of a sender, one after the other.
pub(crate) async fn speak(table: Arc<Table>, end: usize, at: usize, sender: Sender<Writing>) {
    let speaker = Speaker { table: Arc::clone(&table), end, id: at as u8, sender };
    for (count, act) in table.plan.ends[end].senders[at].acts.iter().enumerate() {
        let _waits = table.wait(format!("sender {at} of end {end}, act {count}: {act:?}"));
        if !speaker.act(count, act).await {
            return;
        }
    }
}

/// Waits for all senders, says that there is nothing more, and closes if that is for this end to do.
pub(crate) async fn say_bye(
    table: Arc<Table>,
    end: usize,
    sender: Sender<Writing>,
    speakers: Vec<oneshot::Receiver<()>>,
) {
    for speaker in speakers {
        if speaker.await.is_err() {
            table.fail(format!("a sender of end {end} has panicked"));
        }
    }
    table.acted[end].given().await;
    let wire = table.plan.wire;
    let (name, opcode, payload) = table.compose(end, BYE, HEADER, false);
    let waits = table.wait(format!("end {end} says bye"));
    let said = limited(&table, Fate::Kept, sender.send(opcode, &payload, wire)).await;
    drop(waits);
    table.sent(name, true, said);
    if end == 0 {
        table.byes[0].given().await;
        let _waits = table.wait("end 0 closes".into());
        let closed = limited(&table, Fate::Kept, sender.send_close(CloseCode::NORMAL, "", wire)).await;
        if let Some(Err(error)) = closed {
            table.met("send_close", &error);
        }
    }
}

/// Ends the connection in the midst of everything.
pub(crate) async fn end_early(table: Arc<Table>, end: usize, sender: Sender<Writing>, early: Early, after: Duration) {
    sleep(after).await;
    let wire = table.plan.wire;
    let _waits = table.wait(format!("end {end}: {early:?}"));
    match early {
        Early::Abort => drop(sender.abort()),
        Early::Half => {
            if let Some(Ok(mut writer)) = limited(&table, Fate::Kept, sender.send_stream(Opcode::TEXT, wire)).await {
                let _ = limited(&table, Fate::Kept, writer.write_chunk(b"half")).await;
            }
        }
        _ => drop(limited(&table, Fate::Kept, sender.send_close(CloseCode::GOING_AWAY, "", wire)).await),
    }
}

struct Speaker {
    table: Arc<Table>,
    end: usize,
    id: u8,
    sender: Sender<Writing>,
}

impl Speaker {
    /// Returns whether there is more to be done.
    async fn act(&self, count: usize, act: &Act) -> bool {
        let (table, wire, sender) = (&self.table, self.table.plan.wire, self.sender.clone());
        match act.what {
            What::Send | What::Feed => {
                let flushes = act.what == What::Send;
                let (name, opcode, payload) = table.compose(self.end, self.id, act.len, act.text);
                let call = async move {
                    match flushes {
                        true => sender.send(opcode, &payload, wire).await,
                        false => sender.feed(opcode, &payload, wire).await,
                    }
                };
                table.sent(name, flushes, fated(table, act.fate, call).await)
            }
            What::Flush => match fated(table, act.fate, async move { sender.flush(wire).await }).await {
                Some(Ok(())) => {
                    table.ledgers[self.end].flushed(self.id);
                    true
                }
                result => self.goes_on("flush", result),
            },
            What::Ping => {
                let ping = format!("{}.{}#{count}", self.end, self.id).into_bytes();
                let call = async move { sender.send(Opcode::PING, &ping, wire).await };
                self.goes_on("a Ping", fated(table, act.fate, call).await)
            }
            What::Stream(chunk) => self.stream(act, chunk).await,
            What::Rest(micros) => {
                sleep(Duration::from_micros(micros)).await;
                true
            }
        }
    }

    fn goes_on(&self, what: &str, result: Option<Result<(), Error>>) -> bool {
        match result {
            Some(Err(error)) => {
                self.table.met(what, &error);
                false
            }
            _ => true,
        }
    }

    /// A message in fragments. Its writes may be dropped, which is told by what they return; the writer itself may not.
    async fn stream(&self, act: &Act, chunk: usize) -> bool {
        let (table, wire, sender) = (&self.table, self.table.plan.wire, self.sender.clone());
        let opcode = if act.text { Opcode::TEXT } else { Opcode::BINARY };
        let begun = fated(table, act.fate, async move { sender.send_stream(opcode, wire).await }).await;
        let mut writer = match begun {
            None => return true,
            Some(Ok(writer)) => writer,
            Some(Err(error)) => return self.goes_on("send_stream", Some(Err(error))),
        };
        let (name, _, payload) = table.compose(self.end, self.id, act.len, act.text);
        let result = async {
            for part in payload.chunks(chunk) {
                self.write(&mut writer, act.fate, part).await?;
            }
            let finished = limited(table, Fate::Kept, writer.finish()).await;
            // The transport has panicked.
            finished.unwrap_or_else(|| Err(io::Error::from(io::ErrorKind::Other).into()))
        };
        table.sent(name, true, Some(result.await))
    }

    async fn write(&self, writer: &mut MessageWriter<Writing>, fate: Fate, mut part: &[u8]) -> Result<(), Error> {
        let mut fate = fate;
        while !part.is_empty() {
            let wrote = poll_fn(|cx| Pin::new(&mut *writer).poll_write(cx, part));
            match limited(&self.table, fate, wrote).await {
                Some(wrote) => part = part.get(wrote?..).unwrap_or_default(),
                // The same again, to its end.
                None => fate = Fate::Kept,
            }
        }
        let _ = limited(&self.table, fate, poll_fn(|cx| Pin::new(&mut *writer).poll_flush(cx))).await;
        Ok(())
    }
}
