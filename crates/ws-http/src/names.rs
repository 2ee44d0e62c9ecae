//! The header fields of the handshake, as RFC 6455 section 11.3 and RFC 9110 write them.

pub(crate) const ACCEPT: &str = "Sec-WebSocket-Accept";
pub(crate) const CONNECTION: &str = "Connection";
pub(crate) const CONTENT_LENGTH: &str = "Content-Length";
pub(crate) const COOKIE: &str = "Cookie";
pub(crate) const EXTENSIONS: &str = "Sec-WebSocket-Extensions";
pub(crate) const HOST: &str = "Host";
pub(crate) const KEY: &str = "Sec-WebSocket-Key";
pub(crate) const KEEP_ALIVE: &str = "Keep-Alive";
pub(crate) const ORIGIN: &str = "Origin";
pub(crate) const PROTOCOL: &str = "Sec-WebSocket-Protocol";
pub(crate) const PROXY_CONNECTION: &str = "Proxy-Connection";
pub(crate) const TE: &str = "TE";
pub(crate) const TRANSFER_ENCODING: &str = "Transfer-Encoding";
pub(crate) const UPGRADE: &str = "Upgrade";
pub(crate) const VERSION: &str = "Sec-WebSocket-Version";

/// The fields about one connection, which HTTP/2 and 3 have no use for (RFC 9110, section 7.6.1).
pub(crate) const CONNECTION_SPECIFIC: [&str; 5] =
    [CONNECTION, KEEP_ALIVE, PROXY_CONNECTION, TRANSFER_ENCODING, UPGRADE];

/// Reports whether the handshake itself writes this field, or has no place for it, so that a caller's own header must
/// not be one.
pub(crate) fn is_reserved(name: &str) -> bool {
    const FIELDS: [&str; 4] = [CONTENT_LENGTH, COOKIE, HOST, ORIGIN];
    const PREFIX: &[u8] = b"sec-websocket-";
    FIELDS.iter().chain(&CONNECTION_SPECIFIC).any(|field| field.eq_ignore_ascii_case(name))
        || name.as_bytes().get(..PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(PREFIX))
}
