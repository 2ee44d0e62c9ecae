//! Frames written out by hand, those of RFC 6455 first, and the values of every table.

use core::error::Error;

use ws_frame::{Close, CloseCode, Header, Mask, Opcode, Role, Utf8, Violation};

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// A frame as its parts and as its bytes.
struct Vector {
    from: Role,
    header: Header,
    payload: Vec<u8>,
    wire: Vec<u8>,
}

/// `payload` is as sent before masking, `wire` starts with the header.
fn vector(from: Role, first: (bool, u8, Opcode), payload: &[u8], wire: &[u8]) -> Vector {
    let (fin, rsv, opcode) = first;
    let mask = if from == Role::Client { Some(KEY) } else { None };
    let header = Header { fin, rsv, opcode, mask, len: payload.len() as u64 };
    Vector { from, header, payload: payload.to_vec(), wire: wire.to_vec() }
}

fn vectors() -> Vec<Vector> {
    use Opcode as O;
    use Role::{Client, Server};
    let long = |head: &[u8], len: usize| [head, &vec![0; len]].concat();
    vec![
        // RFC 6455, section 5.7, in its order.
        // "A single-frame unmasked text message"
        vector(Server, (true, 0, O::TEXT), b"Hello", b"\x81\x05\x48\x65\x6c\x6c\x6f"),
        // "A single-frame masked text message"
        vector(Client, (true, 0, O::TEXT), b"Hello", b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"),
        // "A fragmented unmasked text message"
        vector(Server, (false, 0, O::TEXT), b"Hel", b"\x01\x03\x48\x65\x6c"),
        vector(Server, (true, 0, O::CONTINUATION), b"lo", b"\x80\x02\x6c\x6f"),
        // "Unmasked Ping request and masked Ping response"
        vector(Server, (true, 0, O::PING), b"Hello", b"\x89\x05\x48\x65\x6c\x6c\x6f"),
        vector(Client, (true, 0, O::PONG), b"Hello", b"\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"),
        // "256 bytes binary message in a single unmasked frame"
        vector(Server, (true, 0, O::BINARY), &[0; 256], &long(b"\x82\x7e\x01\x00", 256)),
        // "64KiB binary message in a single unmasked frame"
        vector(Server, (true, 0, O::BINARY), &[0; 65536], &long(b"\x82\x7f\0\0\0\0\0\x01\0\0", 65536)),
        // Not in the RFC: empty frames, the borders between the lengths, reserved bits, closes.
        vector(Server, (true, 0, O::PONG), b"", b"\x8a\x00"),
        vector(Client, (true, 0, O::PING), b"", b"\x89\x80\x37\xfa\x21\x3d"),
        vector(Server, (true, 0, O::BINARY), &[0; 125], &long(b"\x82\x7d", 125)),
        vector(Server, (true, 0, O::BINARY), &[0; 126], &long(b"\x82\x7e\x00\x7e", 126)),
        vector(Server, (true, 0, O::BINARY), &[0; 65535], &long(b"\x82\x7e\xff\xff", 65535)),
        vector(Server, (true, 4, O::TEXT), b"\0", b"\xc1\x01\0"),
        vector(Server, (false, 2, O::BINARY), b"\0", b"\x22\x01\0"),
        vector(Server, (false, 1, O::CONTINUATION), b"\0", b"\x10\x01\0"),
        vector(Server, (true, 0, O::CLOSE), b"\x03\xe8", b"\x88\x02\x03\xe8"),
        vector(Client, (true, 0, O::CLOSE), b"\x03\xe9bye", b"\x88\x85\x37\xfa\x21\x3d\x34\x13\x43\x44\x52"),
        vector(Client, (true, 0, O::CLOSE), b"", b"\x88\x80\x37\xfa\x21\x3d"),
    ]
}

#[test]
fn section_5_7_every_frame_is_read_as_its_parts() {
    for Vector { from, header, payload, wire } in vectors() {
        let (read, size) = Header::parse(&wire).unwrap();
        assert_eq!(read, header);
        assert_eq!(read.check(size, from), Ok(()), "{header:?}");
        let mut body = wire[size..].to_vec();
        if let Some(key) = read.mask {
            Mask::new(key).apply(&mut body);
        }
        assert_eq!(body, payload, "{header:?}");
    }
}

#[test]
fn section_5_7_every_frame_is_written_from_its_parts() {
    for Vector { header, payload, wire, .. } in vectors() {
        let mut out = [0; Header::MAX];
        let mut frame = header.encode(&mut out).to_vec();
        let size = frame.len();
        frame.resize(size + payload.len(), 0);
        Mask::new(header.mask.unwrap_or_default()).copy(&payload, &mut frame[size..]);
        assert_eq!(frame, wire, "{header:?}");
    }
}

#[test]
fn section_5_1_the_other_role_may_not_send_the_frame() {
    for Vector { from, wire, .. } in vectors() {
        let (header, size) = Header::parse(&wire).unwrap();
        let want = match from {
            Role::Client => Violation::MaskUnexpected,
            Role::Server => Violation::MaskMissing,
        };
        assert_eq!(header.check(size, from.peer()), Err(want));
        assert_eq!(Header::check_start(&wire[..2], from.peer()), Err(want));
    }
}

#[test]
fn section_5_2_the_minimal_number_of_bytes_must_be_used() {
    // "the length of a 124-byte-long string can't be encoded as the sequence 126, 0, 124" -- RFC 6455, section 5.2
    let (header, size) = Header::parse(&[0x81, 126, 0, 124]).unwrap();
    assert_eq!(header.len, 124);
    assert_eq!(header.check(size, Role::Server), Err(Violation::LengthNotMinimal));
    let (header, size) = Header::parse(&[0x81, 127, 0, 0, 0, 0, 0, 0, 0xff, 0xff]).unwrap();
    assert_eq!(header.len, 0xffff);
    assert_eq!(header.check(size, Role::Server), Err(Violation::LengthNotMinimal));
}

#[test]
fn section_5_2_the_most_significant_bit_must_be_0() {
    let bytes = [0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0];
    let (header, size) = Header::parse(&bytes).unwrap();
    assert_eq!(header.len, 1 << 63);
    assert_eq!(header.check(size, Role::Server), Err(Violation::LengthSign));
    assert_eq!(Header::check_start(&bytes[..2], Role::Server), Ok(()));
    assert_eq!(Header::check_start(&bytes[..3], Role::Server), Err(Violation::LengthSign));
}

#[test]
fn section_5_2_reserved_bits_and_opcodes_are_not_judged() {
    for first in 0x80..=0xff {
        let (header, size) = Header::parse(&[first, 0]).unwrap();
        assert_eq!(header.check(size, Role::Server), Ok(()), "{first:x}");
        assert_eq!(Header::check_start(&[first, 0], Role::Server), Ok(()), "{first:x}");
    }
}

#[test]
fn section_5_2_of_rsv_three_bits_count() {
    let header = Header { fin: false, rsv: 0xff, opcode: Opcode::CONTINUATION, mask: None, len: 0 };
    assert_eq!(header.encode(&mut [0; Header::MAX]), [0x70, 0]);
}

#[test]
fn section_5_5_control_frames_are_not_fragmented() {
    for opcode in 8..16 {
        let (header, size) = Header::parse(&[opcode, 0]).unwrap();
        assert_eq!(header.check(size, Role::Server), Err(Violation::ControlFragmented));
        assert_eq!(Header::check_start(&[opcode], Role::Server), Err(Violation::ControlFragmented));
    }
}

#[test]
fn section_5_5_control_frames_hold_at_most_125_bytes() {
    for opcode in 8..16 {
        let (header, size) = Header::parse(&[0x80 | opcode, 125]).unwrap();
        assert_eq!(header.check(size, Role::Server), Ok(()));
        let (header, size) = Header::parse(&[0x80 | opcode, 126, 0, 126]).unwrap();
        assert_eq!(header.check(size, Role::Server), Err(Violation::ControlTooLong));
        // An extended length has no use in a control frame, so there is no need to see it.
        let (header, size) = Header::parse(&[0x80 | opcode, 126, 0, 5]).unwrap();
        assert_eq!(header.check(size, Role::Server), Err(Violation::ControlTooLong));
        assert_eq!(Header::check_start(&[0x80 | opcode, 126], Role::Server), Err(Violation::ControlTooLong));
    }
}

#[test]
fn section_5_2_opcodes_have_their_values_kinds_and_names() {
    let table = [
        (Opcode::CONTINUATION, "continuation", false, false),
        (Opcode::TEXT, "text", false, false),
        (Opcode::BINARY, "binary", false, false),
        (Opcode::RESERVED_3, "reserved 3", false, true),
        (Opcode::RESERVED_4, "reserved 4", false, true),
        (Opcode::RESERVED_5, "reserved 5", false, true),
        (Opcode::RESERVED_6, "reserved 6", false, true),
        (Opcode::RESERVED_7, "reserved 7", false, true),
        (Opcode::CLOSE, "close", true, false),
        (Opcode::PING, "ping", true, false),
        (Opcode::PONG, "pong", true, false),
        (Opcode::RESERVED_11, "reserved 11", true, true),
        (Opcode::RESERVED_12, "reserved 12", true, true),
        (Opcode::RESERVED_13, "reserved 13", true, true),
        (Opcode::RESERVED_14, "reserved 14", true, true),
        (Opcode::RESERVED_15, "reserved 15", true, true),
    ];
    for (bits, (opcode, name, control, reserved)) in (0..).zip(table) {
        assert_eq!(opcode.bits(), bits);
        assert_eq!(Opcode::from_bits(0xf0 | bits), opcode);
        assert_eq!((opcode.is_control(), opcode.is_data(), opcode.is_reserved()), (control, !control, reserved));
        assert_eq!((opcode.to_string(), format!("{opcode:?}")), (name.to_owned(), name.to_owned()));
    }
}

#[test]
fn section_7_4_1_codes_have_their_values_and_meanings() {
    let table = [
        (CloseCode::NORMAL, "1000 (normal closure)"),
        (CloseCode::GOING_AWAY, "1001 (going away)"),
        (CloseCode::PROTOCOL_ERROR, "1002 (protocol error)"),
        (CloseCode::CANNOT_ACCEPT, "1003 (cannot accept)"),
        (CloseCode::NO_STATUS, "1005 (no status)"),
        (CloseCode::ABNORMAL, "1006 (abnormal closure)"),
        (CloseCode::MALFORMED, "1007 (malformed payload)"),
        (CloseCode::POLICY, "1008 (policy violation)"),
        (CloseCode::TOO_BIG, "1009 (message too big)"),
        (CloseCode::WANT_EXTENSION, "1010 (extension wanted)"),
        (CloseCode::UNEXPECTED, "1011 (unexpected condition)"),
        (CloseCode::SERVICE_RESTART, "1012 (service restart)"),
        (CloseCode::TRY_AGAIN_LATER, "1013 (try again later)"),
        (CloseCode::BAD_GATEWAY, "1014 (bad gateway)"),
        (CloseCode::TLS_HANDSHAKE, "1015 (TLS handshake)"),
        (CloseCode::new(1004), "1004"),
        (CloseCode::new(4000), "4000"),
    ];
    for (code, text) in table {
        assert_eq!(code.to_string(), text);
        assert!(text.starts_with(&code.get().to_string()));
    }
}

#[test]
fn section_7_4_2_the_codes_that_may_be_sent() {
    let may: Vec<u16> = (0..=u16::MAX).filter(|code| CloseCode::new(*code).may_be_sent()).collect();
    let want: Vec<u16> = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014]
        .into_iter()
        .chain(3000..5000)
        .collect();
    assert_eq!(may, want);
}

#[test]
fn section_5_5_1_a_close_holds_nothing_or_a_code_and_a_reason() {
    let close = |code, reason| Ok(Some(Close { code, reason }));
    assert_eq!(Close::parse(b""), Ok(None));
    assert_eq!(Close::parse(b"\x03"), Err(Violation::CloseLength));
    assert_eq!(Close::parse(b"\x03\xe8"), close(CloseCode::NORMAL, ""));
    assert_eq!(Close::parse(b"\x03\0"), Err(Violation::CloseCode));
    assert_eq!(Close::parse(b"\x0f\xa0gr\xc3\xbcn"), close(CloseCode::new(4000), "grün"));
    for reserved in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535_u16] {
        assert_eq!(Close::parse(&reserved.to_be_bytes()), Err(Violation::CloseCode), "{reserved}");
    }
    // A reason may not end inside a character.
    assert_eq!(Close::parse(b"\x03\xe8gr\xc3"), Err(Violation::Utf8));
}

#[test]
fn section_5_5_1_a_long_reason_is_cut_between_characters() {
    // 61 characters of two bytes fit into 123, 41 of three, 30 of four.
    for (character, fit) in [("x", 123), ("ü", 61), ("世", 41), ("🌍", 30)] {
        let mut out = [0; 125];
        let close = Close { code: CloseCode::POLICY, reason: &character.repeat(200) };
        let payload = close.encode(&mut out);
        let want = Close { code: CloseCode::POLICY, reason: &character.repeat(fit) };
        assert_eq!(Close::parse(payload), Ok(Some(want)));
    }
}

#[test]
fn section_7_1_7_violations_have_a_code_a_section_and_a_reason() {
    let table = [
        (Violation::ReservedBits, 1002, "5.2"),
        (Violation::MaskMissing, 1002, "5.1"),
        (Violation::MaskUnexpected, 1002, "5.1"),
        (Violation::ControlFragmented, 1002, "5.5"),
        (Violation::ControlTooLong, 1002, "5.5"),
        (Violation::LengthNotMinimal, 1002, "5.2"),
        (Violation::LengthSign, 1002, "5.2"),
        (Violation::ContinuationMissing, 1002, "5.4"),
        (Violation::ContinuationUnexpected, 1002, "5.4"),
        (Violation::ReservedOpcode, 1002, "5.2"),
        (Violation::CloseLength, 1002, "5.5.1"),
        (Violation::CloseCode, 1002, "7.4"),
        (Violation::Utf8, 1007, "8.1"),
        (Violation::Extension, 1007, "9.1"),
    ];
    let mut reasons = Vec::new();
    for (violation, code, section) in table {
        assert_eq!((violation.code().get(), violation.section()), (code, section), "{violation:?}");
        assert!(violation.code().may_be_sent());
        let error: &dyn Error = &violation;
        assert_eq!(error.to_string(), violation.reason());
        assert!(violation.reason().len() <= 100 && violation.reason().is_ascii());
        reasons.push(violation.reason());
    }
    reasons.sort_unstable();
    reasons.dedup();
    assert_eq!(reasons.len(), table.len(), "each rule has words of its own");
}

#[test]
fn section_8_1_text_may_be_split_anywhere() {
    let text = "Grüße, мир, 世界 🌍".as_bytes();
    for cut in 0..=text.len() {
        let mut utf8 = Utf8::new();
        let (start, rest) = text.split_at(cut);
        assert_eq!(utf8.push(start), Ok(()));
        assert_eq!(utf8.is_complete(), core::str::from_utf8(start).is_ok());
        assert_eq!(utf8.push(rest), Ok(()));
        assert_eq!(utf8.finish(), Ok(()), "cut at {cut}");
    }
}

#[test]
fn the_codec_takes_few_bytes() {
    assert_eq!(size_of::<Violation>(), 1);
    assert_eq!(size_of::<Mask>(), 4);
    assert!(size_of::<Utf8>() <= 8);
    assert!(size_of::<Header>() <= 24);
}
