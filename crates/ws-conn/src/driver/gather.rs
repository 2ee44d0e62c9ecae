//! Gathered writes to a socket.

use rustix::net::SendFlags;

/// Writes a first part of the buffers to a socket, one after the other, in one call.
///
/// The standard library takes care of SIGPIPE for plain writes, and not for gathered ones.
#[cfg(feature = "tokio")]
pub(crate) fn write(socket: impl std::os::fd::AsFd, bufs: &[std::io::IoSlice<'_>]) -> std::io::Result<usize> {
    Ok(rustix::net::sendmsg(socket, bufs, &mut rustix::net::SendAncillaryBuffer::default(), NO_SIGNAL)?)
}

/// That the peer has hung up is an error, and no SIGPIPE, which would end a process that does not expect it.
#[cfg(not(target_vendor = "apple"))]
pub(crate) const NO_SIGNAL: SendFlags = SendFlags::NOSIGNAL;
// Apple's systems have an option of the socket in place of the flag. The standard library sets it, and so does tokio.
#[cfg(target_vendor = "apple")]
pub(crate) const NO_SIGNAL: SendFlags = SendFlags::empty();
