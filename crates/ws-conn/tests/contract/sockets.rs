//! Connections over real sockets on the loopback, and peers that drip.
#![expect(clippy::disallowed_methods, reason = "real sockets take real time")]

use core::net::Ipv4Addr;
use core::time::Duration;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use ws_conn::Role;
use ws_conn::blocking::{Conn, Socket};
use ws_testkit::judge;
use ws_testkit::naive::Frame;

/// A connection under test.
pub(crate) type Tcp = Conn<Socket<TcpStream>, Socket<TcpStream>>;

/// A patience that no test is to reach.
pub(crate) const AMPLE: Duration = Duration::from_secs(60);

/// A patience that a test waits for.
pub(crate) const SHORT: Duration = Duration::from_millis(150);

/// A server, and its client's socket.
pub(crate) fn server() -> (Tcp, TcpStream) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (server, _) = listener.accept().unwrap();
    (Conn::over(server, Role::Server), client)
}

/// What a peer heard until the connection ended, and how often it dripped meanwhile.
pub(crate) struct Heard {
    drips: usize,
    bytes: Vec<u8>,
}

impl Heard {
    /// Whether the peer dripped, and the connection ended before the peer gave up.
    pub(crate) fn was_cut_short(&self) -> bool {
        (1..MOST_DRIPS).contains(&self.drips)
    }

    /// The frames, judged.
    pub(crate) fn frames(&self) -> Vec<Frame> {
        judge::check_sent_bytes(false, &self.bytes).unwrap()
    }
}

/// A peer that says something, and then says `drip` over and over, each time it has heard nothing for an interval. It
/// stops when the connection ends, or after so many drips that a deadline they extend would be noticed.
pub(crate) fn dripping(mut socket: TcpStream, begin: Vec<u8>, drip: Vec<u8>) -> JoinHandle<Heard> {
    thread::spawn(move || {
        socket.set_read_timeout(Some(INTERVAL)).unwrap();
        socket.write_all(&begin).unwrap();
        let mut heard = Heard { drips: 0, bytes: Vec::new() };
        let mut buf = [0; 4096];
        while heard.drips < MOST_DRIPS {
            match socket.read(&mut buf) {
                Ok(0) => break,
                Ok(len) => heard.bytes.extend_from_slice(&buf[..len]),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    // It fails once the connection has ended, which the next read tells.
                    let _ = socket.write_all(&drip);
                    heard.drips += 1;
                }
                Err(error) => panic!("{error}"),
            }
        }
        heard
    })
}

/// A peer that reads one byte per interval until it is told to read the rest. Answers all it has read.
pub(crate) fn draining(mut socket: TcpStream, told: Receiver<()>) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        while told.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) && bytes.len() < MOST_DRIPS {
            let mut byte = [0];
            socket.read_exact(&mut byte).unwrap();
            bytes.extend(byte);
        }
        // A connection that was given up in the midst of a frame may end with a reset.
        let _ = socket.read_to_end(&mut bytes);
        bytes
    })
}

/// A peer that reads at most so much at a time, and waits in between; it stops when the connection ends. Returns how much
/// it has read.
pub(crate) fn in_pieces(mut socket: impl Read + Send + 'static, piece: usize, pause: Duration) -> JoinHandle<usize> {
    thread::spawn(move || {
        let (_nobody, nothing) = mpsc::channel::<()>();
        let (mut buf, mut all) = (vec![0; piece], 0);
        loop {
            match socket.read(&mut buf) {
                Ok(0) | Err(_) => return all,
                Ok(len) => all += len,
            }
            let _ = nothing.recv_timeout(pause);
        }
    })
}

/// What `body` answers, and how long it took.
pub(crate) fn timed<T>(body: impl FnOnce() -> T) -> (T, Duration) {
    let began = Instant::now();
    let answer = body();
    (answer, began.elapsed())
}

const INTERVAL: Duration = Duration::from_millis(5);
const MOST_DRIPS: usize = 1000;
