//! The driver itself, over a transport that is a model too: in all orders of its threads, as far as loom goes, everybody
//! comes to an end, and what leaves is whole.
//!
//! Run by `.ci/run loom`. Time stands still here: who waits for ever is a deadlock, which loom reports.

use super::{Conn, HangUp, Input, Output, Sender};
use crate::driver::model::check;
use crate::driver::sync::{Condvar, Mutex};
use crate::{CloseCode, Closed, Opcode, Role, Timeouts};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;
use loom::thread;
use std::io::{self, ErrorKind, IoSlice};

const BINARY: Opcode = Opcode::BINARY;
const LONG: Duration = Duration::MAX;
const T: Timeouts = Timeouts::new(LONG, LONG);

#[test]
fn two_senders_and_a_receiver_all_come_to_an_end() {
    check(1, || {
        let peer = Peer::new(1);
        let conn = peer.conn();
        let others = [send(conn.sender()), send(conn.sender()), peer.opens(2 * FRAME)];
        receive(conn);
        join(others);
        assert_eq!(peer.output(), [MESSAGE, MESSAGE].concat());
    });
}

/// There is no room for it at first, and the receiver reads on.
#[test]
fn a_pong_leaves_whole_whoever_writes_meanwhile() {
    check(1, || {
        let peer = Peer::new(1);
        peer.says(&PING);
        let conn = peer.conn();
        let others = [send(conn.sender()), peer.opens(FRAME + PONG.len())];
        receive(conn);
        join(others);
        let output = peer.output();
        assert!(output == [&MESSAGE[..], &PONG].concat() || output == [&PONG[..], &MESSAGE].concat(), "{output:?}");
    });
}

/// With a lock as long as there is the handle, and without as soon as there is none.
#[test]
fn what_the_connection_sends_itself_leaves_beside_a_handle_that_goes() {
    check(2, || {
        let peer = Peer::new(1);
        let mut conn = peer.conn();
        let others = [send(conn.sender()), peer.opens(2 * FRAME)];
        conn.sender_mut().send(BINARY, b"abc", LONG).unwrap();
        receive(conn);
        join(others);
        assert_eq!(peer.output(), [MESSAGE, MESSAGE].concat());
    });
}

/// It is in the queue, and the handle that fed it is gone or not.
#[test]
fn what_was_fed_leaves_before_the_connection_waits() {
    check(3, || {
        let peer = Peer::new(usize::MAX);
        let conn = peer.conn();
        let sender = conn.sender();
        let feeds = thread::spawn(move || sender.feed(BINARY, b"abc", LONG).unwrap());
        feeds.join().unwrap();
        let opens = peer.opens(FRAME);
        receive(conn);
        join([opens]);
    });
}

#[test]
fn everybody_who_waits_is_told_of_an_abort_and_the_transport_is_let_go() {
    check(1, || {
        let peer = Peer::new(1);
        let conn = peer.conn();
        let sender = conn.sender();
        let sends = [conn.sender(), conn.sender()].map(|sender| {
            thread::spawn(move || assert!(sender.send(BINARY, b"abc", LONG).unwrap_err().closed().is_some()))
        });
        sender.abort();
        join(sends);
        drop(conn);
        peer.is_let_go();
    });
}

/// While a handle still lives, and may be about to write.
#[test]
fn a_connection_that_is_dropped_lets_go_of_its_transport() {
    check(3, || {
        let peer = Peer::new(usize::MAX);
        let conn = peer.conn();
        let sender = conn.sender();
        let sends = thread::spawn(move || {
            // In time, or too late.
            let sent = sender.send(BINARY, b"abc", LONG);
            assert!(sent.is_ok() || sent.unwrap_err().closed() == Some(CloseCode::ABNORMAL));
            sender
        });
        drop(conn);
        let sender = sends.join().unwrap();
        peer.is_let_go();
        assert!(sender.send(BINARY, b"abc", LONG).is_err());
        let output = peer.output();
        assert!(output.is_empty() || output == MESSAGE, "{output:?}");
    });
}

#[test]
fn a_close_has_left_when_its_call_returns_whoever_writes_it() {
    check(2, || {
        let peer = Peer::new(usize::MAX);
        let conn = peer.conn();
        let sender = conn.sender();
        let closes = thread::spawn(move || sender.send_close(CloseCode::NORMAL, "", LONG).unwrap());
        assert_eq!(conn.sender().send_close(CloseCode::NORMAL, "", LONG).unwrap(), Closed(CloseCode::NORMAL));
        assert_eq!(peer.output(), CLOSE);
        closes.join().unwrap();
        drop(conn);
    });
}

#[test]
fn nothing_follows_a_close() {
    check(2, || {
        let peer = Peer::new(usize::MAX);
        let conn = peer.conn();
        let sender = conn.sender();
        let sends = thread::spawn(move || drop(sender.send(BINARY, b"abc", LONG)));
        conn.sender().send_close(CloseCode::NORMAL, "", LONG).unwrap();
        assert!(peer.output().ends_with(&CLOSE));
        join([sends]);
        let output = peer.output();
        assert!(output == CLOSE || output == [&MESSAGE[..], &CLOSE].concat(), "{output:?}");
        drop(conn);
    });
}

/// The message under way may never end.
#[test]
fn who_waits_for_the_turn_of_a_message_is_told_of_a_close() {
    check(2, || {
        let peer = Peer::new(usize::MAX);
        let conn = peer.conn();
        let (sender, other) = (conn.sender(), conn.sender());
        let open = sender.send_stream(BINARY, LONG).unwrap();
        let waits = thread::spawn(move || {
            assert!(other.send(BINARY, b"abc", LONG).unwrap_err().closed().is_some());
        });
        sender.send_close(CloseCode::NORMAL, "", LONG).unwrap();
        join([waits]);
        drop((open, conn));
    });
}

/// The receiving direction ends it, and the last frame of another may be on its way.
#[test]
fn this_direction_is_closed_once_behind_the_last_frame() {
    check(2, || {
        let peer = Peer::new(usize::MAX);
        peer.hangs_up();
        let mut conn = peer.conn();
        let sender = conn.sender();
        let sends = thread::spawn(move || drop(sender.send(BINARY, b"abc", LONG)));
        assert_eq!(conn.receive(&mut [0; 8], T).unwrap_err().closed(), Some(CloseCode::ABNORMAL));
        join([sends]);
        let (output, closed_at) = (peer.output(), peer.closed_at());
        assert_eq!(closed_at, [output.len()]);
        assert!(output.is_empty() || output == MESSAGE, "{output:?}");
    });
}

/// A message of three bytes, as it leaves.
const MESSAGE: [u8; 5] = [0x82, 3, b'a', b'b', b'c'];
const FRAME: usize = MESSAGE.len();
const CLOSE: [u8; 4] = [0x88, 2, 3, 232];
/// Masked, from a client: `p`, and a message of no bytes.
const PING: [u8; 7] = [0x89, 0x81, 0, 0, 0, 0, b'p'];
const PONG: [u8; 3] = [0x8A, 1, b'p'];
const EMPTY: [u8; 6] = [0x82, 0x80, 0, 0, 0, 0];

fn receive(mut conn: Conn<Half, Half>) {
    assert_eq!(conn.receive(&mut [0; 8], T).unwrap().len, 0);
}

fn send(sender: Sender<Half>) -> thread::JoinHandle<()> {
    thread::spawn(move || sender.send(BINARY, b"abc", LONG).unwrap())
}

fn join(threads: impl IntoIterator<Item = thread::JoinHandle<()>>) {
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

/// The peer, and the transport to it.
#[derive(Clone)]
struct Peer(Arc<Channel>);

struct Channel {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    room: usize,
    output: Vec<u8>,
    input: Vec<u8>,
    /// The peer has closed its direction, or both are closed.
    ended: bool,
    hung_up: bool,
    closed_at: Vec<usize>,
    /// How many sending halves there are.
    halves: usize,
}

impl Peer {
    /// A transport that takes so many bytes, and no more at first.
    fn new(room: usize) -> Self {
        let state = State { room, ..State::default() };
        Self(Arc::new(Channel { state: Mutex::new(state), changed: Condvar::default() }))
    }

    fn conn(&self) -> Conn<Half, Half> {
        self.0.state.lock().halves += 1;
        Conn::new(Half { peer: self.clone(), writes: false }, Half { peer: self.clone(), writes: true }, Role::Server)
    }

    /// Takes everything from now on, and says something when so much has come.
    fn opens(&self, awaited: usize) -> thread::JoinHandle<()> {
        let peer = self.clone();
        thread::spawn(move || {
            let mut state = peer.0.state.lock();
            state.room = usize::MAX;
            peer.0.changed.notify_all();
            while state.output.len() < awaited {
                state = peer.0.changed.wait(state, LONG);
            }
            drop(state);
            peer.says(&EMPTY);
        })
    }

    fn says(&self, bytes: &[u8]) {
        self.0.state.lock().input.extend_from_slice(bytes);
        self.0.changed.notify_all();
    }

    fn hangs_up(&self) {
        self.0.state.lock().ended = true;
        self.0.changed.notify_all();
    }

    fn output(&self) -> Vec<u8> {
        self.0.state.lock().output.clone()
    }

    /// Where the sending direction was closed, each time.
    fn closed_at(&self) -> Vec<usize> {
        self.0.state.lock().closed_at.clone()
    }

    /// Nobody has the sending half any more.
    fn is_let_go(&self) {
        assert_eq!(self.0.state.lock().halves, 0, "the transport is still there");
    }
}

struct Half {
    peer: Peer,
    writes: bool,
}

impl Half {
    /// Waits for input, or, with `room`, for room too.
    fn read(&self, into: &mut [u8], room: bool) -> io::Result<usize> {
        let channel = &self.peer.0;
        let mut state = channel.state.lock();
        loop {
            if !state.input.is_empty() {
                let len = state.input.len();
                into[..len].copy_from_slice(&state.input);
                state.input.clear();
                return Ok(len);
            }
            if state.ended || state.hung_up {
                return Ok(0);
            }
            if room && state.room > 0 {
                return Err(ErrorKind::WouldBlock.into());
            }
            state = channel.changed.wait(state, LONG);
        }
    }
}

impl Input for Half {
    const SEES_ROOM: bool = true;

    fn read(&mut self, into: &mut [u8], _: Duration) -> io::Result<usize> {
        Self::read(self, into, false)
    }

    fn read_or_room(&mut self, into: &mut [u8], _: Duration) -> io::Result<usize> {
        Self::read(self, into, true)
    }
}

impl Output for Half {
    fn write(&mut self, bufs: &[IoSlice<'_>], patience: Duration) -> io::Result<usize> {
        let channel = &self.peer.0;
        let mut state = channel.state.lock();
        let bytes: Vec<u8> = bufs.iter().flat_map(|buf| buf.iter().copied()).collect();
        loop {
            if state.hung_up {
                return Err(ErrorKind::BrokenPipe.into());
            }
            let len = bytes.len().min(state.room);
            if len > 0 {
                state.room -= len;
                state.output.extend_from_slice(&bytes[..len]);
                drop(state);
                channel.changed.notify_all();
                return Ok(len);
            }
            if patience.is_zero() {
                return Err(ErrorKind::WouldBlock.into());
            }
            state = channel.changed.wait(state, LONG);
        }
    }

    fn half_close(&mut self) -> io::Result<()> {
        let mut state = self.peer.0.state.lock();
        let len = state.output.len();
        state.closed_at.push(len);
        Ok(())
    }

    fn hang_up(&self) -> Option<Arc<dyn HangUp>> {
        Some(Arc::new(Self { peer: self.peer.clone(), writes: false }))
    }
}

impl HangUp for Half {
    fn hang_up(&self) {
        self.peer.0.state.lock().hung_up = true;
        self.peer.0.changed.notify_all();
    }
}

impl Drop for Half {
    fn drop(&mut self) {
        if self.writes {
            self.peer.0.state.lock().halves -= 1;
        }
    }
}
