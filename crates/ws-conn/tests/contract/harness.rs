//! A connection on a scripted transport, on the script's clock, and the peer's view of it.
#![expect(clippy::disallowed_methods, reason = "the one moment from which virtual time is counted")]

use core::fmt;
use core::time::Duration;
use std::io::{self, IoSlice};
use std::net::Shutdown;
use std::sync::Arc;
use std::time::Instant;

use ws_conn::blocking::{Conn, HangUp, Input, Output};
use ws_conn::{CloseCode, Closed, Error, Fault, Opcode, Role, Timeouts};
use ws_testkit::judge::Judge;
use ws_testkit::naive::{self, Frame};
use ws_testkit::transport::{Reader, Script, Step, Transport, Writer};

/// The timeouts of the seed's own example.
pub(crate) const TIMEOUTS: Timeouts = Timeouts::new(WIRE, IDLE);
pub(crate) const WIRE: Duration = Duration::from_secs(1);
pub(crate) const IDLE: Duration = Duration::from_secs(60);

/// A connection under test.
pub(crate) type Scripted = Conn<ScriptedInput, ScriptedOutput>;

/// A server whose client says these frames, all at once, and is silent then.
pub(crate) fn server(frames: &[Frame]) -> (Scripted, Peer) {
    open(Role::Server, Script::new([said(Role::Client, frames)]))
}

/// A client whose server says these frames, all at once, and is silent then.
pub(crate) fn client(frames: &[Frame]) -> (Scripted, Peer) {
    open(Role::Client, Script::new([said(Role::Server, frames)]))
}

/// A connection of this role on any script.
pub(crate) fn open(role: Role, script: Script) -> (Scripted, Peer) {
    let transport = script.start();
    let (input, output) = halves(&transport);
    (Conn::new(input, output, role), Peer { transport, role })
}

/// The two halves of a transport, on its clock.
pub(crate) fn halves(transport: &Transport) -> (ScriptedInput, ScriptedOutput) {
    let time = Time { transport: transport.clone(), start: Instant::now() };
    let (reader, writer) = transport.split();
    (ScriptedInput { reader, time: time.clone() }, ScriptedOutput { writer, time })
}

/// Frames as this role puts them on the wire.
pub(crate) fn wire(from: Role, frames: &[Frame]) -> Vec<u8> {
    frames
        .iter()
        .flat_map(|frame| match from {
            Role::Client => frame.clone().masked(KEY).bytes(),
            Role::Server => frame.bytes(),
        })
        .collect()
}

/// Frames as this role puts them on the wire, as a step of a script.
pub(crate) fn said(from: Role, frames: &[Frame]) -> Step {
    Step::Bytes(wire(from, frames))
}

/// The peer's view.
pub(crate) struct Peer {
    pub(crate) transport: Transport,
    role: Role,
}

impl Peer {
    /// Everything the connection has sent so far, judged, and shown without masks.
    pub(crate) fn sent(&self) -> Vec<Frame> {
        self.sent_under(&self.judge())
    }

    /// The rules for what the connection sends.
    pub(crate) fn judge(&self) -> Judge {
        Judge::new(self.role == Role::Client)
    }

    /// As [`sent`](Self::sent), with the allowances of a test.
    pub(crate) fn sent_under(&self, judge: &Judge) -> Vec<Frame> {
        let frames = judge.bytes(&self.transport.written()).unwrap();
        frames.into_iter().map(|frame| Frame { mask: None, ..frame }).collect()
    }

    /// The codes of the Close frames sent so far: none, or one. 0 stands for a Close without a code.
    pub(crate) fn told(&self) -> Option<u16> {
        let frames = self.sent();
        frames.iter().find(|frame| frame.opcode == naive::CLOSE).map(|close| close.close_code().unwrap_or_default())
    }

    /// The time that has passed.
    pub(crate) fn now(&self) -> Duration {
        self.transport.clock().now()
    }

    /// Says more.
    pub(crate) fn say(&self, frames: &[Frame]) {
        self.transport.push([said(self.role.peer(), frames)]);
    }
}

/// The fault of a call that must have failed with one.
#[track_caller]
pub(crate) fn fault<T: fmt::Debug>(result: Result<T, Error>) -> Fault {
    match result {
        Err(Error::Fault(fault)) => fault,
        other => panic!("a fault was expected, not {other:?}"),
    }
}

/// The fault that says the connection is closed.
pub(crate) const fn closed(code: u16) -> Fault {
    Fault::Closed(Closed(CloseCode::new(code)))
}

/// Receives one message: its opcode and its payload.
#[track_caller]
pub(crate) fn message(conn: &mut Scripted) -> (Opcode, Vec<u8>) {
    let mut buf = vec![0; 4096];
    let received = conn.receive(&mut buf, TIMEOUTS).unwrap();
    assert!(received.fin, "a message is received whole");
    (received.opcode, buf[..received.len].to_vec())
}

#[derive(Clone, Debug)]
struct Time {
    transport: Transport,
    start: Instant,
}

impl Time {
    fn now(&self) -> Instant {
        self.transport.clock().since(self.start)
    }
}

#[derive(Debug)]
pub(crate) struct ScriptedInput {
    reader: Reader,
    time: Time,
}

impl Input for ScriptedInput {
    fn read(&mut self, into: &mut [u8], patience: Duration) -> io::Result<usize> {
        self.reader.read_for(into, Some(patience))
    }

    fn now(&self) -> Instant {
        self.time.now()
    }
}

#[derive(Debug)]
pub(crate) struct ScriptedOutput {
    writer: Writer,
    time: Time,
}

impl Output for ScriptedOutput {
    fn write(&mut self, bufs: &[IoSlice<'_>], patience: Duration) -> io::Result<usize> {
        let bufs: Vec<&[u8]> = bufs.iter().map(|buf| &**buf).collect();
        self.writer.write_gathered_for(&bufs, Some(patience))
    }

    fn flush(&mut self, patience: Duration) -> io::Result<()> {
        self.writer.flush_for(Some(patience))
    }

    fn half_close(&mut self) -> io::Result<()> {
        self.writer.shutdown(Shutdown::Write)
    }

    fn hang_up(&self) -> Option<Arc<dyn HangUp>> {
        Some(Arc::new(ScriptedHangUp(self.time.transport.clone())))
    }

    fn now(&self) -> Instant {
        self.time.now()
    }
}

struct ScriptedHangUp(Transport);

impl HangUp for ScriptedHangUp {
    fn hang_up(&self) {
        let _ = self.0.writer().shutdown(Shutdown::Both);
    }
}

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
