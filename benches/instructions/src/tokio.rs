//! The tokio driver.

use core::hint::black_box;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::io::{self, IoSlice};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use ws_conn::tokio::Conn;

use super::wire::{Sink, Source};
use super::{Call, Case, OPCODE, TIMEOUTS};

pub(super) fn run(case: Case, count: usize) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(messages(case, count));
}

async fn messages(case: Case, count: usize) {
    let mut conn = Conn::over((Source::new(case.role, OPCODE, case.size), Sink::default()), case.role);
    let mut buffer = vec![0; case.size];
    match case.call {
        Call::Receive => {
            for _ in 0..count {
                black_box(conn.receive(black_box(&mut buffer), TIMEOUTS).await.unwrap());
            }
        }
        Call::Echo => {
            for _ in 0..count {
                let (message, mut sender) = conn.message_and_sender(TIMEOUTS).await.unwrap();
                sender.feed(OPCODE, &message, TIMEOUTS.wire).await.unwrap();
            }
        }
        Call::Send => {
            let sender = conn.sender();
            for _ in 0..count {
                sender.send(OPCODE, black_box(&buffer), TIMEOUTS.wire).await.unwrap();
            }
        }
    }
}

impl AsyncRead for Source {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.dry = !self.dry;
        if self.dry {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        into.put_slice(self.batch());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Sink {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(self.take(bytes)))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(parts.iter().map(|part| self.take(part)).sum()))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
