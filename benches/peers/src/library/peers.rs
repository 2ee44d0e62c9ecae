//! The peers from crates.io, each as its own documentation uses it, with the configuration that it has by default.
//!
//! Text is checked by the library, in soketto and web-socket by the caller, who then asks `str::from_utf8` as soketto's
//! documentation does.

use futures_util::{Sink, SinkExt, Stream, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, BufReader, BufWriter};
use tokio_tungstenite::tungstenite;

use super::{Library, Meter, Receive, Send, Side};
use crate::Result;

pub(super) static LIBRARIES: [Library; 8] = [
    Library {
        name: "tungstenite",
        receive: Some(|receive| Box::pin(async { tungstenite_receive(receive) })),
        send: Some(|send| Box::pin(async { tungstenite_send(send) })),
        mask: None,
        batches: true,
    },
    Library {
        name: "tokio-tungstenite",
        receive: Some(|receive| Box::pin(tokio_tungstenite_receive(receive))),
        send: Some(|send| Box::pin(tokio_tungstenite_send(send))),
        mask: None,
        batches: true,
    },
    // It has no buffer to write to.
    Library {
        name: "fastwebsockets",
        receive: Some(|receive| Box::pin(fastwebsockets_receive(receive))),
        send: Some(|send| Box::pin(fastwebsockets_send(send))),
        mask: Some(fastwebsockets::unmask),
        batches: false,
    },
    Library {
        name: "tokio-websockets",
        receive: Some(|receive| Box::pin(tokio_websockets_receive(receive))),
        send: Some(|send| Box::pin(tokio_websockets_send(send))),
        mask: None,
        batches: true,
    },
    Library {
        name: "sockudo-ws",
        receive: Some(|receive| Box::pin(sockudo_receive(receive))),
        send: Some(|send| Box::pin(sockudo_send(send))),
        mask: Some(sockudo_ws::mask::apply_mask),
        batches: true,
    },
    Library {
        name: "yawc",
        receive: Some(|receive| Box::pin(yawc_receive(receive))),
        send: Some(|send| Box::pin(yawc_send(send))),
        mask: Some(yawc::mask::apply_mask),
        batches: true,
    },
    Library {
        name: "soketto",
        receive: Some(|receive| Box::pin(soketto_receive(receive))),
        send: Some(|send| Box::pin(soketto_send(send))),
        mask: Some(soketto_mask),
        batches: true,
    },
    // Several messages are held back by a buffer of the caller's.
    Library {
        name: "web-socket",
        receive: Some(|receive| Box::pin(web_socket_receive(receive))),
        send: Some(|send| Box::pin(web_socket_send(send))),
        mask: None,
        batches: true,
    },
];

fn soketto_mask(payload: &mut [u8], key: [u8; 4]) {
    let mut header = soketto::base::Header::new(soketto::base::OpCode::Binary);
    header.set_masked(true).set_mask(u32::from_be_bytes(key));
    soketto::base::Codec::apply_mask(&header, payload);
}

fn tungstenite_receive(Receive { wire, meter, .. }: Receive<'_>) -> Result<()> {
    let mut socket = tungstenite::WebSocket::from_raw_socket(wire, tungstenite::protocol::Role::Server, None);
    while meter.more() {
        tungstenite_note(&socket.read()?, meter)?;
    }
    Ok(())
}

fn tungstenite_send(Send { wire, side, message, meter }: Send<'_>) -> Result<()> {
    let mut socket = tungstenite::WebSocket::from_raw_socket(wire, tungstenite_role(side), None);
    while meter.more() {
        socket.write(tungstenite::Message::Binary(message.shared.clone()))?;
        if meter.due() {
            socket.flush()?;
        }
    }
    Ok(())
}

async fn tokio_tungstenite_receive(Receive { wire, meter, .. }: Receive<'_>) -> Result<()> {
    use tokio_tungstenite::WebSocketStream;
    let mut socket = WebSocketStream::from_raw_socket(wire, tungstenite_role(Side::Server), None).await;
    while meter.more() {
        tungstenite_note(&socket.next().await.ok_or(ENDED)??, meter)?;
    }
    Ok(())
}

async fn tokio_tungstenite_send(Send { wire, side, message, meter }: Send<'_>) -> Result<()> {
    let socket = tokio_tungstenite::WebSocketStream::from_raw_socket(wire, tungstenite_role(side), None).await;
    feed(socket, || tungstenite::Message::Binary(message.shared.clone()), meter).await
}

fn tungstenite_role(side: Side) -> tungstenite::protocol::Role {
    match side {
        Side::Server => tungstenite::protocol::Role::Server,
        Side::Client => tungstenite::protocol::Role::Client,
    }
}

fn tungstenite_note(message: &tungstenite::Message, meter: &Meter) -> Result<()> {
    match message {
        tungstenite::Message::Text(text) => meter.note(true, text.as_bytes()),
        tungstenite::Message::Binary(bytes) => meter.note(false, bytes),
        _ => Err(NO_MESSAGE.into()),
    }
}

async fn fastwebsockets_receive(Receive { wire, meter, .. }: Receive<'_>) -> Result<()> {
    use fastwebsockets::{FragmentCollector, OpCode, Role, WebSocket};
    let mut socket = FragmentCollector::new(WebSocket::after_handshake(wire, Role::Server));
    while meter.more() {
        let frame = socket.read_frame().await?;
        meter.note(frame.opcode == OpCode::Text, &frame.payload)?;
    }
    Ok(())
}

async fn fastwebsockets_send(Send { wire, side, message, meter }: Send<'_>) -> Result<()> {
    use fastwebsockets::{Frame, Payload, Role, WebSocket};
    let role = if side == Side::Server { Role::Server } else { Role::Client };
    let mut socket = WebSocket::after_handshake(wire, role);
    while meter.more() {
        socket.write_frame(Frame::binary(Payload::Borrowed(message.bytes()))).await?;
    }
    Ok(())
}

async fn tokio_websockets_receive(Receive { wire, meter, .. }: Receive<'_>) -> Result<()> {
    let mut socket = tokio_websockets::ServerBuilder::new().serve(wire);
    while meter.more() {
        let message = socket.next().await.ok_or(ENDED)??;
        meter.note(message.is_text(), message.as_payload())?;
    }
    Ok(())
}

async fn tokio_websockets_send(Send { wire, side, message, meter }: Send<'_>) -> Result<()> {
    use tokio_websockets::{ClientBuilder, Message, ServerBuilder};
    let socket = match side {
        Side::Server => ServerBuilder::new().serve(wire),
        Side::Client => ClientBuilder::new().take_over(wire),
    };
    feed(socket, || Message::binary(message.shared.clone()), meter).await
}

async fn sockudo_receive(Receive { wire, meter, .. }: Receive<'_>) -> Result<()> {
    let mut socket = sockudo_ws::WebSocketStream::server(wire, sockudo_ws::Config::default());
    while meter.more() {
        let message = socket.next().await.ok_or(ENDED)??;
        meter.note(message.is_text(), message.as_bytes())?;
    }
    Ok(())
}

async fn sockudo_send(Send { wire, side, message, meter }: Send<'_>) -> Result<()> {
    use sockudo_ws::{Config, Message, WebSocketStream};
    let socket = match side {
        Side::Server => WebSocketStream::server(wire, Config::default()),
        Side::Client => WebSocketStream::client(wire, Config::default()),
    };
    feed(socket, || Message::Binary(message.shared.clone()), meter).await
}

async fn yawc_receive(Receive { wire, meter, .. }: Receive<'_>) -> Result<()> {
    let mut socket = yawc::WebSocket::from_stream(wire, yawc::Role::Server, yawc_options())?;
    while meter.more() {
        let frame = socket.next().await.ok_or(ENDED)?;
        meter.note(frame.opcode() == yawc::OpCode::Text, frame.payload())?;
    }
    Ok(())
}

async fn yawc_send(Send { wire, side, message, meter }: Send<'_>) -> Result<()> {
    let role = if side == Side::Server { yawc::Role::Server } else { yawc::Role::Client };
    let socket = yawc::WebSocket::from_stream(wire, role, yawc_options())?;
    feed(socket, || yawc::Frame::binary(message.shared.clone()), meter).await
}

/// As the echo server has them: room for the largest message, and text checked, which it leaves out by default.
fn yawc_options() -> yawc::Options {
    yawc::Options::default().with_limits(16 << 20, 32 << 20).with_utf8()
}

async fn soketto_receive(Receive { wire, text, meter, .. }: Receive<'_>) -> Result<()> {
    use soketto::connection::{Builder, Mode};
    let (_sender, mut receiver) = Builder::new(soketto_stream(wire), Mode::Server).finish();
    let mut message = Vec::new();
    while meter.more() {
        message.clear();
        let data = receiver.receive_data(&mut message).await?;
        if text {
            str::from_utf8(&message)?;
        }
        meter.note(data.is_text(), &message)?;
    }
    Ok(())
}

async fn soketto_send(Send { wire, side, message, meter }: Send<'_>) -> Result<()> {
    use soketto::connection::{Builder, Mode};
    let mode = if side == Side::Server { Mode::Server } else { Mode::Client };
    let (mut sender, _receiver) = Builder::new(soketto_stream(wire), mode).finish();
    while meter.more() {
        sender.send_binary(message.bytes()).await?;
        if meter.due() {
            sender.flush().await?;
        }
    }
    Ok(())
}

fn soketto_stream<S>(stream: S) -> impl futures_util::AsyncRead + futures_util::AsyncWrite + Unpin
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    use tokio_util::compat::TokioAsyncReadCompatExt;
    futures_util::io::BufReader::new(futures_util::io::BufWriter::new(stream.compat()))
}

async fn web_socket_receive(Receive { wire, text, meter, .. }: Receive<'_>) -> Result<()> {
    use web_socket::{DataType, Event};
    let mut socket = web_socket::WebSocket::server(BufReader::new(wire));
    while meter.more() {
        let Event::Data { ty: DataType::Complete(kind), data } = socket.recv().await? else {
            return Err(NO_MESSAGE.into());
        };
        if text {
            str::from_utf8(&data)?;
        }
        meter.note(kind.is_text(), &data)?;
    }
    Ok(())
}

async fn web_socket_send(Send { wire, side, message, meter }: Send<'_>) -> Result<()> {
    if meter.each() {
        return web_socket_feed(BufReader::new(wire), side, message.bytes(), meter).await;
    }
    web_socket_feed(BufReader::new(BufWriter::new(wire)), side, message.bytes(), meter).await
}

async fn web_socket_feed<S>(stream: S, side: Side, message: &[u8], meter: &mut Meter) -> Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut socket = match side {
        Side::Server => web_socket::WebSocket::server(stream),
        Side::Client => web_socket::WebSocket::client(stream),
    };
    while meter.more() {
        socket.send(message).await?;
        if meter.due() {
            socket.stream.flush().await?;
        }
    }
    Ok(())
}

/// Sends by way of a sink.
async fn feed<S, M>(mut socket: S, message: impl Fn() -> M, meter: &mut Meter) -> Result<()>
where
    S: Sink<M, Error: core::error::Error + 'static> + Stream + Unpin,
{
    while meter.more() {
        if meter.due() {
            socket.send(message()).await?;
        } else {
            socket.feed(message()).await?;
        }
    }
    Ok(())
}

const ENDED: &str = "the connection has ended";
const NO_MESSAGE: &str = "something else than a whole message";
