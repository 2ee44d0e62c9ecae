//! A peer that has hung up is an error, and no signal: a process that has not made SIGPIPE harmless lives on.
#![cfg(all(unix, feature = "blocking", feature = "tokio"))]

use core::fmt::Debug;
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use signal_hook::consts::SIGPIPE;
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use tokio::runtime::Builder;
use ws_conn::{Error, Opcode, Role, blocking, tokio as driver};

const LONG: Duration = Duration::from_secs(60);
/// The first are copied behind their header, the others gathered.
const SIZES: [usize; 3] = [1023, 1024, 64 << 10];

/// A handler in place of the default, which ends the process: it is told of the signal just as the process would have been.
/// One test, since it is told of what any thread does.
#[test]
fn a_peer_that_has_hung_up_raises_no_signal() {
    let raised = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(SIGPIPE, Arc::clone(&raised)).unwrap();
    let check = |what: &dyn Debug| assert!(!raised.swap(false, Ordering::SeqCst), "SIGPIPE: {what:?}");
    for size in SIZES {
        let payload = vec![7; size];
        by_threads(tcp(), &payload);
        check(&("blocking", "tcp", size));
        by_threads(unix(), &payload);
        check(&("blocking", "unix", size));

        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let _runtime = runtime.enter();
        let stream = tcp();
        stream.set_nonblocking(true).unwrap();
        runtime.block_on(by_tasks(tokio::net::TcpStream::from_std(stream).unwrap(), &payload));
        check(&("tokio", "tcp", size));
        let stream = unix();
        stream.set_nonblocking(true).unwrap();
        runtime.block_on(by_tasks(tokio::net::UnixStream::from_std(stream).unwrap(), &payload));
        check(&("tokio", "unix", size));
    }
}

fn by_threads(stream: impl blocking::Transport, payload: &[u8]) {
    let conn = blocking::Conn::over(stream, Role::Server);
    let sender = conn.sender();
    // What TCP takes before it knows that the peer is gone is no error.
    let error = (0..1000).find_map(|_| sender.send(Opcode::BINARY, payload, LONG).err());
    assert!(matches!(error, Some(Error::Io(_))), "{error:?}");
}

async fn by_tasks(stream: impl driver::Transport, payload: &[u8]) {
    let conn = driver::Conn::over(stream, Role::Server);
    let sender = conn.sender();
    for _ in 0..1000 {
        match sender.send(Opcode::BINARY, payload, LONG).await {
            Ok(()) => {}
            Err(error) => return assert!(matches!(error, Error::Io(_)), "{error:?}"),
        }
    }
    panic!("no error");
}

/// A socket whose peer has hung up.
fn tcp() -> TcpStream {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    drop(listener.accept().unwrap());
    stream
}

fn unix() -> UnixStream {
    UnixStream::pair().unwrap().0
}
