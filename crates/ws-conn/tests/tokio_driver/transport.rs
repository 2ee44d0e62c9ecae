//! A transport in memory that does what a test says: so many bytes per readiness, nothing at all, the end.

use core::future::Future;
use core::pin::Pin;
use core::sync::atomic::{AtomicBool, Ordering};
use std::io::{self, IoSlice};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Wake, Waker};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use ws_conn::Role;
use ws_conn::tokio::Conn;
use ws_testkit::judge;
use ws_testkit::naive::{Frame, encode};

/// The peer's end, and the test's: what is received, what was sent, and how it was asked for.
#[derive(Clone)]
pub(crate) struct Peer {
    role: Role,
    state: Arc<Mutex<State>>,
}

pub(crate) struct Read(Arc<Mutex<State>>);
pub(crate) struct Write(Arc<Mutex<State>>);

pub(crate) type Pair = Conn<Read, Write>;

/// How often the transport was called, and how often in vain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Calls {
    pub(crate) reads: usize,
    pub(crate) reads_pending: usize,
    pub(crate) writes: usize,
    pub(crate) gathered: usize,
    pub(crate) writes_pending: usize,
    pub(crate) flushes: usize,
}

struct State {
    /// Bytes per readiness, which [`Peer::tick`] renews; `None` for as many as there are.
    pace: Option<usize>,
    vectored: bool,
    input: Vec<u8>,
    read: usize,
    readable: usize,
    eof: bool,
    reader: Option<Waker>,
    room: usize,
    /// Written, and held back until the flush.
    held: Vec<u8>,
    sent: Vec<u8>,
    shut: bool,
    /// The peer hangs up when this side does.
    polite: bool,
    dropped: bool,
    writer: Option<Waker>,
    calls: Calls,
}

impl Peer {
    /// A connection of `role` over a transport that takes and gives all there is.
    pub(crate) fn new(role: Role) -> (Pair, Self) {
        Self::with(role, None, true)
    }

    /// A connection over a transport that takes and gives at most `pace` bytes between two calls of
    /// [`tick`](Self::tick).
    pub(crate) fn paced(role: Role, pace: usize, vectored: bool) -> (Pair, Self) {
        Self::with(role, Some(pace), vectored)
    }

    fn with(role: Role, pace: Option<usize>, vectored: bool) -> (Pair, Self) {
        let state = Arc::new(Mutex::new(State {
            pace,
            vectored,
            input: Vec::new(),
            read: 0,
            readable: pace.unwrap_or(usize::MAX),
            eof: false,
            reader: None,
            room: pace.unwrap_or(usize::MAX),
            held: Vec::new(),
            sent: Vec::new(),
            shut: false,
            polite: false,
            dropped: false,
            writer: None,
            calls: Calls::default(),
        }));
        let conn = Conn::new(Read(Arc::clone(&state)), Write(Arc::clone(&state)), role);
        (conn, Self { role, state })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Sends frames, masked if the peer is the client.
    pub(crate) fn send(&self, frames: &[Frame]) {
        let wire: Vec<u8> = frames.iter().flat_map(|frame| self.wire(frame)).collect();
        self.send_bytes(&wire);
    }

    /// The bytes of a frame that comes from this peer.
    pub(crate) fn wire(&self, frame: &Frame) -> Vec<u8> {
        match self.role {
            Role::Server => encode(&frame.clone().masked([0xA1, 0x5E, 0x07, 0xC4])),
            Role::Client => encode(frame),
        }
    }

    pub(crate) fn send_bytes(&self, bytes: &[u8]) {
        let mut state = self.state();
        state.input.extend_from_slice(bytes);
        let waker = state.reader.take();
        drop(state);
        waker.into_iter().for_each(Waker::wake);
    }

    /// Sends nothing more.
    pub(crate) fn hang_up(&self) {
        let mut state = self.state();
        state.eof = true;
        let waker = state.reader.take();
        drop(state);
        waker.into_iter().for_each(Waker::wake);
    }

    /// Hangs up as soon as this side does, and not before.
    pub(crate) fn hang_up_after(&self) {
        self.state().polite = true;
    }

    /// Takes no more than `room` bytes from now on.
    pub(crate) fn take(&self, room: usize) {
        let mut state = self.state();
        state.room = room;
        let waker = state.writer.take();
        drop(state);
        waker.into_iter().for_each(Waker::wake);
    }

    /// Gives and takes the next bytes of a paced transport.
    pub(crate) fn tick(&self) {
        let mut state = self.state();
        let pace = state.pace.unwrap_or(usize::MAX);
        (state.readable, state.room) = (pace, pace);
        let more = state.read < state.input.len() || state.eof;
        let reader = if more { state.reader.take() } else { None };
        let writer = state.writer.take();
        drop(state);
        reader.into_iter().chain(writer).for_each(Waker::wake);
    }

    pub(crate) fn calls(&self) -> Calls {
        self.state().calls
    }

    /// Whether this side has closed its direction.
    pub(crate) fn is_shut(&self) -> bool {
        let state = self.state();
        state.shut || state.dropped
    }

    /// Whether all that was sent to the connection has been read.
    pub(crate) fn is_read(&self) -> bool {
        let state = self.state();
        state.read == state.input.len()
    }

    /// How many bytes have come, those included that are held back.
    pub(crate) fn sent_len(&self) -> usize {
        let state = self.state();
        state.sent.len() + state.held.len()
    }

    /// What has come, as bytes.
    #[cfg(feature = "messages")]
    pub(crate) fn sent_bytes(&self) -> Vec<u8> {
        self.state().sent.clone()
    }

    /// Every frame that has come. Panics if one of them is not legal or not whole, or was left unflushed.
    pub(crate) fn sent(&self) -> Vec<Frame> {
        let state = self.state();
        assert!(state.held.is_empty(), "{} bytes were not flushed", state.held.len());
        let frames = judge::check_sent_bytes(self.role == Role::Client, &state.sent).unwrap();
        frames.into_iter().map(|frame| Frame { mask: None, ..frame }).collect()
    }

    /// Polls a future, at most so many times, and lets the transport make progress after each. `None` if it was dropped
    /// before it resolved. Panics if the future waits for something that never comes.
    ///
    /// Each call is a task of its own: it has a waker that nobody knew before.
    #[track_caller]
    pub(crate) fn poll<F: Future>(&self, future: F, polls: usize) -> Option<F::Output> {
        let mut task = Task::new(future);
        for _ in 0..polls {
            if let Poll::Ready(output) = task.poll() {
                return Some(output);
            }
            self.tick();
            assert!(task.is_woken(), "the task waits, and nothing will wake it");
        }
        None
    }

    #[track_caller]
    pub(crate) fn run<F: Future>(&self, future: F) -> F::Output {
        self.poll(future, usize::MAX).unwrap()
    }
}

/// A future with a waker of its own, polled by the test.
pub(crate) struct Task<F> {
    future: Pin<Box<F>>,
    woken: Arc<Woken>,
}

impl<F: Future> Task<F> {
    pub(crate) fn new(future: F) -> Self {
        Self { future: Box::pin(future), woken: Arc::new(Woken(AtomicBool::new(true))) }
    }

    pub(crate) fn poll(&mut self) -> Poll<F::Output> {
        self.woken.0.store(false, Ordering::SeqCst);
        let waker = Waker::from(Arc::clone(&self.woken));
        self.future.as_mut().poll(&mut Context::from_waker(&waker))
    }

    /// Whether there is a reason to poll it: it is new, or was woken since the last poll.
    pub(crate) fn is_woken(&self) -> bool {
        self.woken.0.load(Ordering::SeqCst)
    }
}

impl<F> Task<F> {
    /// How many wakers there are of it, as long as it lives with itself among them.
    pub(crate) fn wakers(&self) -> impl Fn() -> usize + use<F> {
        let woken = Arc::downgrade(&self.woken);
        move || woken.strong_count()
    }
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl AsyncRead for Read {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut guard = self.0.lock().unwrap();
        let state = &mut *guard;
        let rest = &state.input[state.read..];
        let len = rest.len().min(buf.remaining()).min(state.readable);
        if len == 0 && !(rest.is_empty() && state.eof) {
            assert!(buf.remaining() > 0, "a read without room means the end");
            state.calls.reads_pending += 1;
            state.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        buf.put_slice(&rest[..len]);
        state.read += len;
        state.calls.reads += 1;
        if state.pace.is_some() {
            state.readable = 0;
        }
        Poll::Ready(Ok(()))
    }
}

impl State {
    fn poll_write(&mut self, cx: &Context<'_>, bufs: &[&[u8]]) -> Poll<io::Result<usize>> {
        assert!(!self.shut, "a write after the shutdown");
        let mut wrote = 0;
        for buf in bufs {
            let len = buf.len().min(self.room);
            self.held.extend_from_slice(&buf[..len]);
            self.room -= if self.room == usize::MAX { 0 } else { len };
            wrote += len;
        }
        if wrote == 0 {
            return self.not_writable(cx);
        }
        Poll::Ready(Ok(wrote))
    }

    fn not_writable<T>(&mut self, cx: &Context<'_>) -> Poll<T> {
        self.calls.writes_pending += 1;
        self.writer = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl AsyncWrite for Write {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let mut state = self.0.lock().unwrap();
        state.calls.writes += 1;
        state.poll_write(cx, &[buf])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut state = self.0.lock().unwrap();
        assert!(state.vectored, "not asked for");
        state.calls.writes += 1;
        state.calls.gathered += 1;
        let bufs: Vec<&[u8]> = bufs.iter().map(|buf| &buf[..]).collect();
        state.poll_write(cx, &bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.lock().unwrap().vectored
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut guard = self.0.lock().unwrap();
        let state = &mut *guard;
        state.calls.flushes += 1;
        // A paced transport makes its caller wait for the flush as well.
        if state.pace.is_some() && state.room == 0 {
            return state.not_writable(cx);
        }
        state.sent.append(&mut state.held);
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut guard = self.0.lock().unwrap();
        let state = &mut *guard;
        state.sent.append(&mut state.held);
        state.shut = true;
        state.eof |= state.polite;
        let waker = state.reader.take();
        drop(guard);
        waker.into_iter().for_each(Waker::wake);
        Poll::Ready(Ok(()))
    }
}

impl Drop for Write {
    fn drop(&mut self) {
        self.0.lock().unwrap().dropped = true;
    }
}
