//! The load generator counts what comes back, and takes nothing else for it.

use core::net::SocketAddr;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;
use ws_peers::load::Generator;
use ws_peers::scenario::Load;
use ws_peers::wire::Protocol;

const MESSAGES: u64 = 1000;

/// A raw echo that does something to what it has read before it answers; it is told how many bytes came before.
fn echo(with: fn(usize, &mut Vec<u8>)) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            thread::spawn(move || {
                let (mut buffer, mut before) = (vec![0; 4096], 0);
                while let Ok(len @ 1..) = stream.read(&mut buffer) {
                    let mut bytes = buffer[..len].to_vec();
                    with(before, &mut bytes);
                    before += len;
                    if stream.write_all(&bytes).is_err() {
                        break;
                    }
                }
            });
        }
    });
    address
}

fn count(server: SocketAddr) -> Result<u64, String> {
    let load = Load { conns: 3, depth: 4, size: 300 };
    let generator = Generator::new(server, Protocol::Raw, load, false).map_err(|error| error.to_string())?;
    generator.count(MESSAGES).map_err(|error| error.to_string())
}

#[test]
fn what_comes_back_is_counted() {
    let messages = count(echo(|_, _| {})).unwrap();
    assert!((MESSAGES..MESSAGES + 12).contains(&messages), "{messages}");
}

#[test]
fn a_changed_byte_is_noticed() {
    let error = count(echo(|before, bytes| {
        if let Some(byte) = 50_000_usize.checked_sub(before).and_then(|at| bytes.get_mut(at)) {
            *byte ^= 1;
        }
    }));
    assert_eq!(error.unwrap_err(), "an echo is not what was sent");
}

#[test]
fn a_lost_byte_is_noticed() {
    let error = count(echo(|before, bytes| {
        if before == 0 {
            bytes.remove(0);
        }
    }));
    assert_eq!(error.unwrap_err(), "an echo is not what was sent");
}

#[test]
fn a_repeated_message_is_noticed() {
    // Three times what was sent: whatever it holds, there are more echoes than messages, or other ones.
    let error = count(echo(|_, bytes| *bytes = bytes.repeat(3))).unwrap_err();
    assert!(["an echo is not what was sent", "more echoes than messages"].contains(&&*error), "{error}");
}

#[test]
fn a_server_that_hangs_up_is_noticed() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || listener.incoming().flatten().for_each(drop));
    assert!(count(address).is_err());
}
