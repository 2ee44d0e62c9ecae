//! The numbers that `docs/guarantees.md` gives for a handshake: its limits, its deadlines, and what it costs.

use core::time::Duration;
#[cfg(feature = "tokio")]
use {
    core::future::Future,
    core::pin::{Pin, pin},
    core::task::{Context, Poll, Waker},
    tokio::io::duplex,
    tokio::runtime::Builder,
    tokio::task::spawn_blocking,
    tokio::time::{advance, timeout},
    ws_conn::tokio::Whole,
    ws_http::Error,
    ws_http::tokio::Connect,
};

use ws_http::{HeadReader, Limits, OriginPolicy, Policy, Rejection, RequestHead, UpgradeResponse, choose_protocol};
use ws_testkit::alloc::count_allocations;
use ws_testkit::transport::Script;

use crate::messages::rejection;
use crate::run::{Driver, over_both_drivers};

over_both_drivers! {
    a_server_gives_a_handshake_ten_seconds_by_default
}

fn a_server_gives_a_handshake_ten_seconds_by_default<D: Driver>() {
    let run = D::accept(Script::new([]), &Policy::default());
    run.assert_took(Duration::from_secs(10) + LINGER);
    assert_eq!(rejection(run.result), Some(Rejection::Timeout));
}

#[cfg(feature = "tokio")]
#[test]
fn a_client_gives_connecting_and_the_handshake_ten_seconds_each_by_default() {
    let almost = Duration::from_millis(9_999);
    let runtime =
        || Builder::new_current_thread().enable_all().start_paused(true).max_blocking_threads(1).build().unwrap();
    runtime().block_on(async {
        let (_server, client) = duplex(1000);
        let connect = Connect::to("ws://a").unwrap();
        let mut opening = pin!(connect.open_over(Whole(client)));
        assert!(timeout(almost, opening.as_mut()).await.is_err());
        let opened = timeout(Duration::from_millis(3), opening).await;
        assert!(matches!(opened, Ok(Err(Error::Timeout))), "{opened:?}");
    });
    runtime().block_on(async {
        // The one thread that could look up a name waits for the end of this test; meanwhile time is moved by hand.
        let (release, released) = std::sync::mpsc::channel::<()>();
        let busy = spawn_blocking(move || released.recv());
        let connect = Connect::to("ws://localhost:9/").unwrap();
        let mut opening = pin!(connect.open());
        assert!(poll(opening.as_mut()).is_pending());
        advance(almost).await;
        assert!(poll(opening.as_mut()).is_pending());
        advance(Duration::from_millis(3)).await;
        assert!(matches!(poll(opening.as_mut()), Poll::Ready(Err(Error::Timeout))));
        drop(release);
        busy.await.unwrap().unwrap_err();
    });
}

#[cfg(feature = "tokio")]
fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn a_head_has_8_kib_and_100_lines_by_default() {
    assert_eq!(Limits::default(), Limits { bytes: 8192, fields: 100 });
}

/// What a server holds for a request of the largest size, until it is decided about: the head once and a half while it
/// grows, and its lines. For a moment, while it looks for two subprotocols of one name, a set of them.
#[test]
fn no_request_costs_more_than_the_formula() {
    let limits = Limits::default();
    let formula = (2 * limits.bytes + 96 * limits.fields) as u64;
    for (kind, request) in requests() {
        assert!((limits.bytes - 1200..=limits.bytes).contains(&request.len()), "{kind}: {}", request.len());
        let count = count_allocations(|| {
            let mut reader = HeadReader::request(limits);
            assert!(request.iter().any(|byte| reader.push(&[*byte]).unwrap().is_some()));
            let head = RequestHead::parse(reader).unwrap();
            let upgrade = head.upgrade().unwrap();
            upgrade.check_origin(&OriginPolicy::default()).unwrap();
            assert_eq!(choose_protocol(&["chat"], upgrade.protocols()), None);
            drop(UpgradeResponse::new(&upgrade).to_bytes());
        });
        let most = if kind == "subprotocols" { 16 * limits.bytes as u64 } else { formula };
        assert!(count.max_live <= most && most < 3 * count.max_live, "{kind}: {count:?}, not {most}");
    }
}

/// Requests of about the largest size, each full of one thing.
fn requests() -> [(&'static str, Vec<u8>); 4] {
    let start = "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let letters = || (b'0'..=b'9').chain(b'A'..=b'Z').chain(b'a'..=b'z').map(char::from);
    let names: String = letters().flat_map(|a| letters().map(move |b| format!("{a}{b},"))).collect();
    let full = |lines: &str, what: &str| {
        let room = Limits::default().bytes - start.len() - lines.len() - "\r\n\r\n".len();
        let what: String = what.chars().cycle().take(room).collect();
        format!("{start}{lines}{}\r\n\r\n", what.trim_end_matches(|end| end != ',')).into_bytes()
    };
    let (lines, long) = ("x:\r\n".repeat(94), format!("X: {},", "x".repeat(7000)));
    [
        ("one line", full("", &long)),
        ("as many lines as may be", full(&lines, &long)),
        ("subprotocols", full("", &format!("Sec-WebSocket-Protocol: {names}"))),
        (
            "extensions",
            full("Sec-WebSocket-Extensions: a\r\n", &format!("Sec-WebSocket-Extensions: {}", "x;y,".repeat(2100))),
        ),
    ]
}

const LINGER: Duration = Duration::from_secs(1);
