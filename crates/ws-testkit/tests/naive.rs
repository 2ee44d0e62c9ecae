//! The naive codec against frames written out by hand, and against itself.

use ws_testkit::golden::{self, unhex};
use ws_testkit::naive::{
    BINARY, Frame, binary, close, close_empty, continuation, encode, encode_all, masked, ping, pong, read, read_all,
    text,
};
use ws_testkit::raw;

#[test]
fn section_5_7_golden_frames_are_read_and_written() {
    for golden in golden::all() {
        let wire = golden.wire();
        assert_eq!(read(&wire), Some((golden.frame(), wire.len())), "{}", golden.meaning);
        assert_eq!(encode(&golden.frame()), wire, "{}", golden.meaning);
    }
}

#[test]
fn golden_frames_are_well_formed_hex() {
    for golden in golden::all() {
        for hex in [golden.hex, golden.filler_hex] {
            let digits = hex.chars().filter(char::is_ascii_hexdigit).count();
            let others = hex.chars().filter(|c| !c.is_ascii_hexdigit() && *c != ' ').count();
            assert_eq!((digits, others), (unhex(hex).len() * 2, 0), "{}", golden.meaning);
        }
        assert_eq!(golden.filler > 0, !golden.filler_hex.is_empty(), "{}", golden.meaning);
    }
}

#[test]
fn section_5_2_lengths_change_form_at_126_and_65536() {
    for (len, header) in [(0, 2), (125, 2), (126, 4), (65535, 4), (65536, 10)] {
        let frame = binary(vec![7; len]);
        assert_eq!(frame.bytes().len(), header + len);
        assert_eq!(frame.masked([1, 2, 3, 4]).bytes().len(), header + 4 + len);
    }
}

#[test]
fn every_first_byte_is_read_as_it_was_written() {
    for first in 0..=255_u8 {
        let (frame, len) = read(&[first, 1, b'x']).unwrap();
        assert_eq!((frame.fin, frame.rsv, frame.opcode), (first & 0x80 != 0, first >> 4 & 7, first & 15));
        assert_eq!((len, frame.bytes()), (3, vec![first, 1, b'x']));
    }
}

#[test]
fn a_frame_is_not_read_before_its_last_byte() {
    for golden in golden::all().filter(|golden| golden.filler < 1000) {
        let wire = golden.wire();
        for end in 0..wire.len() {
            assert_eq!(read(&wire[..end]), None, "{} cut after {end} bytes", golden.meaning);
            if end > 0 {
                let error = read_all(&wire[..end]).unwrap_err();
                assert!(error.contains("cut off"), "{error}");
            }
        }
    }
}

#[test]
fn read_takes_one_frame_and_leaves_the_rest() {
    let wire = encode_all(&[text("a"), ping("b")]);
    assert_eq!(read(&wire), Some((text("a"), 3)));
    assert_eq!(read_all(&wire), Ok(vec![text("a"), ping("b")]));
    assert_eq!(read_all(&[]), Ok(vec![]));
}

#[test]
fn section_5_3_masking_twice_changes_nothing() {
    for len in 0..=9 {
        let payload: Vec<u8> = (0..len).collect();
        let key = [0x80, 0x40, 0x20, 0x10];
        let once = masked(&payload, key);
        assert!(once.iter().enumerate().all(|(i, &byte)| byte == payload[i] ^ key[i % 4]));
        assert_eq!(masked(&once, key), payload);
    }
}

#[test]
fn constructors_say_what_they_mean() {
    assert_eq!(encode(&text("é")), unhex("81 02 c3 a9"));
    assert_eq!(encode(&text("a").not_final()), unhex("01 01 61"));
    assert_eq!(encode(&continuation("b")), unhex("80 01 62"));
    assert_eq!(encode(&binary([1]).rsv(4)), unhex("c2 01 01"));
    assert_eq!(encode(&binary([1]).opcode(3)), unhex("83 01 01"));
    assert_eq!(encode(&pong([])), unhex("8a 00"));
    assert_eq!(encode(&close(1000, "")), unhex("88 02 03 e8"));
    assert_eq!(encode(&close_empty()), unhex("88 00"));
    assert_eq!(encode(&ping("x").masked([1, 0, 0, 0])), unhex("89 81 01 00 00 00 79"));
    assert_eq!((close(4999, "bye").close_code(), close_empty().close_code()), (Some(4999), None));
    assert_eq!(binary([3, 232]).close_code(), None);
}

#[test]
fn raw_lengths_that_are_not_minimal_are_read_and_refused() {
    let frame = text("hi").masked([0, 0, 0, 1]);
    let (medium, long) = (raw::with_16_bit_length(&frame).unwrap(), raw::with_64_bit_length(&frame));
    assert_eq!(medium, unhex("81 fe 0002 00000001 68 69"));
    assert_eq!(long, unhex("81 ff 0000000000000002 00000001 68 69"));
    assert_eq!(raw::with_64_bit_length(&text("hi")), unhex("81 7f 0000000000000002 68 69"));
    for wire in [medium, long] {
        assert_eq!(read(&wire), Some((frame.clone(), wire.len())));
        assert!(read_all(&wire).unwrap_err().contains("shortest form"));
    }
    assert_eq!(raw::with_16_bit_length(&binary(vec![0; 65536])), None);
}

#[test]
fn raw_minimal_lengths_are_what_the_writer_writes() {
    let (medium, long) = (binary(vec![1; 126]), binary(vec![1; 65536]).masked([9, 8, 7, 6]));
    assert_eq!(raw::with_16_bit_length(&medium), Some(encode(&medium)));
    assert_eq!(raw::with_64_bit_length(&long), encode(&long));
}

#[test]
fn raw_length_with_the_top_bit_never_becomes_a_frame() {
    let wire = raw::with_top_bit_length(&text("hi"));
    assert_eq!(wire, unhex("81 7f 8000000000000002 68 69"));
    assert_eq!(read(&wire), None);
    let wire = raw::with_top_bit_length(&text("hi").masked([0, 0, 0, 1]));
    assert_eq!(wire, unhex("81 ff 8000000000000002 00000001 68 69"));
}

#[test]
fn raw_announcements_are_headers_without_a_payload() {
    for len in [0, 1, 125, 126, 127, 65535, 65536] {
        for frame in [Frame::new(BINARY, vec![0; len]), Frame::new(BINARY, vec![0; len]).masked([5; 4])] {
            let mut expected = encode(&frame);
            expected.truncate(expected.len() - len);
            assert_eq!(raw::announced(&Frame { payload: vec![], ..frame }, len as u64), expected);
        }
    }
    assert_eq!(raw::announced(&binary([]), 1 << 62), unhex("82 7f 4000000000000000"));
}
