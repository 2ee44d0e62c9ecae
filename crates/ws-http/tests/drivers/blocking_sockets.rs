//! The blocking server and client over real sockets.

use core::sync::atomic::{AtomicUsize, Ordering};
use core::time::Duration;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, mpsc};
use std::thread;

use ws_conn::blocking::{Input, Output, Socket, Transport};
use ws_conn::{CloseCode, Opcode};
use ws_http::blocking::{Accepted, Connect, Error, Exchange, Policy, accept};
use ws_http::{ExtensionList, HeadReader, Limits, OriginPolicy, Refused, Rejection, RequestHead, UpgradeResponse};
use ws_testkit::naive::text;

use crate::messages::{ANSWER, REQUEST, rejection};
use crate::run::{TIMEOUT, TIMEOUTS, policy};

fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let uri = format!("ws://{}/chat?room=7", listener.local_addr().unwrap());
    (listener, uri)
}

#[test]
fn accept_and_connect_speak_over_tcp() {
    let (listener, uri) = listen();
    let origin = uri.replace("ws://", "http://").replace("/chat?room=7", "");
    let server = thread::spawn(move || {
        let policy = Policy::default().protocols(["b", "a"]).unwrap().header("X-Served", "yes").unwrap();
        let mut accepted = accept(listener.accept().unwrap().0, &policy).unwrap();
        assert_eq!(accepted.request.target(), "/chat?room=7");
        assert_eq!(accepted.request.cookies().collect::<Vec<_>>(), [(&b"id"[..], &b"1"[..])]);
        assert_eq!(accepted.protocol.as_deref(), Some("b"));
        let echo = accepted.conn.message(TIMEOUTS).unwrap().text().unwrap().to_string();
        accepted.conn.sender().send(Opcode::TEXT, echo.as_bytes(), TIMEOUT).unwrap();
        accepted.conn.finish(CloseCode::NORMAL, "", TIMEOUT).unwrap();
    });
    let connect = Connect::to(&uri).unwrap().subprotocol("a").subprotocol("b").origin(&origin).cookie("id", "1");
    let mut connected = connect.open().unwrap();
    assert_eq!(connected.protocol.as_deref(), Some("b"));
    assert_eq!(ws_http::Fields::all(&connected.response, "x-served").next(), Some(&b"yes"[..]));
    assert!(connected.conn.get_ref().get_ref().nodelay().unwrap());
    connected.conn.sender().send(Opcode::TEXT, "hello".as_bytes(), TIMEOUT).unwrap();
    assert_eq!(connected.conn.message(TIMEOUTS).unwrap().text(), Some("hello"));
    connected.conn.message(TIMEOUTS).map(drop).unwrap_err();
    assert_eq!(connected.conn.closed().unwrap().0, CloseCode::NORMAL);
    server.join().unwrap();
}

#[test]
fn a_page_and_a_websocket_share_a_port() {
    let (listener, uri) = listen();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        for _ in 0..2 {
            let stream = listener.accept().unwrap().0;
            let exchange = Exchange::read(stream, &policy()).unwrap();
            match exchange.request().path() {
                "/" => exchange.respond(200, &[], b"a page").unwrap(),
                _ => drop(exchange.upgrade(&Policy::default()).unwrap()),
            }
        }
    });
    let mut browser = TcpStream::connect(address).unwrap();
    browser.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    let mut page = String::new();
    browser.read_to_string(&mut page).unwrap();
    assert!(page.ends_with("\r\n\r\na page"), "{page}");
    drop(browser);
    Connect::to(&uri).unwrap().open().unwrap();
    server.join().unwrap();
}

#[test]
fn a_refusal_survives_a_body_that_nobody_reads() {
    let (listener, _) = listen();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || accept(listener.accept().unwrap().0, &Policy::default()).map(drop));
    let mut client = TcpStream::connect(address).unwrap();
    client.write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n").unwrap();
    client.write_all(&[b'x'; 300_000]).unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).unwrap();
    assert_eq!(answer, Rejection::Method.response());
    assert_eq!(rejection(server.join().unwrap()), Some(Rejection::Method));
}

#[test]
fn frames_right_behind_the_response_are_received_and_interim_responses_passed_over() {
    let (listener, uri) = listen();
    let server = thread::spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        let mut reader = HeadReader::request(Limits::default());
        let mut byte = [0];
        loop {
            stream.read_exact(&mut byte).unwrap();
            if reader.push(&byte).unwrap().is_some() {
                break;
            }
        }
        let head = RequestHead::parse(reader).unwrap();
        let answer = UpgradeResponse::new(&head.upgrade().unwrap()).to_bytes();
        let hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
        stream.write_all(&[&hints[..], &answer, &text("first").bytes(), &text("second").bytes()].concat()).unwrap();
        stream
    });
    let mut connected = Connect::to(&uri).unwrap().open().unwrap();
    assert_eq!(connected.conn.message(TIMEOUTS).unwrap().text(), Some("first"));
    assert_eq!(connected.conn.message(TIMEOUTS).unwrap().text(), Some("second"));
    drop(server.join().unwrap());
}

#[test]
fn an_extension_agreed_on_is_for_the_caller_to_put_in_place() {
    let (listener, uri) = listen();
    let mut list = ExtensionList::default();
    list.push("x-own", [("level", Some("2"))]).unwrap();
    let answer = list.clone();
    let server = thread::spawn(move || {
        for _ in 0..2 {
            let exchange = Exchange::read(listener.accept().unwrap().0, &policy()).unwrap();
            let parts = exchange.upgrade_with(&Policy::default(), |upgrade, response| {
                assert_eq!(upgrade.extensions().map(|offer| offer.name()).collect::<Vec<_>>(), ["x-own"]);
                response.set_extensions(upgrade, &answer)?;
                Ok(())
            });
            drop(parts.unwrap());
        }
    });
    let connect = Connect::to(&uri).unwrap().extensions(list);
    let plain = connect.open();
    assert!(matches!(plain, Err(Error::Refused(Refused::Extensions))), "a connection without it cannot be used");
    let parts = connect.open_parts(connect.connect_tcp().unwrap()).unwrap();
    assert_eq!(parts.head.header("Sec-WebSocket-Extensions"), Some(&b"x-own; level=2"[..]));
    server.join().unwrap();
}

/// B25: a client that sends at once behind its request lost its connection without an answer.
#[test]
fn b25_data_right_behind_the_request_is_received_after_the_answer() {
    let (listener, _) = listen();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        let mut accepted = accept(listener.accept().unwrap().0, &Policy::default()).unwrap();
        accepted.conn.message(TIMEOUTS).unwrap().text().map(String::from)
    });
    let mut client = TcpStream::connect(address).unwrap();
    let frame = text("early").masked([9, 8, 7, 6]).bytes();
    client.write_all(&[REQUEST.as_bytes(), &frame].concat()).unwrap();
    let mut answer = vec![0; ANSWER.len()];
    client.read_exact(&mut answer).unwrap();
    assert_eq!(answer, ANSWER.as_bytes());
    assert_eq!(server.join().unwrap().as_deref(), Some("early"));
}

#[test]
fn every_address_of_a_host_is_tried() {
    let (listener, _) = listen();
    let uri = format!("ws://localhost:{}/", listener.local_addr().unwrap().port());
    let server = thread::spawn(move || accept(listener.accept().unwrap().0, &Policy::default()).map(drop));
    let forever = Duration::MAX;
    Connect::to(&uri).unwrap().connect_timeout(forever).handshake_timeout(forever).open().unwrap();
    server.join().unwrap().unwrap();
}

#[test]
fn nobody_there_is_an_io_error_and_no_time_a_timeout() {
    let (listener, uri) = listen();
    let none = Connect::to(&uri).unwrap().connect_timeout(Duration::ZERO).open();
    assert!(matches!(none, Err(Error::Timeout)), "{none:?}");
    drop(listener);
    let refused = Connect::to(&uri).unwrap().open();
    assert!(matches!(&refused, Err(Error::Io(error)) if error.kind() == ErrorKind::ConnectionRefused), "{refused:?}");
}

#[cfg(unix)]
#[test]
fn a_unix_socket_is_opened_over_with_the_uri_as_the_request() {
    let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    let server = thread::spawn(move || {
        let accepted = accept(theirs, &Policy::default().origin(OriginPolicy::Any)).unwrap();
        accepted.request.target().to_string()
    });
    Connect::to("wss://a/b?c").unwrap().origin("https://anywhere").open_over(ours).unwrap();
    assert_eq!(server.join().unwrap(), "/b?c");
}

/// Linux restarts the time-out of a Unix socket for each buffer that the peer takes.
#[cfg(unix)]
#[test]
fn a_page_over_a_unix_socket_ends_at_its_deadline_although_the_peer_takes_some() {
    let short = Duration::from_millis(300);
    let (mut client, server) = std::os::unix::net::UnixStream::pair().unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    let peer = thread::spawn(move || {
        let (_nobody, nothing) = mpsc::channel::<()>();
        let mut piece = vec![0; 64 * 1024];
        while client.read(&mut piece).is_ok_and(|len| len > 0) {
            let _ = nothing.recv_timeout(short / 2);
        }
    });
    let exchange = Exchange::read(server, &Policy::default().timeout(short)).unwrap();
    // A page is waited for for a second, or for what the handshake has left if that is more.
    let page = vec![b'x'; 4 << 20];
    assert!(matches!(exchange.respond(200, &[], &page), Err(Error::Timeout)));
    peer.join().unwrap();
}

/// Also the handshake of one that another part of the program has left non-blocking.
#[test]
fn a_non_blocking_socket_is_accepted_and_waits() {
    let (listener, uri) = listen();
    let server = thread::spawn(move || {
        let stream = listener.accept().unwrap().0;
        stream.set_nonblocking(true).unwrap();
        let (read, write) = stream.split();
        let reads = Arc::new(AtomicUsize::new(0));
        let counted = Counted { read, reads: Arc::clone(&reads) };
        let mut accepted = accept(Halves(counted, write), &Policy::default()).unwrap();
        assert_eq!(accepted.conn.message(TIMEOUTS).unwrap().text(), Some("at last"));
        reads.load(Ordering::Relaxed)
    });
    let stream = TcpStream::connect(uri.trim_start_matches("ws://").split('/').next().unwrap()).unwrap();
    // The server waits for each byte, if only for a moment.
    let client = Connect::to(&uri).unwrap().open_over(stream).unwrap().conn;
    client.sender().send(Opcode::TEXT, b"at last", TIMEOUT).unwrap();
    let reads = server.join().unwrap();
    assert!(reads < 20, "{reads} reads");
    drop(client);
}

struct Halves<R, W>(R, W);

impl<R: Input, W: Output> Transport for Halves<R, W> {
    type Read = R;
    type Write = W;

    fn split(self) -> (R, W) {
        (self.0, self.1)
    }
}

struct Counted<R> {
    read: R,
    reads: Arc<AtomicUsize>,
}

impl<R: Input> Input for Counted<R> {
    fn read(&mut self, into: &mut [u8], patience: Duration) -> io::Result<usize> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.read.read(into, patience)
    }
}

/// Without a clock, there is an end to it as well.
#[test]
fn a_stream_that_is_interrupted_without_end_is_given_up() {
    struct Interrupted(usize);

    impl Interrupted {
        fn interrupt<T>(&mut self) -> io::Result<T> {
            self.0 += 1;
            assert!(self.0 < 2_000_000, "it is tried again without end");
            Err(ErrorKind::Interrupted.into())
        }
    }

    impl Read for Interrupted {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            self.interrupt()
        }
    }

    impl Write for Interrupted {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            self.interrupt()
        }

        fn flush(&mut self) -> io::Result<()> {
            self.interrupt()
        }
    }

    let interrupted = |error| matches!(error, Error::Io(error) if error.kind() == ErrorKind::Interrupted);
    let read = accept((Interrupted(0), Vec::new()), &Policy::default()).map(drop);
    assert!(interrupted(read.unwrap_err()));
    let written = accept((REQUEST.as_bytes(), Interrupted(0)), &Policy::default()).map(drop);
    assert!(interrupted(written.unwrap_err()));
}

#[test]
fn a_plain_reader_and_writer_will_do() {
    let mut written = Vec::new();
    let accepted = accept((REQUEST.as_bytes(), &mut written), &Policy::default());
    assert!(accepted.is_ok());
    drop(accepted);
    assert_eq!(written, ANSWER.as_bytes());
}

#[test]
fn a_server_with_a_short_deadline_lets_go_of_a_silent_client() {
    let (listener, _) = listen();
    let address = listener.local_addr().unwrap();
    let policy = Policy::default().timeout(Duration::from_millis(20));
    let server = thread::spawn(move || accept(listener.accept().unwrap().0, &policy).map(drop));
    let mut client = TcpStream::connect(address).unwrap();
    client.write_all(b"GET / HT").unwrap();
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).unwrap();
    assert_eq!(answer, Rejection::Timeout.response());
    drop(client);
    assert_eq!(rejection(server.join().unwrap()), Some(Rejection::Timeout));
}

#[test]
fn threads_share_a_connect_and_hand_over_an_exchange() {
    fn shared<T: Send + Sync>() {}
    fn sent<T: Send>() {}
    shared::<Connect>();
    sent::<Exchange<Socket<TcpStream>, Socket<TcpStream>>>();
    sent::<Accepted<Socket<TcpStream>, Socket<TcpStream>>>();
}
