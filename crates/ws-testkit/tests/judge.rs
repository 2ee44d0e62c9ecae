//! The judge passes what is legal and refuses each illegal thing for its own reason.

use ws_testkit::golden;
use ws_testkit::judge::{Judge, check_sent, check_sent_bytes};
use ws_testkit::naive::{
    BINARY, CLOSE, Frame, PING, binary, close, close_empty, continuation, encode, encode_all, ping, pong, text,
};
use ws_testkit::raw;

const K: [u8; 4] = [1, 2, 3, 4];
const L: [u8; 4] = [5, 6, 7, 8];

#[test]
fn legal_frames_of_a_server_pass() {
    let table: Vec<Vec<Frame>> = vec![
        vec![],
        vec![text("")],
        vec![text("a"), binary([0xFF]), ping(""), pong("x"), close(1000, "bye")],
        vec![text("a").not_final(), continuation("b").not_final(), ping("between"), continuation("")],
        vec![binary([]).not_final(), continuation([0xFF])],
        vec![split_character(false), continuation([0xA9])],
        vec![text("open").not_final()],
        vec![text("cut short by a Close").not_final(), close(1011, "")],
        vec![ping(vec![0; 125]), pong(vec![0; 125]), Frame::new(CLOSE, [&[3, 232][..], &[b'r'; 123]].concat())],
        vec![close_empty()],
    ];
    for frames in table {
        assert_eq!(check_sent(false, &frames), Ok(()), "{frames:?}");
        assert_eq!(check_sent_bytes(false, &encode_all(&frames)), Ok(frames.clone()), "{frames:?}");
    }
}

#[test]
fn legal_frames_of_a_client_pass() {
    let frames = [text("a").masked(K), ping("").masked(L), text("b").masked(K), close(3000, "é").masked(L)];
    assert_eq!(check_sent(true, &frames), Ok(()));
    assert_eq!(check_sent_bytes(true, &encode_all(&frames)), Ok(frames.to_vec()));
}

#[test]
fn each_illegal_thing_is_refused_for_its_own_reason() {
    let table: Vec<(&str, bool, Vec<Frame>)> = vec![
        ("a client must mask it", true, vec![text("a")]),
        ("a client must mask it", true, vec![text("a").masked(K), close_empty()]),
        ("a server must not mask it", false, vec![text("a").masked(K)]),
        ("a server must not mask it", false, vec![ping("").masked([0; 4])]),
        ("masking key is zero", true, vec![text("a").masked([0; 4])]),
        ("masking key is the one before", true, vec![text("a").masked(K), text("b").masked(K)]),
        ("its opcode is reserved", false, vec![text("a").opcode(3)]),
        ("its opcode is reserved", false, vec![text("a").opcode(7)]),
        ("its opcode is reserved", false, vec![ping("a").opcode(11)]),
        ("its opcode is reserved", false, vec![ping("a").opcode(15)]),
        ("does not fit into a header", false, vec![text("a").opcode(0x11)]),
        ("does not fit into a header", false, vec![text("a").rsv(8)]),
        ("reserved bits without an extension", false, vec![text("a").rsv(4)]),
        ("reserved bits without an extension", false, vec![binary("a").rsv(1)]),
        ("a continuation has reserved bits", false, vec![text("a").not_final(), continuation("b").rsv(2)]),
        ("a control frame has reserved bits", false, vec![pong("").rsv(4)]),
        ("longer than 125 bytes", false, vec![ping(vec![0; 126])]),
        ("longer than 125 bytes", false, vec![Frame::new(CLOSE, [&[3, 232][..], &[b'r'; 124]].concat())]),
        ("a control frame is fragmented", false, vec![ping("").not_final()]),
        ("a control frame is fragmented", false, vec![close(1000, "").not_final()]),
        ("a continuation without a message", false, vec![continuation("a")]),
        ("a continuation without a message", false, vec![text("a"), continuation("b")]),
        ("a continuation without a message", false, vec![text("a").not_final(), continuation("b"), continuation("c")]),
        ("begins before the last one has ended", false, vec![text("a").not_final(), text("b")]),
        (
            "begins before the last one has ended",
            false,
            vec![binary("a").not_final(), ping(""), binary("b").not_final()],
        ),
        ("not UTF-8", false, vec![text("").opcode(1), Frame::new(1, [0xFF])]),
        ("not UTF-8", false, vec![Frame::new(1, [0xFF]).not_final()]),
        ("not UTF-8", false, vec![split_character(true)]),
        ("not UTF-8", false, vec![split_character(false), continuation("")]),
        ("not UTF-8", false, vec![split_character(false), continuation("a").not_final()]),
        ("not UTF-8", false, vec![Frame::new(1, [0xED, 0xA0, 0x80])]),
        ("follows a Close", false, vec![close_empty(), close_empty()]),
        ("follows a Close", false, vec![close(1000, ""), ping("")]),
        ("follows a Close", false, vec![close(1000, ""), text("")]),
        ("a Close payload of one byte", false, vec![Frame::new(CLOSE, [3])]),
        ("the close reason is not UTF-8", false, vec![Frame::new(CLOSE, [3, 232, 0xC3])]),
    ];
    for (reason, role_is_client, frames) in table {
        let error = check_sent(role_is_client, &frames).expect_err(&format!("{reason}: {frames:?}"));
        assert!(error.contains(reason), "expected {reason:?}, got {error:?}");
    }
}

#[test]
fn section_7_4_close_codes_that_must_not_be_sent_are_refused() {
    let mut passed = Vec::new();
    for code in 0..=u16::MAX {
        match check_sent(false, &[close(code, "")]) {
            Ok(()) => passed.push(code),
            Err(error) => assert!(error.contains(&format!("close code {code} must not")), "{error}"),
        }
    }
    let expected: Vec<u16> = (1000..=1003).chain(1007..=1014).chain(3000..=4999).collect();
    assert_eq!(passed, expected);
}

#[test]
fn section_5_2_lengths_are_judged_from_the_bytes() {
    let frame = text("hi");
    for wire in [raw::with_16_bit_length(&frame).unwrap(), raw::with_64_bit_length(&frame)] {
        let error = check_sent_bytes(false, &[encode(&frame), wire].concat()).unwrap_err();
        assert!(error.starts_with("frame 1 at byte 4") && error.contains("shortest form"), "{error}");
    }
    assert!(check_sent_bytes(false, &raw::announced(&frame, 5)).unwrap_err().contains("cut off"));
    assert!(check_sent_bytes(false, &raw::with_top_bit_length(&frame)).unwrap_err().contains("cut off"));
}

#[test]
fn golden_frames_of_the_rfc_pass_by_role() {
    let (client, server): (Vec<Frame>, Vec<Frame>) =
        golden::RFC_6455_SECTION_5_7.iter().map(golden::Golden::frame).partition(|frame| frame.mask.is_some());
    assert_eq!(check_sent(false, &server), Ok(()));
    assert_eq!(Judge::new(true).allow_any_keys().frames(&client), Ok(()));
    assert!(check_sent(true, &client).unwrap_err().contains("the one before"));
}

#[test]
fn an_error_names_the_first_illegal_frame() {
    let error = check_sent(false, &[text("a"), ping(""), continuation("b"), continuation("c")]).unwrap_err();
    assert!(error.starts_with("frame 2 (opcode 0x0, final, rsv 0, 1 bytes)"), "{error}");
}

#[test]
fn allowances_allow_what_they_name_and_no_more() {
    let coded = [Frame::new(1, [0xFF]).rsv(4).not_final(), continuation([0xFE])];
    let judge = Judge::new(false).allow_rsv(4);
    assert_eq!(judge.frames(&coded), Ok(()));
    assert!(judge.frames(&[text("").rsv(6)]).is_err());
    assert!(judge.frames(&[ping("").rsv(4)]).is_err());
    assert!(judge.frames(&[text("").rsv(4).not_final(), continuation("").rsv(4)]).is_err());
    assert!(judge.frames(&[Frame::new(1, [0xFF])]).is_err(), "text that is not coded is still text");

    let judge = Judge::new(false).allow_reserved_opcodes();
    assert_eq!(judge.frames(&[Frame::new(3, [0xFF]).not_final(), continuation(""), Frame::new(15, [])]), Ok(()));
    assert!(judge.frames(&[Frame::new(15, vec![0; 126])]).is_err());
    assert!(judge.frames(&[Frame::new(3, []).not_final(), Frame::new(BINARY, [])]).is_err());

    let zero = [ping("").masked([0; 4]), ping("").masked([0; 4])];
    assert_eq!(Judge::new(true).allow_any_keys().frames(&zero), Ok(()));
    assert!(Judge::new(true).allow_any_keys().frames(&[Frame::new(PING, [])]).is_err());
}

#[test]
fn to_the_end_refuses_an_open_message_unless_a_close_ends_it() {
    let judge = Judge::new(false).to_the_end();
    assert!(judge.frames(&[text("a").not_final(), ping("")]).unwrap_err().contains("not finished"));
    assert_eq!(judge.frames(&[text("a").not_final(), close(1011, "")]), Ok(()));
    assert_eq!(judge.frames(&[text("a").not_final(), continuation("")]), Ok(()));
}

/// The first byte of "é" as a text frame.
fn split_character(fin: bool) -> Frame {
    Frame { fin, ..Frame::new(1, [0xC3]) }
}
