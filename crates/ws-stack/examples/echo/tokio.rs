//! The echo over tokio: a task for each connection.

use crate::{HTML, LINGER, PAGE, SHUTDOWN, TIMEOUTS, announce, wants_page};
use core::convert::Infallible;
use core::net::SocketAddr;
use core::time::Duration;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio::{select, signal, spawn};
use ws_stack::{CloseCode, Conn, Error, Exchange, HandshakeError, Policy, Transport};

#[tokio::main]
pub(crate) async fn serve(listen: &str, policy: Policy) -> io::Result<()> {
    let listener = TcpListener::bind(listen).await?;
    // Each connection has a receiver: it learns from it when to close, and by dropping it tells that it has.
    let (shutdown, _) = watch::channel(());
    announce(listener.local_addr()?);
    select! {
        never = accept(&listener, Arc::new(policy), &shutdown) => match never {},
        stop = signal::ctrl_c() => stop?,
    }
    println!("closing {} connections", shutdown.receiver_count());
    shutdown.send_replace(());
    let _ = timeout(LINGER, shutdown.closed()).await;
    Ok(())
}

async fn accept(listener: &TcpListener, policy: Arc<Policy>, shutdown: &watch::Sender<()>) -> Infallible {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                let (policy, shutdown) = (Arc::clone(&policy), shutdown.subscribe());
                spawn(async move {
                    if let Err(error) = connection(stream, peer, &policy, shutdown).await {
                        eprintln!("{peer}: no connection: {error}");
                    }
                });
            }
            Err(error) => {
                eprintln!("cannot take a connection: {error}");
                // There may be too many.
                sleep(Duration::from_millis(20)).await;
            }
        }
    }
}

/// Answers a request with the page, or makes it a connection and echoes until it is closed.
async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    policy: &Policy,
    mut shutdown: watch::Receiver<()>,
) -> Result<(), HandshakeError> {
    let exchange = match Exchange::read(stream, policy).await {
        // Browsers open connections in advance, and close those that they have no use for.
        Err(HandshakeError::Io(error)) if error.kind() == ErrorKind::UnexpectedEof => return Ok(()),
        result => result?,
    };
    if wants_page(exchange.request()) {
        return exchange.respond(200, HTML, PAGE).await;
    }

    let mut conn = exchange.upgrade(policy).await?.conn;
    println!("{peer}: open");
    select! {
        // Where the loop ends for want of a way to send, the peer's Close is still to come.
        Err(why) = echo(&mut conn) => {
            let _ = conn.finish(CloseCode::UNEXPECTED, "", LINGER).await;
            match why.closed() {
                Some(status) => println!("{peer}: closed with {status} {:?}", conn.close_reason()),
                None => println!("{peer}: closed: {why}"),
            }
        }
        _ = shutdown.changed() => {
            let _ = conn.finish(CloseCode::GOING_AWAY, SHUTDOWN, LINGER).await;
            println!("{peer}: closed with {}", CloseCode::GOING_AWAY);
        }
    }
    Ok(())
}

/// The echo itself. Messages that arrive together are answered with one write: what is fed goes out before the
/// connection waits.
async fn echo(conn: &mut Tcp) -> Result<Infallible, Error> {
    loop {
        let (message, mut sender) = conn.message_and_sender(TIMEOUTS).await?;
        sender.feed(message.opcode(), &message, TIMEOUTS.wire).await?;
    }
}

type Tcp = Conn<<TcpStream as Transport>::Read, <TcpStream as Transport>::Write>;
