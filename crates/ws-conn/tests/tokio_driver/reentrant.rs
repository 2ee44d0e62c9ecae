//! Whoever is woken may run code that calls the connection, there and then; and each that waits is known once.

use crate::T;
use crate::transport::Task;
use crate::wire::{Half, server};
use core::pin::{Pin, pin};
use core::sync::atomic::{AtomicUsize, Ordering};
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::io;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::task::Wake;
use std::thread;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use ws_conn::tokio::{Conn, Sender, Transport, Whole};
use ws_conn::{CloseCode, Opcode, Role};
use ws_testkit::alloc::{alone, count_allocations};

/// Wakes whoever it knows while it is written to, and takes nothing.
#[derive(Default)]
struct Wakes(Option<Waker>);

impl AsyncRead for Wakes {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.0 = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl AsyncWrite for Wakes {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        cx.waker().wake_by_ref();
        self.0.iter().for_each(Waker::wake_by_ref);
        Poll::Pending
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        cx.waker().wake_by_ref();
        Poll::Ready(Ok(()))
    }
}

/// A task that ends the connection as soon as it is woken.
struct Aborts<W: AsyncWrite + Unpin>(Mutex<Sender<W>>);

impl<W: AsyncWrite + Unpin> Wake for Aborts<W> {
    fn wake(self: Arc<Self>) {
        self.0.lock().unwrap().abort();
    }
}

#[test]
fn a_waker_that_calls_the_connection_may_be_woken_by_the_transport() {
    ends(|| aborted((Wakes::default(), Wakes::default())));
}

#[test]
fn a_waker_that_calls_the_connection_may_be_woken_by_a_stream_that_cannot_be_split() {
    ends(|| aborted(Whole(Wakes::default())));
}

fn aborted<T: Transport<Write: Send + 'static>>(over: T) {
    let runtime = crate::paused();
    let _time = runtime.enter();
    let mut conn = Conn::over(over, Role::Server);
    let sender = conn.sender();
    let aborts = Waker::from(Arc::new(Aborts(Mutex::new(conn.sender()))));
    let mut buf = [0; 16];
    let mut receive = pin!(conn.receive(&mut buf, T));
    let _ = receive.as_mut().poll(&mut Context::from_waker(&aborts));
    let mut send = Task::new(sender.send(Opcode::BINARY, b"m", T.wire));
    let mut sent = send.poll();
    assert_eq!(sender.closed().map(|closed| closed.0), Some(CloseCode::ABNORMAL), "it was woken");
    if sent.is_pending() {
        assert!(send.is_woken());
        sent = send.poll();
    }
    assert!(matches!(sent, Poll::Ready(Err(_))), "{sent:?}");
}

/// In a thread of its own, since what waits for itself cannot be timed out.
fn ends(act: impl FnOnce() + Send + 'static) {
    let (done, wait) = channel();
    let thread = thread::spawn(move || {
        act();
        done.send(()).unwrap();
    });
    if wait.recv_timeout(Duration::from_secs(20)) != Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
        return thread.join().unwrap();
    }
    panic!("it waits for itself");
}

/// Always interrupted.
#[derive(Default)]
struct Interrupted {
    writes: Arc<AtomicUsize>,
    writable: bool,
}

impl AsyncWrite for Interrupted {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.writable {
            return Poll::Ready(Ok(bytes.len()));
        }
        self.poll()
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll().map_ok(drop)
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl Interrupted {
    fn poll(&self) -> Poll<io::Result<usize>> {
        assert!(self.writes.fetch_add(1, Ordering::Relaxed) < 1000, "it is asked again and again in one poll");
        Poll::Ready(Err(io::ErrorKind::Interrupted.into()))
    }
}

#[test]
fn a_transport_that_is_always_interrupted_lets_the_task_yield() {
    let runtime = crate::paused();
    let _time = runtime.enter();
    for writable in [false, true] {
        let transport = Interrupted { writes: Arc::default(), writable };
        let mut conn = Conn::new(Wakes::default(), transport, Role::Server);
        let sender = conn.sender();
        let mut send = Task::new(sender.send(Opcode::BINARY, b"m", T.wire));
        assert!(send.poll().is_pending());
        assert!(send.is_woken(), "it is to ask again");
        drop(send);
        drop(sender);
        let mut own = conn.sender_mut();
        let mut send = Task::new(own.flush(T.wire));
        assert!(send.poll().is_pending() && send.is_woken());
    }
}

/// The same task, polled again and again with other wakers, as executors do that make one for each poll.
#[test]
fn a_task_that_waits_is_known_by_its_last_waker_only() {
    let runtime = crate::paused();
    let _time = runtime.enter();
    let _alone = alone();
    let (_wire, conn) = server();
    let sender = conn.sender();
    let mut writer = match Task::new(sender.send_stream(Opcode::BINARY, T.wire)).poll() {
        Poll::Ready(writer) => writer.unwrap(),
        Poll::Pending => panic!("it waits"),
    };
    let mut write = pin!(writer.write_all(&[0; 100_000]));
    let mut poll = || {
        let waker = Waker::from(Arc::new(Count::default()));
        assert!(write.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    };
    poll();
    let count = count_allocations(|| (0..1000).for_each(|_| poll()));
    assert!(count.kept < 200 && count.max_live < 1000, "{count:?}");
}

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Streams that wait for room and are dropped leave nothing behind; neither do calls that wait for a turn.
#[test]
fn who_waited_and_went_costs_nothing() {
    let runtime = crate::paused();
    let _time = runtime.enter();
    let _alone = alone();
    let (_wire, conn) = server();
    let sender = conn.sender();
    let mut first = Task::new(sender.send(Opcode::BINARY, &[7; 1000], T.wire));
    assert!(first.poll().is_pending());
    let come_and_go = |sender: &Sender<Half>| {
        let mut sends: Vec<_> = (0..100).map(|_| Task::new(sender.send(Opcode::PING, b"p", T.wire))).collect();
        assert!(sends.iter_mut().all(|send| send.poll().is_pending()));
        // From the midst of the order first.
        let half = sends.split_off(50);
        drop(sends);
        drop(half);
    };
    come_and_go(&sender);
    let count = count_allocations(|| (0..10).for_each(|_| come_and_go(&sender)));
    assert_eq!(count.kept, 0, "{count:?}");
}
