//! What comes out of a handshake over tokio.

use tokio::io::{AsyncRead, AsyncWrite};
use ws_conn::tokio::Conn;

crate::driver::parts::parts!(Conn, R: [AsyncRead, Unpin], W: [AsyncWrite, Unpin]);
