//! Receives, echoes or sends messages in memory, so many of them, and does nothing else: `.ci/instructions.py` runs it under
//! callgrind with two counts, and the difference is what a message costs.
//!
//! `instructions CASE COUNT`, where a case is `DRIVER-ROLE-CALL-SIZE`, such as `tokio-server-echo-125`; `instructions` alone
//! lists them. Unlike a time, the number of instructions does not depend on what else the machine does.
#![forbid(unsafe_code)]

mod blocking;
mod tokio;
mod wire;

use std::process::ExitCode;
use ws_conn::{Opcode, Role, Timeouts};

use core::time::Duration;

/// What is done with each message.
#[derive(Clone, Copy)]
enum Call {
    /// `receive` into a buffer.
    Receive,
    /// `message_and_sender`, and `feed` of what was lent.
    Echo,
    /// `send` by a handle, flushed each.
    Send,
}

/// One way to use a connection.
#[derive(Clone, Copy)]
struct Case {
    driver: Driver,
    role: Role,
    call: Call,
    size: usize,
}

#[derive(Clone, Copy)]
enum Driver {
    Blocking,
    Tokio,
}

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let known = cases().find(|case| arguments.first() == Some(&case.name()));
    match (known, arguments.get(1).and_then(|count| count.parse().ok())) {
        (Some(case), Some(count)) => {
            case.run(count);
            ExitCode::SUCCESS
        }
        _ => {
            cases().for_each(|case| println!("{}", case.name()));
            if arguments.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
    }
}

fn cases() -> impl Iterator<Item = Case> {
    let drivers = [Driver::Blocking, Driver::Tokio].into_iter();
    let roles = drivers.flat_map(|driver| [Role::Server, Role::Client].map(|role| (driver, role)));
    let calls =
        roles.flat_map(|(driver, role)| [Call::Receive, Call::Echo, Call::Send].map(|call| (driver, role, call)));
    calls.flat_map(|(driver, role, call)| [16, 125, 1024].map(|size| Case { driver, role, call, size }))
}

impl Case {
    fn name(self) -> String {
        let driver = if matches!(self.driver, Driver::Blocking) { "blocking" } else { "tokio" };
        let role = if self.role == Role::Server { "server" } else { "client" };
        let call = match self.call {
            Call::Receive => "receive",
            Call::Echo => "echo",
            Call::Send => "send",
        };
        format!("{driver}-{role}-{call}-{}", self.size)
    }

    fn run(self, count: usize) {
        match self.driver {
            Driver::Blocking => blocking::run(self, count),
            Driver::Tokio => tokio::run(self, count),
        }
    }
}

const OPCODE: Opcode = Opcode::BINARY;
/// Never over: nothing here waits.
const TIMEOUTS: Timeouts = Timeouts::new(Duration::from_secs(3600), Duration::from_secs(3600));
