//! The messages of a plain handshake.

use core::time::Duration;

use ws_http::{Error, Rejection};
use ws_testkit::transport::Step;

pub(crate) const REQUEST: &str = "GET /chat?room=7 HTTP/1.1\r\n\
    Host: server.example.com\r\n\
    Upgrade: websocket\r\n\
    Connection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Origin: http://server.example.com\r\n\
    Sec-WebSocket-Protocol: chat, superchat\r\n\
    Sec-WebSocket-Version: 13\r\n\
    \r\n";

pub(crate) const ANSWER: &str = "HTTP/1.1 101 Switching Protocols\r\n\
    Upgrade: websocket\r\n\
    Connection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
    \r\n";

/// These bytes at once.
pub(crate) fn bytes(text: impl AsRef<[u8]>) -> Step {
    Step::Bytes(text.as_ref().to_vec())
}

/// One byte per interval.
pub(crate) fn drip(text: &str, interval: Duration) -> impl Iterator<Item = Step> {
    text.bytes().flat_map(move |byte| [Step::Wait(interval), Step::Bytes(vec![byte])])
}

pub(crate) fn rejection<T>(result: Result<T, Error>) -> Option<Rejection> {
    match result {
        Err(Error::Rejected(rejection)) => Some(rejection),
        _ => None,
    }
}
