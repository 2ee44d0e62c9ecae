//! Over tokio.

use core::error::Error;
use core::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio::{join, select, spawn};
use ws_stack::http::{OriginPolicy, Refused, Rejection};
use ws_stack::{
    Accepted, CloseCode, Closed, Conn, Connect, Connected, Fault, HandshakeError, Keepalive, Opcode, Policy, Role,
    Timeouts, Transport, Wait, Whole, accept,
};

type Read = <TcpStream as Transport>::Read;
type Write = <TcpStream as Transport>::Write;
type Server = Result<Accepted<Read, Write>, HandshakeError>;
type Client = Result<Connected<Read, Write>, HandshakeError>;

const SOON: Duration = Duration::from_secs(10);
const TIMEOUTS: Timeouts = Timeouts::new(SOON, SOON);

/// Both ends of a handshake over TCP.
async fn pair(policy: Policy, connect: impl FnOnce(Connect) -> Connect) -> (Server, Client) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let connect = connect(Connect::to(&format!("ws://{}/", listener.local_addr().unwrap())).unwrap());
    let server = async { accept(listener.accept().await.unwrap().0, &policy).await };
    join!(server, connect.open())
}

#[tokio::test]
async fn messages_of_every_kind_and_size_come_back_from_an_echo() -> Result<(), Box<dyn Error>> {
    let (server, client) = pair(Policy::default(), |connect| connect).await;
    let (mut server, mut client) = (server?.conn, client?.conn);
    let echo = spawn(async move {
        let sender = server.sender();
        loop {
            let message = match server.message(TIMEOUTS).await {
                Ok(message) => message,
                Err(error) => return (error.closed(), server.close_reason().to_owned()),
            };
            sender.feed(message.opcode(), &message, SOON).await.unwrap();
        }
    });
    let sender = client.sender();
    let long = "\u{1F980}x".repeat(35_000);
    for text in ["", "hello", "\u{1D4B2}eb", &long] {
        sender.send(Opcode::TEXT, text.as_bytes(), SOON).await?;
        assert_eq!(client.message(TIMEOUTS).await?.text(), Some(text));
    }
    for len in [0, 4, 300_000] {
        let payload: Vec<u8> = (0..len).map(|at| at as u8).collect();
        let (sent, message) = join!(sender.send(Opcode::BINARY, &payload, SOON), client.message(TIMEOUTS));
        let message = message?;
        assert_eq!((message.opcode(), message.text(), &*message), (Opcode::BINARY, None, &payload[..]));
        sent?;
    }
    assert_eq!(client.finish(CloseCode::new(3001), "enough", SOON).await?, Closed(CloseCode::new(3001)));
    assert!(client.is_clean());
    assert_eq!(echo.await?, (Some(CloseCode::new(3001)), "enough".to_owned()));
    Ok(())
}

#[tokio::test]
async fn streams_carry_a_message_of_unknown_length() -> Result<(), Box<dyn Error>> {
    let (server, client) = pair(Policy::default(), |connect| connect).await;
    let (mut server, client) = (server?.conn, client?.conn);
    let sending = spawn(async move {
        let mut writer = client.sender().send_stream(Opcode::TEXT, SOON).await?;
        for word in ["one ", "message ", "in pieces"] {
            writer.write_all(word.as_bytes()).await.unwrap();
        }
        writer.finish().await.map(|()| client)
    });
    let mut reader = server.receive_stream(TIMEOUTS).await?;
    let mut text = String::new();
    reader.read_to_string(&mut text).await?;
    assert_eq!((reader.opcode(), &text[..]), (Opcode::TEXT, "one message in pieces"));
    drop(reader);
    drop(sending.await??);
    Ok(())
}

#[tokio::test]
async fn a_close_from_another_task_reaches_the_peer_and_ends_a_receive_that_waits() -> Result<(), Box<dyn Error>> {
    let (server, client) = pair(Policy::default(), |connect| connect).await;
    let (mut server, mut client) = (server?.conn, client?.conn);
    let sender = server.sender();
    let receiving = spawn(async move { server.message(TIMEOUTS).await.err().and_then(|error| error.closed()) });

    sender.send_close(CloseCode::GOING_AWAY, "server is shutting down", SOON).await?;
    let error = client.message(TIMEOUTS).await.unwrap_err();
    assert!(matches!(error, ws_stack::Error::Fault(Fault::Closed(Closed(CloseCode::GOING_AWAY)))), "{error}");
    assert_eq!(client.close_reason(), "server is shutting down");
    assert_eq!(receiving.await?, Some(CloseCode::GOING_AWAY));
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_receive_dropped_by_select_or_a_timeout_loses_nothing() -> Result<(), Box<dyn Error>> {
    let (mut near, far) = duplex(4096);
    let mut conn = Conn::over(Whole(far), Role::Client);
    let mut buffer = [0; 16];
    // An unmasked text message of five bytes, in pieces.
    for piece in [&b"\x81"[..], b"\x05he", b"ll"] {
        near.write_all(piece).await?;
        assert!(timeout(Duration::from_millis(1), conn.receive(&mut buffer, TIMEOUTS)).await.is_err());
        select! {
            biased;
            received = conn.receive(&mut buffer, TIMEOUTS) => panic!("{received:?}"),
            () = async {} => {}
        }
    }
    near.write_all(b"o").await?;
    let received = conn.receive(&mut buffer, TIMEOUTS).await?;
    assert_eq!((received.opcode, &buffer[..received.len]), (Opcode::TEXT, &b"hello"[..]));
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn keepalive_ends_a_connection_whose_peer_is_gone() {
    let (_silent, far) = duplex(4096);
    let mut conn = Conn::over(Whole(far), Role::Server);
    conn.set_keepalive(Some(Keepalive::new(Duration::from_secs(1), Duration::from_secs(2))));
    let error = conn.message(Timeouts::new(SOON, Duration::MAX)).await.unwrap_err();
    assert!(matches!(error, ws_stack::Error::Fault(Fault::Timeout(Wait::Pong))), "{error}");
    assert_eq!(conn.closed(), Some(Closed(CloseCode::POLICY)));
}

#[tokio::test]
async fn the_readmes_origin_rule_lets_in_its_origin_and_nobody_else() {
    let policy = || {
        Policy::default().origin(OriginPolicy::predicate(|origin| {
            origin.is_some_and(|origin| origin.scheme() == "https" && origin.host() == "example.com")
        }))
    };
    let (server, client) = pair(policy(), |connect| connect.origin("https://example.com")).await;
    assert!(server.is_ok() && client.is_ok());
    for origin in [None, Some("http://example.com"), Some("https://example.com.evil.example")] {
        let (server, client) = pair(policy(), |connect| match origin {
            Some(origin) => connect.origin(origin),
            None => connect,
        })
        .await;
        assert!(matches!(server, Err(HandshakeError::Rejected(Rejection::Origin))), "{origin:?}");
        assert!(matches!(client, Err(HandshakeError::Refused(Refused::Status(403)))), "{origin:?}");
    }
}
