//! A transport or an extension that claims to have filled more of a buffer than it has shows nothing of another connection:
//! buffers go from one connection to the next.
#![cfg(all(feature = "tokio", feature = "blocking"))]

use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::io::{self, Cursor};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use ws_conn::tokio::Conn;
use ws_conn::{Coded, Decode, Encode, Fault, Opcode, Plain, Role, Timeouts, blocking};
use ws_testkit::naive::{binary, continuation, encode_all};

const SECRET: u8 = 0x5e;

#[test]
fn a_reader_that_lies_shows_nothing_of_another_connection() {
    for sends in [false, true] {
        leave_secrets(sends, 60_000);
        let mut conn = Conn::new(Lies, Takes::default(), Role::Client);
        let mut message = vec![1; 50_000];
        let received = run(conn.receive(&mut message, T)).unwrap();
        assert_eq!(message[..received.len], [0; 50_000]);
    }
}

#[test]
fn an_encoder_that_lies_shows_nothing_of_another_connection() {
    for sends in [false, true] {
        leave_secrets(sends, 60_000);
        let sent = Takes::default();
        let conn = Conn::with_extension(Lies, sent.clone(), Role::Server, Plain, Lying(Vec::new()));
        run(conn.sender().send(Opcode::BINARY, b"anything", T.wire)).unwrap();
        let sent = sent.0.lock().unwrap();
        assert!(sent.len() > 60_000 && !sent.contains(&SECRET));
    }
}

/// The store of these buffers is the process's: one after the other.
#[test]
fn a_decoder_that_lies_shows_nothing_of_another_connection() {
    let first = binary([7; 64]).rsv(4).not_final().bytes();
    let rest = continuation([7; 64]).bytes();
    let whole = [&first[..], &rest].concat();

    leave_large_secret();
    let decode = Lying(vec![usize::MAX]);
    let mut conn = Conn::with_extension(Gives(whole.clone(), 0), Takes::default(), Role::Client, decode, Plain);
    conn.set_message_limit(LARGE);
    assert_zero(&run(conn.message(T)).unwrap());

    // Where the connection goes on with what a dropped call had got.
    drop(conn);
    leave_large_secret();
    let decode = Lying(vec![usize::MAX, 100]);
    let mut conn = Conn::with_extension(Gives(first, 0), Takes::default(), Role::Client, decode, Plain);
    assert!(poll(pin!(conn.receive(&mut vec![0; LARGE], T))).is_pending());
    conn.preload(&rest);
    let mut message = vec![1; LARGE];
    let received = run(conn.receive(&mut message, T)).unwrap();
    assert_zero(&message[..received.len]);

    drop(conn);
    leave_large_secret();
    let (read, write) = blocking::Transport::split((Cursor::new(whole), Vec::new()));
    let mut conn = blocking::Conn::with_extension(read, write, Role::Client, Lying(vec![usize::MAX]), Plain);
    conn.set_message_limit(LARGE);
    assert_zero(&conn.message(T).unwrap());
}

/// The whole of the large buffer, as the decoder says, and nothing in it.
fn assert_zero(message: &[u8]) {
    assert!(message.len() == LARGE && message.iter().all(|byte| *byte == 0));
}

/// The thread's buffers hold what another connection has received or sent.
fn leave_secrets(sends: bool, len: usize) {
    let secret = vec![SECRET; len];
    if sends {
        let conn = Conn::new(Gives(Vec::new(), 0), Takes::default(), Role::Server);
        // Small enough to be copied into the queue.
        for part in secret.chunks(10_000) {
            run(conn.sender().feed(Opcode::BINARY, part, T.wire)).unwrap();
        }
        run(conn.sender().flush(T.wire)).unwrap();
    } else {
        let mut conn = Conn::new(Gives(binary(secret).bytes(), 0), Takes::default(), Role::Client);
        assert_eq!(run(conn.receive(&mut vec![0; len], T)).unwrap().len, len);
    }
}

/// The process's store has a large buffer that holds a message of another connection.
fn leave_large_secret() {
    let halves = [binary(vec![SECRET; LARGE / 2]).not_final(), continuation(vec![SECRET; LARGE / 2])];
    let mut conn = Conn::new(Gives(encode_all(&halves), 0), Takes::default(), Role::Client);
    conn.set_message_limit(LARGE);
    assert_eq!(run(conn.message(T)).unwrap().len(), LARGE);
}

fn run<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(future)
}

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

const T: Timeouts = Timeouts::new(Duration::MAX, Duration::MAX);
/// Larger than what other tests leave.
const LARGE: usize = 2 << 20;

/// Says that it has read a message, and has put its header into the buffer.
struct Lies;

impl AsyncRead for Lies {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        buf.put_slice(&binary([0; 50_000]).bytes()[..4]);
        buf.initialize_unfilled_to(50_000);
        buf.advance(50_000);
        Poll::Ready(Ok(()))
    }
}

/// Says that it has filled what there is room for. The decoder says so of as many bytes, from the back, for each input.
struct Lying(Vec<usize>);

impl Decode for Lying {
    const RSV: u8 = 4;

    fn decode(&mut self, input: &[u8], last: bool, _: &mut [u8]) -> Result<Coded, Fault> {
        let wrote = if input.is_empty() { 0 } else { self.0.pop().unwrap_or(0) };
        Ok(Coded { read: usize::MAX, wrote, end: last })
    }
}

impl Encode for Lying {
    const RSV: u8 = 4;

    fn begin(&mut self, _: Option<usize>) -> bool {
        true
    }

    fn encode(&mut self, _: &[u8], last: bool, _: &mut [u8]) -> Result<Coded, Fault> {
        Ok(Coded { read: usize::MAX, wrote: usize::MAX, end: last })
    }
}

/// Gives the bytes it has, then waits.
struct Gives(Vec<u8>, usize);

impl AsyncRead for Gives {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let rest = &self.0[self.1..];
        let len = rest.len().min(buf.remaining());
        if len == 0 {
            return Poll::Pending;
        }
        buf.put_slice(&rest[..len]);
        self.1 += len;
        Poll::Ready(Ok(()))
    }
}

/// Takes everything, and keeps it.
#[derive(Clone, Default)]
struct Takes(Arc<Mutex<Vec<u8>>>);

impl AsyncWrite for Takes {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
