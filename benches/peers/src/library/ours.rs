//! Ours: over tokio and over blocking transports; by `message`, which lends the message, and by `receive`, which reads it into a
//! buffer of the caller's; sent by the connection itself, and by a handle that others may have as well.

use core::time::Duration;
use ws_conn::{Opcode, Role, Timeouts, blocking, tokio};

use super::{Library, Receive, Send, Side};
use crate::Result;

pub(super) static LIBRARIES: [Library; 6] = [
    Library {
        name: "ws-stack",
        receive: Some(|receive| Box::pin(tokio_message(receive))),
        send: Some(|send| Box::pin(tokio_send(send))),
        mask: Some(|payload, key| ws_frame::Mask::new(key).apply(payload)),
        batches: true,
    },
    Library {
        name: "ws-stack+receive",
        receive: Some(|receive| Box::pin(tokio_receive(receive))),
        send: None,
        mask: None,
        batches: false,
    },
    Library {
        name: "ws-stack+sender",
        receive: None,
        send: Some(|send| Box::pin(tokio_sender(send))),
        mask: None,
        batches: true,
    },
    Library {
        name: "ws-stack+blocking",
        receive: Some(|receive| Box::pin(async { blocking_message(receive) })),
        send: Some(|send| Box::pin(async { blocking_send(send) })),
        mask: None,
        batches: true,
    },
    Library {
        name: "ws-stack+blocking+receive",
        receive: Some(|receive| Box::pin(async { blocking_receive(receive) })),
        send: None,
        mask: None,
        batches: false,
    },
    Library {
        name: "ws-stack+blocking+sender",
        receive: None,
        send: Some(|send| Box::pin(async { blocking_sender(send) })),
        mask: None,
        batches: true,
    },
];

async fn tokio_message(Receive { wire, meter, .. }: Receive<'_>) -> Result<()> {
    let mut conn = tokio::Conn::new(wire.source, wire.sink, Role::Server);
    while meter.more() {
        let message = conn.message(TIMEOUTS).await?;
        meter.note(message.opcode() == Opcode::TEXT, &message)?;
    }
    Ok(())
}

async fn tokio_receive(Receive { wire, size, meter, .. }: Receive<'_>) -> Result<()> {
    let mut conn = tokio::Conn::new(wire.source, wire.sink, Role::Server);
    let mut buffer = vec![0; size];
    while meter.more() {
        let received = conn.receive(&mut buffer, TIMEOUTS).await?;
        meter.note(received.opcode == Opcode::TEXT, buffer.get(..received.len).unwrap_or_default())?;
    }
    Ok(())
}

fn blocking_message(Receive { wire, meter, .. }: Receive<'_>) -> Result<()> {
    let mut conn = blocking::Conn::over((wire.source, wire.sink), Role::Server);
    while meter.more() {
        let message = conn.message(TIMEOUTS)?;
        meter.note(message.opcode() == Opcode::TEXT, &message)?;
    }
    Ok(())
}

fn blocking_receive(Receive { wire, size, meter, .. }: Receive<'_>) -> Result<()> {
    let mut conn = blocking::Conn::over((wire.source, wire.sink), Role::Server);
    let mut buffer = vec![0; size];
    while meter.more() {
        let received = conn.receive(&mut buffer, TIMEOUTS)?;
        meter.note(received.opcode == Opcode::TEXT, buffer.get(..received.len).unwrap_or_default())?;
    }
    Ok(())
}

/// Sends messages by whatever sends, and waits for it in its way.
macro_rules! send_all {
    ($sender:ident, $message:ident, $meter:ident $(, $wait:tt)?) => {
        while $meter.more() {
            if $meter.each() {
                $sender.send(Opcode::BINARY, $message.bytes(), TIMEOUTS.wire)$(.$wait)??;
                continue;
            }
            $sender.feed(Opcode::BINARY, $message.bytes(), TIMEOUTS.wire)$(.$wait)??;
            if $meter.due() {
                $sender.flush(TIMEOUTS.wire)$(.$wait)??;
            }
        }
    };
}

async fn tokio_send(Send { wire, side, message, meter }: Send<'_>) -> Result<()> {
    let mut conn = tokio::Conn::new(wire.source, wire.sink, role(side));
    let mut sender = conn.sender_mut();
    send_all!(sender, message, meter, await);
    Ok(())
}

async fn tokio_sender(Send { wire, side, message, meter }: Send<'_>) -> Result<()> {
    let conn = tokio::Conn::new(wire.source, wire.sink, role(side));
    let sender = conn.sender();
    send_all!(sender, message, meter, await);
    Ok(())
}

fn blocking_send(Send { wire, side, message, meter }: Send<'_>) -> Result<()> {
    let mut conn = blocking::Conn::over((wire.source, wire.sink), role(side));
    let mut sender = conn.sender_mut();
    send_all!(sender, message, meter);
    Ok(())
}

fn blocking_sender(Send { wire, side, message, meter }: Send<'_>) -> Result<()> {
    let conn = blocking::Conn::over((wire.source, wire.sink), role(side));
    let sender = conn.sender();
    send_all!(sender, message, meter);
    Ok(())
}

fn role(side: Side) -> Role {
    match side {
        Side::Server => Role::Server,
        Side::Client => Role::Client,
    }
}

const TIMEOUTS: Timeouts = Timeouts::new(Duration::from_secs(60), Duration::from_secs(60));
