//! Uses the frame codec.

use core::hint::black_box;

use ws_frame::{Close, CloseCode, Header, Mask, Opcode, Role, Utf8, Violation};

/// Builds frames with the parts of the codec and reads them again; returns how many bytes that took, or the close code.
#[unsafe(no_mangle)]
pub extern "C" fn ws_no_std_check_frames(key: u32) -> u64 {
    match text(black_box(key.to_ne_bytes())).and_then(|len| Ok(len + close()?)) {
        Ok(len) => len,
        Err(violation) => u64::from(violation.code().get()),
    }
}

fn text(key: [u8; 4]) -> Result<u64, Violation> {
    let mut payload = black_box(*b"neither std nor alloc");
    let mut copy = payload;
    let header =
        Header { fin: true, rsv: 0, opcode: Opcode::TEXT, mask: Some(key), len: black_box(payload.len() as u64) };
    Mask::new(key).copy(&payload, &mut copy);
    Mask::new(key).apply(&mut payload);

    let mut room = [0; Header::MAX];
    let wire = black_box(header.encode(&mut room));
    Header::check_start(wire, Role::Client)?;
    let Some((header, size)) = Header::parse(wire) else { return Ok(0) };
    header.check(size, Role::Client)?;

    let mut utf8 = Utf8::new();
    Mask::new(key).apply(black_box(&mut copy));
    utf8.push(&copy)?;
    utf8.finish()?;
    Ok(size as u64 + header.len)
}

fn close() -> Result<u64, Violation> {
    let mut room = [0; 125];
    let payload = Close { code: CloseCode::NORMAL, reason: Close::truncate_reason(black_box("bye")) }.encode(&mut room);
    let reason = Close::parse(black_box(payload))?.map_or(0, |close| close.reason.len());
    Ok(reason as u64)
}
