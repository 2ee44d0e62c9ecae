//! Laws shown by trying every case, where there are few enough.

mod naive;

use core::{iter, str};
use std::thread;

use ws_frame::{Header, Mask, Role, Utf8, Violation};

const ROLES: [Role; 2] = [Role::Client, Role::Server];

/// Lengths on both sides of each border between encodings, of `u32`, and of the sign bit.
const LENGTHS: [u64; 17] = [
    0,
    1,
    124,
    125,
    126,
    127,
    128,
    0xfffe,
    0xffff,
    0x1_0000,
    u32::MAX as u64 - 1,
    u32::MAX as u64,
    u32::MAX as u64 + 1,
    (1 << 63) - 1,
    1 << 63,
    (1 << 63) + 1,
    u64::MAX,
];

/// Miri takes a thousand times as long, and gets every so many-th value: of a byte, and of two or more.
const BYTE_STEP: usize = if cfg!(miri) { 63 } else { 1 };
const STEP: usize = if cfg!(miri) { 509 } else { 1 };

/// Every header that has these first two bytes and one of the lengths.
fn headers(first: u8, second: u8) -> impl Iterator<Item = Vec<u8>> {
    let key: &[u8] = if second & 0x80 == 0 { &[] } else { &[0x37, 0xfa, 0x21, 0x3d] };
    let lengths = match second & 0x7f {
        126 => {
            LENGTHS.iter().filter_map(|len| u16::try_from(*len).ok()).map(|len| len.to_be_bytes().to_vec()).collect()
        }
        127 => LENGTHS.iter().map(|len| len.to_be_bytes().to_vec()).collect(),
        _ => vec![Vec::new()],
    };
    lengths.into_iter().map(move |len| [&[first, second], &len[..], key].concat())
}

fn every_header() -> impl Iterator<Item = Vec<u8>> {
    (0..=u16::MAX).step_by(STEP).map(u16::to_be_bytes).flat_map(|[first, second]| headers(first, second))
}

#[test]
fn section_5_2_parse_reads_what_the_picture_says() {
    for bytes in every_header() {
        assert_eq!(Header::parse(&bytes), naive::decode(&bytes), "{bytes:x?}");
        let (_, size) = Header::parse(&bytes).unwrap();
        assert_eq!(size, bytes.len(), "{bytes:x?}");
        let longer = [&bytes[..], &[0xff; 3]].concat();
        assert_eq!(Header::parse(&longer), Header::parse(&bytes), "what follows {bytes:x?} is not read");
    }
}

#[test]
fn section_5_2_parse_says_none_only_to_what_is_too_short() {
    for bytes in every_header() {
        for len in 0..bytes.len() {
            assert_eq!(Header::parse(&bytes[..len]), None, "{len} bytes of {bytes:x?}");
        }
    }
}

#[test]
fn section_5_2_encode_is_the_inverse_of_parse() {
    for bytes in every_header() {
        let (header, size) = Header::parse(&bytes).unwrap();
        let mut out = [0xee; Header::MAX];
        let encoded = header.encode(&mut out);
        assert_eq!(encoded.len(), header.encoded_len());
        assert_eq!(Header::parse(encoded), Some((header, encoded.len())), "{bytes:x?}");
        assert!(encoded.len() <= size, "{bytes:x?}");
        // The one other encoding of a header is a length that is not minimal.
        assert_eq!(encoded == bytes, encoded.len() == size, "{bytes:x?}");
    }
}

#[test]
fn section_5_2_encode_writes_every_length_minimally() {
    for mask in [None, Some([1, 2, 3, 4])] {
        for len in LENGTHS {
            let header = Header { fin: true, rsv: 0, opcode: ws_frame::Opcode::BINARY, mask, len };
            let mut out = [0xee; Header::MAX];
            let encoded = header.encode(&mut out).to_vec();
            let want = match len {
                0..126 => 2,
                126..0x1_0000 => 4,
                _ => 10,
            };
            assert_eq!(encoded.len(), want + mask.map_or(0, |key| key.len()), "{len}");
            assert_eq!(naive::decode(&encoded), Some((header, encoded.len())), "{len}");
            assert!(out[encoded.len()..].iter().all(|byte| *byte == 0xee), "nothing is written past the header");
        }
    }
}

#[test]
fn section_5_check_agrees_with_the_naive_judge() {
    for bytes in every_header() {
        let (header, size) = Header::parse(&bytes).unwrap();
        for from in ROLES {
            assert_eq!(header.check(size, from), naive::judge(&bytes, from), "{bytes:x?} from {from:?}");
        }
    }
}

#[test]
fn section_5_a_header_fails_for_the_same_rule_however_it_is_cut() {
    for bytes in every_header() {
        for from in ROLES {
            let first = (0..=bytes.len()).find_map(|len| Header::check_start(&bytes[..len], from).err());
            assert_eq!(first, naive::judge(&bytes, from).err(), "{bytes:x?} from {from:?}");
            // Nor does a rule once broken heal, or another take its place.
            let mut broken = None;
            for len in 0..=bytes.len() {
                let now = Header::check_start(&bytes[..len], from).err();
                assert!(broken.is_none() || now == broken, "{len} bytes of {bytes:x?} from {from:?}");
                broken = now;
            }
        }
    }
}

#[test]
fn section_5_check_start_fails_as_soon_as_no_rest_could_mend_the_header() {
    /// The values that matter for a length: none of it, the border at 126, all of it.
    const BYTES: [u8; 3] = [0x00, 0x7e, 0xff];

    fn could_pass(bytes: &[u8], from: Role) -> bool {
        // The masking key says nothing.
        let whole = [bytes, &[0; 4]].concat();
        if let Some((_, size)) = naive::decode(&whole)
            && size - if bytes.len() > 1 && bytes[1] & 0x80 != 0 { 4 } else { 0 } <= bytes.len()
            && bytes.len() > 1
        {
            return naive::judge(&whole, from).is_ok();
        }
        let next: &[u8] = if bytes.len() < 2 { &[0x00, 0x80] } else { &BYTES };
        next.iter().any(|byte| could_pass(&[bytes, &[*byte]].concat(), from))
    }

    fn try_all(bytes: &mut Vec<u8>, from: Role) {
        assert_eq!(Header::check_start(bytes, from).is_ok(), could_pass(bytes, from), "{bytes:x?} from {from:?}");
        let length_ends = 2 + match bytes[1] & 0x7f {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        if bytes.len() < length_ends {
            for byte in BYTES {
                bytes.push(byte);
                try_all(bytes, from);
                bytes.pop();
            }
        }
    }

    for from in ROLES {
        assert_eq!(Header::check_start(&[], from), Ok(()));
        for first in 0..=u8::MAX {
            assert_eq!(Header::check_start(&[first], from).is_ok(), could_pass(&[first], from), "{first:x}");
        }
        // One opcode of each kind, with and without FIN; the reserved bits play no part.
        for first in [0x01, 0x81, 0x09, 0x89] {
            for second in (0..=u8::MAX).step_by(BYTE_STEP) {
                try_all(&mut vec![first, second], from);
            }
        }
    }
}

#[test]
fn section_5_3_the_place_in_the_key_is_right_at_every_offset_and_length() {
    let key = [0x37, 0xfa, 0x21, 0x3d];
    let payload: Vec<u8> = (0..=260).map(|i| (i * 7) as u8).collect();
    let near_the_end = u64::MAX - 8..=u64::MAX;
    for at in (0..=260).chain(u64::from(u32::MAX) - 8..=u64::from(u32::MAX) + 8).chain(near_the_end) {
        let mut start = Mask::new(key);
        start.skip(at);
        for len in (0..=260).step_by(BYTE_STEP) {
            // Not `at + i`: at the end of u64 the key goes round as well.
            let want = naive::mask(key, at % 4, &payload[..len]);
            let mut masked = payload[..len].to_vec();
            let mut mask = start;
            mask.apply(&mut masked);
            assert_eq!(masked, want, "{len} at {at}");
            let next: [u8; 4] = core::array::from_fn(|i| key[(at as usize % 4 + len + i) % 4]);
            assert_eq!(mask.key(), next, "{len} at {at}");
            assert_eq!(mask, Mask::new(next));
        }
    }
}

/// What std says of the whole: `Some(complete)` when text can begin so.
fn std_says(bytes: &[u8]) -> Option<bool> {
    match str::from_utf8(bytes) {
        Ok(_) => Some(true),
        Err(error) => error.error_len().is_none().then_some(false),
    }
}

/// What ours says after one more chunk.
fn pushed(state: Option<Utf8>, chunk: &[u8]) -> Option<Utf8> {
    let mut state = state?;
    state.push(chunk).ok().map(|()| state)
}

fn says(state: Option<Utf8>) -> Option<bool> {
    state.map(|state| {
        assert_eq!(state.finish().is_ok(), state.is_complete());
        state.is_complete()
    })
}

#[test]
fn section_8_1_utf8_equals_std_for_every_string_of_three_bytes_and_every_split() {
    let new = Some(Utf8::new());
    let all_that_begin_with = |a: u8| {
        let after_a = pushed(new, &[a]);
        assert_eq!(says(after_a), std_says(&[a]), "{a:x}");
        for b in (0..=u8::MAX).step_by(BYTE_STEP) {
            let after_ab = [pushed(new, &[a, b]), pushed(after_a, &[b])];
            for state in after_ab {
                assert_eq!(says(state), std_says(&[a, b]), "{a:x} {b:x}");
            }
            for c in (0..=u8::MAX).step_by(BYTE_STEP) {
                let want = std_says(&[a, b, c]);
                // Once refused is refused for good: `pushed` passes None on, and std must agree.
                let states = [
                    pushed(new, &[a, b, c]),
                    pushed(after_a, &[b, c]),
                    pushed(after_ab[0], &[c]),
                    pushed(after_ab[1], &[c]),
                ];
                for state in states {
                    assert!(says(state) == want, "{a:x} {b:x} {c:x}");
                }
            }
        }
    };
    thread::scope(|scope| {
        for part in 0..4 {
            scope.spawn(move || (part..=u8::MAX).step_by(4).for_each(all_that_begin_with));
        }
    });
}

#[test]
fn section_8_1_utf8_equals_std_for_four_bytes_of_every_class_and_every_split() {
    /// Both ends of each range in the table of RFC 3629, section 4, and their neighbours.
    const CLASSES: [u8; 24] = [
        0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xef,
        0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff,
    ];
    for i in (0..CLASSES.len().pow(4)).step_by(STEP) {
        let text: Vec<u8> = iter::successors(Some(i), |i| Some(i / CLASSES.len()))
            .map(|i| CLASSES[i % CLASSES.len()])
            .take(4)
            .collect();
        let want = std_says(&text);
        for cuts in 0..8 {
            let mut state = Some(Utf8::new());
            let mut from = 0;
            for at in 1..=4 {
                if at == 4 || cuts >> (at - 1) & 1 == 1 {
                    state = pushed(state, &text[from..at]);
                    assert_eq!(says(state), std_says(&text[..at]), "{at} bytes of {text:x?}, cut {cuts:b}");
                    from = at;
                }
            }
            assert_eq!(says(state), want, "{text:x?}, cut {cuts:b}");
        }
    }
}

#[test]
fn section_8_1_no_byte_of_a_text_is_passed_over_at_any_length() {
    for len in (0..=260).step_by(BYTE_STEP) {
        let mut text = vec![b'x'; len];
        assert_eq!(says(pushed(Some(Utf8::new()), &text)), Some(true), "{len} bytes of ASCII");
        for at in 0..len {
            // Never right; right at the very end alone; right after a first byte alone.
            for byte in [0xff, 0xc3, 0x80] {
                text[at] = byte;
                assert_eq!(says(pushed(Some(Utf8::new()), &text)), std_says(&text), "{byte:x} at {at} of {len}");
            }
            text[at] = b'x';
        }
    }
}

#[test]
fn section_8_1_a_text_of_one_byte_again_and_again_is_judged_as_std_judges_it() {
    for byte in (0..=u8::MAX).step_by(BYTE_STEP) {
        for len in (0..=130).step_by(BYTE_STEP) {
            let text = vec![byte; len];
            assert_eq!(says(pushed(Some(Utf8::new()), &text)), std_says(&text), "{len} times {byte:x}");
            assert_eq!(Utf8::check(&text).is_ok(), str::from_utf8(&text).is_ok(), "{len} times {byte:x}");
        }
    }
}

#[test]
fn section_8_1_every_error_is_the_violation_of_text() {
    for byte in (0x80..0xc2).chain(0xf5..=0xff) {
        assert_eq!(Utf8::new().push(&[byte]), Err(Violation::Utf8));
    }
    for start in [&b"\xe0\x80"[..], b"\xe0\x9f", b"\xed\xa0", b"\xf0\x80", b"\xf0\x8f", b"\xf4\x90", b"\xc2\x41"] {
        assert_eq!(Utf8::new().push(start), Err(Violation::Utf8), "{start:x?}");
        let mut split = Utf8::new();
        assert_eq!(split.push(&start[..1]), Ok(()));
        assert_eq!(split.finish(), Err(Violation::Utf8));
        assert_eq!(split.push(&start[1..]), Err(Violation::Utf8), "{start:x?}");
    }
}
