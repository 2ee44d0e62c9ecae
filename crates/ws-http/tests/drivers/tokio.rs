//! The tokio driver over a scripted transport and paused time.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::io::{self, ErrorKind};
use std::net::Shutdown;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::runtime::{Builder, Runtime};
use tokio::time::{Instant, Sleep, sleep};
use ws_http::tokio::{Connect, Exchange, accept};
use ws_http::{Error, Policy};
use ws_testkit::transport::{self, Script, Transport};

use crate::run::{Accepted, Answer, Ask, Driver, Run, TIMEOUTS, connect};

pub(crate) enum Tokio {}

impl Driver for Tokio {
    fn accept(script: Script, policy: &Policy) -> Run<Accepted> {
        run(script, async |stream| {
            let accepted = accept(stream, policy).await?;
            let (path, query) = (accepted.request.path().into(), accepted.request.query().map(Into::into));
            Ok(Accepted { path, query, protocol: accepted.protocol })
        })
    }

    fn accept_and_receive(script: Script, policy: &Policy) -> Run<String> {
        run(script, async |stream| {
            let mut accepted = accept(stream, policy).await?;
            Ok(accepted.conn.message(TIMEOUTS).await.unwrap().text().unwrap().into())
        })
    }

    fn respond(script: Script, policy: &Policy, status: u16, headers: &[(&str, &str)], body: &[u8]) -> Run<()> {
        run(script, async |stream| Exchange::read(stream, policy).await?.respond(status, headers, body).await)
    }

    fn upgrade_with(script: Script, policy: &Policy, answer: Answer) -> Run<Option<String>> {
        run(script, async |stream| {
            let exchange = Exchange::read(stream, policy).await?;
            Ok(exchange.upgrade_with(policy, answer).await?.accepted().protocol)
        })
    }

    fn open_over(script: Script, uri: &str, asks: &[Ask]) -> Run<()> {
        run(script, async |stream| connect!(Connect, uri, asks).open_over(stream).await.map(drop))
    }

    fn open(uri: &str, asks: &[Ask]) -> Result<(), Error> {
        let connect = connect!(Connect, uri, asks);
        runtime().block_on(connect.open()).map(drop)
    }
}

type Stream = (Half<transport::Reader>, Half<transport::Writer>);

fn run<T>(script: Script, handshake: impl AsyncFnOnce(Stream) -> Result<T, Error>) -> Run<T> {
    runtime().block_on(async {
        let transport = script.start();
        let start = Instant::now();
        let (read, write) = transport.split();
        let result = handshake((Half::new(read, &transport), Half::new(write, &transport))).await;
        Run { result, transport, took: start.elapsed() }
    })
}

/// Whose time passes when every task waits for it.
fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().start_paused(true).build().unwrap()
}

/// One half of a scripted transport. Its script's time follows tokio's: where the script would wait, the half is asked
/// again a millisecond later.
struct Half<T> {
    half: T,
    transport: Transport,
    epoch: Instant,
    tick: Pin<Box<Sleep>>,
}

impl<T> Half<T> {
    fn new(half: T, transport: &Transport) -> Self {
        Self { half, transport: transport.clone(), epoch: Instant::now(), tick: Box::pin(sleep(TICK)) }
    }

    fn poll<U>(
        &mut self,
        cx: &mut Context<'_>,
        mut operation: impl FnMut(&mut T, Option<Duration>) -> io::Result<U>,
    ) -> Poll<io::Result<U>> {
        loop {
            let patience = self.behind();
            let result = operation(&mut self.half, Some(patience));
            self.transport.clock().advance(self.behind());
            match result {
                Err(error) if error.kind() == ErrorKind::TimedOut => {
                    self.tick.as_mut().reset(Instant::now() + TICK);
                    if self.tick.as_mut().poll(cx).is_pending() {
                        return Poll::Pending;
                    }
                }
                result => return Poll::Ready(result),
            }
        }
    }

    /// How much time the script has not seen pass yet.
    fn behind(&self) -> Duration {
        self.epoch.elapsed().saturating_sub(self.transport.clock().now())
    }
}

impl AsyncRead for Half<transport::Reader> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let room = buf.initialize_unfilled();
        let read = self.get_mut().poll(cx, |half, patience| half.read_for(room, patience));
        read.map_ok(|len| buf.advance(len))
    }
}

impl AsyncWrite for Half<transport::Writer> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.get_mut().poll(cx, |half, patience| half.write_for(bytes, patience))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().poll(cx, |half, patience| half.flush_for(patience))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().poll(cx, |half, _| half.shutdown(Shutdown::Write))
    }
}

const TICK: Duration = Duration::from_millis(1);
