//! The client over tokio.

mod echo;

use core::error::Error;
use core::time::Duration;
use tokio::net::TcpStream;
use ws_stack::{CloseCode, Conn, Connect, HandshakeError, Timeouts, Transport};

type Tcp = Conn<<TcpStream as Transport>::Read, <TcpStream as Transport>::Write>;

/// Echoes until the connection is closed; answers the status.
#[tokio::main(flavor = "current_thread")]
pub(crate) async fn echo(url: &str, connect_timeout: Duration) -> Result<CloseCode, Box<dyn Error>> {
    let mut conn = open(url, connect_timeout).await?;
    let Err(error) = echo::with_message(&mut conn, &TIMEOUTS).await;
    // A violation of the peer's is reported as such, and has its status too.
    conn.closed().map(|closed| closed.0).ok_or_else(|| error.into())
}

/// Runs all cases of a fuzzing server, one connection each.
#[tokio::main(flavor = "current_thread")]
pub(crate) async fn autobahn(url: &str, agent: &str, connect_timeout: Duration) -> Result<(), Box<dyn Error>> {
    let url = url.trim_end_matches('/');
    let mut conn = open(&format!("{url}/getCaseCount"), connect_timeout).await?;
    let count: u32 = conn.message(TIMEOUTS).await?.text().ok_or("the number of cases is no text")?.trim().parse()?;
    wait_for_close(&mut conn).await;

    for case in 1..=count {
        let mut conn = open(&format!("{url}/runCase?case={case}&agent={agent}"), connect_timeout).await?;
        // The server breaks the protocol in many of them: how it ends is for the server to judge.
        let _ = echo::with_message(&mut conn, &TIMEOUTS).await;
    }

    let mut conn = open(&format!("{url}/updateReports?agent={agent}"), connect_timeout).await?;
    wait_for_close(&mut conn).await;
    println!("{count} cases run");
    Ok(())
}

async fn open(url: &str, timeout: Duration) -> Result<Tcp, HandshakeError> {
    let mut conn = Connect::to(url)?.connect_timeout(timeout).open().await?.conn;
    conn.set_message_limit(MESSAGE_LIMIT);
    Ok(conn)
}

/// Passes over messages until there is an end.
async fn wait_for_close(conn: &mut Tcp) {
    while conn.message(TIMEOUTS).await.is_ok() {}
}

const TIMEOUTS: Timeouts = Timeouts::new(Duration::from_secs(30), Duration::from_secs(60));

/// Four times the largest message that judges send.
const MESSAGE_LIMIT: usize = 64 * 1024 * 1024;
