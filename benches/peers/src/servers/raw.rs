//! TCP echoes without WebSocket: what each style of server allows at most.

use core::future::poll_fn;
use core::pin::{Pin, pin};
use core::task::{Context, Poll};
use core::time::Duration;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::{Serve, Style, accept};
use crate::load::PageBuffer;

pub(super) const SERVERS: [(&str, Style, Serve); 4] = [
    (Style::Tokio.raw(), Style::Tokio, |address| accept::tasks(address, tokio)),
    ("raw-tokio+deadline", Style::Tokio, |address| accept::tasks(address, tokio_with_deadline)),
    ("raw-tokio+whole", Style::Tokio, |address| accept::tasks(address, tokio_whole)),
    (Style::Threads.raw(), Style::Threads, |address| accept::threads(address, threads)),
];

async fn tokio(mut stream: tokio::net::TcpStream) {
    let mut buffer = PageBuffer::new(READ);
    let buffer = buffer.bytes();
    while let Ok(len @ 1..) = stream.read(buffer).await {
        if stream.write_all(&buffer[..len]).await.is_err() {
            return;
        }
    }
}

/// As [`tokio`], with a limit on how long a read may wait. The timer is armed once, and again only when it goes off.
async fn tokio_with_deadline(mut stream: tokio::net::TcpStream) {
    let mut buffer = PageBuffer::new(READ);
    let buffer = buffer.bytes();
    let mut timer = pin!(sleep_until(Instant::now() + IDLE));
    while let Ok(len @ 1..) = read_in_time(&mut stream, buffer, timer.as_mut()).await {
        if stream.write_all(&buffer[..len]).await.is_err() {
            return;
        }
    }
}

async fn read_in_time(
    stream: &mut tokio::net::TcpStream,
    buffer: &mut [u8],
    mut timer: Pin<&mut Sleep>,
) -> io::Result<usize> {
    let mut until = None;
    poll_fn(|cx: &mut Context<'_>| {
        let mut buffer = ReadBuf::new(&mut *buffer);
        if let Poll::Ready(read) = Pin::new(&mut *stream).poll_read(cx, &mut buffer) {
            return Poll::Ready(read.map(|()| buffer.filled().len()));
        }
        let until = *until.get_or_insert_with(|| Instant::now() + IDLE);
        while timer.as_mut().poll(cx).is_ready() {
            if Instant::now() >= until {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            timer.as_mut().reset(until);
        }
        Poll::Pending
    })
    .await
}

/// As [`tokio`], but a message is sent back when all of it has come, as WebSocket servers have to.
async fn tokio_whole(mut stream: tokio::net::TcpStream) {
    let mut buffer = PageBuffer::new(2 * READ);
    let mut end = 0;
    while let Ok(len @ 1..) = stream.read(&mut buffer.bytes()[end..][..READ]).await {
        end += len;
        let whole = whole_frames(&buffer.bytes()[..end]);
        if stream.write_all(&buffer.bytes()[..whole]).await.is_err() {
            return;
        }
        buffer.bytes().copy_within(whole..end, 0);
        end -= whole;
        if end + READ > buffer.bytes().len() {
            // A large message begins: from here on there is room for any.
            if end > LARGEST {
                return;
            }
            let mut larger = PageBuffer::new(LARGEST + READ);
            larger.bytes()[..end].copy_from_slice(&buffer.bytes()[..end]);
            buffer = larger;
        }
    }
}

/// How many bytes at the front are whole frames of a client.
fn whole_frames(bytes: &[u8]) -> usize {
    let mut end = 0;
    while let Some(len) = frame_len(&bytes[end..]).filter(|len| *len <= bytes.len() - end) {
        end += len;
    }
    end
}

/// The length of a masked frame, its header included, once that is known.
fn frame_len(bytes: &[u8]) -> Option<usize> {
    let (header, payload) = match bytes.get(1)? & 0x7f {
        126 => (8, usize::from(u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?))),
        127 => (14, usize::try_from(u64::from_be_bytes(*bytes.get(2..)?.first_chunk()?)).ok()?),
        len => (6, usize::from(len)),
    };
    Some(header + payload)
}

fn threads(mut stream: TcpStream) {
    let mut buffer = PageBuffer::new(READ);
    let buffer = buffer.bytes();
    while let Ok(len @ 1..) = stream.read(buffer) {
        if stream.write_all(&buffer[..len]).is_err() {
            return;
        }
    }
}

/// As much as ours reads at a time.
const READ: usize = 64 * 1024;
/// The largest frame of any scenario.
const LARGEST: usize = 1024 * 1024 + 14;
/// How long a connection may be silent: longer than any measurement.
const IDLE: Duration = Duration::from_secs(600);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::frame;

    #[test]
    fn a_frame_is_whole_at_its_last_byte_and_not_before() {
        for size in [0, 125, 126, 0xffff, 0x1_0000, 1024 * 1024] {
            let one = frame(2, &vec![7; size], Some([1, 2, 3, 4]));
            let two = [&one[..], &one[..]].concat();
            assert_eq!(whole_frames(&one), one.len(), "{size}");
            assert_eq!(whole_frames(&two), two.len(), "{size}");
            for cut in [1, 5, one.len() - 1] {
                assert_eq!(whole_frames(&one[..cut]), 0, "{size}, {cut}");
                assert_eq!(whole_frames(&two[..one.len() + cut]), one.len(), "{size}, {cut}");
            }
            assert!(one.len() <= LARGEST);
        }
    }
}
