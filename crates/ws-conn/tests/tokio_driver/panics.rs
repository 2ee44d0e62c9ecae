//! A transport that panics: what it was writing is the last of it, and nobody waits for it any more.

use crate::T;
use crate::transport::Task;
use core::panic::AssertUnwindSafe;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::io;
use std::panic::catch_unwind;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use ws_conn::tokio::{Conn, Transport, Whole};
use ws_conn::{Error, Opcode, Role};

/// Takes 3 bytes, waits as long as it is told to, panics once, and would then take everything.
#[derive(Clone, Default)]
struct Panics(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    output: Vec<u8>,
    waits: bool,
    panicked: bool,
}

impl Panics {
    fn waits(&self, waits: bool) {
        self.0.lock().unwrap().waits = waits;
    }

    fn output(&self) -> Vec<u8> {
        self.0.lock().unwrap().output.clone()
    }
}

impl AsyncRead for Panics {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

impl AsyncWrite for Panics {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut state = self.0.lock().unwrap();
        let len = if state.panicked { bytes.len() } else { bytes.len().min(3 - state.output.len()) };
        if len == 0 && state.waits {
            return Poll::Pending;
        }
        if len == 0 {
            state.panicked = true;
            drop(state);
            panic!("the transport panics");
        }
        state.output.extend(&bytes[..len]);
        Poll::Ready(Ok(len))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[test]
fn nothing_follows_a_frame_in_which_the_transport_panicked() {
    let transport = Panics::default();
    nothing_follows(&transport, (transport.clone(), transport.clone()));
}

#[test]
fn nothing_follows_a_frame_in_which_a_stream_that_cannot_be_split_panicked() {
    let transport = Panics::default();
    nothing_follows(&transport, Whole(transport.clone()));
}

fn nothing_follows(transport: &Panics, over: impl Transport) {
    let runtime = crate::paused();
    let _time = runtime.enter();
    let mut conn = Conn::over(over, Role::Server);
    let sender = conn.sender();
    panics(|| drop(Task::new(sender.send(Opcode::BINARY, b"first", T.wire)).poll()));
    assert_eq!(transport.output(), [0x82, 5, b'f']);
    for (opcode, flush) in [(Opcode::BINARY, true), (Opcode::PING, true), (Opcode::BINARY, false)] {
        let sent = match flush {
            true => Task::new(sender.send(opcode, b"second", T.wire)).poll(),
            false => Task::new(sender.feed(opcode, b"second", T.wire)).poll(),
        };
        assert!(matches!(sent, Poll::Ready(Err(Error::Io(_)))), "{sent:?}");
    }
    let own = Task::new(conn.sender_mut().send(Opcode::BINARY, b"second", T.wire)).poll();
    assert!(matches!(own, Poll::Ready(Err(Error::Io(_)))), "{own:?}");
    let _ = Task::new(conn.receive(&mut [0; 16], T)).poll();
    assert_eq!(transport.output().len(), 3, "{:?}", transport.output());
}

/// Without a handle no lock is taken.
#[test]
fn nothing_follows_what_the_connection_sent_itself_when_the_transport_panicked() {
    let runtime = crate::paused();
    let _time = runtime.enter();
    let transport = Panics::default();
    let mut conn = Conn::new(transport.clone(), transport.clone(), Role::Server);
    panics(|| drop(Task::new(conn.sender_mut().send(Opcode::BINARY, b"first", T.wire)).poll()));
    let sent = Task::new(conn.sender_mut().send(Opcode::BINARY, b"second", T.wire)).poll();
    assert!(matches!(sent, Poll::Ready(Err(Error::Io(_)))), "{sent:?}");
    assert_eq!(transport.output().len(), 3, "{:?}", transport.output());
}

/// Whoever waits is woken, for whatever it waits, and even if who met the panic keeps its future.
#[test]
fn everybody_who_waits_is_told_that_the_transport_panicked() {
    let runtime = crate::paused();
    let _time = runtime.enter();
    for whole in [false, true] {
        let transport = Panics::default();
        match whole {
            false => everybody_is_told(&transport, (transport.clone(), transport.clone())),
            true => everybody_is_told(&transport, Whole(transport.clone())),
        }
    }
}

fn everybody_is_told(transport: &Panics, over: impl Transport) {
    transport.waits(true);
    let mut conn = Conn::over(over, Role::Server);
    let sender = conn.sender();
    let mut writer = match Task::new(sender.send_stream(Opcode::BINARY, T.wire)).poll() {
        Poll::Ready(writer) => writer.unwrap(),
        Poll::Pending => panic!("it waits"),
    };
    let mut meets = Task::new(sender.send(Opcode::PING, b"ping", T.wire));
    let mut ping = Task::new(sender.send(Opcode::PING, b"q", T.wire));
    let mut message = Task::new(sender.send(Opcode::BINARY, b"m", T.wire));
    let mut stream = Task::new(async { writer.write_all(&[0; 100_000]).await.map_err(Error::from) });
    let mut buf = [0; 16];
    let mut receive = Task::new(conn.receive(&mut buf, T));
    for task in [&mut meets, &mut ping, &mut message] {
        assert!(task.poll().is_pending());
    }
    assert!(stream.poll().is_pending());
    assert!(receive.poll().is_pending());
    transport.waits(false);
    panics(|| drop(meets.poll()));
    assert!(ping.is_woken() && message.is_woken() && stream.is_woken() && receive.is_woken());
    for result in [ping.poll(), message.poll(), stream.poll(), meets.poll()] {
        assert!(matches!(result, Poll::Ready(Err(Error::Io(_)))), "{result:?}");
    }
    let _ = receive.poll();
    assert_eq!(transport.output().len(), 3, "{:?}", transport.output());
}

fn panics(act: impl FnOnce()) {
    assert!(catch_unwind(AssertUnwindSafe(act)).is_err());
}
