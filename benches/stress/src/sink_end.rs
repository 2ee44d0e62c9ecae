//! An end over the tokio driver whose owner has a stream and a sink.

use crate::fate::limited;
use crate::payload::{Name, OWNER};
use crate::plan::{Act, Fate};
use crate::table::Table;
use crate::tokio_end::{Connection, Reading, Writing};
use core::future::poll_fn;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use futures_core::Stream;
use futures_sink::Sink;
use std::sync::Arc;
use ws_conn::tokio::{Message, Messages};
use ws_conn::{Error, Timeouts};

/// Receives until the connection is over, and sends meanwhile.
pub(crate) async fn receive(table: &Arc<Table>, end: usize, conn: Connection) {
    let timeouts = Timeouts::new(table.plan.wire, 2 * table.plan.wire);
    let mut both = Both { table, end, messages: Messages::new(conn, timeouts), acts: 0, sending: None, broken: false };
    loop {
        let waits = table.wait(format!("end {end} is a stream and a sink, {} acts done", both.acts));
        let next = limited(table, Fate::Kept, poll_fn(|cx| both.poll(cx))).await;
        drop(waits);
        match next {
            Some(Some(Ok(message))) => table.heard(end, message.as_bytes()),
            Some(Some(Err(error))) => return both.over(Some(&error)),
            Some(None) => return both.over(None),
            // The transport has panicked.
            None => {}
        }
    }
}

struct Both<'t> {
    table: &'t Table,
    end: usize,
    messages: Messages<Reading, Writing>,
    acts: usize,
    /// Accepted by the sink, to be flushed.
    sending: Option<Name>,
    broken: bool,
}

impl Both<'_> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Message, Error>>> {
        while !self.broken {
            match self.poll_send(cx) {
                Poll::Pending => break,
                Poll::Ready(Ok(true)) => {}
                Poll::Ready(Ok(false)) => break,
                Poll::Ready(Err(error)) => {
                    self.table.met("the sink", &error);
                    self.broken = true;
                    self.table.acted[self.end].set();
                }
            }
        }
        Pin::new(&mut self.messages).poll_next(cx)
    }

    /// The next message into the sink, then out of it. Whether there was something to do.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<Result<bool, Error>> {
        if let Some(name) = self.sending {
            ready!(Pin::new(&mut self.messages).poll_flush(cx))?;
            self.table.sent(name, true, Some(Ok(())));
            self.sending = None;
        }
        let Some(Act { len, text, .. }) = self.table.plan.ends[self.end].owner.acts.get(self.acts) else {
            self.table.acted[self.end].set();
            return Poll::Ready(Ok(false));
        };
        ready!(Pin::new(&mut self.messages).poll_ready(cx))?;
        let (name, opcode, payload) = self.table.compose(self.end, OWNER, *len, *text);
        Pin::new(&mut self.messages).start_send(Message::new(opcode, payload).map_err(Error::from)?)?;
        self.sending = Some(name);
        self.acts += 1;
        Poll::Ready(Ok(true))
    }

    fn over(&self, error: Option<&Error>) {
        let conn = self.messages.get_ref();
        self.table.over(self.end, error, conn.closed(), conn.is_clean());
    }
}
