//! A process forks: its copies share no masking key.
#![cfg(all(unix, feature = "blocking"))]

use core::time::Duration;
use std::collections::HashSet;
use std::io::Read;
use std::os::unix::net::UnixStream;
use std::process::exit;

use fork::{Fork, fork, waitpid};
use ws_conn::blocking::{Conn, Socket, Transport};
use ws_conn::{Error, Opcode, Role};
use ws_testkit::naive;

/// "The masking key needs to be unpredictable" -- RFC 6455, section 5.3
#[test]
fn section_5_3_a_forked_process_has_masking_keys_of_its_own() {
    let (ours, mut peer) = UnixStream::pair().unwrap();
    let (read, write) = ours.split();
    let mut conn = Conn::new(read, write, Role::Client);
    // The generator is there before the processes part.
    send(&mut conn).unwrap();
    for _ in 0..CHILDREN {
        match fork().unwrap() {
            Fork::Child => exit(i32::from(send(&mut conn).is_err())),
            Fork::Parent(child) => assert_eq!(waitpid(child).unwrap(), 0, "the child's exit status"),
        }
    }
    send(&mut conn).unwrap();
    drop(conn);

    let mut wire = Vec::new();
    peer.read_to_end(&mut wire).unwrap();
    let (mut keys, mut rest) = (HashSet::new(), &wire[..]);
    while let Some((frame, len)) = naive::read(rest) {
        rest = &rest[len..];
        let key = frame.mask.expect("a client masks");
        if frame.opcode == naive::TEXT {
            assert!(keys.insert(key), "{key:?} again");
        }
    }
    assert_eq!(keys.len(), (CHILDREN + 2) * MESSAGES);
}

fn send(conn: &mut Conn<Socket<UnixStream>, Socket<UnixStream>>) -> Result<(), Error> {
    let mut sender = conn.sender_mut();
    (0..MESSAGES).try_for_each(|_| sender.feed(Opcode::TEXT, b"hello", WIRE))?;
    sender.flush(WIRE)
}

/// The second one must not repeat the first one's keys either.
const CHILDREN: usize = 2;

/// More than a generator computes at once.
const MESSAGES: usize = 100;

const WIRE: Duration = Duration::from_secs(10);
