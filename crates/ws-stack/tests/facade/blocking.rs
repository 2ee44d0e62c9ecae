//! Over blocking sockets.

use core::error::Error;
use core::time::Duration;
use std::net::{TcpListener, TcpStream};
use std::thread;
use ws_stack::blocking::{Accepted, Connect, Connected, HandshakeError, Policy, Socket, accept};
use ws_stack::http::{OriginPolicy, Refused, Rejection};
use ws_stack::{CloseCode, Closed, Fault, Opcode, Timeouts};

type Half = Socket<TcpStream>;
type Server = Result<Accepted<Half, Half>, HandshakeError>;
type Client = Result<Connected<Half, Half>, HandshakeError>;

const SOON: Duration = Duration::from_secs(10);
const TIMEOUTS: Timeouts = Timeouts::new(SOON, SOON);

/// Both ends of a handshake over TCP.
fn pair(policy: Policy, connect: impl FnOnce(Connect) -> Connect) -> (Server, Client) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    let server = thread::spawn(move || accept(listener.accept().unwrap().0, &policy));
    let client = connect(Connect::to(&url).unwrap()).open();
    (server.join().unwrap(), client)
}

#[test]
fn messages_of_every_kind_and_size_come_back_from_an_echo() -> Result<(), Box<dyn Error>> {
    let (server, client) = pair(Policy::default(), |connect| connect);
    let (mut server, mut client) = (server?.conn, client?.conn);
    let echo = thread::spawn(move || {
        let sender = server.sender();
        loop {
            let message = match server.message(TIMEOUTS) {
                Ok(message) => message,
                Err(error) => return (error.closed(), server.close_reason().to_owned()),
            };
            sender.feed(message.opcode(), &message, SOON).unwrap();
        }
    });
    let sender = client.sender();
    let long = "\u{1F980}x".repeat(35_000);
    for text in ["", "hello", "\u{1D4B2}eb", &long] {
        sender.send(Opcode::TEXT, text.as_bytes(), SOON)?;
        assert_eq!(client.message(TIMEOUTS)?.text(), Some(text));
    }
    for len in [0, 4, 300_000] {
        let payload: Vec<u8> = (0..len).map(|at| at as u8).collect();
        sender.send(Opcode::BINARY, &payload, SOON)?;
        let message = client.message(TIMEOUTS)?;
        assert_eq!((message.opcode(), message.text(), &*message), (Opcode::BINARY, None, &payload[..]));
    }
    assert_eq!(client.finish(CloseCode::new(3001), "enough", SOON)?, Closed(CloseCode::new(3001)));
    assert_eq!(echo.join().unwrap(), (Some(CloseCode::new(3001)), "enough".to_owned()));
    Ok(())
}

#[test]
fn a_close_from_another_thread_reaches_the_peer_and_ends_a_receive_that_waits() -> Result<(), Box<dyn Error>> {
    let (server, client) = pair(Policy::default(), |connect| connect);
    let (mut server, mut client) = (server?.conn, client?.conn);
    let sender = server.sender();
    let receiving = thread::spawn(move || server.message(TIMEOUTS).err().and_then(|error| error.closed()));

    sender.send_close(CloseCode::GOING_AWAY, "server is shutting down", SOON)?;
    let error = client.message(TIMEOUTS).unwrap_err();
    assert!(matches!(error, ws_stack::Error::Fault(Fault::Closed(Closed(CloseCode::GOING_AWAY)))), "{error}");
    assert_eq!(client.close_reason(), "server is shutting down");
    assert_eq!(receiving.join().unwrap(), Some(CloseCode::GOING_AWAY));
    Ok(())
}

#[test]
fn the_readmes_origin_rule_lets_in_its_origin_and_nobody_else() {
    let policy = || {
        Policy::default().origin(OriginPolicy::predicate(|origin| {
            origin.is_some_and(|origin| origin.scheme() == "https" && origin.host() == "example.com")
        }))
    };
    let (server, client) = pair(policy(), |connect| connect.origin("https://example.com"));
    assert!(server.is_ok() && client.is_ok());
    for origin in [None, Some("http://example.com"), Some("https://example.com.evil.example")] {
        let (server, client) = pair(policy(), |connect| match origin {
            Some(origin) => connect.origin(origin),
            None => connect,
        });
        assert!(matches!(server, Err(HandshakeError::Rejected(Rejection::Origin))), "{origin:?}");
        assert!(matches!(client, Err(HandshakeError::Refused(Refused::Status(403)))), "{origin:?}");
    }
}
