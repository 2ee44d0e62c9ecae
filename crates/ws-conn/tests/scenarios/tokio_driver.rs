//! The tokio driver, and the table over it: under every way of cutting, and with the transport failing at every operation.
//!
//! The kit's transport never waits; where it would, the future is woken at once and asks again. Time is tokio's, and stands
//! still as long as there is something to do.

use crate::app::{App, By, Parts, check_stream, play};
use crate::extension::{Roll, Unroll};
use crate::run_blocking::in_all_pieces;
use crate::run_failures::{at_every_operation, each_way, is_beginning};
use crate::run_machine::each;
use crate::scenario::{Call, Event, Failure, Outcome, Scenario};
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::io::{self, ErrorKind, IoSlice};
use std::net::Shutdown;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::runtime::{Builder, Runtime};
use ws_conn::tokio::{Conn, Sender};
use ws_conn::{Accept, CloseCode, Decode, Encode, Opcode, Plain, Role, Timeouts};
use ws_testkit::naive::{Frame, PONG};
use ws_testkit::transport::{Fault, Reader, Transport, Writer};

#[test]
fn every_scenario_comes_out_as_it_must_over_the_tokio_driver() {
    each_merged(|scenario, role| in_all_pieces(scenario, role, run));
}

#[test]
fn a_short_late_or_interrupted_operation_changes_nothing_over_the_tokio_driver() {
    for (how, by) in each_way([Fault::Short, Fault::Interrupted, Fault::TimedOut]) {
        each_merged(|scenario, role| {
            at_every_operation(scenario, role, how, run_by(by), |outcome| {
                let scenario = if how == Fault::TimedOut { &late(scenario, role, outcome)? } else { scenario };
                scenario.check(role, outcome)
            })
        });
    }
}

/// The scenario with those Pongs left out that were not sent in time: a later one stands for them.
fn late(scenario: &Scenario, role: Role, outcome: &Outcome) -> Result<Scenario, String> {
    let frames = scenario.frames(role, &outcome.sent)?;
    let is_pong = |frame: &&Frame| frame.opcode == PONG;
    let mut rest = frames.iter().peekable();
    let skipped = scenario.sent.iter().filter(|frame| rest.next_if_eq(frame).is_none()).collect::<Vec<_>>();
    let replaced = skipped.iter().all(is_pong) && frames.iter().rfind(is_pong) == scenario.sent.iter().rfind(is_pong);
    Ok(if replaced { Scenario { sent: frames, ..scenario.clone() } } else { scenario.clone() })
}

#[test]
fn a_transport_that_fails_ends_the_tokio_connection_and_nothing_false_is_received_or_sent() {
    for (how, by) in each_way([Fault::Error(ErrorKind::ConnectionAborted), Fault::Reset]) {
        each_merged(|scenario, role| {
            at_every_operation(scenario, role, how, run_by(by), |outcome| is_beginning(scenario, role, outcome))
        });
    }
}

/// This driver sends a fragment that does not fit into its queue as several.
fn each_merged(run: impl Fn(&Scenario, Role) -> Result<(), String>) {
    let is_large =
        |call: &Call| matches!(call, Call::SendStream(_, parts) if parts.iter().any(|part| part.len() > 60_000));
    each(|scenario, role| match scenario.calls.iter().any(is_large) {
        true => run(&Scenario { merges: true, ..scenario.clone() }, role),
        false => run(scenario, role),
    });
}

fn run_by(by: By) -> impl Fn(&Scenario, Role, &Transport) -> Result<Outcome, String> {
    move |scenario, role, transport| run(by, scenario, role, transport)
}

fn run(by: By, scenario: &Scenario, role: Role, transport: &Transport) -> Result<Outcome, String> {
    if scenario.extension {
        play(&mut over_script(by, transport, role, Unroll::default(), Roll::default()), scenario)
    } else {
        play(&mut over_script(by, transport, role, Plain, Plain), scenario)
    }
}

fn over_script<D: Decode, E: Encode>(by: By, transport: &Transport, role: Role, decode: D, encode: E) -> Driver<D, E> {
    let (read, write) = (Ready(transport.reader()), Closing(transport.writer()));
    let conn = RUNTIME.with(|runtime| {
        let _time = runtime.enter();
        Conn::with_extension(read, write, role, decode, encode)
    });
    let sender = (by == By::Sender).then(|| conn.sender());
    Driver { sender, conn, parts: Parts::default(), transport: transport.clone() }
}

struct Driver<D: Decode, E: Encode> {
    /// Lives as long as the connection.
    sender: Option<Sender<Closing, E>>,
    conn: Conn<Ready, Closing, D, E>,
    parts: Parts,
    transport: Transport,
}

impl<D: Decode, E: Encode> App for Driver<D, E> {
    fn accept(&mut self, accept: Accept) {
        self.conn.set_accept(accept);
    }

    fn call(&mut self, call: &Call) -> Result<Option<Event>, Failure> {
        RUNTIME.with(|runtime| runtime.block_on(self.call(call)))
    }

    fn status(&self) -> Option<u16> {
        self.conn.closed().map(|closed| closed.0.get())
    }

    fn sent(&mut self) -> Vec<u8> {
        self.transport.written()
    }
}

impl<D: Decode, E: Encode> Driver<D, E> {
    async fn call(&mut self, call: &Call) -> Result<Option<Event>, Failure> {
        match call {
            Call::Receive(len) => {
                let mut into = vec![0xEE; *len];
                let received = self.conn.receive(&mut into, TIMEOUTS).await?;
                assert!(received.fin);
                into.truncate(received.len);
                return Ok(Some(Event::Message(received.opcode, into)));
            }
            Call::Message(limit) => {
                self.conn.set_message_limit(*limit);
                let message = self.conn.message(TIMEOUTS).await?;
                assert_eq!(message.text().is_some(), message.opcode() == Opcode::TEXT);
                return Ok(Some(Event::Message(message.opcode(), message.to_vec())));
            }
            Call::Stream(chunk) => {
                let mut reader = self.conn.receive_stream(TIMEOUTS).await?;
                let opcode = reader.opcode();
                let (mut payload, mut into) = (Vec::new(), vec![0xEE; *chunk]);
                loop {
                    let len = reader.read_chunk(&mut into).await?;
                    payload.extend_from_slice(&into[..len]);
                    check_stream(opcode, &payload);
                    if len == 0 {
                        return Ok(Some(Event::Message(opcode, payload)));
                    }
                }
            }
            Call::Prefix(chunk, take) => {
                let mut reader = self.conn.receive_stream(TIMEOUTS).await?;
                let mut payload = Vec::new();
                while payload.len() < *take {
                    let mut into = vec![0xEE; *chunk.min(&(take - payload.len()))];
                    match reader.read_chunk(&mut into).await? {
                        0 => break,
                        len => payload.extend_from_slice(&into[..len]),
                    }
                }
                return Ok(Some(Event::Prefix(reader.opcode(), payload)));
            }
            Call::Frames(chunk) => loop {
                let mut into = vec![0xEE; *chunk];
                let mut frames = self.conn.frames(TIMEOUTS);
                let len = frames.read_frame(&mut into).await?;
                let mode = frames.read_mode();
                if let Some(event) = self.parts.add(mode.opcode, mode.fin, &into[..len]) {
                    return Ok(Some(event));
                }
            },
            Call::Send(opcode, payload) => match &self.sender {
                Some(sender) => sender.send(*opcode, payload, LONG).await?,
                None => self.conn.sender_mut().send(*opcode, payload, LONG).await?,
            },
            Call::Feed(opcode, payload) => match &self.sender {
                Some(sender) => sender.feed(*opcode, payload, LONG).await?,
                None => self.conn.sender_mut().feed(*opcode, payload, LONG).await?,
            },
            Call::Flush => match &self.sender {
                Some(sender) => sender.flush(LONG).await?,
                None => self.conn.sender_mut().flush(LONG).await?,
            },
            Call::SendStream(opcode, fragments) => {
                let mut writer = self.conn.sender().send_stream(*opcode, LONG).await?;
                for fragment in fragments {
                    writer.write_chunk(fragment).await?;
                }
                writer.finish().await?;
            }
            Call::GiveUp(opcode, payload) => {
                self.conn.sender().send_stream(*opcode, LONG).await?.write_chunk(payload).await?
            }
            Call::SendFrame(opcode, fin, payload) => {
                let mut frames = self.conn.frames(TIMEOUTS);
                frames.set_write_mode(*opcode, *fin);
                frames.write_frame(payload).await?;
            }
            Call::Close(code, reason) => {
                self.conn.sender().send_close(CloseCode::new(*code), reason, LONG).await?;
            }
            Call::Finish(code, reason) => {
                let closed = self.conn.finish(CloseCode::new(*code), reason, LONG).await?;
                return Err(Failure::Fault(closed.into()));
            }
        }
        Ok(None)
    }
}

/// The receiving half of a scripted transport. What it is not ready for it is ready for at the next poll.
struct Ready(Reader);

/// The sending half, which closes its direction when it is dropped, as a socket's does.
struct Closing(Writer);

impl Drop for Closing {
    fn drop(&mut self) {
        let _ = self.0.shutdown(Shutdown::Write);
    }
}

fn poll<T>(cx: &Context<'_>, result: io::Result<T>) -> Poll<io::Result<T>> {
    match result {
        Err(error) if matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock) => {
            cx.waker().wake_by_ref();
            Poll::Pending
        }
        result => Poll::Ready(result),
    }
}

impl AsyncRead for Ready {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let result = self.0.read_for(buf.initialize_unfilled(), NOT);
        poll(cx, result.map(|len| buf.advance(len)))
    }
}

impl AsyncWrite for Closing {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        poll(cx, self.0.write_gathered_for(&[buf], NOT))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let bufs: Vec<&[u8]> = bufs.iter().map(|buf| &**buf).collect();
        poll(cx, self.0.write_gathered_for(&bufs, NOT))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        poll(cx, self.0.flush_for(NOT))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        poll(cx, self.0.shutdown(Shutdown::Write))
    }
}

std::thread_local! {
    static RUNTIME: Runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
}

/// For how long the transport may block.
const NOT: Option<Duration> = Some(Duration::ZERO);
const LONG: Duration = Duration::from_secs(1000);
const TIMEOUTS: Timeouts = Timeouts::new(LONG, LONG);
