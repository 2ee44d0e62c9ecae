//! The echo over blocking sockets: a thread for each connection.
#![expect(clippy::disallowed_methods, reason = "a server that is out of descriptors waits for some to be given back")]

use crate::{HTML, LINGER, PAGE, SHUTDOWN, TIMEOUTS, announce, wants_page};
use core::convert::Infallible;
use core::net::SocketAddr;
use core::time::Duration;
use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::net::{TcpListener, TcpStream};
use std::process::exit;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{Builder, sleep};
use ws_stack::blocking::{Conn, Exchange, HandshakeError, Policy, Sender, Socket};
use ws_stack::{CloseCode, Error};

/// How long sending a Close may take.
const CLOSE: Duration = Duration::from_millis(100);

pub(crate) fn serve(listen: &str, policy: Policy) -> io::Result<()> {
    let listener = TcpListener::bind(listen)?;
    let (open, policy) = (Arc::new(Open::default()), Arc::new(policy));
    let closing = Arc::clone(&open);
    if let Err(error) = ctrlc::set_handler(move || closing.close_all_and_exit()) {
        eprintln!("Ctrl-C will not close connections in order: {error}");
    }
    announce(listener.local_addr()?);

    for stream in listener.incoming() {
        let (open, policy) = (Arc::clone(&open), Arc::clone(&policy));
        let spawned = stream.and_then(|stream| {
            let peer = stream.peer_addr()?;
            Builder::new().spawn(move || {
                if let Err(error) = connection(stream, peer, &policy, &open) {
                    eprintln!("{peer}: no connection: {error}");
                }
            })
        });
        if let Err(error) = spawned {
            eprintln!("cannot take a connection: {error}");
            // There may be too many.
            sleep(Duration::from_millis(20));
        }
    }
    Ok(())
}

/// Answers a request with the page, or makes it a connection and echoes until it is closed.
fn connection(stream: TcpStream, peer: SocketAddr, policy: &Policy, open: &Open) -> Result<(), HandshakeError> {
    let exchange = match Exchange::read(stream, policy) {
        // Browsers open connections in advance, and close those that they have no use for.
        Err(HandshakeError::Io(error)) if error.kind() == ErrorKind::UnexpectedEof => return Ok(()),
        result => result?,
    };
    if wants_page(exchange.request()) {
        return exchange.respond(200, HTML, PAGE);
    }

    let mut conn = exchange.upgrade(policy)?.conn;
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
    loop {
        let (message, mut sender) = conn.message_and_sender(TIMEOUTS)?;
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
            let _ = sender.send_close(CloseCode::GOING_AWAY, SHUTDOWN, CLOSE);
        }
        let _ = self.removed.wait_timeout_while(senders, LINGER, |senders| !senders.is_empty());
        exit(0);
    }

    fn senders(&self) -> MutexGuard<'_, HashMap<SocketAddr, Sender<Socket<TcpStream>>>> {
        self.senders.lock().expect("no thread panics while it holds the lock")
    }
}
