//! The transport: buffers are lent with each operation, and come back with its outcome.
use core::time::Duration;

/// At most one read and one write are under way at a time. That the peer has closed, or that the operation failed, is
/// told by an outcome of no bytes.
pub trait Ring {
    fn submit_read(&mut self, buffer: Vec<u8>);
    fn submit_write(&mut self, buffer: Vec<u8>);
    /// The next outcome, the buffer, and how many bytes were moved; `None` if the moment comes first.
    fn complete(&mut self, until: Duration) -> Option<(Op, Vec<u8>, usize)>;
    fn half_close(&mut self);
    fn now(&self) -> Duration;
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Op {
    Read,
    Write,
}

/// The custody of the buffers: which of them the ring has, and what is in the others.
pub struct Lent<R> {
    pub ring: R,
    inbox: Option<Vec<u8>>, // what was read; `None` while the ring has it
    unread: core::ops::Range<usize>,
    outbox: Vec<u8>,           // what waits behind that which the ring writes
    writing: Option<Duration>, // since when it does
    eof: bool,
}

impl<R: Ring> Lent<R> {
    pub fn new(ring: R) -> Self {
        Self { ring, inbox: Some(vec![0; 4096]), unread: 0..0, outbox: Vec::new(), writing: None, eof: false }
    }

    pub fn unread(&self) -> &[u8] {
        self.inbox.as_deref().map_or(&[], |inbox| &inbox[self.unread.clone()])
    }

    pub fn take(&mut self, used: usize) {
        self.unread.start += used;
    }

    pub fn queue(&mut self, bytes: &[u8]) {
        self.outbox.extend_from_slice(bytes);
    }

    pub fn is_reading(&self) -> bool {
        self.inbox.is_none()
    }

    pub fn is_eof(&self) -> bool {
        self.eof
    }

    pub fn writing(&self) -> Option<Duration> {
        self.writing
    }

    /// Lends what is queued, and a buffer to read into; not before all that is queued could be lent, or a peer that reads
    /// nothing could make the queue grow without end.
    pub fn lend(&mut self) {
        if self.writing.is_none() && !self.outbox.is_empty() {
            self.writing = Some(self.ring.now());
            self.ring.submit_write(core::mem::take(&mut self.outbox));
        }
        if self.outbox.is_empty()
            && !self.eof
            && let Some(buffer) = self.inbox.take()
        {
            self.ring.submit_read(buffer);
        }
    }

    /// Waits for an outcome, and takes the buffer back.
    pub fn complete(&mut self, until: Duration) -> Option<(Op, usize)> {
        let (op, mut buffer, len) = self.ring.complete(until)?;
        match op {
            Op::Read => (self.inbox, self.unread, self.eof) = (Some(buffer), 0..len, len == 0),
            Op::Write if len == 0 || len == buffer.len() => self.writing = None,
            Op::Write => {
                buffer.drain(..len);
                self.ring.submit_write(buffer); // the rest of it, within the same time
            }
        }
        Some((op, len))
    }
}
