use super::buffer::Buffer;
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use core::sync::atomic::{AtomicUsize, Ordering};

/// A read or write buffer and the part of it that is in use. It is lent by the thread, for as long as it holds something:
/// a connection that waits has none.
#[derive(Debug)]
pub(crate) struct Chunk {
    buffer: Buffer,
    start: usize,
    end: usize,
    /// How far it was filled since it last held nothing.
    filled: usize,
    owner: Owner,
}

/// Whose bytes lie in a buffer: where a part of the connection lies that stays where it is, and how many connections had
/// ended by then, since others may come to lie there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Owner {
    at: usize,
    ended: usize,
}

/// The buffers that a thread keeps.
struct Free {
    /// The one that was given back last, and mostly is the next to be taken.
    last: Cell<Option<Box<Chunk>>>,
    #[expect(clippy::vec_box, reason = "the boxes are what is lent: a connection without a buffer has a null pointer")]
    others: RefCell<Vec<Box<Chunk>>>,
}

impl Chunk {
    /// An empty buffer of [`Buffer::SIZE`], for a part of a connection that lies at this address until the connection
    /// [ends](Self::owner_ends).
    ///
    /// Nothing in it is of another connection: a transport or an extension that it is lent to may claim to have filled more of
    /// it than it has.
    pub(crate) fn take(owner: usize) -> Box<Self> {
        // A thread that ends has no store any more.
        let last = FREE.try_with(|free| free.last.take()).ok().flatten();
        let mut chunk = last.unwrap_or_else(Self::take_other);
        let owner = Owner { at: owner, ended: ENDED.load(Ordering::Relaxed) };
        if chunk.owner != owner {
            chunk.pass_to(owner);
        }
        chunk
    }

    #[cold]
    fn take_other() -> Box<Self> {
        let other = FREE.try_with(|free| free.others.borrow_mut().pop()).ok().flatten();
        other.unwrap_or_else(|| Self::of(Buffer::new(Buffer::SIZE)))
    }

    /// A connection ends: what comes to lie where it lay is another one.
    pub(crate) fn owner_ends() {
        // Relaxed: whoever comes to lie there knows that the memory was freed, which is later than this.
        ENDED.fetch_add(1, Ordering::Relaxed);
    }

    /// A buffer of its own for bytes that no pooled one holds.
    pub(crate) fn holding(bytes: &[u8]) -> Box<Self> {
        let mut chunk = Self::of(Buffer::new(bytes.len().max(Buffer::SIZE)));
        chunk.push(bytes);
        chunk
    }

    /// Gives a buffer back, with whatever it holds forgotten.
    pub(crate) fn give(self: Box<Self>) {
        drop(self.give_common());
    }

    /// As [`give`](Self::give), but returns a buffer that has [grown](Self::reserve), empty.
    pub(crate) fn give_common(mut self: Box<Self>) -> Option<Box<Self>> {
        self.skip(usize::MAX);
        self.owner.ended = ENDED.load(Ordering::Relaxed);
        if self.buffer.len() != Buffer::SIZE {
            return Some(self);
        }
        let _ = FREE.try_with(|free| {
            if let Some(other) = free.last.replace(Some(self)) {
                free.keep(other);
            }
        });
        None
    }

    /// Ends the growth of a buffer: what it holds fits into a common one, or it has no more room. `None` if it is empty.
    pub(crate) fn seal(mut self: Box<Self>) -> Option<Box<Self>> {
        if self.is_empty() {
            self.give();
            return None;
        }
        if self.buffer.len() > Buffer::SIZE {
            if self.unread().len() <= Buffer::SIZE {
                let mut common = Self::take(self.owner.at);
                common.push(self.unread());
                return Some(common);
            }
            self.buffer.truncate(self.end);
        }
        Some(self)
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    #[inline]
    pub(crate) fn unread(&self) -> &[u8] {
        self.buffer.get(self.start..self.end)
    }

    #[inline]
    pub(crate) fn unread_mut(&mut self) -> &mut [u8] {
        self.buffer.get_mut(self.start..self.end)
    }

    /// A part of the buffer that was unread, by its place in the buffer.
    #[inline]
    pub(crate) fn at(&mut self, range: core::ops::Range<usize>) -> &mut [u8] {
        self.buffer.get_mut(range)
    }

    #[inline]
    pub(crate) fn start(&self) -> usize {
        self.start
    }

    /// The front of the bytes in use was used.
    #[inline]
    pub(crate) fn skip(&mut self, len: usize) {
        self.start = self.start.saturating_add(len).min(self.end);
        if self.start == self.end {
            self.filled = self.filled.max(self.end);
            self.start = 0;
            self.end = 0;
        }
    }

    /// Room behind the bytes in use.
    #[inline]
    pub(crate) fn room(&mut self) -> &mut [u8] {
        self.buffer.get_mut(self.end..self.buffer.len())
    }

    /// So much of the room is in use now.
    #[inline]
    pub(crate) fn fill(&mut self, len: usize) {
        self.end = self.end.saturating_add(len).min(self.buffer.len());
    }

    /// Makes room for so many bytes more. What moves for that is no more than the room that comes with it, so that a buffer
    /// that grows by small steps copies each byte a few times at most.
    pub(crate) fn reserve(&mut self, len: usize) {
        if len > self.room().len() {
            let unread = self.end.saturating_sub(self.start);
            let mut larger = Buffer::new(unread.saturating_add(len.max(unread)));
            larger.get_mut(0..unread).copy_from_slice(self.unread());
            (self.buffer, self.start, self.end) = (larger, 0, unread);
        }
    }

    /// Adds bytes, however many.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let len = bytes.len();
        self.reserve(len);
        if let Some(room) = self.room().get_mut(..len) {
            room.copy_from_slice(bytes);
        }
        self.fill(len);
    }

    /// Overwrites what the last owner left.
    fn pass_to(&mut self, owner: Owner) {
        self.buffer.get_mut(0..self.filled).fill(0);
        (self.filled, self.owner) = (0, owner);
    }

    fn of(buffer: Buffer) -> Box<Self> {
        Box::new(Self { buffer, start: 0, end: 0, filled: 0, owner: Owner { at: 0, ended: 0 } })
    }
}

impl Free {
    #[cold]
    fn keep(&self, other: Box<Chunk>) {
        let mut others = self.others.borrow_mut();
        if others.len() < Self::OTHERS_MOST {
            others.push(other);
        }
    }

    /// How many buffers a thread keeps beside the last one.
    const OTHERS_MOST: usize = 15;
}

/// How many connections have ended.
static ENDED: AtomicUsize = AtomicUsize::new(0);

std::thread_local! {
    static FREE: Free = const { Free { last: Cell::new(None), others: RefCell::new(Vec::new()) } };
}
