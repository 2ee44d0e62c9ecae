//! Clients with nothing but ill will. What each of them has to expect is that it is cut off, in the way that it deserves.

use core::net::SocketAddr;
use core::time::Duration;
use std::io::ErrorKind;
use std::thread;

use ws_testkit::live::{Peer, request};
use ws_testkit::naive::{binary, close, continuation, encode_all, ping, text};
use ws_testkit::raw;

use crate::visit::{Met, Visit, expect};

pub(crate) const KINDS: &[(&str, u64, Visit)] = &[
    ("pings, pongs unread", 1, unread_pongs),
    ("messages, echoes unread", 2, unread_echoes),
    ("fragments of one byte", 1, tiny_fragments),
    ("lengths that are not sent", 2, unsent_lengths),
    ("broken frames", 2, broken_frames),
    ("broken handshakes", 2, broken_handshakes),
    ("heads without end", 1, endless_head),
    ("drips", 4, drips),
    ("silence", 4, silence),
    ("a crowd that vanishes", 1, vanishing_crowd),
    ("reset in the middle", 2, resets),
];

fn unread_pongs(server: SocketAddr, _: u64) -> Met {
    flood(&mut Peer::open(server)?, &ping([b'p'; 125]).masked(MASK).bytes())
}

fn unread_echoes(server: SocketAddr, visit: u64) -> Met {
    let message = binary(vec![b'm'; 100 << (visit % 12)]);
    flood(&mut Peer::open(server)?, &message.masked(MASK).bytes())
}

/// Sends until it is cut off; some seconds later, whoever takes it all is to blame.
fn flood(peer: &mut Peer, bytes: &[u8]) -> Met {
    let many = bytes.repeat((64 * 1024 / bytes.len()).max(1));
    let end = (0..MOST / many.len()).find_map(|_| peer.send(&many).err());
    let cut_off =
        end.as_ref().is_some_and(|end| matches!(end.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe));
    expect(cut_off, || format!("a flood met {end:?}"))
}

fn tiny_fragments(server: SocketAddr, _: u64) -> Met {
    let mut peer = Peer::open(server)?;
    peer.say(&[text("").not_final()])?;
    peer.send(&continuation("x").not_final().masked(MASK).bytes().repeat(20_000))?;
    peer.say(&[continuation(""), close(1000, "")])?;
    let echo = peer.frame()?;
    expect(echo == Some(text(&"x".repeat(20_000))), || "a message in fragments differs from its echo".into())?;
    closed_with(&mut peer, 1000)
}

/// A whole message is announced, and a part of it sent; or more than the limit.
fn unsent_lengths(server: SocketAddr, visit: u64) -> Met {
    let mut peer = Peer::open(server)?;
    let (len, code) =
        [(1 << 20, 1008), ((1 << 20) + 1, 1009), (u64::MAX >> 1, 1009), (u64::MAX, 1002)][visit as usize % 4];
    peer.send(&raw::announced(&binary([]).masked(MASK), len))?;
    // Whoever has been told no already may not take it.
    let _ = peer.send(&[0; 10_000]);
    closed_with(&mut peer, code)
}

fn broken_frames(server: SocketAddr, visit: u64) -> Met {
    let broken = [
        (1002, text("not masked").bytes()),
        (1002, text("RSV").rsv(2).masked(MASK).bytes()),
        (1002, text("reserved").opcode(5).masked(MASK).bytes()),
        (1002, ping([0; 126]).masked(MASK).bytes()),
        (1002, continuation("nothing to continue").masked(MASK).bytes()),
        (1002, close(1005, "").masked(MASK).bytes()),
        (1007, binary([0xff]).opcode(1).masked(MASK).bytes()),
    ];
    let (code, bytes) = &broken[visit as usize % broken.len()];
    let mut peer = Peer::open(server)?;
    peer.send(bytes)?;
    closed_with(&mut peer, *code)
}

fn broken_handshakes(server: SocketAddr, visit: u64) -> Met {
    let good = request("/", &server.to_string(), "");
    let broken = [
        ("405", good.replace("GET", "POST")),
        ("505", good.replace("HTTP/1.1", "HTTP/1.0")),
        ("426", good.replace("Version: 13", "Version: 8")),
        ("400", good.replace("Sec-WebSocket-Key", "X-Key")),
        ("400", good.replace("\r\n", "\n")),
        ("400", request("/", &server.to_string(), "Content-Length: 5\r\n") + "hello"),
        ("431", request("/", &server.to_string(), &"X: 1\r\n".repeat(200))),
        ("403", request("/", &server.to_string(), "Origin: http://evil.example\r\n")),
        ("408", good[..good.len() / 2].into()),
    ];
    let (status, bytes) = &broken[visit as usize % broken.len()];
    let mut peer = Peer::connect(server)?;
    peer.send(bytes.as_bytes())?;
    let head = peer.head()?;
    expect(head.starts_with(&format!("HTTP/1.1 {status} ")), || format!("{status} was expected: {head}"))
}

fn endless_head(server: SocketAddr, _: u64) -> Met {
    let mut peer = Peer::connect(server)?;
    peer.send(b"GET / HTTP/1.1\r\nX: ")?;
    flood(&mut peer, b"xxxxxxxxxxxxxxxx")
}

/// A byte now and then, of a head or of a payload, until it is cut off.
fn drips(server: SocketAddr, visit: u64) -> Met {
    let mut peer = if visit.is_multiple_of(2) { Peer::connect(server)? } else { Peer::open(server)? };
    match visit % 2 {
        0 => peer.send(b"GET / HTTP/1.1\r\nX: ")?,
        _ => peer.send(&raw::announced(&binary([]).masked(MASK), 1000))?,
    }
    for _ in 0..MOST_DRIPS {
        if peer.send(b"x").is_err() {
            return Ok(());
        }
        thread::sleep(DRIP);
    }
    Err("drips held a connection open".into())
}

/// Nothing at all, before the handshake or after it.
fn silence(server: SocketAddr, visit: u64) -> Met {
    if visit.is_multiple_of(2) {
        let head = Peer::connect(server)?.head()?;
        return expect(head.starts_with("HTTP/1.1 408 "), || format!("silence met {head:?}"));
    }
    closed_with(&mut Peer::open(server)?, 1008)
}

/// Many at once, each gone at another byte of what it had to say, in one of three ways.
fn vanishing_crowd(server: SocketAddr, _: u64) -> Met {
    let frames = [text("hello"), binary([7; 300]).not_final(), ping("p"), continuation("b"), close(1000, "")];
    let frames = encode_all(&frames.map(|frame| frame.masked(MASK)));
    let session = [request("/", &server.to_string(), "").as_bytes(), &frames].concat();
    let mut crowd = Vec::new();
    for cut in (0..session.len()).step_by(5) {
        let mut peer = Peer::connect(server)?;
        peer.send(&session[..cut])?;
        crowd.push(peer);
    }
    for (at, peer) in crowd.into_iter().enumerate() {
        match at % 3 {
            0 => drop(peer),
            1 => peer.half_close().unwrap_or_default(),
            _ => peer.reset()?,
        }
    }
    Ok(())
}

/// While the answer is written.
fn resets(server: SocketAddr, visit: u64) -> Met {
    let mut peer = Peer::open(server)?;
    peer.say(&[binary(vec![b'e'; 1_000_000])])?;
    peer.discard(1 + (visit % 10_000) as usize)?;
    Ok(peer.reset()?)
}

/// The one Close that comes before the end has this code.
fn closed_with(peer: &mut Peer, code: u16) -> Met {
    let frame = peer.frame()?;
    let found = frame.as_ref().and_then(|frame| frame.close_code());
    expect(found == Some(code), || format!("a Close with {code} was expected, {frame:?} came"))?;
    // It may be cut off by then, for what it has sent after the Close.
    let after = peer.frame();
    expect(!matches!(after, Ok(Some(_))), || format!("{after:?} came after a Close"))
}

const MASK: [u8; 4] = [0x5a, 0xa5, 0x3c, 0xc3];

/// A flood of which so many bytes are taken has no end.
const MOST: usize = 64 << 30;

const DRIP: Duration = Duration::from_millis(100);

/// Twice as long as any deadline.
const MOST_DRIPS: u32 = 200;
