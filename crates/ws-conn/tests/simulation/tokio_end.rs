//! An end over the tokio driver: a task that has the connection, and tasks that have senders. Calls are dropped anywhere.

use crate::book::Book;
use crate::extension::{Roll, Unroll};
use crate::link::{Alarm, Link, What};
use crate::parts::Parts;
use crate::plan::{Act, Do, LONGEST, Last, Limit, Said};
use crate::said::Print;
use core::future::poll_fn;
use core::pin::{Pin, pin};
use core::task::{Context, Poll, ready};
use core::time::Duration;
use std::io::{self, ErrorKind, IoSlice};
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::task::spawn_local;
use tokio::time::{sleep, timeout};
use ws_conn::tokio::{Conn, Keepalive, Sender};
use ws_conn::{CloseCode, Decode, Encode, Error, Opcode, Plain};

/// Plays an end to its end.
pub(crate) async fn play(book: Book) {
    let (read, write) = (Reading(Half::new(&book)), Writing(Half::new(&book)));
    let role = book.of().role;
    if book.plan.extension {
        run(book, Conn::with_extension(read, write, role, Unroll::default(), Roll::default())).await;
    } else {
        run(book, Conn::with_extension(read, write, role, Plain, Plain)).await;
    }
}

async fn run<D: Decode + 'static, E: Encode + 'static>(book: Book, mut conn: Conn<Reading, Writing, D, E>) {
    conn.set_message_limit(LONGEST);
    conn.set_keepalive(book.of().keepalive.map(|(interval, patience)| Keepalive::new(interval, patience)));
    let helpers: Vec<_> = (1..book.of().actors.len())
        .map(|actor| {
            let (book, sender) = (book.clone(), conn.sender());
            spawn_local(async move {
                for act in &book.of().actors[actor] {
                    put(&book, actor, &sender, act).await;
                }
            })
        })
        .collect();
    Owner { book, conn, parts: Parts::default(), over: false }.play().await;
    for helper in helpers {
        crate::joined(helper).await;
    }
}

struct Owner<D: Decode, E: Encode> {
    book: Book,
    conn: Conn<Reading, Writing, D, E>,
    parts: Parts,
    over: bool,
}

impl<D: Decode, E: Encode> Owner<D, E> {
    async fn play(mut self) {
        let plan = Arc::clone(&self.book.plan);
        for act in &plan.ends[self.book.end].actors[0] {
            match act.what {
                _ if crate::receives(&act.what) && !self.over => self.get(act).await,
                _ if crate::receives(&act.what) => {}
                _ => {
                    put(&self.book, 0, &self.conn.sender(), act).await;
                    self.book.status(self.conn.closed());
                }
            }
        }
        self.end().await;
    }

    async fn end(mut self) {
        let wire = self.book.of().timeouts.wire;
        match self.book.of().last {
            Last::Drop => {
                let sender = self.conn.sender();
                drop(self.conn);
                return self.book.status(sender.closed());
            }
            Last::Finish(code) => {
                let since = self.book.link.time.now();
                let closed = self.conn.finish(CloseCode::new(code), "", wire).await.unwrap();
                self.book.took("finish", since, wire);
                self.book.say(|| format!("0: finish -> {closed}"));
                return self.book.status(Some(closed));
            }
            Last::Close(code) => put(&self.book, 0, &self.conn.sender(), &Do::Close(code).unlimited()).await,
            Last::Receive => {}
        }
        while !self.over {
            self.get(&Do::Message.unlimited()).await;
        }
        let (status, clean) = (self.conn.closed(), self.conn.is_clean());
        self.book.log().clean = clean;
        let later = self.conn.receive(&mut [], self.book.of().timeouts).await.map_err(|error| error.closed());
        assert_eq!(later, Err(status.map(|closed| closed.0)), "after the end");
        put(&self.book, 0, &self.conn.sender(), &Do::Ping("late".into()).unlimited()).await;
    }

    async fn get(&mut self, act: &Act) {
        let since = self.book.link.time.now();
        let (timeouts, patience) = (self.book.of().timeouts, self.patience());
        // What is half read on the level of frames is read there to its end.
        let frames = Do::Frames(64);
        let what = if self.parts.is_open() { &frames } else { &act.what };
        self.book.say(|| format!("0: {what:?}, {:?} ...", act.limit));
        let book = &self.book;
        let result = match what {
            Do::Receive(size) => {
                if *size < LONGEST {
                    book.small();
                }
                let mut into = vec![0; *size];
                let received = limited(act.limit, self.conn.receive(&mut into, timeouts)).await;
                let print = |len, opcode: Opcode| book.heard(Print::of(opcode.bits(), &into[..len]), true);
                received.map(|result| result.map(|received| print(received.len, received.opcode)))
            }
            Do::Read(chunk, most) => self.read(act.limit, *chunk, *most).await,
            Do::Frames(chunk) => limited(act.limit, self.frames(*chunk)).await,
            _ => {
                let message = limited(act.limit, self.conn.message(timeouts)).await;
                let heard = message.map(|result| result.map(|message| Print::of(message.opcode().bits(), &message)));
                heard.map(|result| result.map(|print| book.heard(print, true)))
            }
        };
        if !matches!(what, Do::Read(..) | Do::Frames(_)) {
            self.book.took(what, since, patience);
        }
        self.settle(result);
    }

    async fn read(&mut self, limit: Limit, chunk: usize, most: usize) -> Option<Result<(), Error>> {
        let (book, patience) = (&self.book, self.patience());
        let mut print = None;
        let mut whole = false;
        let result = limited(limit, async {
            let mut reader = self.conn.receive_stream(book.of().timeouts).await?;
            let print = print.insert(Print::begin(reader.opcode().bits()));
            loop {
                let since = book.link.time.now();
                let mut into = vec![0; chunk.max(print.len / 64).min(most - print.len)];
                let len = reader.read_chunk(&mut into).await?;
                book.took("read_chunk", since, patience);
                print.add(&into[..len]);
                if len == 0 {
                    whole = print.len < most;
                    return Ok(());
                }
            }
        });
        let result = result.await;
        if let Some(print) = print {
            book.heard(print, whole);
        }
        result
    }

    async fn frames(&mut self, chunk: usize) -> Result<(), Error> {
        let timeouts = self.book.of().timeouts;
        loop {
            let mut into = vec![0; chunk.max(self.parts.len() / 64)];
            let mut frames = self.conn.frames(timeouts);
            let len = frames.read_frame(&mut into).await?;
            let mode = frames.read_mode();
            if let Some(print) = self.parts.add(mode.opcode, mode.fin, &into[..len]) {
                self.book.heard(print, true);
            }
            if !self.parts.is_open() {
                return Ok(());
            }
        }
    }

    /// What a call that received means for the connection.
    fn settle(&mut self, result: Option<Result<(), Error>>) {
        self.book.status(self.conn.closed());
        let error = match result {
            Some(Err(error)) => error,
            Some(Ok(())) => return,
            None => return self.book.say(|| "0: -> dropped".into()),
        };
        self.over |= self.book.failed(&error, &mut self.parts);
    }

    /// For a message to begin, for the rest of it, for what is queued to be written; then the end.
    fn patience(&self) -> Duration {
        let timeouts = self.book.of().timeouts;
        timeouts.idle + 2 * timeouts.wire + Conn::<Reading, Writing, D, E>::DRAIN
    }
}

impl Do {
    fn unlimited(self) -> Act {
        Act { what: self, limit: Limit::Never }
    }
}

async fn put<E: Encode>(book: &Book, actor: usize, sender: &Sender<Writing, E>, act: &Act) {
    let since = book.link.time.now();
    let call = book.begin(actor, &act.what);
    let wire = book.of().timeouts.wire;
    let mut most = wire;
    let result = match &act.what {
        Do::Send(said) => limited(act.limit, sender.send(said.opcode(), &said.payload(), wire)).await,
        Do::Feed(said) => limited(act.limit, sender.feed(said.opcode(), &said.payload(), wire)).await,
        Do::Flush => limited(act.limit, sender.flush(wire)).await,
        Do::Ping(payload) => limited(act.limit, sender.send(Opcode::PING, payload.as_bytes(), wire)).await,
        Do::Pong(payload) => limited(act.limit, sender.send(Opcode::PONG, payload.as_bytes(), wire)).await,
        Do::Stream(said, size) => {
            most = wire * 16;
            limited(act.limit, stream(sender, said, *size, wire)).await
        }
        Do::HalfStream(said) => {
            most = wire * 4;
            let half = async {
                let mut writer = sender.send_stream(said.opcode(), wire).await?;
                writer.write_chunk(&said.payload()).await
            };
            limited(act.limit, half).await
        }
        Do::Sleep(time) => {
            most = *time;
            sleep(*time).await;
            Some(Ok(()))
        }
        Do::Close(code) => {
            let closed = limited(act.limit, sender.send_close(CloseCode::new(*code), "", wire)).await;
            closed.map(|closed| closed.map(|closed| book.status(Some(closed))))
        }
        _ => {
            book.log().aborted = true;
            book.status(Some(sender.abort()));
            Some(Ok(()))
        }
    };
    book.took(&act.what, since, most);
    book.status(sender.closed());
    book.done(actor, &call, result.as_ref());
}

async fn stream<E: Encode>(sender: &Sender<Writing, E>, said: &Said, size: usize, wire: Duration) -> Result<(), Error> {
    let mut writer = sender.send_stream(said.opcode(), wire).await?;
    for chunk in said.payload().chunks(size) {
        writer.write_chunk(chunk).await?;
    }
    writer.finish().await
}

/// Drops a future that takes longer than it may.
async fn limited<F: Future>(limit: Limit, future: F) -> Option<F::Output> {
    let polls = match limit {
        Limit::Never => return Some(future.await),
        Limit::Time(time) => return timeout(time, future).await.ok(),
        Limit::Polls(polls) => polls,
    };
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|cx| {
        left -= 1;
        match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            // The last poll is not waited for.
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// One half of an end of the link.
struct Half {
    link: Link,
    end: usize,
    alarm: Alarm,
}

impl Half {
    fn new(book: &Book) -> Self {
        Self { link: book.link.clone(), end: book.end, alarm: Alarm::default() }
    }

    fn poll<T>(
        &mut self,
        cx: &mut Context<'_>,
        what: What,
        mut act: impl FnMut(&Link, usize) -> io::Result<T>,
    ) -> Poll<io::Result<T>> {
        if self.link.yields(self.end) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        loop {
            ready!(self.link.poll(self.end, what, &mut self.alarm, cx));
            match act(&self.link, self.end) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                result => return Poll::Ready(result),
            }
        }
    }
}

struct Reading(Half);
struct Writing(Half);

impl AsyncRead for Reading {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let len = ready!(self.0.poll(cx, What::Read, |link, end| link.read(end, buf.initialize_unfilled())))?;
        buf.advance(len);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Writing {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.0.poll(cx, What::Write, |link, end| link.write(end, &[buf]))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let bufs: Vec<&[u8]> = bufs.iter().map(|buf| &**buf).collect();
        self.0.poll(cx, What::Write, |link, end| link.write(end, &bufs))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.link.half_close(self.0.end);
        Poll::Ready(Ok(()))
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.0.link.desert(self.0.end);
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        self.0.link.half_close(self.0.end);
    }
}
