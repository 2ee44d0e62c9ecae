//! The blocking driver over a scripted transport and its virtual time.
#![expect(clippy::disallowed_methods, reason = "virtual time counts from some instant")]

use core::time::Duration;
use std::io::{self, IoSlice};
use std::net::Shutdown;
use std::time::Instant;

use ws_conn::blocking::{Input, Output, Transport};
use ws_http::blocking::{Connect, Exchange, accept};
use ws_http::{Error, Policy};
use ws_testkit::transport::{self, Script};

use crate::run::{Accepted, Answer, Ask, Driver, Run, TIMEOUTS, connect};

pub(crate) enum Blocking {}

impl Driver for Blocking {
    fn accept(script: Script, policy: &Policy) -> Run<Accepted> {
        run(script, |stream| {
            let accepted = accept(stream, policy)?;
            let (path, query) = (accepted.request.path().into(), accepted.request.query().map(Into::into));
            Ok(Accepted { path, query, protocol: accepted.protocol })
        })
    }

    fn accept_and_receive(script: Script, policy: &Policy) -> Run<String> {
        run(script, |stream| {
            let mut accepted = accept(stream, policy)?;
            Ok(accepted.conn.message(TIMEOUTS).unwrap().text().unwrap().into())
        })
    }

    fn respond(script: Script, policy: &Policy, status: u16, headers: &[(&str, &str)], body: &[u8]) -> Run<()> {
        run(script, |stream| Exchange::read(stream, policy)?.respond(status, headers, body))
    }

    fn upgrade_with(script: Script, policy: &Policy, answer: Answer) -> Run<Option<String>> {
        run(script, |stream| {
            let exchange = Exchange::read(stream, policy)?;
            Ok(exchange.upgrade_with(policy, answer)?.accepted().protocol)
        })
    }

    fn open_over(script: Script, uri: &str, asks: &[Ask]) -> Run<()> {
        run(script, |stream| connect!(Connect, uri, asks).open_over(stream).map(drop))
    }

    fn open(uri: &str, asks: &[Ask]) -> Result<(), Error> {
        connect!(Connect, uri, asks).open().map(drop)
    }
}

fn run<T>(script: Script, handshake: impl FnOnce(Scripted) -> Result<T, Error>) -> Run<T> {
    let transport = script.start();
    let result = handshake(Scripted(transport.clone()));
    let took = transport.clock().now();
    Run { result, transport, took }
}

/// The test kit's transport as the driver takes one, with its virtual time.
struct Scripted(transport::Transport);
/// One half of it.
struct Half<T> {
    half: T,
    transport: transport::Transport,
    epoch: Instant,
}

impl Transport for Scripted {
    type Read = Half<transport::Reader>;
    type Write = Half<transport::Writer>;

    fn split(self) -> (Self::Read, Self::Write) {
        let (read, write) = self.0.split();
        let epoch = Instant::now();
        (Half { half: read, transport: self.0.clone(), epoch }, Half { half: write, transport: self.0, epoch })
    }
}

impl Input for Half<transport::Reader> {
    fn read(&mut self, into: &mut [u8], patience: Duration) -> io::Result<usize> {
        assert!(!patience.is_zero());
        self.half.read_for(into, Some(patience))
    }

    fn now(&self) -> Instant {
        self.transport.clock().since(self.epoch)
    }
}

impl Output for Half<transport::Writer> {
    fn write(&mut self, bufs: &[IoSlice<'_>], patience: Duration) -> io::Result<usize> {
        assert!(!patience.is_zero());
        let bufs: Vec<&[u8]> = bufs.iter().map(|buf| &**buf).collect();
        self.half.write_gathered_for(&bufs, Some(patience))
    }

    fn flush(&mut self, patience: Duration) -> io::Result<()> {
        self.half.flush_for(Some(patience))
    }

    fn half_close(&mut self) -> io::Result<()> {
        self.half.shutdown(Shutdown::Write)
    }

    fn now(&self) -> Instant {
        self.transport.clock().since(self.epoch)
    }
}
