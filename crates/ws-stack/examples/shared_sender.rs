//! Two tasks share a `Sender`, and one of them receives meanwhile, with `select!` and `timeout` around it.
//!
//! ```text
//! cargo run --release --example shared_sender
//! ```
//!
//! It talks to an echo server in its own process, prints what happens, and ends when all has come back.

use core::time::Duration;
use tokio::net::{TcpListener, TcpStream, tcp::OwnedWriteHalf};
use tokio::time::{interval, timeout};
use tokio::{select, spawn};
use ws_stack::{CloseCode, Connect, Error, HandshakeError, Opcode, Policy, Sender, SocketWrite, Timeouts, accept};

const WIRE: Duration = Duration::from_secs(1);
const TIMEOUTS: Timeouts = Timeouts::new(WIRE, Duration::from_secs(60));

/// When nothing has come for so long, there is nothing more to come.
const SILENCE: Duration = Duration::from_millis(300);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn core::error::Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("ws://{}/", listener.local_addr()?);
    let server = spawn(async move { echo(listener.accept().await?.0).await });

    let mut conn = Connect::to(&url)?.open().await?.conn;
    let sender = conn.sender();
    let other = spawn(send(sender.clone(), "from the other task", Duration::from_millis(20)));

    let mut ticks = interval(Duration::from_millis(50));
    let (mut sent, mut received) = (0, 0);
    let mut buffer = [0; 1024];
    loop {
        // Whichever comes first ends the other. A `receive` that is dropped loses nothing: the next call gets it.
        select! {
            message = timeout(SILENCE, conn.receive(&mut buffer, TIMEOUTS)) => {
                let Ok(message) = message else { break };
                println!("received {:?}", String::from_utf8_lossy(&buffer[..message?.len]));
                received += 1;
            }
            _ = ticks.tick(), if sent < COUNT => {
                sender.send(Opcode::TEXT, b"from the task that receives", WIRE).await?;
                sent += 1;
            }
        }
    }
    other.await??;

    println!("silence: closing");
    let status = conn.finish(CloseCode::NORMAL, "", WIRE).await?;
    server.await??;
    println!("closed with {}; {received} messages have come back", status.0);
    if received == 2 * COUNT && conn.is_clean() { Ok(()) } else { Err("something was lost".into()) }
}

/// How many messages each task sends.
const COUNT: u32 = 3;

/// Sends a text now and then.
async fn send(sender: Sender<SocketWrite<OwnedWriteHalf>>, text: &str, pause: Duration) -> Result<(), Error> {
    let mut ticks = interval(pause);
    for _ in 0..COUNT {
        ticks.tick().await;
        sender.send(Opcode::TEXT, text.as_bytes(), WIRE).await?;
    }
    Ok(())
}

/// The server: sends back what comes, until the connection is closed.
async fn echo(stream: TcpStream) -> Result<(), HandshakeError> {
    let policy = Policy::default().hosts(["127.0.0.1"])?;
    let mut conn = accept(stream, &policy).await?.conn;
    let sender = conn.sender();
    while let Ok(message) = conn.message(TIMEOUTS).await {
        let _ = sender.feed(message.opcode(), &message, WIRE).await;
    }
    Ok(())
}
