//! A transport under the eyes of a test: it takes as much as there is room for, and gives what has arrived.

use core::future::poll_fn;
use core::pin::Pin;
use core::sync::atomic::{AtomicBool, Ordering};
use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Wake, Waker};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use ws_conn::tokio::Conn;
use ws_conn::{CloseCode, Error, Role};
use ws_testkit::naive::{self, Frame};

pub(crate) fn server() -> (Wire, Conn<Half, Half>) {
    let wire = Wire::default();
    let conn = Conn::new(Half(wire.clone()), Half(wire.clone()), Role::Server);
    (wire, conn)
}

#[track_caller]
pub(crate) fn assert_closed(result: Result<(), Error>, code: CloseCode) {
    match result {
        Err(error) => assert_eq!(error.closed(), Some(code), "{error}"),
        Ok(()) => panic!("succeeded"),
    }
}

/// Polls once, with the waker of the test.
pub(crate) async fn poll_once<F: Future>(future: &mut Pin<&mut F>) -> Option<F::Output> {
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

/// A waker that tells whether it was woken.
#[derive(Default)]
pub(crate) struct Woken(pub(crate) AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The transport, and the test's hand on it.
#[derive(Clone, Default)]
pub(crate) struct Wire(Arc<Mutex<State>>);

#[derive(Default)]
pub(crate) struct State {
    pub(crate) input: VecDeque<u8>,
    /// Nothing comes behind the input.
    pub(crate) eof: bool,
    pub(crate) output: Vec<u8>,
    /// How much it takes.
    pub(crate) room: usize,
    pub(crate) broken: bool,
    pub(crate) broken_flush: bool,
    /// It keeps what it took, and does not hand it on.
    pub(crate) holds: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
    /// What happens on another thread during the next read.
    pub(crate) meanwhile: Option<Box<dyn FnOnce() + Send>>,
}

impl State {
    /// It knows no more whom to wake when it takes something.
    pub(crate) fn forget(&mut self) {
        self.writer = None;
    }
}

/// One half of it.
pub(crate) struct Half(pub(crate) Wire);

impl Wire {
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub(crate) fn arrive(&self, bytes: &[u8]) {
        let mut state = self.lock();
        state.input.extend(bytes);
        let reader = state.reader.take();
        drop(state);
        reader.into_iter().for_each(Waker::wake);
    }

    /// Takes everything from now on.
    pub(crate) fn open(&self) {
        self.let_through(usize::MAX);
    }

    /// Takes so many bytes more.
    pub(crate) fn let_through(&self, room: usize) {
        let mut state = self.lock();
        state.room = room;
        let writer = state.writer.take();
        drop(state);
        writer.into_iter().for_each(Waker::wake);
    }

    /// The opcodes of the frames that came out, the last of which may not be whole.
    pub(crate) fn sent_opcodes(&self) -> Vec<u8> {
        let output = &self.lock().output;
        let (mut opcodes, mut rest) = (Vec::new(), &output[..]);
        while let Some((frame, len)) = naive::read(rest) {
            opcodes.push(frame.opcode);
            rest = &rest[len..];
        }
        opcodes
    }

    /// The frames that came out.
    pub(crate) fn sent(&self) -> Vec<Frame> {
        naive::read_all(&self.lock().output).expect("whole frames")
    }
}

impl AsyncRead for Half {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let meanwhile = self.0.lock().meanwhile.take();
        if let Some(meanwhile) = meanwhile {
            meanwhile();
        }
        let mut state = self.0.lock();
        if state.input.is_empty() && !state.eof {
            state.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let len = buf.remaining().min(state.input.len());
        buf.put_slice(&state.input.drain(..len).collect::<Vec<u8>>());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Half {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut state = self.0.lock();
        if state.broken {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        let len = bytes.len().min(state.room);
        if len == 0 {
            state.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        state.room -= len;
        state.output.extend(&bytes[..len]);
        Poll::Ready(Ok(len))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.0.lock();
        if state.broken_flush {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        if state.holds {
            state.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
