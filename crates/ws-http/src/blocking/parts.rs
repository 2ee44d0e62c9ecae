//! What comes out of a handshake over blocking I/O.

use ws_conn::blocking::{Conn, Input, Output};

crate::driver::parts::parts!(Conn, R: [Input], W: [Output]);
