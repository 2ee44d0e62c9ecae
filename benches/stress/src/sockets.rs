//! Pairs of real sockets with small buffers.

use socket2::SockRef;
use std::io;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;

pub(crate) fn tcp() -> io::Result<[TcpStream; 2]> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let one = TcpStream::connect(listener.local_addr()?)?;
    let other = listener.accept()?.0;
    for stream in [&one, &other] {
        shrink(&SockRef::from(stream))?;
    }
    Ok([one, other])
}

pub(crate) fn unix() -> io::Result<[UnixStream; 2]> {
    let (one, other) = UnixStream::pair()?;
    for stream in [&one, &other] {
        shrink(&SockRef::from(stream))?;
    }
    Ok([one, other])
}

/// Only where it sends: a window smaller than a segment makes TCP wait for its timers.
fn shrink(socket: &SockRef<'_>) -> io::Result<()> {
    socket.set_send_buffer_size(BUFFER)
}

const BUFFER: usize = 4096;
