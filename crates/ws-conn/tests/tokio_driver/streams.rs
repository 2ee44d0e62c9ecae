//! Real streams with small buffers: TCP, Unix sockets, a duplex that cannot be split, and TLS, which holds back what was
//! written until it is flushed, and reads when it is to write.

use crate::schedules::limited;
use core::future::poll_fn;
use core::net::Ipv4Addr;
use core::pin::pin;
use core::task::Poll;
use core::time::Duration;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream, UnixStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};
use ws_conn::tokio::{Conn, Transport, Whole};
use ws_conn::{CloseCode, Opcode, Role, Timeouts};
use ws_testkit::chunks::Lcg;
use ws_testkit::naive::{self, Frame, PONG, ping};

/// Longer than any of these tests takes: who waits that long waits for ever.
const PATIENCE: Duration = Duration::from_secs(60);
const T: Timeouts = Timeouts::new(PATIENCE, PATIENCE);

#[tokio::test]
async fn calls_are_dropped_over_tcp() {
    let (ours, theirs) = tcp().await;
    conversation(ours, theirs).await;
}

#[tokio::test]
async fn calls_are_dropped_over_unix_sockets() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    conversation(ours, theirs).await;
}

#[tokio::test]
async fn calls_are_dropped_over_a_duplex() {
    let (ours, theirs) = tokio::io::duplex(64);
    conversation(Whole(ours), Whole(theirs)).await;
}

#[tokio::test]
async fn calls_are_dropped_over_halves() {
    let (ours, theirs) = tokio::io::duplex(1000);
    conversation(tokio::io::split(ours), tokio::io::split(theirs)).await;
}

#[tokio::test]
async fn calls_are_dropped_over_tls() {
    let (ours, theirs) = tcp().await;
    let (ours, theirs) = tls(ours, theirs).await;
    conversation(Whole(ours), Whole(theirs)).await;
    // Room for the session tickets, which a server sends when nobody reads yet.
    let (ours, theirs) = tokio::io::duplex(4096);
    let (ours, theirs) = tls(ours, theirs).await;
    conversation(Whole(ours), Whole(theirs)).await;
}

/// "An endpoint SHOULD use a method that cleanly closes the TCP connection, as well as the TLS session, if applicable"
/// -- RFC 6455, section 7.1.1
#[tokio::test]
async fn section_7_1_1_the_tls_session_is_closed_in_order_too() {
    let (ours, theirs) = tcp().await;
    let (ours, mut theirs) = tls(ours, theirs).await;
    let peer = tokio::spawn(async move {
        theirs.write_all(&naive::close(1000, "").masked([1; 4]).bytes()).await.unwrap();
        theirs.flush().await.unwrap();
        let mut heard = Vec::new();
        // A session that is cut off instead is an error here.
        theirs.read_to_end(&mut heard).await.map(|_| heard)
    });
    let mut conn = Conn::over(Whole(ours), Role::Server);
    assert_eq!(conn.receive(&mut [0; 16], T).await.unwrap_err().closed(), Some(CloseCode::NORMAL));
    assert_eq!(peer.await.unwrap().unwrap(), naive::close(1000, "").bytes());
}

/// Which messages a task tried to send, and whether the call resolved.
type Log = Arc<Mutex<Vec<(usize, bool)>>>;

/// A client with three tasks that send, and drop some of their calls, and a server that echoes.
async fn conversation<A, B>(ours: A, theirs: B)
where
    A: Transport<Read: Send + 'static, Write: Send + 'static>,
    B: Transport<Read: Send + 'static, Write: Send + 'static>,
{
    let mut server = Conn::over(ours, Role::Server);
    let echo = tokio::spawn(async move {
        let sender = server.sender();
        loop {
            match server.message(T).await {
                Ok(message) => sender.feed(message.opcode(), &message, PATIENCE).await.unwrap(),
                Err(error) => return error.closed(),
            }
        }
    });
    let mut client = Conn::over(theirs, Role::Client);
    let logs: [Log; 3] = Default::default();
    let mut senders = JoinSet::new();
    for (task, log) in logs.iter().cloned().enumerate() {
        let sender = client.sender();
        senders.spawn(async move {
            let mut lcg = Lcg::new(task as u64);
            for count in 0..60 {
                let mut message = vec![task as u8, count as u8];
                message.resize(2 + lcg.below(if count % 10 == 0 { 50_000 } else { 2000 }), count as u8);
                let polls = if lcg.below(3) == 0 { 1 + lcg.below(3) } else { usize::MAX };
                let sent = limited(polls, sender.send(Opcode::BINARY, &message, PATIENCE)).await;
                log.lock().unwrap().push((count, sent.map(Result::unwrap).is_some()));
                if lcg.below(4) == 0 {
                    limited(2, sender.send(Opcode::PING, &[task as u8], PATIENCE)).await;
                }
            }
            sender
        });
    }
    let end = tokio::spawn(async move {
        let mut last = None;
        while let Some(sender) = senders.join_next().await {
            last = Some(sender.unwrap());
        }
        last.unwrap().send(Opcode::TEXT, b"the end", PATIENCE).await.unwrap();
    });

    let mut echoed: [Vec<usize>; 3] = Default::default();
    let mut lcg = Lcg::new(100);
    let receive = async {
        loop {
            let polls = 1 + lcg.below(20);
            let Some(message) = limited(polls, async { client.message(T).await.map(|m| m.to_vec()) }).await else {
                tokio::task::yield_now().await;
                continue;
            };
            let message = message.unwrap();
            if message == b"the end" {
                return;
            }
            let (task, count) = (usize::from(message[0]), message[1]);
            assert!(message[2..].iter().all(|byte| *byte == count));
            echoed[task].push(usize::from(count));
        }
    };
    timeout(PATIENCE, receive).await.expect("somebody waits for ever");
    end.await.unwrap();
    for (log, echoed) in logs.iter().zip(&echoed) {
        assert!(echoed.is_sorted_by(|a, b| a < b), "not in order, or twice: {echoed:?}");
        let log = log.lock().unwrap();
        let missing: Vec<_> = log.iter().filter(|(count, sent)| *sent && !echoed.contains(count)).collect();
        assert!(missing.is_empty(), "{missing:?}");
        assert!(log.iter().any(|(_, sent)| !sent), "no call was dropped");
    }
    assert_eq!(client.finish(CloseCode::NORMAL, "", PATIENCE).await.unwrap().0, CloseCode::NORMAL);
    assert_eq!(echo.await.unwrap(), Some(CloseCode::NORMAL));
}

#[tokio::test]
async fn a_receiver_goes_on_for_a_dropped_writer_over_tcp() {
    for delay in 0..5 {
        let (ours, mut theirs) = tcp().await;
        dropped_writer(Conn::over(ours, Role::Server), &mut theirs, delay).await;
    }
}

#[tokio::test]
async fn a_receiver_goes_on_for_a_dropped_writer_over_tls() {
    for delay in 0..5 {
        let (ours, theirs) = tcp().await;
        let (ours, mut theirs) = tls(ours, theirs).await;
        dropped_writer(Conn::over(Whole(ours), Role::Server), &mut theirs, delay).await;
    }
}

/// The peer does not read; a writer is in the midst of a large frame and a receiver has a Ping to answer. The writer is
/// dropped, the peer reads on: it gets the whole frame and its Pong, from a task that does nothing but wait to receive.
async fn dropped_writer<R, W>(mut conn: Conn<R, W>, peer: &mut (impl AsyncRead + AsyncWrite + Unpin), delay: usize)
where
    R: AsyncRead + Unpin + Send + 'static,
    W: AsyncWrite + Unpin + Send + 'static,
{
    const LEN: usize = 4_000_000;
    let sender = conn.sender();
    let payload = vec![b'x'; LEN];
    {
        let mut send = pin!(sender.send(Opcode::BINARY, &payload, PATIENCE));
        let sent = poll_fn(|cx| Poll::Ready(send.as_mut().poll(cx).is_ready())).await;
        assert!(!sent, "the buffers took all of it");
        tokio::spawn(async move { conn.receive(&mut [0; 16], T).await.map(drop) });
        peer.write_all(&ping("p").masked([1, 2, 3, 4]).bytes()).await.unwrap();
        peer.flush().await.unwrap();
        // Whether the Ping is read before or after the writer is dropped: the order must not matter.
        for _ in 0..delay {
            tokio::task::yield_now().await;
        }
    }
    let mut wire = Vec::new();
    let read = async {
        while wire.len() < LEN + 10 + 3 {
            assert!(peer.read_buf(&mut wire).await.unwrap() > 0);
        }
    };
    timeout(PATIENCE, read).await.expect("the rest of the frame is stuck");
    let frames = naive::read_all(&wire).unwrap();
    assert!(frames[0].payload.len() == LEN && frames[1] == Frame::new(PONG, "p"));
}

/// With buffers much smaller than what is sent. (With the smallest ones TCP's own timers keep all waiting.)
async fn tcp() -> (TcpStream, TcpStream) {
    let socket = || {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_send_buffer_size(10_000).unwrap();
        socket.set_recv_buffer_size(100_000).unwrap();
        socket
    };
    let listener = socket();
    listener.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let listener = listener.listen(1).unwrap();
    let theirs = socket().connect(listener.local_addr().unwrap()).await.unwrap();
    (listener.accept().await.unwrap().0, theirs)
}

async fn tls<S: AsyncRead + AsyncWrite + Unpin>(ours: S, theirs: S) -> (server::TlsStream<S>, client::TlsStream<S>) {
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = certified.cert.der().clone();
    let key = PrivateKeyDer::try_from(certified.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate.clone()], key);
    let acceptor = TlsAcceptor::from(Arc::new(config.unwrap()));
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let connector = TlsConnector::from(Arc::new(config));
    let name = ServerName::try_from("localhost").unwrap();
    let (ours, theirs) = tokio::join!(acceptor.accept(ours), connector.connect(name, theirs));
    (ours.unwrap(), theirs.unwrap())
}
