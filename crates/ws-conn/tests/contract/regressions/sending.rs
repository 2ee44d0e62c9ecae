//! What goes out: B1 to B3, B5, B8 to B13, B24.

use core::time::Duration;
use std::io::{BufWriter, Read, Write};
use std::sync::{Arc, Mutex};
use std::{io, thread};

use crate::harness::{IDLE, TIMEOUTS, WIRE, client, closed, fault, message, open, said, server};
use ws_conn::blocking::Conn;
use ws_conn::{CloseCode, Closed, Fault, Misuse, Opcode, Role, Timeouts, Wait};
use ws_testkit::naive::{self, Frame, binary, close, continuation, ping, pong, text};
use ws_testkit::transport::{self, Script, Step};

// B1
#[test]
fn a_ping_that_comes_late_is_answered_with_its_own_deadline() {
    let late = IDLE - Duration::from_secs(1);
    let steps = (0..20).flat_map(|number| {
        [Step::Wait(late), said(Role::Client, &[ping([number])]), said(Role::Client, &[text("still here")])]
    });
    let (mut conn, peer) = open(Role::Server, Script::new(steps).write_takes(WIRE - Duration::from_millis(1)));
    conn.sender().send(Opcode::TEXT, b"with a deadline of its own", WIRE).unwrap();
    for _ in 0..20 {
        assert_eq!(message(&mut conn), (Opcode::TEXT, b"still here".to_vec()));
    }
    conn.sender().flush(WIRE).unwrap();
    let pongs = peer.sent().into_iter().filter(|frame| frame.opcode == naive::PONG);
    assert!(pongs.eq((0..20).map(|number| pong([number]))));
}

// B2
#[test]
fn text_may_be_cut_within_a_character_by_writes() {
    let whole = "z\u{df}\u{6c34}\u{1f34c} and the end";
    let bytes = whole.as_bytes();
    for first in 0..=bytes.len() {
        for second in first..=bytes.len() {
            let (conn, peer) = server(&[]);
            let mut stream = conn.sender().send_stream(Opcode::TEXT, WIRE).unwrap();
            for piece in [&bytes[..first], &bytes[first..second], &bytes[second..]] {
                stream.write_all(piece).unwrap();
            }
            stream.finish().unwrap();
            let sent = peer.sent();
            assert!(sent.last().is_some_and(|frame| frame.fin));
            let received: Vec<u8> = sent.into_iter().flat_map(|frame| frame.payload).collect();
            assert_eq!(received, bytes);
        }
    }
}

// B2
#[test]
fn text_that_cannot_be_completed_ends_the_message_and_blocks_nobody() {
    for piece in [&b"\xf0"[..], b"\xe6\xb0", b"ok \xc3"] {
        let (mut conn, peer) = server(&[]);
        let sender = conn.sender();
        let mut stream = sender.send_stream(Opcode::TEXT, WIRE).unwrap();
        stream.write_all(piece).unwrap();
        assert_eq!(fault(stream.write_chunk(b"\xff")), Fault::Misuse(Misuse::Utf8));
        sender.send(Opcode::PING, b"not blocked", WIRE).unwrap();
        assert_eq!(fault(stream.finish()), Fault::Misuse(Misuse::Utf8));
        assert_eq!(fault(sender.send(Opcode::TEXT, b"not blocked", WIRE)), closed(1011));
        assert_eq!(fault(conn.receive(&mut [0; 64], TIMEOUTS)), closed(1011));
        let sent = peer.sent();
        assert_eq!(sent[..2], [Frame::new(naive::TEXT, piece).not_final(), ping("not blocked")]);
        assert_eq!((sent.len(), peer.told()), (3, Some(1011)));
    }
}

// B3
#[test]
fn a_short_frame_that_is_written_in_parts_stays_one_frame() {
    for how in [transport::Fault::Short, transport::Fault::Interrupted, transport::Fault::TimedOut] {
        transport::fail_at_every_operation(how, |fail_at| {
            let (conn, peer) = open(Role::Server, Script::new([]).write_limit(2).fail_at(fail_at));
            // Patience for every part but none to spare would be a different test: this one is about the parts.
            let sent = conn.sender().send(Opcode::TEXT, b"hello", 3 * WIRE);
            match how {
                // The one operation that took all the patience ends the frame where it is.
                transport::Fault::TimedOut if sent.is_err() => {
                    assert_eq!(fault(sent), Fault::Timeout(Wait::Wire));
                    assert!(text("hello").bytes().starts_with(&peer.transport.written()));
                }
                _ => assert_eq!((sent.unwrap(), peer.sent()), ((), vec![text("hello")])),
            }
            peer.transport
        })
        .unwrap();
    }
}

// B5
#[test]
fn nothing_follows_half_a_frame() {
    let payload = [b'x'; 200];
    for room in 1..204 {
        let script = Script::new([said(Role::Client, &[ping("?"), close(1000, "")])]).room(room);
        let (mut conn, peer) = open(Role::Server, script);
        let sender = conn.sender();
        assert_eq!(fault(sender.send(Opcode::BINARY, &payload, WIRE)), Fault::Timeout(Wait::Wire));
        peer.transport.make_room(usize::MAX / 2);
        assert_eq!(fault(sender.send(Opcode::PING, b"", WIRE)), closed(1008));
        assert_eq!(sender.send_close(CloseCode::NORMAL, "", WIRE).unwrap(), Closed(CloseCode::POLICY));
        assert_eq!(fault(conn.receive(&mut [0; 64], TIMEOUTS)), closed(1008));
        assert_eq!(peer.transport.written(), binary(payload).bytes()[..room]);
    }
}

// B5
#[test]
fn a_close_takes_no_longer_than_its_deadline_when_the_peer_does_not_read() {
    for room in [0, 1, 3] {
        let (conn, peer) = open(Role::Server, Script::new([]).room(room));
        let status = conn.sender().send_close(CloseCode::GOING_AWAY, "bye", WIRE).unwrap();
        assert_eq!(status, Closed(CloseCode::GOING_AWAY));
        assert_eq!(peer.now(), WIRE);
        let (mut conn, peer) = open(Role::Server, Script::new([]).room(room));
        assert_eq!(conn.finish(CloseCode::GOING_AWAY, "bye", WIRE).unwrap(), Closed(CloseCode::GOING_AWAY));
        assert!(peer.now() <= 3 * WIRE, "sending, waiting, hanging up: {:?}", peer.now());
        assert!(peer.transport.read_is_shut_down() && peer.transport.write_is_shut_down());
    }
}

// B8
#[test]
fn a_stream_that_has_ended_sends_nothing_more() {
    let (conn, peer) = server(&[]);
    let sender = conn.sender();
    // `finish` takes the writer: a second end, or a write after it, does not compile. What is left to test is the drop.
    let mut stream = sender.send_stream(Opcode::TEXT, WIRE).unwrap();
    stream.write_all(b"once").unwrap();
    stream.finish().unwrap();
    // A writer that began nothing has nothing to end.
    drop(sender.send_stream(Opcode::TEXT, WIRE).unwrap());
    sender.send(Opcode::TEXT, b"next", WIRE).unwrap();
    assert_eq!(peer.sent(), [text("once").not_final(), continuation(""), text("next")]);
}

// B8
#[test]
fn a_stream_that_is_given_up_does_not_pass_for_a_whole_message() {
    let (mut conn, peer) = server(&[]);
    let sender = conn.sender();
    let mut stream = sender.send_stream(Opcode::TEXT, WIRE).unwrap();
    stream.write_all(b"half").unwrap();
    drop(stream);
    assert_eq!(fault(sender.send(Opcode::TEXT, b"next", WIRE)), closed(1011));
    assert_eq!(fault(conn.receive(&mut [0; 64], TIMEOUTS)), closed(1011));
    assert_eq!(peer.sent()[0], text("half").not_final());
    assert_eq!((peer.sent().len(), peer.told()), (2, Some(1011)));
}

// B9
#[test]
fn fragments_after_the_first_are_continuations_whatever_the_write_mode_says() {
    let (mut conn, peer) = server(&[]);
    let mut frames = conn.frames(TIMEOUTS);
    frames.set_write_mode(Opcode::BINARY, false);
    frames.write_frame(b"a").unwrap();
    frames.write_frame(b"b").unwrap();
    frames.set_write_mode(Opcode::PING, true);
    frames.write_frame(b"between").unwrap();
    frames.set_write_mode(Opcode::BINARY, true);
    frames.write_frame(b"").unwrap();
    assert_eq!(peer.transport.written(), b"\x02\x01a\x00\x01b\x89\x07between\x80\x00");
}

// B10
#[test]
fn a_close_sent_as_a_frame_is_a_close() {
    for low in [true, false] {
        let (mut conn, peer) = server(&[text("in time"), close(1000, "")]);
        let sender = conn.sender();
        if low {
            let mut frames = conn.frames(TIMEOUTS);
            frames.set_write_mode(Opcode::CLOSE, true);
            frames.write_frame(&[0x03, 0xe9]).unwrap();
        } else {
            sender.send(Opcode::CLOSE, &[0x03, 0xe9], WIRE).unwrap();
        }
        assert_eq!(fault(sender.send(Opcode::TEXT, b"data after it", WIRE)), closed(1001));
        assert_eq!(message(&mut conn), (Opcode::TEXT, b"in time".to_vec()));
        assert_eq!(fault(conn.receive(&mut [0; 64], TIMEOUTS)), closed(1001));
        assert_eq!(peer.sent(), [close(1001, "")]);
    }
}

// B11
#[test]
fn what_must_not_be_sent_is_refused_and_not_sent() {
    let (mut conn, peer) = server(&[text("on we go")]);
    let sender = conn.sender();
    let refused = [
        (Opcode::TEXT, &b"\xff"[..], Misuse::Utf8),
        (Opcode::TEXT, b"cut \xf0\x9f", Misuse::Utf8),
        (Opcode::TEXT, b"\xed\xa0\x80", Misuse::Utf8),
        (Opcode::PING, &[0; 126], Misuse::ControlTooLong),
        (Opcode::PONG, &[0; 126], Misuse::ControlTooLong),
        (Opcode::RESERVED_11, &[0; 126], Misuse::ControlTooLong),
        (Opcode::CLOSE, &[3], Misuse::Close),
        (Opcode::CLOSE, b"\x03\xe8\xff", Misuse::Close),
        (Opcode::CONTINUATION, b"", Misuse::Opcode),
    ];
    for (opcode, payload, misuse) in refused {
        assert_eq!(fault(sender.send(opcode, payload, WIRE)), Fault::Misuse(misuse));
        assert_eq!(fault(sender.feed(opcode, payload, WIRE)), Fault::Misuse(misuse));
    }
    sender.flush(WIRE).unwrap();
    assert_eq!(peer.sent(), []);
    assert_eq!(message(&mut conn), (Opcode::TEXT, b"on we go".to_vec()));
}

// B12
#[test]
fn data_does_not_go_into_an_open_message_of_the_low_level() {
    let (mut conn, peer) = server(&[]);
    let sender = conn.sender();
    let mut frames = conn.frames(TIMEOUTS);
    frames.set_write_mode(Opcode::BINARY, false);
    frames.write_frame(b"open").unwrap();
    assert_eq!(fault(sender.send(Opcode::TEXT, b"not now", Duration::ZERO)), Fault::Timeout(Wait::Turn));
    sender.send(Opcode::PING, b"any time", WIRE).unwrap();
    frames.set_write_mode(Opcode::BINARY, true);
    frames.write_frame(b"shut").unwrap();
    sender.send(Opcode::TEXT, b"now", WIRE).unwrap();
    assert_eq!(peer.sent(), [binary("open").not_final(), ping("any time"), continuation("shut"), text("now")]);
}

// B12
#[test]
fn data_of_the_connection_itself_does_not_go_into_an_open_message_of_the_low_level() {
    let (mut conn, peer) = server(&[]);
    conn.frames(TIMEOUTS).set_write_mode(Opcode::BINARY, false);
    conn.frames(TIMEOUTS).write_frame(b"open").unwrap();
    let in_the_way = conn.sender_mut().send(Opcode::TEXT, b"not now", Duration::ZERO);
    assert_eq!(fault(in_the_way), Fault::Timeout(Wait::Turn));
    conn.sender_mut().send(Opcode::PING, b"any time", WIRE).unwrap();
    conn.frames(TIMEOUTS).set_write_mode(Opcode::BINARY, true);
    conn.frames(TIMEOUTS).write_frame(b"shut").unwrap();
    conn.sender_mut().send(Opcode::TEXT, b"now", WIRE).unwrap();
    assert_eq!(peer.sent(), [binary("open").not_final(), ping("any time"), continuation("shut"), text("now")]);
}

// B13
#[test]
fn pings_keep_their_first_byte_while_streams_open() {
    let (conn, peer) = client(&[]);
    let patient = Duration::from_secs(600);
    thread::scope(|scope| {
        for _ in 0..3 {
            let sender = conn.sender();
            scope.spawn(move || {
                for _ in 0..500 {
                    sender.send(Opcode::PING, b"ping", patient).unwrap();
                }
            });
        }
        let sender = conn.sender();
        scope.spawn(move || {
            for _ in 0..500 {
                let mut stream = sender.send_stream(Opcode::BINARY, patient).unwrap();
                stream.write_chunk(b"one").unwrap();
                stream.write_chunk(b"two").unwrap();
                stream.finish().unwrap();
            }
        });
    });
    let (pings, data): (Vec<_>, Vec<_>) = peer.sent().into_iter().partition(|frame| frame.opcode == naive::PING);
    assert_eq!(pings, vec![ping("ping"); 1500]);
    let message = [binary("one").not_final(), continuation("two").not_final(), continuation("")];
    assert_eq!(data, vec![message; 500].concat());
}

// B24
#[test]
fn a_client_masks_each_frame_with_a_key_of_its_own() {
    let (conn, peer) = client(&[]);
    let sender = conn.sender();
    for _ in 0..1000 {
        sender.feed(Opcode::TEXT, b"the same", WIRE).unwrap();
    }
    sender.flush(WIRE).unwrap();
    assert_eq!(peer.sent(), vec![text("the same"); 1000], "judged: no key is zero or the one before");
    let frames = naive::read_all(&peer.transport.written()).unwrap();
    let mut keys: Vec<_> = frames.iter().filter_map(|frame| frame.mask).collect();
    keys.sort_unstable();
    keys.dedup();
    assert!(keys.len() > 990, "{} keys of 1000 differ", keys.len());
    // "the masking key for a given frame MUST NOT make it simple for a server/proxy to predict the masking key for a
    // subsequent frame" -- RFC 6455, section 5.3. What a test can see of that: each bit is as often set as not.
    for bit in 0..32 {
        let ones = keys.iter().filter(|key| u32::from_be_bytes(**key) >> bit & 1 == 1).count();
        assert!((350..650).contains(&ones), "bit {bit} is set in {ones} keys");
    }
}

// B24
#[test]
fn a_keepalive_ping_is_answered_without_the_application() {
    let steps = [Step::Wait(WIRE), said(Role::Server, &[pong("keepalive")]), Step::Wait(WIRE), Step::Eof];
    let (mut conn, peer) = open(Role::Client, Script::new(steps));
    conn.sender().send(Opcode::PING, b"keepalive", WIRE).unwrap();
    let patient = Timeouts::new(WIRE, IDLE);
    assert_eq!(fault(conn.receive(&mut [0; 64], patient)), closed(1006));
    assert_eq!(peer.sent(), [ping("keepalive")], "a Pong is not answered");
}

/// What was written to a transport that holds it back, until it is flushed.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Notes how much the peer has got when the connection waits for it, and ends.
struct Waits(Log, Arc<Mutex<Option<usize>>>);

impl Read for Waits {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        let got = self.0.0.lock().unwrap().len();
        self.1.lock().unwrap().get_or_insert(got);
        Ok(0)
    }
}

// What was fed goes out "until the connection is about to wait for the peer", of whatever size it is: a transport with a
// buffer of its own is flushed as well.
#[test]
fn what_was_fed_leaves_a_transport_that_holds_it_back_before_the_wait() {
    for len in [10, 1023, 1024, 12_287, 12_288, 100_000] {
        for stream in [false, true] {
            let (log, seen) = (Log::default(), Arc::default());
            let write = BufWriter::with_capacity(1 << 20, log.clone());
            let mut conn = Conn::over((Waits(log, Arc::clone(&seen)), write), Role::Server);
            let sender = conn.sender();
            let mut writer = None;
            if stream {
                let writer = writer.insert(sender.send_stream(Opcode::BINARY, WIRE).unwrap());
                writer.write_chunk(&vec![7; len]).unwrap();
            } else {
                sender.feed(Opcode::BINARY, &vec![7; len], WIRE).unwrap();
            }
            assert!(conn.receive(&mut [0; 10], TIMEOUTS).is_err());
            let got = seen.lock().unwrap().unwrap();
            assert!(got > len, "{len} bytes, stream: {stream}: the peer has {got}");
        }
    }
}
