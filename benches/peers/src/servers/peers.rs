//! The peers from crates.io: an echo server of each, as its own documentation writes one, with the configuration that it has by
//! default. Where a library can answer all messages of one read with one write, but does so only if asked to, there is a
//! second one that asks, `+feed`.

use futures_util::{FutureExt, Sink, SinkExt, Stream, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, BufReader, BufWriter};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite;

use super::accept::{tasks, threads, upgrade};
use super::{Serve, Style};

pub(super) const SERVERS: [(&str, Style, Serve); 12] = [
    ("tungstenite", Style::Threads, |address| threads(address, tungstenite_blocking)),
    ("tokio-tungstenite", Style::Tokio, |address| tasks(address, tokio_tungstenite)),
    ("tokio-tungstenite+feed", Style::Tokio, |address| tasks(address, tokio_tungstenite_feed)),
    ("fastwebsockets", Style::Tokio, |address| tasks(address, fastwebsockets)),
    ("tokio-websockets", Style::Tokio, |address| tasks(address, tokio_websockets)),
    ("sockudo-ws", Style::Tokio, |address| tasks(address, sockudo_ws)),
    ("sockudo-ws+feed", Style::Tokio, |address| tasks(address, sockudo_ws_feed)),
    ("yawc", Style::Tokio, |address| tasks(address, yawc)),
    ("yawc+feed", Style::Tokio, |address| tasks(address, yawc_feed)),
    ("soketto", Style::Tokio, |address| tasks(address, soketto)),
    ("web-socket", Style::Tokio, |address| tasks(address, web_socket)),
    ("web-socket+feed", Style::Tokio, |address| tasks(address, web_socket_feed)),
];

fn tungstenite_blocking(stream: std::net::TcpStream) {
    let Ok(mut socket) = tungstenite::accept(stream) else { return };
    while let Ok(message) = socket.read() {
        if is_data(&message) && socket.send(message).is_err() {
            return;
        }
    }
}

async fn tokio_tungstenite(stream: TcpStream) {
    let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await else { return };
    while let Some(Ok(message)) = socket.next().await {
        if is_data(&message) && socket.send(message).await.is_err() {
            return;
        }
    }
}

async fn tokio_tungstenite_feed(stream: TcpStream) {
    let Ok(socket) = tokio_tungstenite::accept_async(stream).await else { return };
    feed(socket, is_data).await;
}

fn is_data(message: &tungstenite::Message) -> bool {
    message.is_binary() || message.is_text()
}

/// It has no buffer to write to, and a read that is given up may lose its place: no way to answer several at once.
async fn fastwebsockets(mut stream: TcpStream) {
    use fastwebsockets::{FragmentCollector, OpCode, Role, WebSocket};
    if upgrade(&mut stream).await.is_none() {
        return;
    }
    let mut socket = FragmentCollector::new(WebSocket::after_handshake(stream, Role::Server));
    while let Ok(frame) = socket.read_frame().await {
        if matches!(frame.opcode, OpCode::Text | OpCode::Binary) && socket.write_frame(frame).await.is_err() {
            return;
        }
    }
}

/// To feed it gains nothing: its reader flushes whenever it is polled.
async fn tokio_websockets(stream: TcpStream) {
    let Ok((_, mut socket)) = tokio_websockets::ServerBuilder::new().accept(stream).await else { return };
    while let Some(Ok(message)) = socket.next().await {
        if (message.is_binary() || message.is_text()) && socket.send(message).await.is_err() {
            return;
        }
    }
}

async fn sockudo_ws(stream: TcpStream) {
    let Some(mut socket) = sockudo_accept(stream).await else { return };
    while let Some(Ok(message)) = socket.next().await {
        if (message.is_binary() || message.is_text()) && socket.send(message).await.is_err() {
            return;
        }
    }
}

/// Its reader flushes before it waits.
async fn sockudo_ws_feed(stream: TcpStream) {
    let Some(mut socket) = sockudo_accept(stream).await else { return };
    while let Some(Ok(message)) = socket.next().await {
        if (message.is_binary() || message.is_text()) && socket.feed(message).await.is_err() {
            return;
        }
    }
}

async fn sockudo_accept(mut stream: TcpStream) -> Option<sockudo_ws::WebSocketStream<TcpStream>> {
    use sockudo_ws::{Config, Role, WebSocketStream, handshake::server_handshake};
    let handshake = server_handshake(&mut stream).await.ok()?;
    Some(WebSocketStream::from_raw_with_leftover(stream, Role::Server, Config::default(), handshake.leftover))
}

async fn yawc(stream: TcpStream) {
    let Some(mut socket) = yawc_accept(stream).await else { return };
    while let Some(frame) = socket.next().await {
        if is_yawc_data(&frame) && socket.send(frame).await.is_err() {
            return;
        }
    }
}

async fn yawc_feed(stream: TcpStream) {
    let Some(socket) = yawc_accept(stream).await else { return };
    feed(socket.map(Ok::<_, yawc::WebSocketError>), is_yawc_data).await;
}

async fn yawc_accept(mut stream: TcpStream) -> Option<yawc::WebSocket<TcpStream>> {
    use yawc::{Options, Role, WebSocket};
    upgrade(&mut stream).await?;
    // Room for the largest message, and text checked, which it leaves out by default: most others do check.
    let options = Options::default().with_limits(16 << 20, 32 << 20).with_utf8();
    WebSocket::from_stream(stream, Role::Server, options).ok()
}

fn is_yawc_data(frame: &yawc::Frame) -> bool {
    matches!(frame.opcode(), yawc::OpCode::Text | yawc::OpCode::Binary)
}

/// Its documentation wraps the stream in a reader and a writer with buffers, and flushes each message. Whether another one has
/// come cannot be asked, and a read that is given up may lose its place.
async fn soketto(stream: TcpStream) {
    use soketto::handshake::{Server, server::Response};
    use tokio_util::compat::TokioAsyncReadCompatExt;
    let stream = futures_util::io::BufReader::new(futures_util::io::BufWriter::new(stream.compat()));
    let mut server = Server::new(stream);
    let Ok(key) = server.receive_request().await.map(|request| request.key()) else { return };
    if server.send_response(&Response::Accept { key, protocol: None }).await.is_err() {
        return;
    }
    let (mut sender, mut receiver) = server.into_builder().finish();
    let mut message = Vec::new();
    while let Ok(data) = receiver.receive_data(&mut message).await {
        let sent = match (data.is_text(), str::from_utf8(&message)) {
            (false, _) => sender.send_binary(&message).await,
            (true, Ok(text)) => sender.send_text(text).await,
            (true, Err(_)) => return,
        };
        if sent.is_err() || sender.flush().await.is_err() {
            return;
        }
        message.clear();
    }
}

async fn web_socket(mut stream: TcpStream) {
    if upgrade(&mut stream).await.is_none() {
        return;
    }
    let mut socket = web_socket::WebSocket::server(BufReader::new(stream));
    while web_socket_echo(&mut socket).await.is_some() {}
}

/// The reader's buffer, which is the program's own, tells whether another message has come.
async fn web_socket_feed(mut stream: TcpStream) {
    if upgrade(&mut stream).await.is_none() {
        return;
    }
    let mut socket = web_socket::WebSocket::server(BufReader::new(BufWriter::new(stream)));
    while web_socket_echo(&mut socket).await.is_some() {
        if socket.stream.buffer().is_empty() && socket.stream.flush().await.is_err() {
            return;
        }
    }
}

/// Echoes one message. Text it leaves unchecked.
async fn web_socket_echo<S>(socket: &mut web_socket::WebSocket<S>) -> Option<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    use web_socket::{DataType, Event, MessageType};
    match socket.recv().await.ok()? {
        Event::Data { ty: DataType::Complete(MessageType::Binary), data } => socket.send(&*data).await.ok(),
        Event::Data { ty: DataType::Complete(MessageType::Text), data } => {
            socket.send(str::from_utf8(&data).ok()?).await.ok()
        }
        Event::Ping(_) | Event::Pong(_) => Some(()),
        Event::Data { .. } | Event::Error(_) | Event::Close { .. } => None,
    }
}

/// Echoes all messages that are there, and flushes before it waits.
async fn feed<S, M, E>(mut socket: S, is_data: fn(&M) -> bool)
where
    S: Stream<Item = Result<M, E>> + Sink<M> + Unpin,
{
    let mut fed = false;
    loop {
        let next = match socket.next().now_or_never() {
            Some(next) => next,
            None if fed && socket.flush().await.is_err() => return,
            None => {
                fed = false;
                socket.next().await
            }
        };
        let Some(Ok(message)) = next else { return };
        if is_data(&message) {
            if socket.feed(message).await.is_err() {
                return;
            }
            fed = true;
        }
    }
}
