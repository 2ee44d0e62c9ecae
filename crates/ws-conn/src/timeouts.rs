use core::time::Duration;

/// How long a call waits for the peer. Both are absolute: nothing a peer sends in small pieces extends them.
///
/// The seed of this design takes both as arguments of each call, and so does this crate: the same connection may
/// be patient between messages of one kind and strict about another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Timeouts {
    /// How long a message may take from its first byte to its last.
    ///
    /// Control frames and empty fragments in between do not extend it. In streams and on the level of frames it
    /// runs for each call that has to wait inside a message.
    pub wire: Duration,
    /// How long the next message may take to begin.
    ///
    /// Control frames do not extend it.
    pub idle: Duration,
}

impl Timeouts {
    /// Both timeouts, in the order of the seed: `wire`, then `idle`.
    #[must_use]
    pub const fn new(wire: Duration, idle: Duration) -> Self {
        Self { wire, idle }
    }

    /// The patience that belongs to a wait for the peer.
    #[must_use]
    pub const fn of(&self, wait: Wait) -> Duration {
        match wait {
            Wait::Idle => self.idle,
            Wait::Wire | Wait::Turn | Wait::Linger | Wait::Pong => self.wire,
        }
    }
}

/// What a connection waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Wait {
    /// For a message to begin.
    Idle,
    /// For the rest of a message, or for the peer to take what is sent.
    Wire,
    /// For the peer's Close in answer to ours (RFC 6455, section 7.1.1).
    Linger,
    /// For another message of this side to end, so that the next one can begin (RFC 6455, section 5.4).
    Turn,
    /// For a sign of life after a Ping of keepalive.
    Pong,
}

/// A wait of the state machine: which patience applies, and which occurrence of it.
///
/// The machine has no clock. A driver compares the value with the last one: as long as they are equal the same wait
/// goes on, and its deadline stands; a changed value means that a new wait began. A call that was dropped and made
/// anew therefore restarts nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Need {
    /// Which patience applies.
    pub wait: Wait,
    /// Which occurrence.
    pub epoch: u32,
}
