//! The echo loops of both testees.

use core::convert::Infallible;
use tokio::io::{AsyncRead, AsyncWrite};
use ws_stack::{Conn, Error, Timeouts};

/// Sends back each message as it came, until there is an error: at the latest that the connection is closed. Before that
/// it does with it what the program does.
///
/// One write answers all messages that one read has brought: what is fed goes out before the connection waits.
#[expect(
    clippy::manual_async_fn,
    reason = "the future of one holds its arguments twice, in the task of each connection"
)]
pub(crate) fn with_message<'c, R, W, F>(
    conn: &'c mut Conn<R, W>,
    timeouts: &'c Timeouts,
    work: F,
) -> impl Future<Output = Result<Infallible, Error>> + use<'c, R, W, F>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
    F: Fn(),
{
    async move {
        loop {
            let (message, mut sender) = conn.message_and_sender(*timeouts).await?;
            work();
            sender.feed(message.opcode(), &message, timeouts.wire).await?;
        }
    }
}

/// The same by way of a buffer.
#[allow(dead_code, reason = "the client has no use for it")]
pub(crate) async fn with_receive<R, W>(
    conn: &mut Conn<R, W>,
    timeouts: &Timeouts,
    buffer: &mut [u8],
    work: impl Fn(),
) -> Result<Infallible, Error>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    loop {
        let received = conn.receive(buffer, *timeouts).await?;
        work();
        conn.sender_mut().feed(received.opcode, &buffer[..received.len], timeouts.wire).await?;
    }
}
