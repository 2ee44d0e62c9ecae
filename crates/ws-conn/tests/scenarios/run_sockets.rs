//! The table over the blocking driver and real sockets, once each.

use crate::app::{By, play};
use crate::blocking::Driver;
use crate::extension::{Roll, Unroll};
use crate::run_machine::each;
use crate::scenario::{Outcome, Scenario};
use core::time::Duration;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;
use ws_conn::blocking::{Conn, Transport};
use ws_conn::{Plain, Role, Timeouts};

#[test]
fn every_scenario_comes_out_as_it_must_over_tcp() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    each(|scenario, role| {
        By::EACH.iter().try_for_each(|&by| {
            let ours = TcpStream::connect(address).unwrap();
            let (peers, _) = listener.accept().unwrap();
            over(by, scenario, role, ours, peers, |peers| peers.shutdown(Shutdown::Write).unwrap())
        })
    });
}

#[cfg(unix)]
#[test]
fn every_scenario_comes_out_as_it_must_over_unix_sockets() {
    use std::os::unix::net::UnixStream;
    each(|scenario, role| {
        By::EACH.iter().try_for_each(|&by| {
            let (ours, peers) = UnixStream::pair().unwrap();
            over(by, scenario, role, ours, peers, |peers| peers.shutdown(Shutdown::Write).unwrap())
        })
    });
}

/// The peer writes in one thread and reads in another, so that neither side waits for the other.
fn over<S: Transport + Send>(
    by: By,
    scenario: &Scenario,
    role: Role,
    ours: S,
    peers: S,
    end: impl Fn(&S) + Send + Sync,
) -> Result<(), String>
where
    for<'s> &'s S: Read + Write + Send,
{
    let wire = scenario.wire(role);
    thread::scope(|scope| {
        let (peers, end) = (&peers, &end);
        scope.spawn(move || {
            let mut writer = peers;
            // What the connection refused may not be taken any more.
            let _ = writer.write_all(&wire);
            end(peers);
        });
        let reader = scope.spawn(move || {
            let (mut reader, mut sent) = (peers, Vec::new());
            reader.read_to_end(&mut sent).map(|_| sent)
        });
        let outcome = run(by, scenario, role, ours)?;
        let sent = reader.join().map_err(|_| "the reader panicked")?;
        let sent = sent.map_err(|error| format!("the peer did not read the end of the stream: {error}"))?;
        scenario.check(role, &Outcome { sent, ..outcome })
    })
}

fn run<S: Transport>(by: By, scenario: &Scenario, role: Role, stream: S) -> Result<Outcome, String> {
    let timeouts = Timeouts::new(LONG, LONG);
    let (read, write) = stream.split();
    // What was sent is known to the peer.
    if scenario.extension {
        let conn = Conn::with_extension(read, write, role, Unroll::default(), Roll::default());
        play(&mut Driver::new(by, conn, timeouts, Vec::new), scenario)
    } else {
        play(&mut Driver::new(by, Conn::with_extension(read, write, role, Plain, Plain), timeouts, Vec::new), scenario)
    }
}

const LONG: Duration = Duration::from_secs(60);
