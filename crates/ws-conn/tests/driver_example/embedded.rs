use core::time::Duration;
use ws_conn::{Fault, Inbound, Outbound, Receiving, Role, Sending, Shared, Step, Timeouts};

/// What a small device has: a serial line, a modem, a TCP stack of its own.
pub trait Link {
    /// Waits for bytes: how many came, 0 at the end, `None` if the time was over first.
    fn read(&mut self, into: &mut [u8], patience: Duration) -> Option<usize>;
    fn write(&mut self, bytes: &[u8]);
    fn now(&self) -> Duration;
}

/// Echoes messages of up to 512 bytes, without an allocator.
pub fn serve(link: &mut impl Link, timeouts: Timeouts) -> Fault {
    let (mut inbound, mut outbound) = (Inbound::new(Role::Server), Outbound::new(Role::Server));
    let (mut shared, mut waiting) = (Shared::new(Role::Server), None);
    let (mut inbox, mut unread, mut message, mut room) = ([0; 256], 0..0, [0; 512], [0; 640]);
    loop {
        let (used, step) = inbound.push(&mut Receiving::message(&mut message), &inbox[unread.clone()]);
        unread.start += used;
        let result = match step {
            Step::Done(received) => outbound
                .next(&mut Sending::message(received.opcode, &message[..received.len]), &mut (), &mut room)
                .map(|out| link.write(&room[..out.filled])), // 640 bytes are room for all of it
            Step::Reply => inbound.reply(&mut shared),
            Step::Need(need) => {
                let known = waiting.filter(|(known, _)| *known == need);
                let (_, since) = *waiting.insert(known.unwrap_or_else(|| (need, link.now())));
                let until = since + timeouts.of(need.wait);
                match link.read(&mut inbox, until.saturating_sub(link.now())) {
                    None => inbound.expired(need, &mut shared),
                    Some(0) => inbound.eof(&mut shared),
                    Some(len) => {
                        unread = 0..len;
                        Ok(())
                    }
                }
            }
            Step::Yield(_) => Ok(()), // there is nobody else
            Step::Room => unreachable!("only `Receiving::held` asks for room"),
        };
        let owed = outbound.replies(&mut shared, &mut (), &mut room).unwrap_or(0);
        link.write(&room[..owed]);
        if let Err(fault) = result {
            return fault; // now close the link
        }
    }
}
