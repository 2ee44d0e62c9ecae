//! Transports that never wait: what is interrupted each time, and what is ready each time.

use ws_http::Error;

#[cfg(feature = "blocking")]
mod over_blocking {
    use core::time::Duration;
    use std::io::{self, ErrorKind, IoSlice};

    use ws_conn::blocking::{Input, Output, Transport};
    use ws_http::Policy;
    use ws_http::blocking::{Connect, accept};

    use super::{Calls, assert_interrupted};

    #[test]
    fn a_read_that_is_interrupted_without_end_is_given_up_without_a_deadline_too() {
        let policy = Policy::default().timeout(Duration::MAX);
        assert_interrupted(accept(Stream::<true>, &policy));
        assert_interrupted(accept(Stream::<false>, &policy));
    }

    #[test]
    fn a_write_that_is_interrupted_without_end_is_given_up_without_a_deadline_too() {
        let connect = Connect::to("ws://localhost/").unwrap().handshake_timeout(Duration::MAX);
        assert_interrupted(connect.open_over(Stream::<true>));
        assert_interrupted(connect.open_over(Stream::<false>));
    }

    struct Stream<const KEEPS_TIME: bool>;

    impl<const KEEPS_TIME: bool> Transport for Stream<KEEPS_TIME> {
        type Read = Interrupted<KEEPS_TIME>;
        type Write = Interrupted<KEEPS_TIME>;

        fn split(self) -> (Self::Read, Self::Write) {
            Default::default()
        }
    }

    #[derive(Default)]
    struct Interrupted<const KEEPS_TIME: bool>(Calls);

    impl<const KEEPS_TIME: bool> Input for Interrupted<KEEPS_TIME> {
        const TIMED: bool = KEEPS_TIME;

        fn read(&mut self, _: &mut [u8], _: Duration) -> io::Result<usize> {
            self.0.count();
            Err(ErrorKind::Interrupted.into())
        }
    }

    impl<const KEEPS_TIME: bool> Output for Interrupted<KEEPS_TIME> {
        const TIMED: bool = KEEPS_TIME;

        fn write(&mut self, _: &[IoSlice<'_>], _: Duration) -> io::Result<usize> {
            self.0.count();
            Err(ErrorKind::Interrupted.into())
        }

        fn half_close(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
}

#[cfg(feature = "tokio")]
mod over_tokio {
    use core::pin::Pin;
    use core::sync::atomic::{AtomicUsize, Ordering};
    use core::task::{Context, Poll};
    use std::io::{self, ErrorKind};
    use std::sync::Arc;

    use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
    use tokio::runtime::{Builder, Runtime};
    use tokio::task::yield_now;
    use ws_http::tokio::{Connect, Exchange, accept};

    use super::{Calls, assert_interrupted};
    use crate::run::policy;

    /// Time stands still as long as a task is ready.
    #[test]
    fn a_transport_that_is_interrupted_without_end_is_given_up() {
        runtime().block_on(async {
            assert_interrupted(accept((Interrupted::default(), Interrupted::default()), &policy()).await);
            let connect = Connect::to("ws://localhost/").unwrap();
            assert_interrupted(connect.open_over((Interrupted::default(), Interrupted::default())).await);
        });
    }

    /// The head comes and the page goes by single bytes, and as much follows as is read behind an answer.
    #[test]
    fn a_transport_that_is_always_ready_leaves_the_other_tasks_their_turns() {
        runtime().block_on(async {
            let turns = Arc::new(AtomicUsize::new(0));
            let others = Arc::clone(&turns);
            let other = tokio::spawn(async move {
                loop {
                    others.fetch_add(1, Ordering::Relaxed);
                    yield_now().await;
                }
            });
            let head = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(4000));
            let read = Ready { head: head.into_bytes(), at: 0, turns: Turns::of(&turns) };
            let write = Ready { head: Vec::new(), at: 0, turns: Turns::of(&turns) };
            let exchange = Exchange::read((read, write), &policy()).await.unwrap();
            exchange.respond(200, &[], &[b'x'; 4000]).await.unwrap();
            other.abort();
        });
    }

    fn runtime() -> Runtime {
        Builder::new_current_thread().enable_all().start_paused(true).build().unwrap()
    }

    #[derive(Default)]
    struct Interrupted(Calls);

    impl AsyncRead for Interrupted {
        fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            self.get_mut().0.count();
            Poll::Ready(Err(ErrorKind::Interrupted.into()))
        }
    }

    impl AsyncWrite for Interrupted {
        fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
            self.get_mut().0.count();
            Poll::Ready(Err(ErrorKind::Interrupted.into()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    /// A byte with each read, first those of a head, and room for a byte with each write.
    struct Ready {
        head: Vec<u8>,
        at: usize,
        turns: Turns,
    }

    impl AsyncRead for Ready {
        fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            let this = self.get_mut();
            this.turns.look();
            buf.put_slice(&[this.head.get(this.at).copied().unwrap_or(b'x')]);
            this.at += 1;
            Poll::Ready(Ok(()))
        }
    }

    impl AsyncWrite for Ready {
        fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
            self.get_mut().turns.look();
            Poll::Ready(Ok(1))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    /// Counts how often a transport is asked between two turns of another task.
    struct Turns {
        others: Arc<AtomicUsize>,
        seen: usize,
        asked: usize,
    }

    impl Turns {
        fn of(others: &Arc<AtomicUsize>) -> Self {
            Self { others: Arc::clone(others), seen: 0, asked: 0 }
        }

        fn look(&mut self) {
            let turns = self.others.load(Ordering::Relaxed);
            self.asked = if self.seen == turns { self.asked + 1 } else { 0 };
            self.seen = turns;
            assert!(self.asked < 1000, "so many operations without a turn of another task");
        }
    }
}

/// Counts calls, and ends a test that would go on for ever.
#[derive(Default)]
struct Calls(u32);

impl Calls {
    fn count(&mut self) {
        self.0 += 1;
        assert!(self.0 < 10_000_000, "it is asked again and again");
    }
}

fn assert_interrupted<T>(result: Result<T, Error>) {
    match result {
        Err(Error::Io(error)) if error.kind() == std::io::ErrorKind::Interrupted => {}
        result => panic!("{:?}", result.map(drop)),
    }
}
