//! The codec written a second time, slow and plain, from the text of the RFC alone.
#![allow(dead_code, reason = "each test program takes a part")]

use ws_frame::{Header, Opcode, Role, Violation};

/// RFC 6455, section 5.3: byte `i` of the payload against byte `i` modulo 4 of the key.
pub(crate) fn mask(key: [u8; 4], at: u64, payload: &[u8]) -> Vec<u8> {
    (at..).zip(payload).map(|(i, byte)| byte ^ key[(i % 4) as usize]).collect()
}

/// RFC 6455, section 5.2: the picture, read bit by bit.
pub(crate) fn decode(bytes: &[u8]) -> Option<(Header, usize)> {
    let mut at = 0;
    let mut bits = |n: usize| -> Option<u64> {
        let mut value = 0;
        for _ in 0..n {
            let bit = bytes.get(at / 8)? >> (7 - at % 8) & 1;
            value = value << 1 | u64::from(bit);
            at += 1;
        }
        Some(value)
    };
    let fin = bits(1)? == 1;
    let rsv = bits(3)? as u8;
    let opcode = Opcode::from_bits(bits(4)? as u8);
    let masked = bits(1)? == 1;
    let len = match bits(7)? {
        126 => bits(16)?,
        127 => bits(64)?,
        len => len,
    };
    let mut mask = None;
    if masked {
        mask = Some([bits(8)? as u8, bits(8)? as u8, bits(8)? as u8, bits(8)? as u8]);
    }
    Some((Header { fin, rsv, opcode, mask, len }, at / 8))
}

/// Says which rule a whole header breaks first, in the order of the wire, from its bytes alone.
pub(crate) fn judge(bytes: &[u8], from: Role) -> Result<(), Violation> {
    let (fin, opcode) = (bytes[0] >= 128, bytes[0] % 16);
    let (masked, short) = (bytes[1] >= 128, bytes[1] % 128);
    let extended = |n: usize| bytes[2..2 + n].iter().fold(0u64, |len, byte| len * 256 + u64::from(*byte));
    let rules = [
        (opcode >= 8 && !fin, Violation::ControlFragmented),
        (from == Role::Client && !masked, Violation::MaskMissing),
        (from == Role::Server && masked, Violation::MaskUnexpected),
        (opcode >= 8 && short > 125, Violation::ControlTooLong),
        (short == 127 && extended(8) >= 1 << 63, Violation::LengthSign),
        (short == 126 && extended(2) < 126, Violation::LengthNotMinimal),
        (short == 127 && extended(8) < 65536, Violation::LengthNotMinimal),
    ];
    match rules.into_iter().find(|(broken, _)| *broken) {
        Some((_, violation)) => Err(violation),
        None => Ok(()),
    }
}
