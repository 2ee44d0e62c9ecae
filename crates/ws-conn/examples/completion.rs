//! How to drive the state machine over a transport of completions, as io_uring is: `docs/driver.md` explains it.
//!
//! `completion/echo.rs` is the protocol, `completion/ring.rs` the buffers. Here is a ring to try them on: a TCP socket with
//! a thread for each direction that does what is submitted, in the kernel's place. The peer is written out in bytes.
//!
//! `cargo run -p ws-conn --no-default-features --example completion`

use core::net::Ipv4Addr;
use core::time::Duration;
use echo::Echo;
use ring::{Lent, Op, Ring};
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Instant;
use ws_conn::{Inbound, Outbound, Role, Shared, Timeouts};

#[allow(unreachable_pub)]
#[path = "completion/echo.rs"]
mod echo;
#[allow(unreachable_pub)]
#[path = "completion/ring.rs"]
mod ring;

fn main() -> io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let mut peer = TcpStream::connect(listener.local_addr()?)?;
    let server = thread::spawn(move || {
        let ring = TcpRing::new(listener.accept()?.0)?;
        io::Result::Ok(echo(ring).run(Timeouts::new(Duration::from_secs(10), Duration::from_secs(60))))
    });

    // "A single-frame masked text message", of RFC 6455, section 5.7, and a Close with 1000.
    peer.write_all(&[0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58])?;
    peer.write_all(&[0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8])?;
    let mut answer = Vec::new();
    peer.read_to_end(&mut answer)?;
    println!("the peer has received {answer:02x?}");
    drop(peer);
    println!("the server: {}", server.join().map_err(|_| io::Error::other("the server panicked"))??);
    Ok(())
}

/// A connection at its beginning.
fn echo<R: Ring>(ring: R) -> Echo<R> {
    let (inbound, outbound, shared) =
        (Inbound::new(Role::Server), Outbound::new(Role::Server), Shared::new(Role::Server));
    Echo { io: Lent::new(ring), inbound, outbound, shared, waiting: None }
}

/// A ring over a socket.
struct TcpRing {
    stream: TcpStream,
    reads: Sender<Vec<u8>>,
    writes: Sender<Vec<u8>>,
    outcomes: Receiver<(Op, Vec<u8>, usize)>,
    start: Instant,
}

impl TcpRing {
    #[expect(clippy::disallowed_methods, reason = "a driver has a clock")]
    fn new(stream: TcpStream) -> io::Result<Self> {
        let (done, outcomes) = channel();
        let (mut input, mut output) = (stream.try_clone()?, stream.try_clone()?);
        let reads = serve(Op::Read, done.clone(), move |buffer| input.read(buffer));
        let writes = serve(Op::Write, done, move |buffer| output.write(buffer));
        Ok(Self { stream, reads, writes, outcomes, start: Instant::now() })
    }
}

/// A thread that does what is submitted, until nobody can submit any more.
fn serve(
    op: Op,
    done: Sender<(Op, Vec<u8>, usize)>,
    mut act: impl FnMut(&mut [u8]) -> io::Result<usize> + Send + 'static,
) -> Sender<Vec<u8>> {
    let (submit, submitted) = channel::<Vec<u8>>();
    thread::spawn(move || {
        for mut buffer in submitted {
            let moved = loop {
                match act(&mut buffer) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    result => break result.unwrap_or(0),
                }
            };
            if done.send((op, buffer, moved)).is_err() {
                return;
            }
        }
    });
    submit
}

impl Ring for TcpRing {
    fn submit_read(&mut self, buffer: Vec<u8>) {
        self.reads.send(buffer).expect("the thread waits for it");
    }

    fn submit_write(&mut self, buffer: Vec<u8>) {
        self.writes.send(buffer).expect("the thread waits for it");
    }

    fn complete(&mut self, until: Duration) -> Option<(Op, Vec<u8>, usize)> {
        self.outcomes.recv_timeout(until.saturating_sub(self.now())).ok()
    }

    fn half_close(&mut self) {
        // Fails if the peer has hung up already, which is as good.
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    fn now(&self) -> Duration {
        self.start.elapsed()
    }
}

/// What is still under way comes to its end, and the threads with it.
impl Drop for TcpRing {
    fn drop(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}
