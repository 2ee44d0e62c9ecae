/// A side of the connection, which decides who masks: clients do, servers do not.
///
/// Where a function takes a `Role` it says whose it is; [`Header::check`](crate::Header::check) takes the sender's.
///
/// # RFC
///
/// [Section 5.1](https://www.rfc-editor.org/rfc/rfc6455#section-5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// The side that opened the connection; it masks every frame.
    Client,
    /// The side that accepted the connection; it masks none.
    Server,
}

impl Role {
    /// The other side: server for client, client for server.
    #[inline]
    #[must_use]
    pub const fn peer(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}
