//! What the futures weigh in a task, what they keep besides, and what dropping one does.

use core::future::Future;
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};
use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use ws_conn::tokio::Whole;
use ws_http::Limits;
use ws_http::tokio::{Connect, Exchange, Policy, accept};
use ws_testkit::alloc::count_allocations;

use crate::messages::REQUEST;
use crate::run::TIMEOUT;

/// Returns the size of what `make` returns, which is not called, and holds it to be fit for a task of any thread.
fn weight<F: Future + Send>(_: impl FnOnce(TcpStream) -> F) -> usize {
    size_of::<F>()
}

#[test]
fn a_handshake_does_not_weigh_on_the_task() {
    let policy = &Policy::default();
    let connect = &Connect::to("ws://a").unwrap();
    for (name, weight) in [
        ("accept", weight(|stream| accept(stream, policy))),
        ("Exchange::read", weight(|stream| Exchange::read(stream, Limits::default(), TIMEOUT))),
        ("Connect::open", weight(|_| connect.open())),
        ("Connect::open_over", weight(|stream| connect.open_over(stream))),
        ("Connect::open_parts", weight(|stream| connect.open_parts(stream))),
        ("Connect::connect_tcp", weight(|_| connect.connect_tcp())),
    ] {
        assert!(weight <= 128, "{name}: {weight} bytes");
    }
}

#[test]
fn an_exchange_is_a_pointer_and_its_futures_are_small() {
    type Tcp = Exchange<tokio::net::tcp::OwnedReadHalf, tokio::net::tcp::OwnedWriteHalf>;
    fn weight<F: Future + Send>(_: impl FnOnce(Tcp) -> F) -> usize {
        size_of::<F>()
    }
    assert_eq!(size_of::<Tcp>(), size_of::<usize>());
    let policy = &Policy::default();
    for (name, weight) in [
        ("upgrade", weight(|exchange| exchange.upgrade(policy))),
        ("upgrade_with", weight(|exchange| exchange.upgrade_with(policy, |_, _| Ok(())))),
        ("respond", weight(|exchange| exchange.respond(200, &[], b""))),
        ("reject", weight(|exchange| exchange.reject(ws_http::Rejection::Origin))),
    ] {
        assert!(weight <= 128, "{name}: {weight} bytes");
    }
}

#[test]
fn a_handshake_that_waits_holds_no_read_buffer() {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let _entered = runtime.enter();
    let policy = Policy::default();
    let (mut client, server) = duplex(1000);
    assert!(poll(pin!(client.write_all(&REQUEST.as_bytes()[..100]))).is_ready());
    let mut waiting = None;
    let count = count_allocations(|| {
        let accepting = waiting.insert(Box::pin(accept(Whole(server), &policy)));
        assert!(poll(accepting.as_mut()).is_pending());
    });
    // What has come of the request is in it.
    assert!(count.kept < 1500, "{count:?}");
}

#[tokio::test]
async fn a_handshake_that_is_dropped_closes_its_stream() {
    let policy = Policy::default();
    for sent in [0, 1, REQUEST.len() - 1] {
        let (mut client, server) = duplex(1000);
        client.write_all(&REQUEST.as_bytes()[..sent]).await.unwrap();
        let mut accepting = Box::pin(accept(Whole(server), &policy));
        assert!(poll(accepting.as_mut()).is_pending());
        drop(accepting);
        assert_eq!(read_to_end(&mut client).await, b"");
    }

    let (mut client, server) = duplex(1000);
    client.write_all(REQUEST.as_bytes()).await.unwrap();
    drop(Exchange::read(Whole(server), Limits::default(), TIMEOUT).await.unwrap());
    assert_eq!(read_to_end(&mut client).await, b"");

    let (mut server, client) = duplex(1000);
    let connect = Connect::to("ws://a").unwrap();
    let mut opening = Box::pin(connect.open_over(Whole(client)));
    assert!(poll(opening.as_mut()).is_pending());
    drop(opening);
    assert!(read_to_end(&mut server).await.starts_with(b"GET / HTTP/1.1\r\n"));
}

#[tokio::test]
async fn an_answer_cut_off_by_a_drop_ends_the_stream_behind_it() {
    let (mut client, server) = duplex(REQUEST.len());
    client.write_all(REQUEST.as_bytes()).await.unwrap();
    let exchange = Exchange::read(Whole(server), Limits::default(), TIMEOUT).await.unwrap();
    let page = [b'x'; 10_000];
    let mut responding = Box::pin(exchange.respond(200, &[], &page));
    assert!(poll(responding.as_mut()).is_pending());
    drop(responding);
    let answer = read_to_end(&mut client).await;
    assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n") && answer.len() == REQUEST.len());
}

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

async fn read_to_end(stream: &mut DuplexStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    bytes
}

/// What has to be enabled is in the panic's message.
#[test]
fn a_runtime_without_its_timer_is_what_the_panic_is_about() {
    let policy = &Policy::default();
    let connect = &Connect::to("ws://a").unwrap();
    // The other end stays, so that they wait for it.
    let ((accepts, _one), (connects, _two), (reads, _three)) = (duplex(64), duplex(64), duplex(64));
    let calls: [Pin<Box<dyn Future<Output = ()>>>; 3] = [
        Box::pin(async { drop(accept(Whole(accepts), policy).await) }),
        Box::pin(async { drop(connect.open_over(Whole(connects)).await) }),
        Box::pin(async { drop(Exchange::read(Whole(reads), Limits::default(), TIMEOUT).await) }),
    ];
    for call in calls {
        let runtime = Builder::new_current_thread().build().unwrap();
        let panicked = catch_unwind(AssertUnwindSafe(|| runtime.block_on(call))).unwrap_err();
        let message = panicked.downcast_ref::<String>().map(String::as_str);
        let message = message.or_else(|| panicked.downcast_ref::<&str>().copied()).unwrap();
        assert!(message.contains("enable_time"), "{message}");
    }
}
