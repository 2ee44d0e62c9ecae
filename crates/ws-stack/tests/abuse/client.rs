//! `testee_client` against a server that does any of this.

use core::time::Duration;
use std::collections::HashSet;
use std::io::ErrorKind;
use std::net::TcpListener;
use std::thread;
use std::time::Instant;

use ws_stack::http::accept_key;
use ws_testkit::live::{Peer, Program, example};
use ws_testkit::naive::{self, Frame, binary, close, continuation, ping, text};
use ws_testkit::raw;

use crate::habits::{drip_to_the_end, flood_until_cut_off};
use crate::target::{DRIVERS, MIB, beside_others};

#[test]
fn a_response_that_is_no_handshake_is_refused_and_nothing_more_is_said() {
    let table: &[(&str, Change)] = &[
        ("another status", |_| "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".into()),
        ("a way elsewhere", |_| {
            "HTTP/1.1 302 Found\r\nLocation: ws://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n".into()
        }),
        ("an error with a body", |_| "HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nnever".into()),
        ("no proof", |good| without(good, "Sec-WebSocket-Accept")),
        ("another proof", |good| good.replace("Accept: ", "Accept: A")),
        ("a proof in capitals", |good| good.to_uppercase()),
        ("two proofs", |good| twice(good, "Sec-WebSocket-Accept")),
        ("no Upgrade", |good| without(good, "Upgrade")),
        ("an upgrade to something else", |good| good.replace("websocket", "h2c")),
        ("no Connection", |good| without(good, "Connection")),
        ("a subprotocol", |good| plus(good, "Sec-WebSocket-Protocol: chat")),
        ("an extension", |good| plus(good, "Sec-WebSocket-Extensions: permessage-deflate")),
        ("HTTP/1.0", |good| good.replace("HTTP/1.1", "HTTP/1.0")),
        ("no HTTP", |_| "SSH-2.0-OpenSSH_9.2\r\n\r\n".into()),
        ("frames", |_| "\u{1}\u{5}hello\r\n\r\n".into()),
        ("line feeds alone", |good| good.replace("\r\n", "\n")),
        ("a folded line", |good| plus(good, "X: 1\r\n folded")),
        ("a space before a colon", |good| plus(good, "X : 1")),
        ("a NUL", |good| plus(good, "X: a\0b")),
        ("too many lines", |good| plus(good, &["X: 1"; 100].join("\r\n"))),
        ("a long line", |good| plus(good, &format!("X: {}", "x".repeat(9000)))),
        ("half a head", |good| good[..good.len() - 2].into()),
    ];
    for (what, response) in table {
        against_both_drivers(&|peer, head| {
            peer.send(response(&granted(head)).as_bytes()).unwrap();
            peer.half_close().unwrap();
            assert_eq!(peer.rest().0, b"", "{what}");
            Ends::Failing
        });
    }
}

#[test]
fn a_response_without_end_is_refused() {
    for part in ["x", "X: x\r\n", "HTTP/1.1 100 Continue\r\n\r\n"] {
        against_both_drivers(&|peer, _| {
            if part.len() < 10 {
                peer.send(b"HTTP/1.1 101 Switching Protocols\r\nX: ").unwrap();
            }
            flood_until_cut_off(peer, part.as_bytes());
            Ends::Failing
        });
    }
}

#[test]
fn a_response_that_drips_or_never_comes_is_not_waited_for() {
    let drips = [("", ""), ("HTTP/1.1 101 Switching Protocols\r\nX: ", "x"), ("", "HTTP/1.1 100 Continue\r\n\r\n")];
    thread::scope(|scope| {
        for (begin, drip) in drips {
            scope.spawn(move || {
                against_both_drivers(&|peer, _| {
                    let began = Instant::now();
                    peer.send(begin.as_bytes()).unwrap();
                    drip_to_the_end(peer, drip.as_bytes());
                    assert!(began.elapsed() < LATE, "{drip}");
                    Ends::Failing
                });
            });
        }
    });
}

#[test]
fn every_rule_of_frames_that_a_server_breaks_has_its_code() {
    let table: &[(u16, Vec<u8>)] = &[
        (1002, text("masked").masked(MASK).bytes()),
        (1002, ping("masked").masked(MASK).bytes()),
        (1002, text("RSV1").rsv(4).bytes()),
        (1002, text("reserved").opcode(3).bytes()),
        (1002, ping([0; 126]).bytes()),
        (1002, ping("p").not_final().bytes()),
        (1002, continuation("nothing").bytes()),
        (1002, raw::with_16_bit_length(&text("short")).unwrap()),
        (1002, raw::announced(&binary([]), u64::MAX)),
        (1009, raw::announced(&binary([]), i64::MAX as u64)),
        (1009, raw::announced(&binary([]), u64::from(u32::MAX) + 1)),
        (1002, close(1006, "").bytes()),
        (1007, Frame::new(naive::TEXT, b"\xff".to_vec()).bytes()),
        (1008, raw::announced(&binary([]), 32 * MIB)),
        (1008, text("dripping").not_final().bytes()),
        (1008, Vec::new()),
    ];
    thread::scope(|scope| {
        for (code, bytes) in table {
            scope.spawn(move || {
                against_both_drivers(&|peer, head| {
                    peer.send(&[granted(head).as_bytes(), bytes].concat()).unwrap();
                    let last = peer.frame().unwrap().expect("a Close before the end");
                    assert_eq!(last.close_code(), Some(*code), "{bytes:?}");
                    assert_eq!(peer.frame().unwrap(), None, "nothing comes after a Close");
                    Ends::WithStatus(*code)
                });
            });
        }
    });
}

/// Three kinds of flood whose answers the server does not read, and a promise of much more.
#[test]
fn a_server_that_floods_and_does_not_read_is_left() {
    thread::scope(|scope| {
        for flood in [ping([b'p'; 125]), text(""), binary(vec![b'm'; 100_000])] {
            scope.spawn(move || {
                against_both_drivers(&|peer, head| {
                    peer.send(granted(head).as_bytes()).unwrap();
                    flood_until_cut_off(peer, &flood.bytes());
                    Ends::Somehow
                });
            });
        }
    });
}

#[test]
fn what_a_server_announces_and_does_not_send_costs_nothing() {
    against_both_drivers(&|peer, head| {
        let announced = raw::announced(&binary([]), 60 * MIB);
        peer.send(&[granted(head).as_bytes(), &announced, &[0; 1000]].concat()).unwrap();
        assert_eq!(peer.frame().unwrap().and_then(|close| close.close_code()), Some(1008));
        Ends::WithStatus(1008)
    });
}

#[test]
fn a_server_may_vanish_at_every_byte() {
    let _beside_others = beside_others();
    let frames = [text("hello"), binary([7; 300]).not_final(), ping("p"), continuation("b"), close(1000, "bye")];
    let frames = naive::encode_all(&frames);
    let head = granted("Sec-WebSocket-Key: any");
    for cut in (0..head.len() + frames.len()).step_by(7) {
        for (reset, drivers) in [(true, &DRIVERS[..1]), (false, &DRIVERS[..])] {
            for driver in drivers {
                against(driver, &|peer, head| {
                    let session = [granted(head).as_bytes(), &frames].concat();
                    peer.send(&session[..cut]).unwrap();
                    let gone = peer.twin().unwrap();
                    if reset {
                        gone.reset().unwrap()
                    } else {
                        gone.half_close().unwrap()
                    }
                    Ends::Somehow
                });
            }
        }
    }
}

/// "The masking key needs to be unpredictable" -- RFC 6455, section 5.3
#[test]
fn each_frame_of_a_client_has_a_masking_key_of_its_own() {
    against_both_drivers(&|peer, head| {
        peer.send(granted(head).as_bytes()).unwrap();
        let mut keys = HashSet::new();
        for _ in 0..500 {
            peer.send(&text("hello").bytes()).unwrap();
            let echo = peer.frame().unwrap().unwrap();
            assert_eq!(echo.payload, b"hello");
            assert!(keys.insert(echo.mask.expect("a mask")), "{:?} again", echo.mask);
        }
        peer.send(&close(1000, "").bytes()).unwrap();
        assert_eq!(peer.frame().unwrap().and_then(|close| close.close_code()), Some(1000));
        Ends::WithStatus(1000)
    });
}

/// A process that forks has twice what its generator was seeded with.
#[test]
fn a_client_that_forks_has_other_masking_keys_and_handshake_keys_in_each_process() {
    let _beside_others = beside_others();
    for driver in DRIVERS {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("ws://{}/", listener.local_addr().unwrap());
        let program = example("testee_client").unwrap();
        let client = Program::start(&program, &[&["fork", &url, "--driver", driver], FLAGS].concat()).unwrap();
        let mut keys = HashSet::new();
        // One before the fork, and one of each process after it.
        for _ in 0..3 {
            let mut peer = Peer::over(listener.accept().unwrap().0).unwrap();
            let head = peer.head().unwrap();
            assert!(keys.insert(key(&head).as_bytes().to_vec()), "{head}");
            peer.send(granted(&head).as_bytes()).unwrap();
            for _ in 0..100 {
                peer.send(&text("hello").bytes()).unwrap();
                let mask = peer.frame().unwrap().unwrap().mask.expect("a mask");
                assert!(keys.insert(mask.to_vec()), "{driver}: {mask:?} again");
            }
            peer.send(&close(1000, "").bytes()).unwrap();
            assert_eq!(peer.frame().unwrap().and_then(|close| close.close_code()), Some(1000));
        }
        let finished = client.finish(LATE).unwrap();
        assert!(finished.status.success() && finished.complaints.is_empty(), "{driver}: {finished:?}");
    }
}

/// How the client is to end.
enum Ends {
    /// With an exit code and a reason.
    Failing,
    /// Saying this status.
    WithStatus(u16),
    /// Soon, and without a panic.
    Somehow,
}

fn against_both_drivers(server: &(impl Fn(&mut Peer, &str) -> Ends + Sync)) {
    let _beside_others = beside_others();
    thread::scope(|scope| {
        for driver in DRIVERS {
            scope.spawn(move || against(driver, server));
        }
    });
}

/// Runs a client against a server that gets the connection and the head of the request.
fn against(driver: &str, server: &impl Fn(&mut Peer, &str) -> Ends) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    let client =
        Program::start(&example("testee_client").unwrap(), &[&["echo", &url, "--driver", driver], FLAGS].concat());
    let client = client.unwrap();
    let mut peer = Peer::over(listener.accept().unwrap().0).unwrap();
    let head = peer.head().unwrap();
    let ends = server(&mut peer, &head);
    // One that has hung up already has nothing to look at.
    if let Ok(figures) = client.figures() {
        let bounded = figures.peak < PEAK && figures.descriptors <= DESCRIPTORS && figures.cpu < CPU;
        assert!(bounded, "{driver}: {figures:?}");
    }
    drop(peer);
    let finished = client.finish(LATE).unwrap();
    let complaints = &finished.complaints;
    assert!(!complaints.contains("panicked"), "{driver}: {complaints}");
    match ends {
        Ends::Failing => assert!(!finished.status.success() && !complaints.is_empty(), "{driver}: {finished:?}"),
        Ends::WithStatus(status) => {
            assert!(finished.said.starts_with(&format!("closed with {status} ")), "{driver}: {finished:?}");
        }
        Ends::Somehow => {}
    }
    // Wherever it was told to go instead, it did not come back.
    listener.set_nonblocking(true).unwrap();
    assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock, "{driver}: another connection");
}

/// The response that grants a request.
fn granted(head: &str) -> String {
    let accept = accept_key(key(head).as_bytes());
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {}\r\n\r\n",
        String::from_utf8_lossy(&accept)
    )
}

fn key(head: &str) -> &str {
    head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).unwrap()
}

/// Makes something else of a good response.
type Change = fn(&str) -> String;

/// The response without a line, and with one twice.
fn without(response: &str, name: &str) -> String {
    response.split_inclusive("\r\n").filter(|line| !line.starts_with(name)).collect()
}

fn twice(response: &str, name: &str) -> String {
    let again = |line| if str::starts_with(line, name) { [line, line].concat() } else { line.to_string() };
    response.split_inclusive("\r\n").map(again).collect()
}

/// The response with a line more.
fn plus(response: &str, line: &str) -> String {
    response.replacen("\r\n\r\n", &format!("\r\n{line}\r\n\r\n"), 1)
}

const FLAGS: &[&str] = &["--connect-timeout", "5", "--handshake", "1", "--wire", "1", "--idle", "1"];

/// A deadline, the time the last word is given, and what a busy machine takes.
const LATE: Duration = Duration::from_secs(8);

/// The whole program, and what a connection may hold of what was sent.
const PEAK: u64 = 24 * MIB;
/// What a runtime takes, and one connection.
const DESCRIPTORS: usize = 16;
/// On a core.
const CPU: Duration = Duration::from_secs(4);

const MASK: [u8; 4] = [4, 3, 2, 1];
