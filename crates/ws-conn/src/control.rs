//! Where the payload of a control frame lies: at most 125 bytes (RFC 6455, section 5.5).

#[cfg(feature = "alloc")]
use alloc::boxed::Box;

/// The payload of one control frame.
///
/// Without the feature `alloc` it lies inside the value; with it on the heap from the first payload on, so that a
/// connection that sees none costs a pointer. The allocation is kept for the next payload.
#[derive(Debug, Default)]
pub(crate) struct Control {
    #[cfg(feature = "alloc")]
    bytes: Option<Box<[u8; Self::MAX]>>,
    #[cfg(not(feature = "alloc"))]
    bytes: Bytes,
    len: u8,
}

#[cfg(not(feature = "alloc"))]
#[derive(Debug)]
struct Bytes([u8; Control::MAX]);

#[cfg(not(feature = "alloc"))]
impl Default for Bytes {
    fn default() -> Self {
        Self([0; Control::MAX])
    }
}

impl Control {
    /// "All control frames MUST have a payload length of 125 bytes or less" -- RFC 6455, section 5.5
    pub(crate) const MAX: usize = 125;

    /// Replaces the payload; what does not fit is left out.
    pub(crate) fn set(&mut self, payload: &[u8]) {
        self.clear();
        self.append(payload.len(), |room| room.iter_mut().zip(payload).for_each(|(to, from)| *to = *from));
    }

    /// Adds `len` bytes, as far as there is room, that `fill` puts in place.
    pub(crate) fn append(&mut self, len: usize, fill: impl FnOnce(&mut [u8])) {
        let at = usize::from(self.len);
        let end = at.saturating_add(len).min(Self::MAX);
        if end == at {
            return;
        }
        if let Some(room) = self.room().get_mut(at..end) {
            fill(room);
            self.len = end as u8;
        }
    }

    pub(crate) fn clear(&mut self) {
        self.len = 0;
    }

    #[cfg(feature = "alloc")]
    fn room(&mut self) -> &mut [u8] {
        self.bytes.get_or_insert_with(|| Box::new([0; Self::MAX])).as_mut_slice()
    }

    #[cfg(not(feature = "alloc"))]
    fn room(&mut self) -> &mut [u8] {
        &mut self.bytes.0
    }

    #[cfg(feature = "alloc")]
    pub(crate) fn as_slice(&self) -> &[u8] {
        match &self.bytes {
            Some(bytes) => bytes.get(..usize::from(self.len)).unwrap_or_default(),
            None => &[],
        }
    }

    #[cfg(not(feature = "alloc"))]
    pub(crate) fn as_slice(&self) -> &[u8] {
        self.bytes.0.get(..usize::from(self.len)).unwrap_or_default()
    }
}
