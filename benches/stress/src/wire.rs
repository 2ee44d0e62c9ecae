//! What an end has put on the wire, read by the test kit's plain reader and judged there.

use crate::judge::Judge;
use crate::naive::{self, CLOSE, Frame, PING, PONG};
use crate::payload::{self, Name};

/// The frames of one direction.
#[derive(Debug, Default)]
pub(crate) struct Wire {
    /// Whole messages, in their order.
    pub(crate) messages: Vec<Option<Name>>,
    pings: Vec<Vec<u8>>,
    pongs: Vec<Vec<u8>>,
    closed: bool,
    /// The last frame is cut off.
    torn: bool,
}

impl Wire {
    /// Reads what a client, or a server, has written. Every whole frame is legal, every whole message one that was made
    /// here.
    pub(crate) fn read(is_client: bool, bytes: &[u8]) -> Result<Self, String> {
        let mut frames = Vec::new();
        let mut at = 0;
        while let Some((frame, len)) = naive::read(&bytes[at..]) {
            frames.push(frame);
            at += len;
        }
        Judge::new(is_client).bytes(&bytes[..at])?;
        let mut wire = Self { torn: at < bytes.len(), ..Self::default() };
        let mut open = Vec::new();
        for frame in frames {
            wire.add(frame, &mut open)?;
        }
        Ok(wire)
    }

    fn add(&mut self, frame: Frame, open: &mut Vec<u8>) -> Result<(), String> {
        match frame.opcode {
            CLOSE => self.closed = true,
            PING => self.pings.push(frame.payload),
            PONG => self.pongs.push(frame.payload),
            _ => {
                open.extend_from_slice(&frame.payload);
                if frame.fin {
                    self.messages.push(payload::read(open)?);
                    open.clear();
                }
            }
        }
        Ok(())
    }

    /// What was received is the front of what was sent; all of it, if both ends have closed in order.
    pub(crate) fn check_heard(&self, heard: &[Option<Name>], all: bool) -> Result<(), String> {
        match self.messages.get(..heard.len()) {
            Some(front) if front == heard => {}
            _ => return Err(differs(&self.messages, heard)),
        }
        if all && (heard.len() < self.messages.len() || self.torn || !self.closed) {
            let Self { messages, torn, closed, .. } = self;
            let (heard, all) = (heard.len(), messages.len());
            return Err(format!("{heard} of {all} messages were received; a Close: {closed}, cut off: {torn}"));
        }
        Ok(())
    }

    /// Pongs answer Pings, in their order and each once; with `all` the last Ping has its answer. A Ping that another has
    /// overtaken may go without.
    pub(crate) fn check_pongs(&self, others: &Self, all: bool) -> Result<(), String> {
        let mut pings = others.pings.iter();
        if let Some(pong) = self.pongs.iter().find(|pong| !pings.any(|ping| ping == *pong)) {
            return Err(format!("the Pong {:?} answers nothing", String::from_utf8_lossy(pong)));
        }
        match (others.pings.last(), self.pongs.last()) {
            (Some(ping), pong) if all && pong != Some(ping) => {
                Err(format!("the last Ping, {:?}, has no answer", String::from_utf8_lossy(ping)))
            }
            _ => Ok(()),
        }
    }
}

fn differs(sent: &[Option<Name>], heard: &[Option<Name>]) -> String {
    let at = sent.iter().zip(heard).take_while(|(sent, heard)| sent == heard).count();
    let (sent, heard) = (sent.get(at), heard.get(at));
    format!("message {at} on the wire is {sent:?}, and {heard:?} was received")
}
