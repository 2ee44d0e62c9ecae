//! Absolute deadlines, over real sockets: a peer that drips extends none. That they are kept is told by what ended the
//! connection; a deadline that never comes would let the dripping peer end it, and end it differently.

use core::time::Duration;
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Instant;

use crate::harness::{WIRE, closed, fault, wire};
use crate::sockets::{AMPLE, SHORT, Tcp, draining, dripping, server, timed};
use ws_conn::blocking::{Conn, Input, Output};
use ws_conn::{CloseCode, Closed, Error, Fault, Opcode, Role, Timeouts, Wait};
use ws_testkit::naive::{self, Frame, binary, continuation, ping, pong, text};
use ws_testkit::raw;

/// Runs a call against a peer that drips, and answers its fault. The peer was told `code`, once.
#[track_caller]
fn against(begin: &[u8], drip: &[u8], code: u16, call: impl FnOnce(&mut Tcp) -> Result<(), Error>) -> Fault {
    let (mut conn, socket) = server();
    let peer = dripping(socket, begin.into(), drip.into());
    let (result, took) = timed(|| call(&mut conn));
    assert!(took >= SHORT, "{took:?}");
    let heard = peer.join().unwrap();
    assert!(heard.was_cut_short());
    let frames = heard.frames();
    let closes: Vec<_> = frames.iter().filter(|frame| frame.opcode == naive::CLOSE).collect();
    assert_eq!(closes.iter().map(|close| close.close_code()).collect::<Vec<_>>(), [Some(code)]);
    fault(result)
}

fn said(frames: &[Frame]) -> Vec<u8> {
    wire(Role::Client, frames)
}

#[test]
fn idle_is_not_extended_by_control_frames() {
    let timeouts = Timeouts::new(AMPLE, SHORT);
    for drip in [ping("?"), pong("!")] {
        let drip = said(&[drip]);
        let end = against(&[], &drip, 1008, |conn| conn.receive(&mut [0; 64], timeouts).map(drop));
        assert_eq!(end, Fault::Timeout(Wait::Idle));
        let end = against(&[], &drip, 1008, |conn| conn.message(timeouts).map(drop));
        assert_eq!(end, Fault::Timeout(Wait::Idle));
        let end = against(&[], &drip, 1008, |conn| conn.receive_stream(timeouts).map(drop));
        assert_eq!(end, Fault::Timeout(Wait::Idle));
    }
}

#[test]
fn wire_is_not_extended_by_a_byte_a_fragment_or_a_ping() {
    let timeouts = Timeouts::new(SHORT, AMPLE);
    let endless = raw::announced(&binary([]).masked([0; 4]), 1_000_000);
    let begun = said(&[binary("begun").not_final()]);
    let empty = said(&[continuation("").not_final()]);
    let small = said(&[continuation("x").not_final()]);
    let cases: [(&[u8], &[u8]); 5] = [
        (&endless, b"x"),
        (&begun, &empty),
        (&begun, &small),
        (&begun, &said(&[ping("?")])),
        (&begun, &said(&[pong("")])),
    ];
    for (begin, drip) in cases {
        let mut buf = vec![0; 1_000_000];
        let end = against(begin, drip, 1008, |conn| conn.receive(&mut buf, timeouts).map(drop));
        assert_eq!(end, Fault::Timeout(Wait::Wire));
        let end = against(begin, drip, 1008, |conn| conn.message(timeouts).map(drop));
        assert_eq!(end, Fault::Timeout(Wait::Wire));
    }
}

#[test]
fn wire_of_a_stream_is_not_extended_by_what_gives_no_payload() {
    let timeouts = Timeouts::new(SHORT, AMPLE);
    let begun = said(&[binary("").not_final()]);
    for drip in [ping("?"), continuation("").not_final()] {
        let end = against(&begun, &said(&[drip]), 1008, |conn| {
            let mut stream = conn.receive_stream(timeouts)?;
            stream.read_chunk(&mut [0; 64]).map(drop)
        });
        assert_eq!(end, Fault::Timeout(Wait::Wire));
    }
}

#[test]
fn wire_covers_what_a_dropped_stream_leaves_to_be_discarded() {
    let timeouts = Timeouts::new(SHORT, AMPLE);
    let begun = said(&[binary("begun").not_final()]);
    let end = against(&begun, &said(&[continuation("x").not_final()]), 1008, |conn| {
        drop(conn.receive_stream(timeouts)?);
        conn.receive(&mut [0; 64], timeouts).map(drop)
    });
    assert_eq!(end, Fault::Timeout(Wait::Wire));
}

#[test]
fn a_header_that_drips_is_under_a_deadline_too() {
    let (mut conn, socket) = server();
    let header = raw::announced(&binary([]).masked([1, 2, 3, 4]), 1_000_000);
    let peer = dripping(socket, header[..1].into(), vec![]);
    let end = fault(conn.receive(&mut [0; 64], Timeouts::new(SHORT, AMPLE)));
    assert_eq!(end, Fault::Timeout(Wait::Wire));
    assert_eq!(peer.join().unwrap().frames().last().and_then(Frame::close_code), Some(1008));
}

#[test]
fn the_wait_for_the_peers_close_is_not_extended_by_anything() {
    let endless = raw::announced(&binary([]).masked([0; 4]), 1_000_000);
    let begun = said(&[binary("begun").not_final()]);
    let (empty, a_ping, whole) = (said(&[continuation("").not_final()]), said(&[ping("?")]), said(&[text("chatter")]));
    let cases: [(&[u8], &[u8]); 4] = [(&endless, b"x"), (&begun, &empty), (&[], &a_ping), (&[], &whole)];
    for (begin, drip) in cases {
        against(begin, drip, 1000, |conn| {
            let status = conn.finish(CloseCode::NORMAL, "", SHORT)?;
            assert_eq!(status, Closed(CloseCode::NORMAL));
            Err(status.into())
        });
        let end = against(begin, drip, 1001, |conn| {
            conn.sender().send_close(CloseCode::GOING_AWAY, "", SHORT)?;
            let mut buf = vec![0; 1_000_000];
            loop {
                conn.receive(&mut buf, Timeouts::new(SHORT, AMPLE))?;
            }
        });
        assert_eq!(end, closed(1001));
    }
}

#[test]
fn write_is_not_extended_by_a_peer_that_reads_a_byte_at_a_time() {
    let (conn, socket) = server();
    let (tell, told) = mpsc::channel();
    let peer = draining(socket, told);
    let message = vec![b'x'; MORE_THAN_BUFFERS];
    let sender = conn.sender();
    let (result, took) = timed(|| sender.send(Opcode::BINARY, &message, SHORT));
    assert_eq!(fault(result), Fault::Timeout(Wait::Wire));
    assert!(took >= SHORT, "{took:?}");
    assert_eq!(fault(sender.send(Opcode::TEXT, b"", AMPLE)), closed(1008));
    tell.send(()).unwrap();
    let read = peer.join().unwrap();
    assert!(read.len() < message.len() && read.starts_with(&raw::announced(&binary([]), message.len() as u64)));
    assert!(read[10..].iter().all(|byte| *byte == b'x'), "nothing went into the half frame");
}

#[test]
fn the_queue_is_under_the_deadline_of_the_call_that_writes_it() {
    let (mut conn, socket) = server();
    let (tell, told) = mpsc::channel();
    let peer = draining(socket, told);
    let sender = conn.sender();
    // Streamed: the fragments fill the queue, and the queue the socket.
    let mut stream = sender.send_stream(Opcode::BINARY, SHORT).unwrap();
    let end = loop {
        if let Err(error) = stream.write_chunk(&[b'x'; 1000]) {
            break fault::<()>(Err(error));
        }
    };
    assert_eq!(end, Fault::Timeout(Wait::Wire));
    drop(stream);
    assert_eq!(fault(conn.receive(&mut [0; 64], Timeouts::new(SHORT, AMPLE))), closed(1008));
    tell.send(()).unwrap();
    assert!(!peer.join().unwrap().is_empty());
}

#[test]
fn a_close_does_not_wait_for_a_writer_whose_peer_does_not_read() {
    let (conn, mut peer) = server();
    let sender = conn.sender();
    let writer = thread::spawn(move || sender.send(Opcode::BINARY, &vec![b'x'; MORE_THAN_BUFFERS], AMPLE));
    peer.read_exact(&mut [0; 10]).unwrap();
    let status = conn.sender().send_close(CloseCode::GOING_AWAY, "", SHORT).unwrap();
    assert_eq!(status, Closed(CloseCode::GOING_AWAY));
    assert!(!writer.is_finished(), "the writer waits on");
    assert_eq!(conn.sender().abort(), status);
    assert_eq!(fault(writer.join().unwrap()), closed(1001));
}

#[test]
fn finish_does_not_wait_for_a_writer_whose_peer_does_not_read() {
    let (mut conn, mut peer) = server();
    let sender = conn.sender();
    let writer = thread::spawn(move || sender.send(Opcode::BINARY, &vec![b'x'; MORE_THAN_BUFFERS], AMPLE));
    peer.read_exact(&mut [0; 10]).unwrap();
    let status = conn.finish(CloseCode::GOING_AWAY, "", SHORT).unwrap();
    assert_eq!(status, Closed(CloseCode::GOING_AWAY));
    assert_eq!(fault(writer.join().unwrap()), closed(1001), "the writer was woken");
}

#[test]
fn a_close_that_finds_the_socket_full_gives_up_at_its_deadline() {
    let (mut conn, peer) = server();
    let sender = conn.sender();
    // Fill the socket with whole messages until one does not go out in time.
    let message = vec![b'x'; 1_000_000];
    let filled = (0..1000).find_map(|_| sender.send(Opcode::BINARY, &message, SHORT).err());
    assert_eq!(fault::<()>(Err(filled.unwrap())), Fault::Timeout(Wait::Wire));
    assert_eq!(sender.send_close(CloseCode::NORMAL, "", SHORT).unwrap(), Closed(CloseCode::POLICY));
    assert_eq!(conn.finish(CloseCode::NORMAL, "", SHORT).unwrap(), Closed(CloseCode::POLICY));
    drop(peer);
}

#[test]
fn pings_that_the_peer_does_not_read_answers_to_do_not_hold_the_receiver() {
    let (mut conn, mut socket) = server();
    let writer = socket.try_clone().unwrap();
    let flood = thread::spawn(move || {
        let pings = said(&vec![ping([b'?'; 125]); 1000]);
        // Ends when the connection does.
        while (&writer).write_all(&pings).is_ok() {}
    });
    let end = fault(conn.receive(&mut [0; 64], Timeouts::new(SHORT, AMPLE)));
    assert_eq!(end, Fault::Timeout(Wait::Wire));
    drop(conn);
    flood.join().unwrap();
    // What the socket still holds is answers, as far as they went.
    let _ = socket.read(&mut [0; 64]);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the one moment from which virtual time is counted")]
fn a_call_is_not_held_by_answers_that_it_sends_for_others() {
    let (say, heard) = mpsc::channel();
    let (comes, reads) = mpsc::channel();
    let begin = Instant::now();
    let now = Arc::new(Mutex::new(begin));
    let slow = Slow { now: Arc::clone(&now), say, reads, pings: 20 };
    let mut conn = Conn::new(Hearing { heard, again: false, reads: comes }, slow, Role::Server);
    let sender = conn.sender();
    let receiver = thread::spawn(move || fault(conn.receive(&mut [0; 64], Timeouts::new(AMPLE, AMPLE))));
    sender.send(Opcode::TEXT, b"a moment", WIRE).unwrap();
    let took = now.lock().unwrap().duration_since(begin);
    assert!(took <= WIRE, "the answers have what its own frame has left: {took:?}");
    assert_eq!(sender.abort(), Closed(CloseCode::ABNORMAL), "the connection goes on without them");
    drop(sender);
    assert_eq!(receiver.join().unwrap(), closed(1006));
}

/// Reads what it is told to, and says when it comes for more.
struct Hearing {
    heard: mpsc::Receiver<Vec<u8>>,
    again: bool,
    reads: mpsc::Sender<()>,
}

impl Input for Hearing {
    fn read(&mut self, into: &mut [u8], _: Duration) -> io::Result<usize> {
        if core::mem::replace(&mut self.again, true) {
            let _ = self.reads.send(());
        }
        let bytes = self.heard.recv().unwrap_or_default();
        into[..bytes.len()].copy_from_slice(&bytes);
        Ok(bytes.len())
    }
}

/// A peer that takes each frame nearly as late as it may, and sends a Ping meanwhile.
struct Slow {
    now: Arc<Mutex<Instant>>,
    say: mpsc::Sender<Vec<u8>>,
    reads: mpsc::Receiver<()>,
    pings: usize,
}

impl Output for Slow {
    fn write(&mut self, bufs: &[IoSlice<'_>], patience: Duration) -> io::Result<usize> {
        let takes = WIRE * 9 / 10;
        *self.now.lock().unwrap() += takes.min(patience);
        if patience < takes {
            return Err(ErrorKind::TimedOut.into());
        }
        if self.pings > 0 {
            self.pings -= 1;
            self.say.send(said(&[ping("?")])).unwrap();
            // When the receiver comes for more it has left the answer to the thread that writes: this one.
            self.reads.recv().unwrap();
        }
        Ok(bufs.iter().map(|buf| buf.len()).sum())
    }

    fn half_close(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn now(&self) -> Instant {
        *self.now.lock().unwrap()
    }
}

/// More than the buffers of both sockets hold.
const MORE_THAN_BUFFERS: usize = 64 * 1024 * 1024;
