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
    payload: Option<Box<Payload>>,
    #[cfg(not(feature = "alloc"))]
    payload: Payload,
}

#[derive(Debug)]
struct Payload {
    bytes: [u8; Control::MAX],
    len: u8,
}

impl Default for Payload {
    fn default() -> Self {
        Self { bytes: [0; Control::MAX], len: 0 }
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
        if len == 0 {
            return;
        }
        let Payload { bytes, len: used } = self.payload_mut();
        let at = usize::from(*used);
        let end = at.saturating_add(len).min(Self::MAX);
        if let Some(room) = bytes.get_mut(at..end) {
            fill(room);
            *used = end as u8;
        }
    }

    pub(crate) fn clear(&mut self) {
        #[cfg(feature = "alloc")]
        if let Some(payload) = &mut self.payload {
            payload.len = 0;
        }
        #[cfg(not(feature = "alloc"))]
        {
            self.payload.len = 0;
        }
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        #[cfg(feature = "alloc")]
        let Some(payload) = &self.payload else { return &[] };
        #[cfg(not(feature = "alloc"))]
        let payload = &self.payload;
        payload.bytes.get(..usize::from(payload.len)).unwrap_or_default()
    }

    fn payload_mut(&mut self) -> &mut Payload {
        #[cfg(feature = "alloc")]
        return self.payload.get_or_insert_default();
        #[cfg(not(feature = "alloc"))]
        return &mut self.payload;
    }
}
