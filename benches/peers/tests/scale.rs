//! `scale` counts the connections of all its processes, and each of them says what went wrong.

use std::io::Write;
use std::net::TcpListener;
use std::process::{Command, Output, Stdio};
use std::thread;

/// A server that this package has itself, so that none must be built.
const SERVER: &str = concat!("x=", env!("CARGO_BIN_EXE_peers"), " serve tokio-websockets {port}");

fn scale(options: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_scale")).args(options).output().unwrap()
}

fn row<'a>(output: &'a str, name: &str) -> &'a str {
    let row = output.lines().find_map(|line| line.strip_prefix("| ")?.strip_prefix(name));
    row.unwrap_or_else(|| panic!("no row '{name}' in {output}")).trim_matches([' ', '|'])
}

#[test]
fn connections_are_spread_over_processes() {
    for processes in ["1", "3"] {
        let output = scale(&["--conns", "700", "--processes", processes, "--server", "x", "--extra", SERVER]);
        let (out, told) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        assert!(output.status.success(), "{told}");
        assert!(out.contains("| x, 700 connections | |"), "{out}");
        assert_eq!(row(&out, "processes that share them, on either side"), processes);
        assert!(row(&out, "opened, handshake included").ends_with("per second"));
        assert!(row(&out, "a message to each and back, per message").ends_with("µs"));
        assert!(told.contains("open: 700 of 700") && told.contains("echoed: 700 of 700"), "{told}");
    }
}

#[test]
fn a_process_says_why_it_fails() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || listener.incoming().flatten().for_each(drop));
    let mut crowd = Command::new(env!("CARGO_BIN_EXE_scale"));
    crowd.args(["crowd", &address, "40", "44"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut crowd = crowd.spawn().unwrap();
    crowd.stdin.take().unwrap().write_all(b"open\n").unwrap();
    let output = crowd.wait_with_output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(!output.status.success());
    assert!(said.starts_with("done\nconnection 41: "), "{said}");
}
