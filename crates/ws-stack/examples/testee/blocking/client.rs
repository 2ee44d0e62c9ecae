//! The client over blocking sockets.

mod echo;

use core::time::Duration;
use std::net::TcpStream;
use ws_stack::blocking::{Conn, Connect, HandshakeError, Socket};
use ws_stack::{CloseCode, Timeouts};

/// Echoes until the connection is closed; answers the status.
pub(crate) fn echo(url: &str, connect_timeout: Duration) -> Result<CloseCode, Box<dyn core::error::Error>> {
    let mut conn = open(url, connect_timeout)?;
    let Err(error) = echo::with_message(&mut conn, TIMEOUTS);
    // A violation of the peer's is reported as such, and has its status too.
    conn.closed().map(|closed| closed.0).ok_or_else(|| error.into())
}

/// Runs all cases of a fuzzing server, one connection each.
pub(crate) fn autobahn(url: &str, agent: &str, connect_timeout: Duration) -> Result<(), Box<dyn core::error::Error>> {
    let url = url.trim_end_matches('/');
    let mut conn = open(&format!("{url}/getCaseCount"), connect_timeout)?;
    let count: u32 = conn.message(TIMEOUTS)?.text().ok_or("the number of cases is no text")?.trim().parse()?;
    wait_for_close(&mut conn);

    for case in 1..=count {
        let mut conn = open(&format!("{url}/runCase?case={case}&agent={agent}"), connect_timeout)?;
        // The server breaks the protocol in many of them: how it ends is for the server to judge.
        let _ = echo::with_message(&mut conn, TIMEOUTS);
    }

    let mut conn = open(&format!("{url}/updateReports?agent={agent}"), connect_timeout)?;
    wait_for_close(&mut conn);
    println!("{count} cases run");
    Ok(())
}

fn open(url: &str, timeout: Duration) -> Result<Conn<Socket<TcpStream>, Socket<TcpStream>>, HandshakeError> {
    let mut conn = Connect::to(url)?.connect_timeout(timeout).open()?.conn;
    conn.set_message_limit(MESSAGE_LIMIT);
    Ok(conn)
}

/// Passes over messages until there is an end.
fn wait_for_close(conn: &mut Conn<Socket<TcpStream>, Socket<TcpStream>>) {
    while conn.message(TIMEOUTS).is_ok() {}
}

const TIMEOUTS: Timeouts = Timeouts::new(Duration::from_secs(30), Duration::from_secs(60));

/// Four times the largest message that judges send.
const MESSAGE_LIMIT: usize = 64 * 1024 * 1024;
