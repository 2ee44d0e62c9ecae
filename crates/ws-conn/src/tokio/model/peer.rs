//! The peer of the models, and the transport to it.

use super::{Conn, LONG, MESSAGE};
use crate::Role;
use crate::driver::sync::{Condvar, Mutex};
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use loom::thread;
use std::io::{self, IoSlice};
use std::panic::resume_unwind;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The peer, and the transport to it.
#[derive(Clone)]
pub(super) struct Peer(Arc<Channel>);

struct Channel {
    state: Mutex<State>,
    came: Condvar,
}

struct State {
    way: Way,
    room: usize,
    output: Vec<u8>,
    input: Vec<u8>,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

/// What is particular about the transport.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Plain,
    /// It keeps no waker once it has taken something.
    Forgets,
    /// It panics in place of waiting, once, and takes everything afterwards.
    Panics,
    /// It wakes at once in place of waiting, once.
    Wakes,
    /// It takes everything, and hands it on when it opens.
    Holds,
    /// It takes everything, and cannot hand it on.
    Fails,
}

impl Peer {
    /// A transport that takes so many bytes, and no more at first.
    pub(super) fn new(room: usize) -> Self {
        Self::with(Way::Plain, room)
    }

    pub(super) fn with(way: Way, room: usize) -> Self {
        let state = State { way, room, output: Vec::new(), input: Vec::new(), reader: None, writer: None };
        Self(Arc::new(Channel { state: Mutex::new(state), came: Condvar::default() }))
    }

    pub(super) fn half(&self) -> Half {
        Half(self.clone())
    }

    pub(super) fn conn(&self) -> Conn<Half, Half> {
        Conn::new(self.half(), self.half(), Role::Server)
    }

    /// What the transport has taken.
    pub(super) fn output(&self) -> Vec<u8> {
        self.0.state.lock().output.clone()
    }

    /// Takes everything from now on, and says something when so much has come.
    pub(super) fn opens(&self, awaited: usize) -> thread::JoinHandle<()> {
        let peer = self.clone();
        thread::spawn(move || {
            peer.open().into_iter().for_each(Waker::wake);
            peer.wait_for(awaited);
            peer.arrive(&MESSAGE);
        })
    }

    /// As [`opens`](Self::opens), but looks for whom to wake a while after it has begun to take everything.
    pub(super) fn opens_late(&self, awaited: usize) -> thread::JoinHandle<()> {
        let peer = self.clone();
        thread::spawn(move || {
            peer.0.state.lock().room = usize::MAX;
            peer.open().into_iter().for_each(Waker::wake);
            peer.wait_for(awaited);
            peer.arrive(&MESSAGE);
        })
    }

    pub(super) fn arrive(&self, bytes: &[u8]) {
        let mut state = self.0.state.lock();
        state.input.extend_from_slice(bytes);
        let reader = state.reader.take();
        drop(state);
        reader.into_iter().for_each(Waker::wake);
    }

    fn open(&self) -> Option<Waker> {
        let mut state = self.0.state.lock();
        state.room = usize::MAX;
        if state.way == Way::Holds {
            state.way = Way::Plain;
        }
        state.writer.take()
    }

    fn wait_for(&self, awaited: usize) {
        let mut state = self.0.state.lock();
        while state.output.len() < awaited {
            state = self.0.came.wait(state, LONG);
        }
    }
}

pub(super) struct Half(Peer);

impl AsyncRead for Half {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut state = self.0.0.state.lock();
        if state.input.is_empty() {
            state.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        buf.put_slice(&state.input);
        state.input.clear();
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Half {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut state = self.0.0.state.lock();
        let before = state.output.len();
        for buf in bufs {
            let len = buf.len().min(state.room);
            state.room -= len;
            state.output.extend_from_slice(&buf[..len]);
        }
        let wrote = state.output.len() - before;
        if wrote == 0 {
            if state.way == Way::Panics {
                (state.way, state.room) = (Way::Plain, usize::MAX);
                drop(state);
                // Without a word: it happens in each of many runs.
                resume_unwind(Box::new("the transport panics"));
            }
            if state.way == Way::Wakes {
                state.way = Way::Plain;
                drop(state);
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            state.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        if state.way == Way::Forgets {
            state.writer = None;
        }
        drop(state);
        self.0.0.came.notify_all();
        Poll::Ready(Ok(wrote))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.0.0.state.lock();
        match state.way {
            Way::Holds => {
                state.writer = Some(cx.waker().clone());
                Poll::Pending
            }
            Way::Fails => Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
            _ => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
