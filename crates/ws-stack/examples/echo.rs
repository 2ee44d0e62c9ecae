//! An echo server to try in a browser.
//!
//! ```text
//! cargo run --release --example echo
//! ```
//!
//! One port serves both: a plain request for `/` gets a page, an upgrade request becomes a WebSocket. Ctrl-C closes
//! every connection with 1001.

use core::convert::Infallible;
use core::net::SocketAddr;
use core::time::Duration;
use std::collections::HashMap;
use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream};
use std::process::exit;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::Builder;
use ws_stack::blocking::{Conn, Exchange, HandshakeError, Policy, Sender, Socket};
use ws_stack::http::Limits;
use ws_stack::{CloseCode, Error, Timeouts};

const ADDRESS: &str = "127.0.0.1:9001";
const PAGE: &str = include_str!("echo/page.html");

/// How long an opening handshake may take, sending a Close, and waiting for the peer's.
const HANDSHAKE: Duration = Duration::from_secs(10);
const CLOSE: Duration = Duration::from_millis(100);
const LINGER: Duration = Duration::from_secs(2);

/// How long a message may take, and how long the next one may take to begin.
const TIMEOUTS: Timeouts = Timeouts::new(Duration::from_secs(10), Duration::from_secs(3600));

fn main() {
    let listener = TcpListener::bind(ADDRESS).unwrap_or_else(|error| {
        eprintln!("cannot listen on {ADDRESS}: {error}");
        exit(1);
    });
    let open = Arc::new(Open::default());
    let closing = Arc::clone(&open);
    if let Err(error) = ctrlc::set_handler(move || closing.close_all_and_exit()) {
        eprintln!("Ctrl-C will not close connections in order: {error}");
    }
    println!("listening on ws://{ADDRESS}/, with a page to try it at http://{ADDRESS}/ (Ctrl-C ends)");

    for stream in listener.incoming() {
        let open = Arc::clone(&open);
        let spawned = stream.and_then(|stream| {
            let peer = stream.peer_addr()?;
            Builder::new().spawn(move || {
                if let Err(error) = serve(stream, peer, &open) {
                    eprintln!("{peer}: no connection: {error}");
                }
            })
        });
        if let Err(error) = spawned {
            eprintln!("cannot take a connection: {error}");
        }
    }
}

/// Answers a request with the page, or makes it a connection and echoes until it is closed.
fn serve(stream: TcpStream, peer: SocketAddr, open: &Open) -> Result<(), HandshakeError> {
    let exchange = match Exchange::read(stream, Limits::default(), HANDSHAKE) {
        // Browsers open connections in advance, and close those that they have no use for.
        Err(HandshakeError::Io(error)) if error.kind() == ErrorKind::UnexpectedEof => return Ok(()),
        result => result?,
    };
    let request = exchange.request();
    if request.path() == "/" && request.header("Upgrade").is_none() && matches!(request.method(), "GET" | "HEAD") {
        return exchange.respond(200, &[("Content-Type", "text/html; charset=utf-8")], PAGE.as_bytes());
    }

    // The default policy lets in this server's own page, and programs that are not browsers.
    let mut conn = exchange.upgrade(&Policy::default())?.conn;
    println!("{peer}: open");
    open.add(peer, conn.sender());
    let Err(why) = echo(&mut conn);
    match why.closed() {
        Some(status) => println!("{peer}: closed with {status} {:?}", conn.close_reason()),
        None => println!("{peer}: closed: {why}"),
    }
    // Where the loop ended for want of a way to send, the peer's Close is still to come.
    let _ = conn.finish(CloseCode::UNEXPECTED, "", LINGER);
    open.remove(peer);
    Ok(())
}

/// The echo itself. Messages that arrive together are answered with one write: what is fed goes out before the
/// connection waits.
fn echo(conn: &mut Conn<Socket<TcpStream>, Socket<TcpStream>>) -> Result<Infallible, Error> {
    let sender = conn.sender();
    loop {
        let message = conn.message(TIMEOUTS)?;
        sender.feed(message.opcode(), &message, TIMEOUTS.wire)?;
    }
}

/// The open connections.
#[derive(Default)]
struct Open {
    senders: Mutex<HashMap<SocketAddr, Sender<Socket<TcpStream>>>>,
    removed: Condvar,
}

impl Open {
    fn add(&self, peer: SocketAddr, sender: Sender<Socket<TcpStream>>) {
        self.senders().insert(peer, sender);
    }

    fn remove(&self, peer: SocketAddr) {
        self.senders().remove(&peer);
        self.removed.notify_all();
    }

    /// Tells every peer, and waits a little for their answers. The threads that receive get them.
    fn close_all_and_exit(&self) {
        let senders = self.senders();
        println!("closing {} connections", senders.len());
        for sender in senders.values() {
            let _ = sender.send_close(CloseCode::GOING_AWAY, "server is shutting down", CLOSE);
        }
        let _ = self.removed.wait_timeout_while(senders, LINGER, |senders| !senders.is_empty());
        exit(0);
    }

    fn senders(&self) -> MutexGuard<'_, HashMap<SocketAddr, Sender<Socket<TcpStream>>>> {
        self.senders.lock().expect("no thread panics while it holds the lock")
    }
}
