//! Clients without ill will, over this project's own client.

use core::net::SocketAddr;
use core::time::Duration;
use std::net::TcpStream;
use ws_stack::blocking::{Conn, Connect, Socket};
use ws_stack::{CloseCode, Opcode, Timeouts};

use crate::visit::{Met, Visit, expect};

pub(crate) const KINDS: &[(&str, u64, Visit)] = &[
    ("echoes of many sizes", 4, echoes),
    ("messages in a row", 2, in_a_row),
    ("streams both ways", 2, streams),
    ("pings between messages", 2, pings),
    ("connect and close", 2, closes),
];

/// One message after the other, of sizes around each form of length.
fn echoes(server: SocketAddr, visit: u64) -> Met {
    let mut conn = open(server)?;
    let sender = conn.sender();
    for size in [0, 1, 125, 126, 1000, 16 * 1024, 65_535, 65_536, 300_000, 1_000_000] {
        let payload = payload(size, visit);
        sender.send(Opcode::BINARY, &payload, WIRE)?;
        let echo = conn.message(TIMEOUTS)?;
        expect(*echo == payload[..], || format!("an echo of {} bytes differs from {size}", echo.len()))?;
    }
    let text = "größe 👋 日本語 ж".repeat(1 + (visit % 100) as usize);
    sender.send(Opcode::TEXT, text.as_bytes(), WIRE)?;
    let same = conn.message(TIMEOUTS)?.text() == Some(&text);
    expect(same, || "a text differs from its echo".into())?;
    close(conn, CloseCode::NORMAL)
}

/// Many before the first answer is read.
fn in_a_row(server: SocketAddr, visit: u64) -> Met {
    let mut conn = open(server)?;
    let sender = conn.sender();
    let size = 1 + (visit % 1000) as usize;
    for at in 0..100 {
        sender.feed(Opcode::BINARY, &payload(size, at), WIRE)?;
    }
    sender.flush(WIRE)?;
    for at in 0..100 {
        let echo = conn.message(TIMEOUTS)?;
        expect(*echo == payload(size, at)[..], || format!("message {at} of {size} bytes differs from its echo"))?;
    }
    close(conn, CloseCode::NORMAL)
}

/// A message in fragments of any size, and its echo in pieces.
fn streams(server: SocketAddr, visit: u64) -> Met {
    let mut conn = open(server)?;
    let payload = payload(200_000, visit);
    let mut writer = conn.sender().send_stream(Opcode::BINARY, WIRE)?;
    for chunk in payload.chunks(1 + (visit * 997 % 60_000) as usize) {
        writer.write_chunk(chunk)?;
    }
    writer.finish()?;

    let mut echo = Vec::new();
    let mut reader = conn.receive_stream(TIMEOUTS)?;
    let mut buf = [0; 5000];
    loop {
        match reader.read_chunk(&mut buf)? {
            0 => break,
            len => echo.extend_from_slice(&buf[..len]),
        }
    }
    drop(reader);
    expect(echo == payload, || format!("a stream of {} bytes differs from its echo", payload.len()))?;
    close(conn, CloseCode::GOING_AWAY)
}

/// The pongs are the connection's affair; the messages come all the same.
fn pings(server: SocketAddr, visit: u64) -> Met {
    let mut conn = open(server)?;
    let sender = conn.sender();
    for at in 0..50 {
        sender.send(Opcode::PING, &payload((at % 126) as usize, visit), WIRE)?;
        sender.send(Opcode::TEXT, b"between pings", WIRE)?;
        let same = conn.message(TIMEOUTS)?.text() == Some("between pings");
        expect(same, || "a text differs from its echo".into())?;
    }
    close(conn, CloseCode::NORMAL)
}

/// Any code that a program may close with.
fn closes(server: SocketAddr, visit: u64) -> Met {
    let conn = open(server)?;
    close(conn, CloseCode::new(3000 + (visit % 2000) as u16))
}

fn open(server: SocketAddr) -> Result<Tcp, Box<dyn core::error::Error>> {
    Ok(Connect::to(&format!("ws://{server}/"))?.connect_timeout(WIRE).handshake_timeout(WIRE).open()?.conn)
}

fn close(mut conn: Tcp, code: CloseCode) -> Met {
    let closed = conn.finish(code, "done", WIRE)?;
    expect(closed.0 == code && conn.is_clean(), || format!("closed with {}, not cleanly with {code}", closed.0))
}

/// Bytes of any value, others each time.
fn payload(size: usize, visit: u64) -> Vec<u8> {
    (0..size as u64).map(|at| (at * 7 + at / 251 + visit) as u8).collect()
}

type Tcp = Conn<Socket<TcpStream>, Socket<TcpStream>>;

/// Ample, on a machine with too much to do.
const WIRE: Duration = Duration::from_secs(30);
const TIMEOUTS: Timeouts = Timeouts::new(WIRE, WIRE);
