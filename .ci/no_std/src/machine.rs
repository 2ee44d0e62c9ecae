//! Uses the state machine, in both roles.

use core::hint::black_box;

use ws_conn::{CloseCode, Fault, Inbound, Keys, Opcode, Outbound, Receiving, Role, Sending, Shared, Step};

/// A client sends a message, a Ping and a Close; a server receives them and answers. Returns the size of the last answer,
/// or the close code.
#[unsafe(no_mangle)]
pub extern "C" fn ws_no_std_check_machine(key: u32) -> u64 {
    match converse(black_box(key)) {
        Ok(len) => len as u64,
        Err(fault) => u64::from(fault.code().get()),
    }
}

fn converse(key: u32) -> Result<usize, Fault> {
    let mut wire = [0; 512];
    let len = ask(&mut Key(key), &mut wire)?;
    let (mut inbound, mut outbound) = (Inbound::new(Role::Server), Outbound::new(Role::Server));
    let mut shared = Shared::new(Role::Server);
    let (mut message, mut room, mut filled) = ([0; 64], [0; 512], 0);
    let mut input = wire.get_mut(..len).unwrap_or_default();
    while let Some((used, _, _)) = inbound.lend(input, message.len()) {
        input = input.get_mut(used..).unwrap_or_default();
    }
    loop {
        let (used, step) = inbound.push(&mut Receiving::message(&mut message), input);
        input = input.get_mut(used..).unwrap_or_default();
        match step {
            Step::Done(received) => {
                let echo = message.get(..received.len).unwrap_or_default();
                let out = outbound.next(&mut Sending::message(received.opcode, echo), &mut (), &mut room)?;
                filled = out.filled;
            }
            Step::Reply => {
                let end = inbound.reply(&mut shared);
                filled = outbound.replies(&mut shared, &mut (), &mut room)?;
                end?;
            }
            Step::Yield(_) => {}
            Step::Room => return Ok(filled),
            Step::Need(need) => {
                inbound.expired(need, &mut shared)?;
                inbound.eof(&mut shared)?;
                return Ok(filled);
            }
        }
    }
}

fn ask(keys: &mut Key, wire: &mut [u8]) -> Result<usize, Fault> {
    let mut outbound = Outbound::new(Role::Client);
    let mut shared = Shared::new(Role::Client);
    let mut len = 0;
    for (opcode, payload) in [(Opcode::TEXT, "neither std nor alloc"), (Opcode::PING, "")] {
        let mut op = Sending::message(opcode, black_box(payload.as_bytes()));
        len += outbound.next(&mut op, keys, wire.get_mut(len..).unwrap_or_default())?.filled;
    }
    shared.close(CloseCode::NORMAL, black_box("bye"))?;
    Ok(len + outbound.replies(&mut shared, keys, wire.get_mut(len..).unwrap_or_default())?)
}

struct Key(u32);

impl Keys for Key {
    fn key(&mut self) -> Option<[u8; 4]> {
        self.0 = self.0.wrapping_add(1);
        Some(self.0.to_ne_bytes())
    }
}
