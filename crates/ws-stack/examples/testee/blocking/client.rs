//! The client over blocking sockets.

mod echo;

use crate::Patience;
use std::net::TcpStream;
use ws_stack::blocking::{Conn, Connect, HandshakeError, Socket};
use ws_stack::{CloseCode, Timeouts};

/// Echoes until the connection is closed, and returns the status.
pub(crate) fn echo(url: &str, patience: &Patience) -> Result<CloseCode, Box<dyn core::error::Error>> {
    let mut conn = open(url, patience)?;
    let Err(error) = echo::with_message(&mut conn, patience.timeouts(), || ());
    // A violation of the peer's is reported as such, and has its status too.
    conn.closed().map(|closed| closed.0).ok_or_else(|| error.into())
}

/// Runs all cases of a fuzzing server, one connection each.
pub(crate) fn autobahn(url: &str, agent: &str, patience: &Patience) -> Result<(), Box<dyn core::error::Error>> {
    let (url, timeouts) = (url.trim_end_matches('/'), patience.timeouts());
    let mut conn = open(&format!("{url}/getCaseCount"), patience)?;
    let count: u32 = conn.message(timeouts)?.text().ok_or("the number of cases is no text")?.trim().parse()?;
    wait_for_close(&mut conn, timeouts);

    for case in 1..=count {
        let mut conn = open(&format!("{url}/runCase?case={case}&agent={agent}"), patience)?;
        // The server breaks the protocol in many of them: how it ends is for the server to judge.
        let _ = echo::with_message(&mut conn, timeouts, || ());
    }

    let mut conn = open(&format!("{url}/updateReports?agent={agent}"), patience)?;
    wait_for_close(&mut conn, timeouts);
    println!("{count} cases run");
    Ok(())
}

fn open(url: &str, patience: &Patience) -> Result<Conn<Socket<TcpStream>, Socket<TcpStream>>, HandshakeError> {
    let connect = Connect::to(url)?.connect_timeout(patience.connect_timeout);
    let mut conn = connect.handshake_timeout(patience.handshake).open()?.conn;
    conn.set_message_limit(MESSAGE_LIMIT);
    Ok(conn)
}

/// Passes over messages until there is an end.
fn wait_for_close(conn: &mut Conn<Socket<TcpStream>, Socket<TcpStream>>, timeouts: Timeouts) {
    while conn.message(timeouts).is_ok() {}
}

/// Four times the largest message that judges send.
const MESSAGE_LIMIT: usize = 64 * 1024 * 1024;
