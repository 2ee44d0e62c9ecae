//! What comes out of a handshake.

/// Defines it for the connection of one driver, over halves of these traits.
macro_rules! parts {
    ($conn:ident, R: [$($read:path),+], W: [$($write:path),+]) => {
        /// A WebSocket connection that a server has accepted.
        #[non_exhaustive]
        pub struct Accepted<R: $($read +)+, W: $($write +)+> {
            /// The connection. What the client sent right behind its request is in it.
            pub conn: $conn<R, W>,
            /// The subprotocol in use, one of the server's that the client offered.
            pub protocol: Option<String>,
            /// The request, for its path, cookies and other fields.
            pub request: $crate::RequestHead,
        }

        /// A WebSocket connection that a client has opened.
        #[non_exhaustive]
        pub struct Connected<R: $($read +)+, W: $($write +)+> {
            /// The connection. What the server sent right behind its response is in it.
            pub conn: $conn<R, W>,
            /// The subprotocol in use, one of those offered.
            pub protocol: Option<String>,
            /// The response, for its header fields.
            pub response: $crate::ResponseHead,
        }

        /// The halves of a transport behind a handshake, for a connection that the caller makes.
        #[non_exhaustive]
        pub struct Parts<R, W, H> {
            /// The receiving half.
            pub read: R,
            /// The sending half.
            pub write: W,
            /// What the peer sent right behind its head, to be given to the connection's `preload`.
            pub leftover: Vec<u8>,
            /// The subprotocol in use.
            pub protocol: Option<String>,
            /// The peer's head: a server gets a [`RequestHead`](crate::RequestHead), a client a
            /// [`ResponseHead`](crate::ResponseHead).
            pub head: H,
        }

        impl<R: $($read +)+, W: $($write +)+> Parts<R, W, $crate::RequestHead> {
            /// Makes them a server's connection without extensions.
            pub fn accepted(self) -> Accepted<R, W> {
                let conn = conn(self.read, self.write, ws_conn::Role::Server, &self.leftover);
                Accepted { conn, protocol: self.protocol, request: self.head }
            }
        }

        impl<R: $($read +)+, W: $($write +)+> Parts<R, W, $crate::ResponseHead> {
            /// Makes them a client's connection without extensions.
            pub fn connected(self) -> Connected<R, W> {
                let conn = conn(self.read, self.write, ws_conn::Role::Client, &self.leftover);
                Connected { conn, protocol: self.protocol, response: self.head }
            }
        }

        impl<R: $($read +)+, W: $($write +)+> core::fmt::Debug for Accepted<R, W> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.debug_struct("Accepted")
                    .field("protocol", &self.protocol)
                    .field("request", &self.request)
                    .finish_non_exhaustive()
            }
        }

        impl<R: $($read +)+, W: $($write +)+> core::fmt::Debug for Connected<R, W> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.debug_struct("Connected")
                    .field("protocol", &self.protocol)
                    .field("response", &self.response)
                    .finish_non_exhaustive()
            }
        }

        impl<R, W, H: core::fmt::Debug> core::fmt::Debug for Parts<R, W, H> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.debug_struct("Parts")
                    .field("protocol", &self.protocol)
                    .field("head", &self.head)
                    .finish_non_exhaustive()
            }
        }

        fn conn<R: $($read +)+, W: $($write +)+>(
            read: R,
            write: W,
            role: ws_conn::Role,
            leftover: &[u8],
        ) -> $conn<R, W> {
            let mut conn = $conn::new(read, write, role);
            // A connection that waits holds no buffer: it gets one only for what there is.
            if !leftover.is_empty() {
                conn.preload(leftover);
            }
            conn
        }
    };
}

pub(crate) use parts;
