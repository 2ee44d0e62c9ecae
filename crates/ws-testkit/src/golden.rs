//! Frames written out by hand: what is on the wire, and what it means.

use crate::naive::{BINARY, CLOSE, CONTINUATION, Frame, PING, PONG, TEXT};

/// One frame on the wire, and its meaning.
#[derive(Clone, Copy, Debug)]
pub struct Golden {
    /// What the frame shows.
    pub meaning: &'static str,
    /// The wire in hex; spaces are for the eye.
    pub hex: &'static str,
    /// What follows `hex` on the wire: these bytes, in hex, over and over, up to `filler` bytes.
    pub filler_hex: &'static str,
    /// How many bytes follow `hex`. Unmasked, each of them is `*`.
    pub filler: usize,
    /// The FIN bit.
    pub fin: bool,
    /// The reserved bits, 0 to 7.
    pub rsv: u8,
    /// The opcode.
    pub opcode: u8,
    /// The masking key.
    pub mask: Option<[u8; 4]>,
    /// The payload before the filler, unmasked.
    pub payload: &'static [u8],
}

impl Golden {
    /// The bytes on the wire.
    #[must_use]
    pub fn wire(&self) -> Vec<u8> {
        let mut bytes = unhex(self.hex);
        bytes.extend(unhex(self.filler_hex).iter().cycle().take(self.filler));
        bytes
    }

    /// The frame those bytes mean.
    #[must_use]
    pub fn frame(&self) -> Frame {
        let mut payload = self.payload.to_vec();
        payload.extend(vec![b'*'; self.filler]);
        Frame { fin: self.fin, rsv: self.rsv, opcode: self.opcode, mask: self.mask, payload }
    }

    const fn masked_with(mut self, key: [u8; 4]) -> Self {
        self.mask = Some(key);
        self
    }

    const fn rsv(mut self, rsv: u8) -> Self {
        self.rsv = rsv;
        self
    }

    const fn not_final(mut self) -> Self {
        self.fin = false;
        self
    }

    const fn filled(mut self, filler_hex: &'static str, filler: usize) -> Self {
        self.filler_hex = filler_hex;
        self.filler = filler;
        self
    }
}

/// The examples of RFC 6455, section 5.7, in its order.
pub const RFC_6455_SECTION_5_7: [Golden; 8] = [
    server("a single-frame unmasked text message", "81 05 48 65 6c 6c 6f", TEXT, b"Hello"),
    client("a single-frame masked text message", "81 85 37 fa 21 3d 7f 9f 4d 51 58", TEXT, b"Hello"),
    server("the first fragment of a text message", "01 03 48 65 6c", TEXT, b"Hel").not_final(),
    server("the last fragment of that message", "80 02 6c 6f", CONTINUATION, b"lo"),
    server("an unmasked Ping", "89 05 48 65 6c 6c 6f", PING, b"Hello"),
    client("the masked Pong to it", "8a 85 37 fa 21 3d 7f 9f 4d 51 58", PONG, b"Hello"),
    server("256 bytes of binary in one unmasked frame", "82 7e 01 00", BINARY, b"").filled("2a", 256),
    server("64 KiB of binary in one unmasked frame", "82 7f 00 00 00 00 00 01 00 00", BINARY, b"").filled("2a", 65536),
];

/// More frames: every form of the length at both its ends, every opcode of RFC 6455, empty frames, Close payloads.
pub const MORE: [Golden; 24] = [
    server("an empty text message", "81 00", TEXT, b""),
    client("an empty masked text message", "81 80 37 fa 21 3d", TEXT, b""),
    server("an empty fragment in the middle", "00 00", CONTINUATION, b"").not_final(),
    client("a masked last fragment of one byte", "80 81 37 fa 21 3d 1d", CONTINUATION, b"*"),
    server("text of four bytes, one character", "81 04 f0 9f 91 8b", TEXT, "\u{1f44b}".as_bytes()),
    server("125 bytes, the longest 7-bit length", "82 7d", BINARY, b"").filled("2a", 125),
    client("125 bytes, masked", "82 fd 37 fa 21 3d", BINARY, b"").filled("1d d0 0b 17", 125),
    server("126 bytes, the shortest 16-bit length", "82 7e 00 7e", BINARY, b"").filled("2a", 126),
    client("126 bytes, masked", "82 fe 00 7e 37 fa 21 3d", BINARY, b"").filled("1d d0 0b 17", 126),
    server("127 bytes, whose length looks like the 64-bit mark", "82 7e 00 7f", BINARY, b"").filled("2a", 127),
    server("65535 bytes, the longest 16-bit length", "82 7e ff ff", BINARY, b"").filled("2a", 65535),
    client("65535 bytes, masked", "82 fe ff ff 37 fa 21 3d", BINARY, b"").filled("1d d0 0b 17", 65535),
    client("65536 bytes, masked", "82 ff 00 00 00 00 00 01 00 00 37 fa 21 3d", BINARY, b"")
        .filled("1d d0 0b 17", 65536),
    server("a Close without a payload", "88 00", CLOSE, b""),
    server("a Close with a code", "88 02 03 e8", CLOSE, &[0x03, 0xe8]),
    server("a Close with a code and a reason", "88 05 03 e9 62 79 65", CLOSE, b"\x03\xe9bye"),
    client("a masked Close with a code", "88 82 37 fa 21 3d 34 12", CLOSE, &[0x03, 0xe8]),
    server("an empty Ping", "89 00", PING, b""),
    client("an empty masked Ping", "89 80 37 fa 21 3d", PING, b""),
    server("an unasked Pong", "8a 00", PONG, b""),
    server("the longest Ping", "89 7d", PING, b"").filled("2a", 125),
    server(
        "a text message with RSV1, as with compression",
        "c1 07 f2 48 cd c9 c9 07 00",
        TEXT,
        b"\xf2H\xcd\xc9\xc9\x07\0",
    )
    .rsv(4),
    server("all reserved bits", "f2 00", BINARY, b"").rsv(7),
    client("a masking key of zero", "82 82 00 00 00 00 2a 2a", BINARY, b"**").masked_with([0; 4]),
];

/// [`RFC_6455_SECTION_5_7`] and [`MORE`].
pub fn all() -> impl Iterator<Item = Golden> {
    RFC_6455_SECTION_5_7.into_iter().chain(MORE)
}

/// The bytes that hexadecimal digits stand for. White space is skipped, anything else ends the bytes.
#[must_use]
pub fn unhex(hex: &str) -> Vec<u8> {
    let mut digits = hex.chars().filter(|c| !c.is_whitespace()).map_while(|c| c.to_digit(16));
    let mut bytes = Vec::new();
    while let (Some(high), Some(low)) = (digits.next(), digits.next()) {
        bytes.push((high * 16 + low) as u8);
    }
    bytes
}

const fn server(meaning: &'static str, hex: &'static str, opcode: u8, payload: &'static [u8]) -> Golden {
    Golden { meaning, hex, filler_hex: "", filler: 0, fin: true, rsv: 0, opcode, mask: None, payload }
}

const fn client(meaning: &'static str, hex: &'static str, opcode: u8, payload: &'static [u8]) -> Golden {
    server(meaning, hex, opcode, payload).masked_with([0x37, 0xfa, 0x21, 0x3d])
}
