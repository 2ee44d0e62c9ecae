use super::ring::{Lent, Op, Ring};
use core::time::Duration;
use ws_conn::{CloseCode, Ending, Fault, Inbound, Need, Outbound, Receiving, Sending, Shared, Step, Timeouts, Wait};

pub struct Echo<R> {
    pub io: Lent<R>,
    pub inbound: Inbound,
    pub outbound: Outbound,
    pub shared: Shared,
    pub waiting: Option<(Need, Duration)>, // what the machine waits for, and since when
}

impl<R: Ring> Echo<R> {
    /// Echoes until the connection ends, and answers why. The opening handshake is over.
    pub fn run(&mut self, timeouts: Timeouts) -> Fault {
        let mut message = vec![0; 1 << 20];
        loop {
            let (used, step) = self.inbound.push(&mut Receiving::message(&mut message), self.io.unread());
            self.io.take(used);
            let result = match step {
                Step::Done(received) => self.send(Sending::message(received.opcode, &message[..received.len])),
                Step::Reply => self.inbound.reply(&mut self.shared), // what is owed goes out before the next wait
                Step::Need(need) => self.wait(need, timeouts),
                Step::Yield(_) => Ok(()), // nobody else waits for this thread
                Step::Room => unreachable!("only `Receiving::held` asks for room"),
            };
            if let Err(fault) = result {
                self.end(timeouts.wire.min(Duration::from_secs(1)));
                return fault;
            }
        }
    }
    fn send(&mut self, mut op: Sending<'_>) -> Result<(), Fault> {
        let (mut room, mut done) = ([0; 1024], false);
        while !done {
            let out = self.outbound.next(&mut op, &mut (), &mut room)?;
            self.io.queue(&[&room[..out.filled], out.then].concat());
            done = out.done;
        }
        Ok(())
    }
    fn lend(&mut self) {
        let mut room = [0; 2 * <Outbound>::MIN_ROOM]; // no frame is half sent here: a Pong and a Close may go
        let owed = self.outbound.replies(&mut self.shared, &mut (), &mut room).expect("a server needs no key");
        self.io.queue(&room[..owed]);
        self.io.lend();
    }
    fn wait(&mut self, need: Need, timeouts: Timeouts) -> Result<(), Fault> {
        self.lend();
        let same = self.waiting.filter(|(known, _)| *known == need); // or it is another wait, which begins now
        let (_, since) = *self.waiting.insert(same.unwrap_or_else(|| (need, self.io.ring.now())));
        let peer = self.io.is_reading().then(|| (since.saturating_add(timeouts.of(need.wait)), need.wait));
        let own = self.io.writing().map(|since| (since.saturating_add(timeouts.wire), Wait::Wire));
        let (until, wait) = peer.into_iter().chain(own).min_by_key(|(until, _)| *until).expect("a buffer is lent");
        match self.io.complete(until) {
            None => self.inbound.expired(Need { wait, ..need }, &mut self.shared),
            Some((Op::Read, 0)) => self.inbound.eof(&mut self.shared),
            Some((Op::Write, 0)) => Err(self.shared.abandon(CloseCode::ABNORMAL).into()),
            Some(_) => Ok(()),
        }
    }
    fn end(&mut self, patience: Duration) {
        let (until, mut open) = (self.io.ring.now().saturating_add(patience), true);
        while open || !self.io.is_eof() {
            self.lend();
            if open && self.io.writing().is_none() {
                open = false; // the Close is out
                if self.shared.ending() == Ending::HalfClose {
                    self.io.ring.half_close();
                }
            } else if self.io.complete(until).is_none() {
                return;
            }
        }
    }
}
