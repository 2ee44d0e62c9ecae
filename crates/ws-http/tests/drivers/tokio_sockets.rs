//! The tokio server and client over real sockets and in-memory streams.

use core::time::Duration;
use std::io::ErrorKind;

use tokio::io::{AsyncReadExt, AsyncWriteExt, BufWriter, duplex, split};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::spawn;
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use ws_conn::tokio::Whole;
use ws_conn::{CloseCode, Opcode};
use ws_http::tokio::{Connect, Error, Exchange, Policy, accept};
use ws_http::{ExtensionList, OriginPolicy, Refused, Rejection};
use ws_testkit::naive::text;

use crate::messages::{ANSWER, REQUEST, rejection};
use crate::run::{TIMEOUT, TIMEOUTS, policy};

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("ws://{}/chat?room=7", listener.local_addr().unwrap());
    (listener, uri)
}

#[tokio::test]
async fn accept_and_connect_speak_over_tcp() {
    let (listener, uri) = listen().await;
    let origin = uri.replace("ws://", "http://").replace("/chat?room=7", "");
    let server = spawn(async move {
        let policy = Policy::default().protocols(["b", "a"]).unwrap().header("X-Served", "yes").unwrap();
        let mut accepted = accept(listener.accept().await.unwrap().0, &policy).await.unwrap();
        assert_eq!(accepted.request.target(), "/chat?room=7");
        assert_eq!(accepted.request.cookies().collect::<Vec<_>>(), [(&b"id"[..], &b"1"[..])]);
        assert_eq!(accepted.protocol.as_deref(), Some("b"));
        let echo = accepted.conn.message(TIMEOUTS).await.unwrap().text().unwrap().to_string();
        accepted.conn.sender().send(Opcode::TEXT, echo.as_bytes(), TIMEOUT).await.unwrap();
        accepted.conn.finish(CloseCode::NORMAL, "", TIMEOUT).await.unwrap();
    });
    let connect = Connect::to(&uri).unwrap().subprotocol("a").subprotocol("b").origin(&origin).cookie("id", "1");
    let mut connected = connect.open().await.unwrap();
    assert_eq!(connected.protocol.as_deref(), Some("b"));
    assert_eq!(ws_http::Fields::all(&connected.response, "x-served").next(), Some(&b"yes"[..]));
    connected.conn.sender().send(Opcode::TEXT, b"hello", TIMEOUT).await.unwrap();
    assert_eq!(connected.conn.message(TIMEOUTS).await.unwrap().text(), Some("hello"));
    connected.conn.message(TIMEOUTS).await.map(drop).unwrap_err();
    assert_eq!(connected.conn.closed().unwrap().0, CloseCode::NORMAL);
    server.await.unwrap();
}

#[tokio::test]
async fn both_sides_send_without_delay_of_small_packets() {
    let (listener, uri) = listen().await;
    let server = spawn(async move {
        let stream = listener.accept().await.unwrap().0;
        let exchange = Exchange::read(stream, &policy()).await.unwrap();
        exchange.upgrade_with(&Policy::default(), |_, _| Ok(())).await.unwrap()
    });
    let connect = Connect::to(&uri).unwrap();
    let stream = connect.connect_tcp().await.unwrap();
    assert!(stream.nodelay().unwrap());
    drop(connect.open_over(stream).await.unwrap());
    assert!(server.await.unwrap().read.as_ref().nodelay().unwrap());
}

#[tokio::test]
async fn a_page_and_a_websocket_share_a_port() {
    let (listener, uri) = listen().await;
    let address = listener.local_addr().unwrap();
    let server = spawn(async move {
        for _ in 0..2 {
            let stream = listener.accept().await.unwrap().0;
            let exchange = Exchange::read(stream, &policy()).await.unwrap();
            match exchange.request().path() {
                "/" => exchange.respond(200, &[], b"a page").await.unwrap(),
                _ => drop(exchange.upgrade(&Policy::default()).await.unwrap()),
            }
        }
    });
    let mut browser = TcpStream::connect(address).await.unwrap();
    browser.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let mut page = String::new();
    browser.read_to_string(&mut page).await.unwrap();
    assert!(page.ends_with("\r\n\r\na page"), "{page}");
    drop(browser);
    Connect::to(&uri).unwrap().open().await.unwrap();
    server.await.unwrap();
}

#[tokio::test]
async fn a_refusal_survives_a_body_that_nobody_reads() {
    let (listener, _) = listen().await;
    let address = listener.local_addr().unwrap();
    let server = spawn(async move { accept(listener.accept().await.unwrap().0, &Policy::default()).await.map(drop) });
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n").await.unwrap();
    client.write_all(&[b'x'; 300_000]).await.unwrap();
    client.shutdown().await.unwrap();
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).await.unwrap();
    assert_eq!(answer, Rejection::Method.response());
    assert_eq!(rejection(server.await.unwrap()), Some(Rejection::Method));
}

#[tokio::test]
async fn a_program_refuses_with_an_answer_of_its_choice() {
    let (client, server) = duplex(1000);
    let (mut read, mut write) = split(client);
    write.write_all(REQUEST.as_bytes()).await.unwrap();
    write.shutdown().await.unwrap();
    let exchange = Exchange::read(Whole(server), &policy()).await.unwrap();
    let error = exchange.reject(Rejection::Origin).await;
    assert!(matches!(error, Error::Rejected(Rejection::Origin)));
    let mut answer = Vec::new();
    read.read_to_end(&mut answer).await.unwrap();
    assert_eq!(answer, Rejection::Origin.response());
}

/// B25: a client that sends at once behind its request lost its connection without an answer.
#[tokio::test]
async fn b25_data_right_behind_the_request_is_received_after_the_answer() {
    let (listener, _) = listen().await;
    let address = listener.local_addr().unwrap();
    let server = spawn(async move {
        let mut accepted = accept(listener.accept().await.unwrap().0, &Policy::default()).await.unwrap();
        accepted.conn.message(TIMEOUTS).await.unwrap().text().map(String::from)
    });
    let mut client = TcpStream::connect(address).await.unwrap();
    let frame = text("early").masked([9, 8, 7, 6]).bytes();
    client.write_all(&[REQUEST.as_bytes(), &frame].concat()).await.unwrap();
    let mut answer = vec![0; ANSWER.len()];
    client.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, ANSWER.as_bytes());
    assert_eq!(server.await.unwrap().as_deref(), Some("early"));
}

#[tokio::test]
async fn frames_right_behind_the_response_are_received_and_interim_responses_passed_over() {
    let (ours, theirs) = duplex(4096);
    let server = spawn(async move {
        let exchange = Exchange::read(Whole(theirs), &policy()).await.unwrap();
        let parts = exchange.upgrade_with(&Policy::default(), |_, _| Ok(())).await.unwrap();
        let mut write = parts.write;
        // The client's task has not run yet: it reads all of this at once.
        write.write_all(&[text("first").bytes(), text("second").bytes()].concat()).await.unwrap();
        (parts.read, write)
    });
    let (read, write) = split(ours);
    let hints = &b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"[..];
    let mut connected = Connect::to("ws://a").unwrap().open_over((hints.chain(read), write)).await.unwrap();
    let halves = server.await.unwrap();
    assert_eq!(connected.conn.message(TIMEOUTS).await.unwrap().text(), Some("first"));
    assert_eq!(connected.conn.message(TIMEOUTS).await.unwrap().text(), Some("second"));
    drop(halves);
}

#[tokio::test]
async fn an_extension_agreed_on_is_for_the_caller_to_put_in_place() {
    let mut list = ExtensionList::default();
    list.push("x-own", [("level", Some("2"))]).unwrap();
    let connect = Connect::to("ws://a").unwrap().extensions(list.clone());
    let serve = |stream| {
        let answer = list.clone();
        spawn(async move {
            let policy = policy();
            let exchange = Exchange::read(Whole(stream), &policy).await.unwrap();
            let parts = exchange.upgrade_with(&policy, |upgrade, response| {
                assert_eq!(upgrade.extensions().map(|offer| offer.name()).collect::<Vec<_>>(), ["x-own"]);
                response.set_extensions(upgrade, &answer)?;
                Ok(())
            });
            drop(parts.await.unwrap());
        })
    };
    let (ours, theirs) = duplex(1000);
    let server = serve(theirs);
    let plain = connect.open_over(Whole(ours)).await;
    assert!(matches!(plain, Err(Error::Refused(Refused::Extensions))), "a connection without it cannot be used");
    server.await.unwrap();

    let (ours, theirs) = duplex(1000);
    let server = serve(theirs);
    let parts = connect.open_parts(Whole(ours)).await.unwrap();
    assert_eq!(parts.head.header("Sec-WebSocket-Extensions"), Some(&b"x-own; level=2"[..]));
    server.await.unwrap();
}

#[tokio::test]
async fn a_handshake_goes_through_a_pipe_of_one_byte() {
    let (ours, theirs) = duplex(1);
    let policy = Policy::default();
    let connect = Connect::to("ws://a").unwrap();
    let (accepted, connected) = tokio::join!(accept(Whole(theirs), &policy), connect.open_over(Whole(ours)));
    assert_eq!(accepted.unwrap().request.target(), "/");
    assert_eq!(connected.unwrap().protocol, None);
}

#[tokio::test]
async fn what_a_stream_holds_back_is_flushed() {
    let (ours, theirs) = duplex(4096);
    let held_back = |stream| {
        let (read, write) = split(stream);
        (read, BufWriter::new(write))
    };
    let policy = Policy::default();
    let connect = Connect::to("ws://a").unwrap();
    let (accepted, connected) = tokio::join!(accept(held_back(theirs), &policy), connect.open_over(held_back(ours)));
    accepted.unwrap();
    connected.unwrap();
}

#[tokio::test]
async fn every_address_of_a_host_is_tried() {
    let (listener, _) = listen().await;
    let uri = format!("ws://localhost:{}/", listener.local_addr().unwrap().port());
    let server = spawn(async move { accept(listener.accept().await.unwrap().0, &Policy::default()).await.map(drop) });
    let forever = Duration::MAX;
    Connect::to(&uri).unwrap().connect_timeout(forever).handshake_timeout(forever).open().await.unwrap();
    server.await.unwrap().unwrap();
}

#[tokio::test]
async fn nobody_there_is_an_io_error_and_no_time_a_timeout() {
    let (listener, uri) = listen().await;
    let by_name = format!("ws://localhost:{}/", listener.local_addr().unwrap().port());
    for uri in [&uri, &by_name] {
        let none = Connect::to(uri).unwrap().connect_timeout(Duration::ZERO).open().await;
        assert!(matches!(none, Err(Error::Timeout)), "{none:?}");
    }
    drop(listener);
    let refused = Connect::to(&uri).unwrap().open().await;
    assert!(matches!(&refused, Err(Error::Io(error)) if error.kind() == ErrorKind::ConnectionRefused), "{refused:?}");
}

#[test]
fn a_look_up_that_hangs_is_given_up_at_the_deadline() {
    let runtime = Builder::new_current_thread().enable_all().max_blocking_threads(1).build().unwrap();
    runtime.block_on(async {
        // The one thread that could look up a name waits for the end of this test.
        let (release, released) = std::sync::mpsc::channel::<()>();
        let busy = spawn_blocking(move || released.recv());
        let connect = Connect::to("ws://localhost:9/").unwrap().connect_timeout(Duration::from_millis(10));
        let opened = timeout(TIMEOUT, connect.open()).await;
        drop(release);
        assert!(matches!(opened, Ok(Err(Error::Timeout))), "{opened:?}");
        busy.await.unwrap().unwrap_err();
    });
}

#[cfg(unix)]
#[tokio::test]
async fn a_unix_socket_is_opened_over_with_the_uri_as_the_request() {
    let (ours, theirs) = tokio::net::UnixStream::pair().unwrap();
    let policy = Policy::default().origin(OriginPolicy::Any);
    let connect = Connect::to("wss://a/b?c").unwrap().origin("https://anywhere");
    let (accepted, connected) = tokio::join!(accept(theirs, &policy), connect.open_over(ours));
    assert_eq!(accepted.unwrap().request.target(), "/b?c");
    connected.unwrap();
}
