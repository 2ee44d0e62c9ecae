//! Gathered writes to a socket.

use std::io::{self, IoSlice};

/// Writes a first part of the buffers to a socket, one after the other, in one call.
///
/// If the peer has hung up that is an error, and no SIGPIPE, which would end a process that does not expect it: the standard
/// library takes care of that for plain writes, and not for gathered ones.
#[cfg(all(unix, not(any(target_os = "espidf", target_os = "redox", target_os = "vita"))))]
pub(crate) fn write<S: std::os::fd::AsFd>(socket: S, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
    use rustix::net::{SendAncillaryBuffer, SendFlags, sendmsg};

    // Apple's systems have an option of the socket in place of the flag. The standard library sets it, and so does tokio.
    #[cfg(target_vendor = "apple")]
    const FLAGS: SendFlags = SendFlags::empty();
    #[cfg(not(target_vendor = "apple"))]
    const FLAGS: SendFlags = SendFlags::NOSIGNAL;

    Ok(sendmsg(socket, bufs, &mut SendAncillaryBuffer::default(), FLAGS)?)
}

/// Writes a first part of the buffers to a socket, one after the other.
#[cfg(all(feature = "blocking", any(not(unix), target_os = "espidf", target_os = "redox", target_os = "vita")))]
pub(crate) fn write<S: io::Write>(mut socket: S, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
    socket.write_vectored(bufs)
}
