//! After its first message a connection sends and receives without allocating, whatever the role, the size and the way.
#![cfg(feature = "blocking")]

use core::time::Duration;
use std::io::{self, Read, Write};
use std::sync::{Mutex, PoisonError};
use ws_conn::blocking::{Conn, Untimed};
use ws_conn::{Opcode, Role, Timeouts};
use ws_testkit::alloc::{Count, count_allocations};
use ws_testkit::naive::{Frame, continuation, encode_all, ping};

// P23: "name alloc/op" "Receive/buffer-12 0.00B" "Receive/stream-12 34.0B ± 0%" "Send/buffer-12 0.00B"
// "Send/stream-12 32.0B ± 0%" -- the seed, on performance. Here streams allocate nothing either. That it stands next to
// raw TCP in speed is for the benches to tell.
#[test]
fn receive_does_not_allocate() {
    receiving(|conn, buffer| {
        let received = conn.receive(buffer, TIMEOUTS).unwrap();
        (received.opcode, received.len)
    });
}

#[test]
fn message_does_not_allocate() {
    let _alone = LARGE_BUFFERS.lock().unwrap_or_else(PoisonError::into_inner);
    receiving(|conn, _| {
        let message = conn.message(TIMEOUTS).unwrap();
        (message.opcode(), message.len())
    });
}

#[test]
fn receive_stream_does_not_allocate() {
    receiving(|conn, buffer| {
        let mut reader = conn.receive_stream(TIMEOUTS).unwrap();
        let room = &mut buffer[..4000];
        let mut len = 0;
        loop {
            match reader.read_chunk(room).unwrap() {
                0 => return (reader.opcode(), len),
                read => len += read,
            }
        }
    });
}

#[test]
fn send_does_not_allocate() {
    sending(|conn, opcode, payload| conn.sender().send(opcode, payload, WIRE).unwrap());
    sending(|conn, opcode, payload| conn.sender_mut().send(opcode, payload, WIRE).unwrap());
}

#[test]
fn feed_and_flush_do_not_allocate() {
    sending(|conn, opcode, payload| {
        let sender = conn.sender();
        for _ in 0..3 {
            sender.feed(opcode, payload, WIRE).unwrap();
        }
        sender.flush(WIRE).unwrap();
    });
    sending(|conn, opcode, payload| {
        let mut sender = conn.sender_mut();
        for _ in 0..3 {
            sender.feed(opcode, payload, WIRE).unwrap();
        }
        sender.flush(WIRE).unwrap();
    });
}

#[test]
fn send_stream_does_not_allocate() {
    sending(|conn, opcode, payload| {
        let mut writer = conn.sender().send_stream(opcode, WIRE).unwrap();
        for fragment in payload.chunks(3000) {
            writer.write_chunk(fragment).unwrap();
        }
        writer.finish().unwrap();
    });
}

#[test]
fn frames_do_not_allocate() {
    sending(|conn, opcode, payload| {
        let mut frames = conn.frames(TIMEOUTS);
        frames.set_write_mode(opcode, false);
        frames.write_frame(payload).unwrap();
        frames.set_write_mode(opcode, true);
        frames.write_frame(&[]).unwrap();
    });
}

/// An echo server's loop: what comes is answered, and the answers of a batch leave together.
#[test]
fn an_echo_does_not_allocate() {
    let _alone = LARGE_BUFFERS.lock().unwrap_or_else(PoisonError::into_inner);
    for role in ROLES {
        for len in SIZES {
            let mut conn = Conn::over((Repeated::new(wire(role, Opcode::BINARY, len)), Counted::default()), role);
            let echo = |conn: &mut Wire| {
                let (message, mut sender) = conn.message_and_sender(TIMEOUTS).unwrap();
                sender.feed(message.opcode(), &message, WIRE).unwrap();
            };
            (0..MESSAGES_IN_WIRE).for_each(|_| echo(&mut conn));
            let count = count_allocations(|| (0..2 * MESSAGES_IN_WIRE).for_each(|_| echo(&mut conn)));
            assert_eq!(count, Count::default(), "{role:?}, {len} bytes");
        }
    }
}

/// What a connection has grown to hold its messages does not end with it.
#[test]
fn the_buffer_of_large_messages_serves_the_next_connection() {
    let _alone = LARGE_BUFFERS.lock().unwrap_or_else(PoisonError::into_inner);
    let receive_one = || {
        let wire = wire(Role::Server, Opcode::BINARY, 1 << 20);
        let mut conn = Conn::over((Repeated::new(wire), Counted::default()), Role::Server);
        let count = count_allocations(|| assert_eq!(conn.message(TIMEOUTS).unwrap().len(), 1 << 20));
        count.bytes
    };
    receive_one();
    let next = receive_one();
    assert!(next < 1 << 20, "{next} bytes");
}

type Wire = Conn<Untimed<Repeated>, Untimed<Counted>>;

/// Receives every kind of message once, then some more times, and these without allocating.
fn receiving(receive: impl Fn(&mut Wire, &mut [u8]) -> (Opcode, usize)) {
    let mut buffer = vec![0; 1 << 20];
    for role in ROLES {
        for opcode in [Opcode::BINARY, Opcode::TEXT] {
            for len in SIZES {
                let mut conn = Conn::over((Repeated::new(wire(role, opcode, len)), Counted::default()), role);
                let mut round = || {
                    for _ in 0..MESSAGES_IN_WIRE {
                        assert_eq!(receive(&mut conn, &mut buffer), (opcode, len));
                    }
                };
                round();
                let count = count_allocations(|| (0..2).for_each(|_| round()));
                assert_eq!(count, Count::default(), "{role:?}, {opcode}, {len} bytes");
            }
        }
    }
}

/// Sends one message, then some more, and these without allocating.
fn sending(send: impl Fn(&mut Wire, Opcode, &[u8])) {
    for role in ROLES {
        for opcode in [Opcode::BINARY, Opcode::TEXT] {
            for len in SIZES {
                let payload = payload(len);
                let mut conn = Conn::over((Repeated::new(Vec::new()), Counted::default()), role);
                send(&mut conn, opcode, &payload);
                let count = count_allocations(|| (0..4).for_each(|_| send(&mut conn, opcode, &payload)));
                assert_eq!(count, Count::default(), "{role:?}, {opcode}, {len} bytes");
            }
        }
    }
}

/// A message in one frame, one in fragments with a Ping in between, and another in one frame.
fn wire(role: Role, opcode: Opcode, len: usize) -> Vec<u8> {
    let payload = payload(len);
    let whole = Frame::new(opcode.bits(), payload.clone());
    let (front, back) = payload.split_at(len / 3);
    let first = Frame::new(opcode.bits(), front).not_final();
    let frames = [whole.clone(), first, ping(*b"are you there?"), continuation(back), whole];
    // The peer is a client if this side is a server.
    let from_client = role == Role::Server;
    encode_all(&frames.map(|frame| if from_client { frame.masked([0xa5, 0x5a, 0x0f, 0xf1]) } else { frame }))
}

fn payload(len: usize) -> Vec<u8> {
    (b' '..=b'~').cycle().take(len).collect()
}

/// The same bytes over and over, as many at a time as there is room for.
struct Repeated {
    bytes: Vec<u8>,
    at: usize,
}

impl Repeated {
    fn new(bytes: Vec<u8>) -> Self {
        Self { bytes, at: 0 }
    }
}

impl Read for Repeated {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = (&self.bytes[self.at..]).read(into)?;
        self.at = (self.at + read) % self.bytes.len();
        Ok(read)
    }
}

/// Takes everything, at most 100,000 bytes at a time.
#[derive(Default)]
struct Counted {
    bytes: usize,
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(100_000);
        self.bytes += taken;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The buffers of large messages are the process's: another test at the same time would take them.
static LARGE_BUFFERS: Mutex<()> = Mutex::new(());

const ROLES: [Role; 2] = [Role::Client, Role::Server];
const SIZES: [usize; 6] = [0, 16, 125, 1 << 10, 70 << 10, 1 << 20];
const MESSAGES_IN_WIRE: usize = 3;
const WIRE: Duration = Duration::from_secs(60);
const TIMEOUTS: Timeouts = Timeouts::new(WIRE, WIRE);
