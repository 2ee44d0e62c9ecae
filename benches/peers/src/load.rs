//! The load generator: one thread, epoll, and echoes that are counted and compared.

use core::net::SocketAddr;
use core::time::Duration;
use rustix::event::Timespec;
use rustix::event::epoll::{self, EventData, EventFlags};
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::time::Instant;

use crate::process::cpu_time;
use crate::scenario::Load;
use crate::wire::{PATIENCE, Protocol, Ring, connect};

/// What was measured in one span of time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// Messages echoed in a second.
    pub rate: f64,
    /// How long the server was on its core for each, in microseconds.
    pub cpu_micros: f64,
}

/// A server under load.
#[derive(Debug)]
pub struct Generator {
    ring: Ring,
    echoes: Vec<Echo>,
    epoll: OwnedFd,
    depth: usize,
    buffer: PageBuffer,
    /// Whether to wait by asking again and again: with a core of its own, that wakes it soonest.
    spin: bool,
}

impl Generator {
    /// Connects as often as the load asks for.
    ///
    /// # Errors
    ///
    /// When a connection fails, the handshake included.
    pub fn new(server: SocketAddr, protocol: Protocol, load: Load, spin: bool) -> io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let mut echoes = Vec::with_capacity(load.conns);
        for at in 0..load.conns {
            let stream = connect(server, protocol)?;
            stream.set_nonblocking(true)?;
            let events = EventFlags::IN | EventFlags::OUT | EventFlags::ET;
            epoll::add(&epoll, &stream, EventData::new_u64(at as u64), events)?;
            echoes.push(Echo::new(stream));
        }
        let (ring, buffer) = (Ring::new(load.size, protocol), PageBuffer::new(READ));
        Ok(Self { ring, echoes, epoll, depth: load.depth, buffer, spin })
    }

    /// Measures for a span of time, after a shorter one to warm up. The process that serves is asked for its time.
    ///
    /// # Errors
    ///
    /// When an echo is wrong or missing, or the server hangs up.
    pub fn measure(mut self, span: Duration, server: u32) -> io::Result<Sample> {
        let warm_up = (span / 8).max(Duration::from_millis(50));
        self.start()?;
        let warm = Instant::now() + warm_up;
        self.echo(Check::Whole, |_| Instant::now() >= warm)?;

        let (before, started) = (cpu_time(server), Instant::now());
        let messages = self.echo(Check::Part, |_| started.elapsed() >= span)?;
        let (took, busy) = (started.elapsed(), cpu_time(server).saturating_sub(before));
        if messages == 0 {
            return Err(io::Error::other("no message came back within the span of a round"));
        }
        Ok(Sample { rate: messages as f64 / took.as_secs_f64(), cpu_micros: busy as f64 / 1e3 / messages as f64 })
    }

    /// Has at least so many messages echoed.
    ///
    /// # Errors
    ///
    /// As [`Generator::measure`].
    pub fn count(mut self, messages: u64) -> io::Result<u64> {
        self.start()?;
        self.echo(Check::Whole, |done| done >= messages)
    }

    /// Sends the first messages on each connection.
    fn start(&mut self) -> io::Result<()> {
        self.echoes.iter_mut().try_for_each(|echo| echo.send(self.depth, &self.ring))
    }

    /// Sends a message for each that comes back, until it is over; answers how many came.
    fn echo(&mut self, check: Check, over: impl Fn(u64) -> bool) -> io::Result<u64> {
        let mut events = Vec::with_capacity(EVENTS);
        let mut messages = 0;
        let mut last = Instant::now();
        while !over(messages) {
            events.clear();
            let timeout = if self.spin { Timespec { tv_sec: 0, tv_nsec: 0 } } else { HALF_SECOND };
            epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut events), Some(&timeout))?;
            if events.is_empty() {
                if last.elapsed() > PATIENCE {
                    return Err(io::Error::other(format!("no echo for {} seconds", PATIENCE.as_secs())));
                }
                continue;
            }
            for event in &events {
                let echo = &mut self.echoes[event.data.u64() as usize];
                echo.write(&self.ring)?;
                let came = echo.read(&mut self.buffer, &self.ring, check)?;
                echo.send(came, &self.ring)?;
                messages += came as u64;
            }
            last = Instant::now();
        }
        Ok(messages)
    }
}

/// How much of what comes back is compared. Its length always is.
#[derive(Clone, Copy)]
enum Check {
    /// All of it.
    Whole,
    /// All of what is small; of large pieces the ends, and one in sixteen whole. To compare takes as long as to copy, and what
    /// the load generator takes would blur the difference between the servers.
    Part,
}

/// One connection. Its bytes are those of the ring, in order, from the first to the last and over again.
#[derive(Debug)]
struct Echo {
    stream: TcpStream,
    /// How many bytes may be sent, and from where in the ring.
    to_send: usize,
    send_at: usize,
    /// Where in the ring the next echoed byte is.
    echo_at: usize,
    /// How many bytes have come of a message that is not whole.
    part: usize,
    in_flight: usize,
    reads: usize,
}

impl Echo {
    fn new(stream: TcpStream) -> Self {
        Self { stream, to_send: 0, send_at: 0, echo_at: 0, part: 0, in_flight: 0, reads: 0 }
    }

    /// Sends so many further messages, as far as the socket takes them now.
    fn send(&mut self, messages: usize, ring: &Ring) -> io::Result<()> {
        self.in_flight += messages;
        self.to_send += messages * ring.send_len;
        self.write(ring)
    }

    fn write(&mut self, ring: &Ring) -> io::Result<()> {
        while self.to_send > 0 {
            let len = self.to_send.min(ring.turn());
            match self.stream.write(&ring.send[self.send_at..][..len]) {
                Ok(sent) => {
                    self.to_send -= sent;
                    self.send_at = (self.send_at + sent) % ring.turn();
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Reads all that is there; answers how many messages are whole by it.
    fn read(&mut self, buffer: &mut PageBuffer, ring: &Ring, check: Check) -> io::Result<usize> {
        let mut came = 0;
        loop {
            let buffer = buffer.bytes();
            let len = match self.stream.read(buffer) {
                Ok(0) => return Err(io::Error::other("the server has hung up")),
                Ok(len) => len,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            };
            self.reads += 1;
            self.compare(&buffer[..len], ring, check)?;
            came += len;
            // The socket is empty: the next bytes will be told.
            if len < buffer.len() {
                break;
            }
        }
        self.part += came;
        let messages = self.part / ring.echo_len;
        self.part %= ring.echo_len;
        self.in_flight =
            self.in_flight.checked_sub(messages).ok_or_else(|| io::Error::other("more echoes than messages"))?;
        Ok(messages)
    }

    fn compare(&mut self, bytes: &[u8], ring: &Ring, check: Check) -> io::Result<()> {
        let matches = |from: usize, bytes: &[u8]| {
            let at = (self.echo_at + from) % ring.echo.len();
            let (first, rest) = bytes.split_at(bytes.len().min(ring.echo.len() - at));
            ring.echo[at..].starts_with(first) && rest.chunks(ring.echo.len()).all(|turn| ring.echo.starts_with(turn))
        };
        let whole = matches!(check, Check::Whole) || bytes.len() <= SMALL || self.reads.is_multiple_of(16);
        let same = match bytes.len().checked_sub(END) {
            Some(end) if !whole => matches(0, &bytes[..END]) && matches(end, &bytes[end..]),
            _ => matches(0, bytes),
        };
        if !same {
            return Err(io::Error::other("an echo is not what was sent"));
        }
        self.echo_at = (self.echo_at + bytes.len()) % ring.echo.len();
        Ok(())
    }
}

/// Memory at a fixed place in a page.
///
/// On some processors a copy is several times slower when its target lies a little above its source modulo the page size, and
/// allocators like to begin large blocks 16 bytes into a page. Where the buffers of the harness and of its raw servers lie,
/// is therefore not left to chance.
#[derive(Debug)]
pub(crate) struct PageBuffer {
    memory: Vec<u8>,
    start: usize,
    len: usize,
}

impl PageBuffer {
    pub(crate) fn new(len: usize) -> Self {
        let memory = vec![0; len + 2 * PAGE];
        let start = memory.as_ptr().align_offset(PAGE) + INTO_PAGE;
        Self { memory, start, len }
    }

    pub(crate) fn bytes(&mut self) -> &mut [u8] {
        &mut self.memory[self.start..][..self.len]
    }
}

const PAGE: usize = 4096;
const INTO_PAGE: usize = 64;

/// As much as is read at a time.
const READ: usize = 256 * 1024;

/// Up to this length a piece is always compared whole, and so much of each end of a larger one.
const SMALL: usize = 4096;
const END: usize = 64;

const EVENTS: usize = 1024;

const HALF_SECOND: Timespec = Timespec { tv_sec: 0, tv_nsec: 500_000_000 };
