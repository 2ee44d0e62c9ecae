//! Every wait has its deadline, and nothing but progress moves it. The clock is tokio's, and moves when nothing else can.

mod keepalive;
mod receiving;
mod runtime;
mod sending;

use crate::transport::{Pair, Peer};
use core::time::Duration;
use tokio::time::{Instant, sleep};
use ws_conn::{CloseCode, Error, Fault, Role, Timeouts, Wait};

const SECOND: Duration = Duration::from_secs(1);
const WIRE: Duration = Duration::from_secs(2);
const IDLE: Duration = Duration::from_secs(10);
const W: Timeouts = Timeouts::new(WIRE, IDLE);

/// A server whose peer hangs up when it does.
fn server() -> (Pair, Peer) {
    let (conn, peer) = Peer::new(Role::Server);
    peer.hang_up_after();
    (conn, peer)
}

/// Sends bytes one by one, each after an interval, in a task of its own.
fn drip(peer: &Peer, bytes: Vec<u8>, interval: Duration) {
    repeat(peer, bytes.chunks(1).map(<[u8]>::to_vec).collect(), interval);
}

/// Sends pieces one by one, each after an interval, in a task of its own.
fn repeat(peer: &Peer, pieces: Vec<Vec<u8>>, interval: Duration) {
    let peer = peer.clone();
    tokio::spawn(async move {
        for piece in pieces {
            sleep(interval).await;
            peer.send_bytes(&piece);
        }
    });
}

/// The time a call took, to the millisecond of tokio's timers.
async fn timed<F: Future>(call: F) -> (Duration, F::Output) {
    let began = Instant::now();
    let output = call.await;
    let took = began.elapsed();
    (Duration::from_millis(took.as_millis() as u64), output)
}

#[track_caller]
fn assert_timeout<T>(result: Result<T, Error>, wait: Wait) {
    match result {
        Err(Error::Fault(Fault::Timeout(of))) => assert_eq!(of, wait),
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("no error"),
    }
}

#[track_caller]
fn assert_closed<T>(result: Result<T, Error>, code: CloseCode) {
    match result {
        Err(error) => assert_eq!(error.closed(), Some(code), "{error}"),
        Ok(_) => panic!("no error"),
    }
}

/// Timers of tokio have a resolution of a millisecond.
#[track_caller]
fn assert_about(took: Duration, expected: Duration) {
    let late = took.checked_sub(expected).unwrap_or_else(|| panic!("{took:?} is earlier than {expected:?}"));
    assert!(late <= Duration::from_millis(2), "{took:?} is later than {expected:?}");
}
