//! The client over tokio.

mod echo;

use crate::Patience;
use core::error::Error;
use tokio::net::TcpStream;
use ws_stack::{CloseCode, Conn, Connect, HandshakeError, Timeouts, Transport};

type Tcp = Conn<<TcpStream as Transport>::Read, <TcpStream as Transport>::Write>;

/// Echoes until the connection is closed, and returns the status.
#[tokio::main(flavor = "current_thread")]
pub(crate) async fn echo(url: &str, patience: &Patience) -> Result<CloseCode, Box<dyn Error>> {
    let mut conn = open(url, patience).await?;
    let Err(error) = echo::with_message(&mut conn, &patience.timeouts(), || ()).await;
    // A violation of the peer's is reported as such, and has its status too.
    conn.closed().map(|closed| closed.0).ok_or_else(|| error.into())
}

/// Runs all cases of a fuzzing server, one connection each.
#[tokio::main(flavor = "current_thread")]
pub(crate) async fn autobahn(url: &str, agent: &str, patience: &Patience) -> Result<(), Box<dyn Error>> {
    let (url, timeouts) = (url.trim_end_matches('/'), patience.timeouts());
    let mut conn = open(&format!("{url}/getCaseCount"), patience).await?;
    let count: u32 = conn.message(timeouts).await?.text().ok_or("the number of cases is no text")?.trim().parse()?;
    wait_for_close(&mut conn, timeouts).await;

    for case in 1..=count {
        let mut conn = open(&format!("{url}/runCase?case={case}&agent={agent}"), patience).await?;
        // The server breaks the protocol in many of them: how it ends is for the server to judge.
        let _ = echo::with_message(&mut conn, &timeouts, || ()).await;
    }

    let mut conn = open(&format!("{url}/updateReports?agent={agent}"), patience).await?;
    wait_for_close(&mut conn, timeouts).await;
    println!("{count} cases run");
    Ok(())
}

async fn open(url: &str, patience: &Patience) -> Result<Tcp, HandshakeError> {
    let connect = Connect::to(url)?.connect_timeout(patience.connect_timeout);
    let mut conn = connect.handshake_timeout(patience.handshake).open().await?.conn;
    conn.set_message_limit(MESSAGE_LIMIT);
    Ok(conn)
}

/// Passes over messages until there is an end.
async fn wait_for_close(conn: &mut Tcp, timeouts: Timeouts) {
    while conn.message(timeouts).await.is_ok() {}
}

/// Four times the largest message that judges send.
const MESSAGE_LIMIT: usize = 64 * 1024 * 1024;
