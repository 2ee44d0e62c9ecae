//! Heads, read in pieces and compared with what is plain to see.

use crate::input::{Input, pieces};
use ws_http::{HeadError, HeadReader, Limits};

/// Limits from a byte: 255 stands for the default, the others for less.
pub(crate) fn limits(input: &mut Input<'_>) -> Limits {
    match input.byte() {
        255 => Limits::default(),
        byte => Limits { bytes: usize::from(byte) * 4, fields: usize::from(byte) % 16 },
    }
}

/// Reads a head in pieces and in one: both come to the same, keep no more than the limit, and stay where they ended.
/// `None` if it is not at its end, or none; then the refusal, if there was one.
pub(crate) fn read(
    reader: &HeadReader,
    limits: Limits,
    bytes: &[u8],
    sizes: &[u8],
) -> Result<Option<(HeadReader, usize)>, HeadError> {
    let (cut, whole) = (push(reader.clone(), bytes, sizes), push(reader.clone(), bytes, &[]));
    match (cut, whole) {
        (Ok((cut, taken)), Ok((mut reader, whole))) => {
            assert_eq!(taken, whole, "the pieces matter");
            let received = taken.unwrap_or(bytes.len());
            assert_eq!((cut.received(), reader.received()), (received, received));
            assert!(received <= limits.bytes);
            let Some(taken) = taken else { return Ok(None) };
            assert_eq!(reader.push(b"\r\n"), Ok(Some(0)), "it stays at its end");
            assert!(bytes[..taken].ends_with(b"\r\n\r\n"));
            Ok(Some((reader, taken)))
        }
        (Err(cut), Err(whole)) => {
            assert_eq!(cut, whole, "the pieces matter");
            Err(whole)
        }
        (cut, whole) => panic!("the pieces matter: {cut:?}, {whole:?}"),
    }
}

fn push(mut reader: HeadReader, bytes: &[u8], sizes: &[u8]) -> Result<(HeadReader, Option<usize>), HeadError> {
    let mut before = 0;
    for piece in pieces(bytes, sizes) {
        match reader.push(piece) {
            Ok(None) => before += piece.len(),
            Ok(Some(taken)) => {
                assert!(taken <= piece.len(), "it took what was not there");
                return Ok((reader, Some(before + taken)));
            }
            Err(error) => {
                assert_eq!(reader.push(b""), Err(error), "it stays refused");
                assert_eq!(reader.received(), 0, "what is refused is not kept");
                return Err(error);
            }
        }
    }
    Ok((reader, None))
}

/// The first line of a head that was accepted, and its fields, by cutting at line ends and colons alone.
pub(crate) fn lines(head: &[u8]) -> (&str, Vec<(&str, &[u8])>) {
    let head = head.strip_suffix(b"\r\n\r\n").expect("a head ends so");
    // A line's CR and LF come together: the reader has seen to that.
    let mut lines = head.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let first = lines.next().and_then(|line| core::str::from_utf8(line).ok()).unwrap_or_default();
    let fields = lines.map(|line| {
        let colon = line.iter().position(|byte| *byte == b':').expect("a field has a colon");
        let (name, value) = line.split_at(colon);
        let value = value[1..].trim_ascii();
        (core::str::from_utf8(name).expect("a name is a token"), value)
    });
    (first, fields.collect())
}

/// A head written anew from its parts.
pub(crate) fn head<'h>(first: &str, fields: impl Iterator<Item = (&'h str, &'h [u8])>) -> Vec<u8> {
    let mut head = format!("{first}\r\n").into_bytes();
    for (name, value) in fields {
        head.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
    }
    head.extend(b"\r\n");
    head
}
