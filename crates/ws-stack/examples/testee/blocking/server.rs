//! The server over blocking sockets: threads that accept, and a thread for each connection.
#![expect(clippy::disallowed_methods, reason = "a server that is out of descriptors waits for some to be given back")]

mod echo;

use crate::buffers::Buffers;
use crate::{Echo, Options};
use core::time::Duration;
use std::io::{self, ErrorKind, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::{self, Builder};
use ws_stack::Timeouts;
use ws_stack::blocking::{Exchange, HandshakeError, Policy};
use ws_stack::http::{Invalid, OriginPolicy};

/// Serves until the process is killed.
pub(crate) fn serve(options: Options) -> Result<(), Box<dyn core::error::Error>> {
    let server = Server::new(options)?;
    let listener = TcpListener::bind(&server.options.listen)
        .map_err(|error| format!("cannot listen on {}: {error}", server.options.listen))?;
    println!("listening on {}", listener.local_addr()?);
    io::stdout().flush()?;

    let server = Arc::new(server);
    thread::scope(|scope| {
        for _ in 0..server.options.workers.get() {
            scope.spawn(|| accept(&listener, &server));
        }
    });
    Ok(())
}

fn accept(listener: &TcpListener, server: &Arc<Server>) {
    loop {
        let stream = match listener.accept() {
            Ok((stream, _)) => stream,
            // The client has hung up before its turn came.
            Err(error) if matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::Interrupted) => continue,
            Err(error) => {
                eprintln!("cannot accept: {error}");
                thread::sleep(RETRY);
                continue;
            }
        };
        let server = Arc::clone(server);
        let spawned = Builder::new().stack_size(STACK).spawn(move || {
            // That a peer breaks the protocol is what judges do. What it is told then is theirs to see.
            let _ = server.serve(stream);
        });
        if let Err(error) = spawned {
            eprintln!("cannot serve: {error}");
            thread::sleep(RETRY);
        }
    }
}

struct Server {
    options: Options,
    policy: Policy,
    /// The policies of paths that have one of their own.
    guarded: Vec<(String, Policy)>,
    buffers: Buffers,
}

impl Server {
    fn new(options: Options) -> Result<Self, Invalid> {
        let policy = |origin: OriginPolicy| {
            let policy =
                Policy::default().origin(origin).protocols(&options.subprotocol)?.header("Server", "ws-stack")?;
            let policy = policy.timeout(options.handshake);
            if options.host.is_empty() { Ok(policy) } else { policy.hosts(&options.host) }
        };
        let guarded = options.guards().into_iter().map(|(path, origin)| Ok((path, policy(origin)?)));
        let guarded = guarded.collect::<Result<_, Invalid>>()?;
        let buffers = Buffers::new(options.max_message);
        Ok(Self { policy: policy(options.origin_policy())?, guarded, buffers, options })
    }

    fn serve(&self, stream: TcpStream) -> Result<(), HandshakeError> {
        if self.options.nonblocking {
            stream.set_nonblocking(true)?;
        }
        let exchange = Exchange::read(stream, &self.policy)?;
        let path = exchange.request().path();
        let guarded = self.guarded.iter().find(|(guarded, _)| guarded == path);
        let policy = guarded.map_or(&self.policy, |(_, policy)| policy);
        let mut conn = exchange.upgrade(policy)?.conn;
        conn.set_message_limit(self.options.max_message);
        let timeouts = Timeouts::new(self.options.wire, self.options.idle);
        let work = || self.options.work();
        // Each of them goes on until the connection is closed; the status is of no interest here.
        let _ = match self.options.echo {
            Echo::Message => echo::with_message(&mut conn, timeouts, work),
            Echo::Receive => {
                let mut buffer = self.buffers.take();
                let ended = echo::with_receive(&mut conn, timeouts, &mut buffer, work);
                self.buffers.give(buffer);
                ended
            }
        };
        Ok(())
    }
}

/// A thread's stack. What a connection holds lies on the heap.
const STACK: usize = 256 * 1024;

/// How long to wait after something could not be had from the system.
const RETRY: Duration = Duration::from_millis(20);
