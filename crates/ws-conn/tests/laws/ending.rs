//! The end of a connection, for every order in which the two directions come to it.

use crate::plan::{Counter, wire};
use ws_conn::{CloseCode, Closed, Ending, Fault, Inbound, Outbound, Receiving, Role, Shared};
use ws_testkit::naive;

#[derive(Clone, Copy, Debug)]
enum Act {
    /// This side closes with 1001.
    Close,
    /// The peer closes with 1000.
    Closed,
    /// What is owed is sent.
    Send,
    /// The transport is given up.
    Abandon,
}

/// "[...] the WebSocket connection is said to have been closed _cleanly_" (RFC 6455, section 7.1.4) if both Closes were
/// there, and nothing was given up before.
#[test]
fn section_7_1_4_an_end_is_clean_if_a_close_went_each_way_in_whatever_order() {
    const ACTS: [Act; 4] = [Act::Close, Act::Closed, Act::Send, Act::Abandon];
    for role in [Role::Client, Role::Server] {
        for order in 0..ACTS.len().pow(5) {
            let acts = [1, 4, 16, 64, 256].map(|place| ACTS[order / place % ACTS.len()]);
            let mut end = End::new(role);
            for at in 0..acts.len() {
                end.act(acts[at]);
                assert_eq!(end.shared.closed(), end.status.map(Closed), "{role:?}: {:?}", &acts[..=at]);
                assert_eq!(end.shared.owes(), end.owed, "{role:?}: {:?}", &acts[..=at]);
                let clean = end.sent && end.received && !end.given_up;
                assert_eq!(end.shared.is_clean(), clean, "{role:?}: {:?}", &acts[..=at]);
                // "SHOULD be closed first by the server" -- RFC 6455, section 7.1.1
                let waits = role == Role::Client && end.received;
                assert_eq!(end.shared.ending(), if waits { Ending::Await } else { Ending::HalfClose });
            }
        }
    }
}

#[test]
fn a_transport_that_fails_is_news_unless_the_connection_had_ended_before() {
    for (acts, known) in [(&[][..], None), (&[Act::Close], Some(1001)), (&[Act::Closed], Some(1000))] {
        let mut end = End::new(Role::Server);
        acts.iter().for_each(|act| end.act(*act));
        let status = CloseCode::new(known.unwrap_or(1006));
        let told = end.inbound.lost(&mut end.shared);
        assert_eq!(told, known.map(|_| Fault::Closed(Closed(status))));
        assert_eq!(end.shared.closed(), Some(Closed(status)));
    }
}

/// The machine, and beside it what is to come of it.
struct End {
    role: Role,
    inbound: Inbound,
    outbound: Outbound,
    shared: Shared,
    status: Option<CloseCode>,
    owed: bool,
    sent: bool,
    received: bool,
    given_up: bool,
}

impl End {
    fn new(role: Role) -> Self {
        let (inbound, outbound, shared) = (Inbound::new(role), Outbound::new(role), Shared::new(role));
        Self {
            role,
            inbound,
            outbound,
            shared,
            status: None,
            owed: false,
            sent: false,
            received: false,
            given_up: false,
        }
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Close => {
                self.claim(1001);
                assert_eq!(Ok(Closed(self.status.unwrap())), self.shared.close(CloseCode::GOING_AWAY, ""));
            }
            Act::Closed if self.received => {}
            Act::Closed => {
                self.claim(1000);
                self.received = true;
                let close = wire(self.role.peer(), &[naive::close(1000, "")]);
                let _ = self.inbound.push(&mut Receiving::discard(), &close);
                let told = self.inbound.reply(&mut self.shared);
                assert_eq!(told, Err(Fault::Closed(Closed(self.status.unwrap()))));
            }
            Act::Send => {
                let filled = self.outbound.replies(&mut self.shared, &mut Counter::default(), &mut [0; 200]).unwrap();
                assert_eq!(filled > 0, self.owed);
                self.sent |= self.owed;
                self.owed = false;
            }
            Act::Abandon => {
                self.status.get_or_insert(CloseCode::ABNORMAL);
                assert_eq!(self.shared.abandon(CloseCode::ABNORMAL), Closed(self.status.unwrap()));
                self.given_up |= !self.sent;
                self.owed = false;
            }
        }
    }

    /// The first status stands, and is to be told.
    fn claim(&mut self, code: u16) {
        if self.status.is_none() {
            self.owed = true;
            self.status = Some(CloseCode::new(code));
        }
    }
}
