//! Masking keys without a random source.

/// Keys that differ and are never zero, as long as there are any.
#[derive(Debug, Default)]
pub(crate) struct Counter {
    last: u32,
    /// Whether none can be had for now.
    pub(crate) dry: bool,
}

impl ws_conn::Keys for Counter {
    fn key(&mut self) -> Option<[u8; 4]> {
        self.last = self.last.wrapping_add(0x9e37_79b9);
        (!self.dry).then(|| self.last.to_be_bytes())
    }
}
