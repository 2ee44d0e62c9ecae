//! A crowd of idle connections.

use core::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use core::ops::Range;
use core::time::Duration;
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, connect, socket_with};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Instant;

use crate::wire::{Protocol, Ring, ask, hear, prepare};

/// Connections of which nobody says anything, until each is told to.
#[derive(Debug)]
pub struct Crowd {
    streams: Vec<TcpStream>,
    ring: Ring,
}

impl Crowd {
    /// Connects as often as there are numbers, the opening handshake included; answers how long it took as well.
    ///
    /// They come from several loopback addresses, because the ports of one would not do: the number of a connection decides
    /// from which. Some are under way at a time, so that
    /// the server need not wait for the client; `opened` is told how many there are, time and again.
    ///
    /// # Errors
    ///
    /// When a connection fails.
    pub fn open(
        server: SocketAddr,
        protocol: Protocol,
        numbers: Range<usize>,
        mut opened: impl FnMut(usize),
    ) -> io::Result<(Self, Duration)> {
        let ring = Ring::new(MESSAGE, protocol);
        let failed = |at: usize| move |error| io::Error::other(format!("connection {}: {error}", at + 1));
        let mut streams = Vec::with_capacity(numbers.len());
        let started = Instant::now();
        while streams.len() < numbers.len() {
            let first = streams.len();
            for at in numbers.clone().skip(first).take(AT_A_TIME) {
                let mut stream = dial(source(at), server).map_err(failed(at))?;
                if protocol == Protocol::WebSocket {
                    ask(&mut stream, server).map_err(failed(at))?;
                }
                streams.push(stream);
            }
            for (at, stream) in numbers.clone().zip(&mut streams).skip(first) {
                if protocol == Protocol::WebSocket {
                    hear(stream).map_err(failed(at))?;
                }
            }
            opened(streams.len());
        }
        Ok((Self { streams, ring }, started.elapsed()))
    }

    /// Has a message echoed on each; answers how long it took.
    ///
    /// # Errors
    ///
    /// When an echo is wrong or missing.
    pub fn speak(&mut self, mut spoken: impl FnMut(usize)) -> io::Result<Duration> {
        let started = Instant::now();
        let (message, expected) = (&self.ring.send[..self.ring.send_len], &self.ring.echo[..self.ring.echo_len]);
        let mut echo = vec![0; expected.len()];
        let mut done = 0;
        for some in self.streams.chunks_mut(AT_A_TIME) {
            some.iter_mut().try_for_each(|stream| stream.write_all(message))?;
            for stream in &mut *some {
                stream.read_exact(&mut echo)?;
                if echo != expected {
                    return Err(io::Error::other("an echo is not what was sent"));
                }
            }
            done += some.len();
            spoken(done);
        }
        Ok(started.elapsed())
    }
}

/// Connects from an address.
fn dial(from: Ipv4Addr, server: SocketAddr) -> io::Result<TcpStream> {
    let socket = socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    bind(&socket, &SocketAddrV4::new(from, 0))?;
    connect(&socket, &server)?;
    let stream = TcpStream::from(socket);
    prepare(&stream)?;
    Ok(stream)
}

/// The address that a connection comes from: 127.0.0.2 and those after it, none for too many.
fn source(at: usize) -> Ipv4Addr {
    Ipv4Addr::from_bits(Ipv4Addr::LOCALHOST.to_bits() + 1 + (at / PER_SOURCE) as u32)
}

/// The message that each connection echoes.
pub const MESSAGE: usize = 125;

/// How many are under way at once: fewer than a server's backlog usually has room for.
const AT_A_TIME: usize = 256;

/// How many connections come from one address. By default it has 28,232 ports for them.
const PER_SOURCE: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_follow_each_other_within_loopback() {
        assert_eq!(source(0), Ipv4Addr::new(127, 0, 0, 2));
        assert_eq!(source(9_999), Ipv4Addr::new(127, 0, 0, 2));
        assert_eq!(source(10_000), Ipv4Addr::new(127, 0, 0, 3));
        assert_eq!(source(99_999), Ipv4Addr::new(127, 0, 0, 11));
        assert!(source(10_000_000).is_loopback());
    }
}
