//! Many threads send on one connection, over real sockets, while another receives. What they send is read from the wire
//! by the test kit's plain reader, and judged there.
#![cfg(feature = "blocking")]

use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use core::time::Duration;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Barrier, mpsc};
use std::thread;
use ws_conn::blocking::{Conn, Socket};
use ws_conn::{CloseCode, Error, Fault, Opcode, Role, Timeouts, Wait};
use ws_testkit::chunks::{Lcg, random};
use ws_testkit::judge::Judge;
use ws_testkit::naive::{self, BINARY, Frame, PONG, TEXT};

#[test]
fn eight_threads_send_while_one_receives() {
    for role in ROLES {
        let (mut conn, peer) = connect(role);
        let sender = conn.sender();
        let wire = thread::scope(|scope| {
            let wire = scope.spawn(|| peer.read_to_end());
            let senders = THREADS.map(|id| {
                let sender = sender.clone();
                scope.spawn(move || {
                    for message in messages(id, PER_THREAD) {
                        match message.len() % 3 {
                            0 => sender.send(Opcode::BINARY, &message, WIRE).unwrap(),
                            1 => sender.feed(Opcode::BINARY, &message, WIRE).unwrap(),
                            _ => {
                                sender.feed(Opcode::BINARY, &message, WIRE).unwrap();
                                sender.flush(WIRE).unwrap();
                            }
                        }
                    }
                    sender.flush(WIRE).unwrap();
                })
            });
            let flood = scope.spawn(|| {
                (0..PINGS).for_each(|number| peer.write(naive::ping(number.to_be_bytes())));
                peer.write(naive::text("that is all"));
            });

            let mut buffer = [0; 64];
            let received = conn.receive(&mut buffer, TIMEOUTS).unwrap();
            assert_eq!(&buffer[..received.len], b"that is all");
            flood.join().unwrap();
            senders.into_iter().for_each(|sender| sender.join().unwrap());
            sender.send_close(CloseCode::NORMAL, "", WIRE).unwrap();
            peer.close(1000);
            assert_eq!(conn.receive(&mut buffer, TIMEOUTS).unwrap_err().closed(), Some(CloseCode::NORMAL));
            wire.join().unwrap()
        });

        let frames = peer.judge(&wire);
        assert_eq!(order(&frames), [PER_THREAD; 8]);
        let pongs = frames.iter().filter(|frame| frame.opcode == PONG);
        let pongs: Vec<_> = pongs.map(|pong| u32::from_be_bytes(pong.payload[..].try_into().unwrap())).collect();
        assert!(pongs.is_sorted_by(|one, next| one < next), "a Ping is answered twice, or late");
        assert_eq!(pongs.last(), Some(&(PINGS - 1)), "the last Ping has no answer");
        assert_eq!(frames.last().unwrap().close_code(), Some(1000));
    }
}

#[test]
fn streams_take_turns_and_control_frames_go_in_between() {
    const STREAMS: u32 = 60;
    for role in ROLES {
        let (conn, peer) = connect(role);
        let sender = conn.sender();
        let more = AtomicBool::new(true);
        let wire = thread::scope(|scope| {
            let wire = scope.spawn(|| peer.read_to_end());
            let streams = [0, 1].map(|id| {
                let sender = sender.clone();
                scope.spawn(move || {
                    // Another thread sends a Ping in the midst of each message.
                    let ((ask, asked), (pinged, has_pinged)) = (mpsc::channel(), mpsc::channel());
                    let pinger = sender.clone();
                    let pings = thread::spawn(move || {
                        for number in asked {
                            pinger.send(Opcode::PING, &text(id, number)[..20], WIRE).unwrap();
                            pinged.send(()).unwrap();
                        }
                    });
                    for number in 0..STREAMS {
                        let mut writer = sender.send_stream(Opcode::TEXT, WIRE).unwrap();
                        for fragment in random(&text(id, number), u64::from(number), 90) {
                            writer.write_chunk(fragment).unwrap();
                            ask.send(number).unwrap();
                            has_pinged.recv().unwrap();
                        }
                        writer.finish().unwrap();
                    }
                    drop(ask);
                    pings.join().unwrap();
                })
            });
            let whole = scope.spawn(|| {
                messages(0, 200).for_each(|message| sender.feed(Opcode::BINARY, &message, WIRE).unwrap());
            });
            let pongs = scope.spawn(|| {
                while more.load(Ordering::Relaxed) {
                    sender.send(Opcode::PONG, b"unasked", WIRE).unwrap();
                    thread::yield_now();
                }
            });
            streams.into_iter().for_each(|stream| stream.join().unwrap());
            whole.join().unwrap();
            more.store(false, Ordering::Relaxed);
            pongs.join().unwrap();
            sender.send_close(CloseCode::NORMAL, "", WIRE).unwrap();
            drop(conn);
            wire.join().unwrap()
        });

        let frames = peer.judge(&wire);
        assert_eq!(order(&frames)[0], 200);
        let texts: Vec<_> = whole_messages(&frames).into_iter().filter(|(opcode, _)| *opcode == TEXT).collect();
        for id in [0, 1] {
            let expected: Vec<_> = (0..STREAMS).map(|number| (TEXT, text(id, number))).collect();
            let mark = text(id, 0)[0];
            let mine: Vec<_> = texts.iter().filter(|(_, text)| text[0] == mark).cloned().collect();
            assert_eq!(mine, expected);
        }
        let inside = frames.windows(2).filter(|pair| pair[0].opcode == TEXT && pair[1].is_control()).count();
        assert_eq!(inside, 2 * STREAMS as usize, "in each message there is a Ping behind the first fragment");
    }
}

#[test]
fn of_many_that_close_the_first_sets_the_status() {
    for round in 0..40 {
        let (mut conn, peer) = connect(ROLES[round % 2]);
        let sender = conn.sender();
        let start = Barrier::new(8);
        let (wire, status) = thread::scope(|scope| {
            let wire = scope.spawn(|| peer.read_to_end());
            let receiver = scope.spawn(move || conn.receive(&mut [], TIMEOUTS).unwrap_err().closed());
            let closers = THREADS.map(|id| {
                let (sender, start) = (&sender, &start);
                scope.spawn(move || {
                    start.wait();
                    sender.send_close(CloseCode::new(3000 + u16::from(id)), "", WIRE).unwrap()
                })
            });
            let answers = closers.map(|closer| closer.join().unwrap());
            let first = answers[0];
            assert_eq!(answers, [first; 8]);
            assert_eq!(sender.closed(), Some(first));
            assert_eq!(sender.send(Opcode::TEXT, b"late", WIRE).unwrap_err().closed(), Some(first.0));
            peer.close(4999);
            assert_eq!(receiver.join().unwrap(), Some(first.0));
            (wire.join().unwrap(), first.0.get())
        });
        assert_eq!(peer.judge(&wire), [naive::close(status, "")]);
    }
}

#[test]
fn a_close_while_eight_threads_send_cuts_no_frame_and_loses_none() {
    for role in ROLES {
        let (mut conn, peer) = connect(role);
        let sender = conn.sender();
        let (wire, sent) = thread::scope(|scope| {
            let wire = scope.spawn(|| peer.read_to_end());
            let receiver = scope.spawn(move || conn.receive(&mut [], TIMEOUTS).unwrap_err().closed());
            let (under_way, warm) = mpsc::channel();
            let senders = THREADS.map(|id| {
                let (sender, under_way) = (sender.clone(), under_way.clone());
                scope.spawn(move || {
                    for (at, message) in (0..).zip(messages(id, u32::MAX)) {
                        let result = if at % 2 == 0 {
                            sender.send(Opcode::BINARY, &message, WIRE)
                        } else {
                            sender.feed(Opcode::BINARY, &message, WIRE)
                        };
                        if let Err(error) = result {
                            assert_eq!(error.closed(), Some(CloseCode::GOING_AWAY), "{error}");
                            return at;
                        }
                        if at == 20 {
                            under_way.send(()).unwrap();
                        }
                    }
                    unreachable!("there are more messages than there is time")
                })
            });
            (0..8).for_each(|_| warm.recv().unwrap());
            sender.send_close(CloseCode::GOING_AWAY, "enough", WIRE).unwrap();
            let sent = senders.map(|sender| sender.join().unwrap());
            peer.close(1001);
            assert_eq!(receiver.join().unwrap(), Some(CloseCode::GOING_AWAY));
            (wire.join().unwrap(), sent)
        });
        let frames = peer.judge(&wire);
        assert_eq!(order(&frames), sent, "what was reported as sent is on the wire, and nothing else");
        assert_eq!(frames.last().unwrap().close_code(), Some(1001));
    }
}

/// A thread that receives must not wait for one that cannot send.
#[test]
fn messages_are_received_while_the_peer_does_not_read() {
    const LEN: usize = 24 << 20;
    let (mut conn, peer) = connect(Role::Server);
    let sender = conn.sender();
    let rest = thread::scope(|scope| {
        let large = scope.spawn(|| sender.send(Opcode::BINARY, &vec![b'*'; LEN], WIRE));
        // The frame has begun, and is far larger than what the sockets hold.
        let mut begun = [0; 10];
        (&peer.stream).read_exact(&mut begun).unwrap();
        peer.write(naive::ping(*b"are you there?"));
        peer.write(naive::text("I am"));
        assert_eq!(conn.message(TIMEOUTS).unwrap().text(), Some("I am"));

        let mut payload = vec![0; LEN];
        (&peer.stream).read_exact(&mut payload).unwrap();
        assert!(payload.iter().all(|byte| *byte == b'*'));
        large.join().unwrap().unwrap();
        drop(conn);
        peer.read_to_end()
    });
    assert_eq!(peer.judge(&rest), [naive::pong(*b"are you there?")], "the holder of the lock answers when it is done");
}

#[test]
fn a_message_that_gets_no_turn_in_time_is_not_sent_and_harms_nothing() {
    for role in ROLES {
        let (conn, peer) = connect(role);
        let sender = conn.sender();
        let mut writer = sender.send_stream(Opcode::BINARY, WIRE).unwrap();
        writer.write_chunk(b"a message ").unwrap();
        let late = thread::scope(|scope| scope.spawn(|| sender.send(Opcode::TEXT, b"late", Duration::ZERO)).join());
        assert!(matches!(late.unwrap(), Err(Error::Fault(Fault::Timeout(Wait::Turn)))));
        sender.send(Opcode::PING, b"", WIRE).unwrap();
        writer.write_chunk(b"in two parts").unwrap();
        writer.finish().unwrap();
        sender.send(Opcode::TEXT, b"in time", WIRE).unwrap();
        drop(conn);
        let frames = peer.judge(&peer.read_to_end());
        let expected = [(BINARY, b"a message in two parts".to_vec()), (TEXT, b"in time".to_vec())];
        assert_eq!(whole_messages(&frames), expected);
    }
}

/// Those whose time is over when the turn comes say so, and the connection goes on. All that they send has room in the
/// sockets.
#[test]
fn a_turn_that_comes_late_harms_nothing() {
    const EACH: usize = 3000;
    let (conn, peer) = connect(Role::Server);
    let sender = conn.sender();
    let late = AtomicU32::new(0);
    let wire = thread::scope(|scope| {
        let wire = scope.spawn(|| peer.read_to_end());
        let senders = THREADS.map(|id| {
            let (sender, late) = (sender.clone(), &late);
            scope.spawn(move || {
                for number in 0..EACH {
                    let patience = Duration::from_micros(20 << (number % 8));
                    match sender.send(Opcode::BINARY, &[id; 16], patience) {
                        Ok(()) => {}
                        Err(Error::Fault(Fault::Timeout(Wait::Turn))) => drop(late.fetch_add(1, Ordering::Relaxed)),
                        Err(error) => panic!("{error}"),
                    }
                }
            })
        });
        senders.into_iter().for_each(|sender| sender.join().unwrap());
        assert_eq!(sender.closed(), None);
        sender.send_close(CloseCode::NORMAL, "", WIRE).unwrap();
        drop(conn);
        wire.join().unwrap()
    });
    let late = late.into_inner() as usize;
    assert!(late > 0, "nobody came late: that shows nothing");
    assert_eq!(peer.judge(&wire).len(), THREADS.len() * EACH - late + 1);
}

/// The other end of a connection of this role: bytes, read and written plainly.
struct Peer {
    stream: TcpStream,
    role: Role,
}

impl Peer {
    fn write(&self, frame: Frame) {
        let frame = if self.role == Role::Server { frame.masked([0x12, 0x34, 0x56, 0x78]) } else { frame };
        (&self.stream).write_all(&frame.bytes()).unwrap();
    }

    /// Says the last word.
    fn close(&self, code: u16) {
        self.write(naive::close(code, ""));
        self.stream.shutdown(Shutdown::Write).unwrap();
    }

    fn read_to_end(&self) -> Vec<u8> {
        let mut wire = Vec::new();
        (&self.stream).read_to_end(&mut wire).unwrap();
        wire
    }

    /// The frames of the wire, judged, and shown without masks.
    fn judge(&self, wire: &[u8]) -> Vec<Frame> {
        let mut frames = Judge::new(self.role == Role::Client).to_the_end().bytes(wire).unwrap();
        frames.iter_mut().for_each(|frame| frame.mask = None);
        frames
    }
}

fn connect(role: Role) -> (Conn<Socket<TcpStream>, Socket<TcpStream>>, Peer) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let ours = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (stream, _) = listener.accept().unwrap();
    (Conn::over(ours, role), Peer { stream, role })
}

/// Messages of one thread: who, which, and then bytes that depend on both. Most are short, some are long.
fn messages(id: u8, count: u32) -> impl Iterator<Item = Vec<u8>> {
    let mut lcg = Lcg::new(u64::from(id));
    (0..count).map(move |number| {
        let most = match lcg.below(200) {
            0 => 70_000,
            1..20 => 3_000,
            _ => 130,
        };
        let mut message = vec![id];
        message.extend(number.to_be_bytes());
        message.extend((0..lcg.below(most)).map(|at| filler(id, number, at)));
        message
    })
}

fn filler(id: u8, number: u32, at: usize) -> u8 {
    (at as u8).wrapping_mul(7) ^ (number as u8).wrapping_mul(3) ^ id
}

/// How many messages of each thread are on the wire. They have to be whole, and in their order.
fn order(frames: &[Frame]) -> [u32; 8] {
    let mut next = [0; 8];
    for (_, message) in whole_messages(frames).into_iter().filter(|(opcode, _)| *opcode == BINARY) {
        let (head, body) = message.split_first_chunk::<5>().unwrap();
        let [id, number @ ..] = *head;
        let number = u32::from_be_bytes(number);
        assert_eq!(number, next[usize::from(id)], "thread {id}");
        assert!(body.iter().enumerate().all(|(at, byte)| *byte == filler(id, number, at)), "thread {id}, {number}");
        next[usize::from(id)] += 1;
    }
    next
}

/// Opcode and payload of each message; the judge has seen to the order of its fragments.
fn whole_messages(frames: &[Frame]) -> Vec<(u8, Vec<u8>)> {
    let mut messages: Vec<(u8, Vec<u8>)> = Vec::new();
    for frame in frames.iter().filter(|frame| !frame.is_control()) {
        match frame.opcode {
            naive::CONTINUATION => messages.last_mut().unwrap().1.extend_from_slice(&frame.payload),
            opcode => messages.push((opcode, frame.payload.clone())),
        }
    }
    messages
}

/// A text of some hundred bytes, in characters of one to four.
fn text(id: u8, number: u32) -> Vec<u8> {
    let mut text = format!("{id}, message {number}: ");
    (0..20 + number % 30).for_each(|_| text.push_str("a\u{e9}\u{20ac}\u{1f600}"));
    text.into_bytes()
}

const ROLES: [Role; 2] = [Role::Client, Role::Server];
const THREADS: [u8; 8] = [0, 1, 2, 3, 4, 5, 6, 7];
const PER_THREAD: u32 = 1000;
const PINGS: u32 = 5000;
const WIRE: Duration = Duration::from_secs(120);
const TIMEOUTS: Timeouts = Timeouts::new(WIRE, WIRE);
