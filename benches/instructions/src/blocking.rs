//! The blocking driver.

use core::hint::black_box;
use ws_conn::blocking::Conn;

use super::wire::{Sink, Source};
use super::{Call, Case, OPCODE, TIMEOUTS};

pub(super) fn run(case: Case, count: usize) {
    let mut conn = Conn::over((Source::new(case.role, OPCODE, case.size), Sink::default()), case.role);
    let mut buffer = vec![0; case.size];
    match case.call {
        Call::Receive => {
            for _ in 0..count {
                black_box(conn.receive(black_box(&mut buffer), TIMEOUTS).unwrap());
            }
        }
        Call::Echo => {
            for _ in 0..count {
                let (message, mut sender) = conn.message_and_sender(TIMEOUTS).unwrap();
                sender.feed(OPCODE, &message, TIMEOUTS.wire).unwrap();
            }
        }
        Call::Send => {
            let sender = conn.sender();
            for _ in 0..count {
                sender.send(OPCODE, black_box(&buffer), TIMEOUTS.wire).unwrap();
            }
        }
    }
}
