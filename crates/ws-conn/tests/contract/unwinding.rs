//! A transport of the program's own that panics: the thread that called it unwinds, and the others go on.

use std::io::{self, IoSlice, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use crate::harness::{TIMEOUTS, WIRE, closed, fault};
use crate::sockets::AMPLE;
use core::time::Duration;
use ws_conn::blocking::{Conn, Output, Sender, Untimed};
use ws_conn::{Error, Opcode, Role};
use ws_testkit::naive::{continuation, ping, text};

/// Takes three bytes of the first write and panics, when it is told to; then it takes everything.
struct Panics {
    entered: mpsc::Sender<()>,
    go_on: mpsc::Receiver<()>,
    written: Arc<Mutex<Vec<u8>>>,
    panicked: bool,
}

impl Output for Panics {
    fn write(&mut self, bufs: &[IoSlice<'_>], _: Duration) -> io::Result<usize> {
        let bytes: Vec<u8> = bufs.iter().flat_map(|buf| buf.iter().copied()).collect();
        let mut written = self.written.lock().unwrap();
        if written.is_empty() {
            written.extend(&bytes[..3]);
            return Ok(3);
        }
        if !self.panicked {
            drop(written);
            self.panicked = true;
            self.entered.send(()).unwrap();
            self.go_on.recv().unwrap();
            panic!("a fault of the transport");
        }
        written.extend(&bytes);
        Ok(bytes.len())
    }

    fn half_close(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Scene {
    conn: Conn<Untimed<io::Empty>, Panics>,
    entered: mpsc::Receiver<()>,
    go_on: mpsc::Sender<()>,
    written: Arc<Mutex<Vec<u8>>>,
}

fn scene() -> Scene {
    let ((enters, entered), (go_on, goes_on)) = (mpsc::channel(), mpsc::channel());
    let written = Arc::default();
    let transport = Panics { entered: enters, go_on: goes_on, written: Arc::clone(&written), panicked: false };
    Scene { conn: Conn::new(Untimed(io::empty()), transport, Role::Server), entered, go_on, written }
}

fn is_broken_pipe(result: Result<(), Error>) -> bool {
    matches!(result, Err(Error::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe)
}

fn send(sender: &Sender<Panics>, wire: Duration) -> Result<(), Error> {
    sender.send(Opcode::TEXT, b"a message", wire)
}

#[test]
fn nothing_follows_a_frame_that_a_panic_has_torn() {
    let Scene { mut conn, entered, go_on, written } = scene();
    let sender = conn.sender();
    go_on.send(()).unwrap();
    catch_unwind(AssertUnwindSafe(|| send(&sender, AMPLE))).unwrap_err();
    entered.recv().unwrap();
    assert!(is_broken_pipe(send(&sender, AMPLE)));
    assert!(is_broken_pipe(conn.sender_mut().send(Opcode::TEXT, b"neither", AMPLE)));
    assert_eq!(*written.lock().unwrap(), text("a message").bytes()[..3]);
    // It ends as ever.
    assert_eq!(fault(conn.receive(&mut [], TIMEOUTS)), closed(1006));
}

/// The same without the lock, by the connection itself.
#[test]
fn nothing_follows_a_frame_that_a_panic_has_torn_without_the_lock() {
    let Scene { mut conn, go_on, written, .. } = scene();
    go_on.send(()).unwrap();
    let torn = AssertUnwindSafe(|| conn.sender_mut().send(Opcode::TEXT, b"a message", AMPLE));
    catch_unwind(torn).unwrap_err();
    assert!(is_broken_pipe(conn.sender_mut().send(Opcode::TEXT, b"behind", AMPLE)));
    assert!(is_broken_pipe(send(&conn.sender(), AMPLE)));
    assert_eq!(*written.lock().unwrap(), text("a message").bytes()[..3]);
}

#[test]
fn a_thread_that_waits_for_its_turn_is_woken_by_a_panic() {
    let Scene { conn, entered, go_on, written } = scene();
    let panics = conn.sender();
    let panics = thread::spawn(move || send(&panics, AMPLE));
    entered.recv().unwrap();
    let waits = conn.sender();
    // It may find out for itself if it comes late, and if it waits it is told.
    let waits = thread::spawn(move || send(&waits, 3 * WIRE));
    go_on.send(()).unwrap();
    panics.join().unwrap_err();
    let woken = waits.join().unwrap();
    assert!(is_broken_pipe(woken), "not by its deadline");
    assert_eq!(*written.lock().unwrap(), text("a message").bytes()[..3]);
}

/// What a call had got of a message is gone with its buffer.
#[test]
fn what_a_call_had_got_when_the_transport_panicked_is_not_made_up_for() {
    struct PanicsOnce(bool);

    impl io::Write for PanicsOnce {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            assert!(core::mem::replace(&mut self.0, true), "a fault of the transport");
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let key = [1, 2, 3, 4];
    let begins = [text("front").not_final().masked(key).bytes(), ping("?").masked(key).bytes()].concat();
    let ends = continuation("end").masked(key).bytes();
    for lends in [false, true] {
        let mut conn = Conn::over((Read::chain(&begins[..], &ends[..]), PanicsOnce(false)), Role::Server);
        let call = |conn: &mut Conn<_, _>| {
            let mut buffer = *b"stale bytes";
            match lends {
                true => conn.message(TIMEOUTS).map(|message| message.to_vec()),
                false => conn.receive(&mut buffer, TIMEOUTS).map(|received| buffer[..received.len].to_vec()),
            }
        };
        catch_unwind(AssertUnwindSafe(|| call(&mut conn))).unwrap_err();
        assert_eq!(fault(call(&mut conn)), closed(1006), "lends: {lends}");
        assert_eq!(fault(call(&mut conn)), closed(1006), "lends: {lends}");
    }
}
