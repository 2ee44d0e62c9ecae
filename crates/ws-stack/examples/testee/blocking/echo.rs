//! The echo loops of both testees.

use core::convert::Infallible;
use ws_stack::blocking::{Conn, Input, Output};
use ws_stack::{Error, Timeouts};

/// Sends back each message as it came, until there is an error: at the latest that the connection is closed. Before that
/// it does with it what the program does.
///
/// One write answers all messages that one read has brought: what is fed goes out before the connection waits.
pub(crate) fn with_message<R: Input, W: Output>(
    conn: &mut Conn<R, W>,
    timeouts: Timeouts,
    work: impl Fn(),
) -> Result<Infallible, Error> {
    loop {
        let (message, mut sender) = conn.message_and_sender(timeouts)?;
        work();
        sender.feed(message.opcode(), &message, timeouts.wire)?;
    }
}

/// The same by way of a buffer.
#[allow(dead_code, reason = "the client has no use for it")]
pub(crate) fn with_receive<R: Input, W: Output>(
    conn: &mut Conn<R, W>,
    timeouts: Timeouts,
    buffer: &mut [u8],
    work: impl Fn(),
) -> Result<Infallible, Error> {
    loop {
        let received = conn.receive(buffer, timeouts)?;
        work();
        conn.sender_mut().feed(received.opcode, &buffer[..received.len], timeouts.wire)?;
    }
}
