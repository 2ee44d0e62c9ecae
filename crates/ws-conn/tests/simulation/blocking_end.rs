//! An end over the blocking driver. It has a thread of its own, but never runs beside the others: where a real transport
//! would block, it hands over to the runtime, which lets virtual time pass and hands back.

use crate::book::Book;
use crate::extension::{Roll, Unroll};
use crate::link::{Alarm, Link, What};
use crate::parts::Parts;
use crate::plan::{Do, LONGEST, Last, Said};
use crate::said::Print;
use core::future::poll_fn;
use core::time::Duration;
use std::io::{self, ErrorKind, IoSlice};
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, LazyLock, Mutex};
use std::thread;
use std::time::Instant;
use tokio::task::yield_now;
use tokio::time::{sleep, timeout};
use ws_conn::blocking::{Conn, HangUp, Input, MessageReader, Output};
use ws_conn::{CloseCode, Decode, Encode, Error, Opcode, Plain};
use ws_testkit::alloc::count_allocations;

/// Plays an end to its end, and answers how much memory it took.
pub(crate) async fn play(book: Book) -> u64 {
    let (ask, asked) = sync_channel(1);
    let (go, gone) = sync_channel(1);
    let baton = Arc::new(Baton { ask, gone: gone.into() });
    let (link, end) = (book.link.clone(), book.end);
    let thread = thread::spawn(move || count_allocations(|| owner(&book, &baton)).max_live);
    let mut alarm = Alarm::default();
    // The thread runs until it asks for something, and this one waits for that.
    while let Ok((what, patience)) = asked.recv() {
        if link.yields(end) {
            yield_now().await;
        }
        match what {
            Some(what) => drop(timeout(patience, poll_fn(|cx| link.poll(end, what, &mut alarm, cx))).await),
            None => sleep(patience).await,
        }
        link.time.now();
        let _ = go.send(());
    }
    thread.join().unwrap_or_else(|panic| resume_unwind(panic))
}

/// What a thread waits for, with which patience.
type Ask = (Option<What>, Duration);

/// Who has it runs.
struct Baton {
    ask: SyncSender<Ask>,
    gone: Mutex<Receiver<()>>,
}

impl Baton {
    /// Lets the others run, for as long as the patience lasts or until the link is ready.
    fn wait(&self, what: Option<What>, patience: Duration) -> io::Result<()> {
        let _ = self.ask.send((what, patience));
        // The others may have been ended by a panic.
        self.gone.lock().unwrap().recv().map_err(|_| ErrorKind::ConnectionReset.into())
    }
}

fn owner(book: &Book, baton: &Arc<Baton>) {
    let half = || Half { link: book.link.clone(), end: book.end, baton: Arc::clone(baton) };
    let role = book.of().role;
    if book.plan.extension {
        Owner::new(book, Conn::with_extension(half(), half(), role, Unroll::default(), Roll::default())).play();
    } else {
        Owner::new(book, Conn::with_extension(half(), half(), role, Plain, Plain)).play();
    }
}

struct Owner<'b, D: Decode, E: Encode> {
    book: &'b Book,
    conn: Conn<Half, Half, D, E>,
    parts: Parts,
    wire: Duration,
    over: bool,
}

impl<'b, D: Decode, E: Encode> Owner<'b, D, E> {
    fn new(book: &'b Book, mut conn: Conn<Half, Half, D, E>) -> Self {
        conn.set_message_limit(LONGEST);
        Self { book, conn, parts: Parts::default(), wire: book.of().timeouts.wire, over: false }
    }

    fn play(mut self) {
        let plan = Arc::clone(&self.book.plan);
        for act in &plan.ends[self.book.end].actors[0] {
            match act.what {
                _ if crate::receives(&act.what) && !self.over => self.get(&act.what),
                _ if crate::receives(&act.what) => {}
                _ => self.put(&act.what),
            }
        }
        self.end();
    }

    fn end(mut self) {
        match self.book.of().last {
            Last::Drop => {
                let sender = self.conn.sender();
                drop(self.conn);
                return self.book.status(sender.closed());
            }
            Last::Finish(code) => {
                let since = self.book.link.time.now();
                let closed = self.conn.finish(CloseCode::new(code), "", self.wire).unwrap();
                self.book.took("finish", since, self.wire);
                self.book.say(|| format!("0: finish -> {closed}"));
                return self.book.status(Some(closed));
            }
            Last::Close(code) => self.put(&Do::Close(code)),
            Last::Receive => {}
        }
        while !self.over {
            self.get(&Do::Message);
        }
        let (status, clean) = (self.conn.closed(), self.conn.is_clean());
        self.book.log().clean = clean;
        let later = self.conn.receive(&mut [], self.book.of().timeouts).map_err(|error| error.closed());
        assert_eq!(later, Err(status.map(|closed| closed.0)), "after the end");
        self.put(&Do::Ping("late".into()));
    }

    fn get(&mut self, act: &Do) {
        let since = self.book.link.time.now();
        let timeouts = self.book.of().timeouts;
        // What is half read on the level of frames is read there to its end.
        let frames = Do::Frames(64);
        let act = if self.parts.is_open() { &frames } else { act };
        self.book.say(|| format!("0: {act:?} ..."));
        let result = match act {
            Do::Receive(size) => {
                if *size < LONGEST {
                    self.book.small();
                }
                let mut into = vec![0; *size];
                let received = self.conn.receive(&mut into, timeouts);
                received.map(|received| self.book.heard(Print::of(received.opcode.bits(), &into[..received.len]), true))
            }
            Do::Read(chunk, most) => self.read(*chunk, *most),
            Do::Frames(chunk) => self.frames(*chunk),
            _ => self.conn.message(timeouts).map(|message| {
                self.book.heard(Print::of(message.opcode().bits(), &message), true);
            }),
        };
        if !matches!(act, Do::Read(..) | Do::Frames(_)) {
            self.book.took(act, since, self.patience());
        }
        self.settle(result);
    }

    fn read(&mut self, chunk: usize, most: usize) -> Result<(), Error> {
        let (book, patience) = (self.book, self.patience());
        let timed = |reader: &mut MessageReader<'_, Half, Half, D, E>, into: &mut [u8]| {
            let since = book.link.time.now();
            let read = reader.read_chunk(into);
            book.took("read_chunk", since, patience);
            read
        };
        let mut reader = self.conn.receive_stream(book.of().timeouts)?;
        let mut print = Print::begin(reader.opcode().bits());
        loop {
            let mut into = vec![0; chunk.max(print.len / 64).min(most - print.len)];
            match timed(&mut reader, &mut into) {
                Ok(0) => {
                    book.heard(print, print.len < most);
                    return Ok(());
                }
                Ok(len) => print.add(&into[..len]),
                Err(error) => {
                    book.heard(print, false);
                    return Err(error);
                }
            }
        }
    }

    fn frames(&mut self, chunk: usize) -> Result<(), Error> {
        let timeouts = self.book.of().timeouts;
        loop {
            let mut into = vec![0; chunk.max(self.parts.len() / 64)];
            let mut frames = self.conn.frames(timeouts);
            let len = frames.read_frame(&mut into)?;
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
    fn settle(&mut self, result: Result<(), Error>) {
        self.book.status(self.conn.closed());
        let Err(error) = result else { return };
        self.over |= self.book.failed(&error, &mut self.parts);
    }

    fn put(&mut self, act: &Do) {
        let since = self.book.link.time.now();
        let call = self.book.begin(0, act);
        let (wire, sender) = (self.wire, self.conn.sender());
        let mut most = wire;
        let result = match act {
            Do::Send(said) => sender.send(said.opcode(), &said.payload(), wire),
            Do::Feed(said) => sender.feed(said.opcode(), &said.payload(), wire),
            Do::Flush => sender.flush(wire),
            Do::Ping(payload) => sender.send(Opcode::PING, payload.as_bytes(), wire),
            Do::Pong(payload) => sender.send(Opcode::PONG, payload.as_bytes(), wire),
            Do::Stream(said, size) => {
                most = wire * 16;
                self.stream(said, *size)
            }
            Do::HalfStream(said) => {
                most = wire * 4;
                let writer = sender.send_stream(said.opcode(), wire);
                writer.and_then(|mut writer| writer.write_chunk(&said.payload()))
            }
            Do::Sleep(time) => {
                most = *time;
                let _ = self.conn.get_ref().baton.wait(None, *time);
                Ok(())
            }
            Do::Close(code) => {
                sender.send_close(CloseCode::new(*code), "", wire).map(|closed| self.book.status(Some(closed)))
            }
            _ => {
                self.book.log().aborted = true;
                self.book.status(Some(sender.abort()));
                Ok(())
            }
        };
        // A fault is told, for at most a second.
        self.book.took(act, since, most + Duration::from_secs(u64::from(result.is_err())));
        self.book.status(self.conn.closed());
        self.book.done(0, &call, Some(&result));
    }

    fn stream(&self, said: &Said, size: usize) -> Result<(), Error> {
        let mut writer = self.conn.sender().send_stream(said.opcode(), self.wire)?;
        for chunk in said.payload().chunks(size) {
            writer.write_chunk(chunk)?;
        }
        writer.finish()
    }

    /// For a message to begin, for the rest of it, for what is queued to be written and for the peer's Close; then the
    /// end, of which both halves have a second.
    fn patience(&self) -> Duration {
        self.book.of().timeouts.idle + 3 * self.wire + 2 * Conn::<Half, Half, D, E>::DRAIN
    }
}

/// One half of an end of the link.
struct Half {
    link: Link,
    end: usize,
    baton: Arc<Baton>,
}

impl Half {
    fn time(&self) -> Instant {
        *START + self.link.time.now()
    }
}

impl Input for Half {
    fn read(&mut self, into: &mut [u8], patience: Duration) -> io::Result<usize> {
        self.baton.wait(Some(What::Read), patience)?;
        self.link.read(self.end, into)
    }

    fn now(&self) -> Instant {
        self.time()
    }
}

impl Output for Half {
    fn write(&mut self, bufs: &[IoSlice<'_>], patience: Duration) -> io::Result<usize> {
        self.baton.wait(Some(What::Write), patience)?;
        let bufs: Vec<&[u8]> = bufs.iter().map(|buf| &**buf).collect();
        self.link.write(self.end, &bufs)
    }

    fn half_close(&mut self) -> io::Result<()> {
        self.link.half_close(self.end);
        Ok(())
    }

    fn hang_up(&self) -> Option<Arc<dyn HangUp>> {
        Some(Arc::new(Ends(self.link.clone(), self.end)))
    }

    fn now(&self) -> Instant {
        self.time()
    }
}

struct Ends(Link, usize);

impl HangUp for Ends {
    fn hang_up(&self) {
        self.0.half_close(self.1);
        self.0.desert(self.1);
    }
}

#[expect(clippy::disallowed_methods, reason = "virtual time begins somewhere")]
static START: LazyLock<Instant> = LazyLock::new(Instant::now);
