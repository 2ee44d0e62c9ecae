//! The server over tokio: one task that accepts, and a task for each connection.

mod echo;

use crate::buffers::Buffers;
use crate::{Echo, Options};
use core::pin::Pin;
use core::time::Duration;
use std::io::{self, ErrorKind, Write};
use std::sync::OnceLock;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::time::sleep;
use ws_stack::http::{Invalid, OriginPolicy};
use ws_stack::{Conn, Exchange, HandshakeError, Policy, Timeouts, Transport};

/// Serves until the process is killed.
pub(crate) fn serve(options: Options) -> Result<(), Box<dyn core::error::Error>> {
    let runtime = match options.workers.get() {
        1 => Builder::new_current_thread().enable_all().build(),
        workers => Builder::new_multi_thread().worker_threads(workers).enable_all().build(),
    };
    let server = Server::new(options)?;
    runtime?.block_on(accept(SERVER.get_or_init(|| server)))
}

async fn accept(server: &'static Server) -> Result<(), Box<dyn core::error::Error>> {
    let listener = TcpListener::bind(&server.options.listen)
        .await
        .map_err(|error| format!("cannot listen on {}: {error}", server.options.listen))?;
    println!("listening on {}", listener.local_addr()?);
    io::stdout().flush()?;
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(tokio::spawn(connection(Box::pin(server.handshake(stream))))),
            // The client has hung up before its turn came.
            Err(error) if matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::Interrupted) => {}
            Err(error) => {
                eprintln!("cannot accept: {error}");
                sleep(RETRY).await;
            }
        }
    }
}

/// The task of a connection. What it needs for the handshake lies on the heap until that is done, and in the task there is
/// room for the connection and its loop: docs/memory.md counts it.
async fn connection<F>(handshake: Pin<Box<F>>)
where
    F: Future<Output = Result<Tcp, HandshakeError>>,
{
    let Ok(mut conn) = handshake.await else { return };
    let work = || server().options.work();
    // Each of them goes on until the connection is closed. That a peer breaks the protocol is what judges do; what it is
    // told then is theirs to see.
    match server().options.echo {
        Echo::Message => drop(echo::with_message(&mut conn, &server().timeouts, work).await),
        Echo::Receive => {
            let mut buffer = server().buffers.take();
            let _ = Box::pin(echo::with_receive(&mut conn, &server().timeouts, &mut buffer, work)).await;
            server().buffers.give(buffer);
        }
    }
}

/// What all connections share. In a static it takes no place in their tasks.
static SERVER: OnceLock<Server> = OnceLock::new();

fn server() -> &'static Server {
    SERVER.get().expect("it is there before the first connection")
}

struct Server {
    options: Options,
    policy: Policy,
    /// The policies of paths that have one of their own.
    guarded: Vec<(String, Policy)>,
    buffers: Buffers,
    timeouts: Timeouts,
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
        let timeouts = Timeouts::new(options.wire, options.idle);
        Ok(Self { policy: policy(options.origin_policy())?, guarded, buffers, timeouts, options })
    }

    async fn handshake(&self, stream: TcpStream) -> Result<Tcp, HandshakeError> {
        let exchange = Exchange::read(stream, &self.policy).await?;
        let path = exchange.request().path();
        let guarded = self.guarded.iter().find(|(guarded, _)| guarded == path);
        let policy = guarded.map_or(&self.policy, |(_, policy)| policy);
        let mut conn = exchange.upgrade(policy).await?.conn;
        conn.set_message_limit(self.options.max_message);
        Ok(conn)
    }
}

type Tcp = Conn<<TcpStream as Transport>::Read, <TcpStream as Transport>::Write>;

/// How long to wait after something could not be had from the system.
const RETRY: Duration = Duration::from_millis(20);
