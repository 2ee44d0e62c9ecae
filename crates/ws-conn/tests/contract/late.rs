//! Turns that come late: the call says so, nothing of its frame is sent, and the connection goes on.

use core::time::Duration;
use std::io::{self, ErrorKind, IoSlice};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Instant;

use crate::harness::{TIMEOUTS, WIRE, fault, wire};
use crate::sockets::{AMPLE, SHORT};
use ws_conn::blocking::{Conn, Input, Output};
use ws_conn::{Fault, Opcode, Role, Wait};
use ws_testkit::judge;
use ws_testkit::naive::{Frame, binary, continuation, text};

/// A transport whose first write lasts until it is told to go on, in real time, and which counts time of its own only
/// while there is no room.
struct Gated {
    entered: mpsc::Sender<()>,
    gate: mpsc::Receiver<()>,
    first: bool,
    state: Arc<Mutex<State>>,
    start: Instant,
}

struct State {
    written: Vec<u8>,
    room: usize,
    time: Duration,
}

impl Output for Gated {
    fn write(&mut self, bufs: &[IoSlice<'_>], patience: Duration) -> io::Result<usize> {
        if core::mem::take(&mut self.first) {
            self.entered.send(()).unwrap();
            self.gate.recv().unwrap();
        }
        let mut state = self.state.lock().unwrap();
        let bytes: Vec<u8> = bufs.iter().flat_map(|buf| buf.iter().copied()).collect();
        let len = bytes.len().min(state.room);
        if len == 0 {
            state.time += patience;
            return Err(ErrorKind::TimedOut.into());
        }
        state.room -= len;
        state.written.extend(&bytes[..len]);
        Ok(len)
    }

    fn half_close(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn now(&self) -> Instant {
        self.start + self.state.lock().unwrap().time
    }
}

/// Says one thing when it is asked for something to read, and nothing more.
struct Says(Vec<u8>);

impl Input for Says {
    fn read(&mut self, into: &mut [u8], _: Duration) -> io::Result<usize> {
        let bytes = core::mem::take(&mut self.0);
        into[..bytes.len()].copy_from_slice(&bytes);
        Ok(bytes.len())
    }
}

struct Scene {
    conn: Conn<Says, Gated>,
    entered: mpsc::Receiver<()>,
    gate: mpsc::Sender<()>,
    state: Arc<Mutex<State>>,
}

/// Room for so many bytes.
#[expect(clippy::disallowed_methods, reason = "the one moment from which virtual time is counted")]
fn scene(room: usize) -> Scene {
    let ((enters, entered), (gate, gated)) = (mpsc::channel(), mpsc::channel());
    let state = Arc::new(Mutex::new(State { written: Vec::new(), room, time: Duration::ZERO }));
    let write = Gated { entered: enters, gate: gated, first: true, state: Arc::clone(&state), start: Instant::now() };
    let says = Says(wire(Role::Client, &[text("well?")]));
    Scene { conn: Conn::new(says, write, Role::Server), entered, gate, state }
}

impl Scene {
    fn make_room(&self) {
        self.state.lock().unwrap().room = usize::MAX;
    }

    fn sent(&self) -> Vec<Frame> {
        judge::check_sent_bytes(false, &self.state.lock().unwrap().written).unwrap()
    }
}

/// A part of the time goes by in the wait for the turn, and what is left is too short for the peer.
#[test]
fn a_frame_that_comes_late_to_its_turn_and_finds_no_room_is_not_sent_and_harms_nothing() {
    for (opcode, len) in [(Opcode::BINARY, 10), (Opcode::BINARY, 5_000), (Opcode::PING, 10)] {
        let mut scene = scene(12);
        let sender = scene.conn.sender();
        let first = thread::spawn(move || sender.send(Opcode::TEXT, b"0123456789", AMPLE));
        scene.entered.recv().unwrap();
        let sender = scene.conn.sender();
        let (begins, begun) = mpsc::channel();
        let late = thread::spawn(move || {
            begins.send(()).unwrap();
            sender.send(opcode, &vec![b'x'; len], 4 * SHORT)
        });
        begun.recv().unwrap();
        // It waits, or will find that it has to.
        let _ = begun.recv_timeout(SHORT);
        scene.gate.send(()).unwrap();
        first.join().unwrap().unwrap();
        let late = fault(late.join().unwrap());
        if late == Fault::Timeout(Wait::Turn) {
            scene.make_room();
            scene.conn.sender().send(Opcode::TEXT, b"in time", WIRE).unwrap();
            assert_eq!(scene.sent(), [text("0123456789"), text("in time")]);
            assert_eq!(scene.conn.message(TIMEOUTS).unwrap().text(), Some("well?"));
            continue;
        }
        panic!("{late:?}");
    }
}

/// Its last fragment needs no turn but that which it has, nor time.
#[test]
fn a_message_whose_end_finds_others_writing_is_ended_by_them() {
    for fed in [false, true] {
        let mut scene = scene(usize::MAX);
        let mut writer = scene.conn.sender().send_stream(Opcode::BINARY, SHORT).unwrap();
        writer.write_chunk(b"a message in ").unwrap();
        writer.write_chunk(b"two").unwrap();
        let sender = scene.conn.sender();
        let other = thread::spawn(move || {
            // The lock is held by a control frame, which needs no turn.
            sender.send(Opcode::PING, b"", AMPLE)
        });
        scene.entered.recv().unwrap();
        assert_eq!(fault(writer.finish()), Fault::Timeout(Wait::Turn));
        let waits = scene.conn.sender();
        let waits = thread::spawn(move || {
            if fed { waits.feed(Opcode::TEXT, b"next", AMPLE) } else { waits.send(Opcode::TEXT, b"next", AMPLE) }
        });
        scene.gate.send(()).unwrap();
        other.join().unwrap().unwrap();
        waits.join().unwrap().unwrap();
        assert_eq!(scene.conn.message(TIMEOUTS).unwrap().text(), Some("well?"));
        scene.conn.sender().flush(WIRE).unwrap();
        let messages: Vec<_> = scene.sent().into_iter().filter(|frame| !frame.is_control()).collect();
        let message = [binary("a message in ").not_final(), continuation("two").not_final(), continuation("")];
        assert_eq!(messages, [&message[..], &[text("next")]].concat());
    }
}

/// Text may not end within a character, whoever ends it.
#[test]
fn a_text_that_cannot_end_is_given_up_by_who_would_end_it() {
    let scene = scene(usize::MAX);
    let mut writer = scene.conn.sender().send_stream(Opcode::TEXT, SHORT).unwrap();
    writer.write_chunk(&"\u{20ac}".as_bytes()[..2]).unwrap();
    let sender = scene.conn.sender();
    let other = thread::spawn(move || sender.send(Opcode::PING, b"", AMPLE));
    scene.entered.recv().unwrap();
    assert_eq!(fault(writer.finish()), Fault::Timeout(Wait::Turn));
    scene.gate.send(()).unwrap();
    other.join().unwrap().unwrap();
    assert_eq!(scene.conn.closed().unwrap().0.get(), 1011);
    assert_eq!(scene.sent().last().unwrap().close_code(), Some(1011));
}
