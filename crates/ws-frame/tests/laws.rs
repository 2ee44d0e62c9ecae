//! Laws of the codec as properties of random input.

mod naive;

use proptest::{collection::vec, prelude::*, sample::Index};
use ws_frame::{Close, CloseCode, Header, Mask, Opcode, Role, Utf8, Violation};

fn header() -> impl Strategy<Value = Header> {
    let len = prop_oneof![0..200u64, 0xff00..0x1_0100u64, any::<u64>()];
    (any::<bool>(), 0..8u8, 0..16u8, any::<Option<[u8; 4]>>(), len).prop_map(|(fin, rsv, opcode, mask, len)| Header {
        fin,
        rsv,
        opcode: Opcode::from_bits(opcode),
        mask,
        len,
    })
}

fn role() -> impl Strategy<Value = Role> {
    prop_oneof![Just(Role::Client), Just(Role::Server)]
}

/// Text as people write it, long runs of one kind included, with a few bytes spoiled or not.
fn nearly_text() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof!["[a-z ]{0,100}", "[\u{80}-\u{7ff}]{0,40}", "[\u{800}-\u{ffff}]{0,40}", "\\PC{0,40}"];
    (vec(part, 0..4), vec((any::<Index>(), any::<u8>()), 0..2)).prop_map(|(parts, spoiled)| {
        let mut text = parts.concat().into_bytes();
        for (at, byte) in spoiled {
            if !text.is_empty() {
                let at = at.index(text.len());
                text[at] = byte;
            }
        }
        text
    })
}

/// `whole` in chunks, cut at the places given.
fn chunks<'a>(whole: &'a [u8], cuts: &[Index]) -> Vec<&'a [u8]> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(whole.len() + 1)).collect();
    cuts.extend([0, whole.len()]);
    cuts.sort_unstable();
    cuts.windows(2).map(|pair| &whole[pair[0]..pair[1]]).collect()
}

proptest! {
    #[test]
    fn parse_reads_what_encode_wrote(header in header(), after in vec(any::<u8>(), 0..8)) {
        let mut out = [0; Header::MAX];
        let encoded = header.encode(&mut out);
        prop_assert_eq!(encoded.len(), header.encoded_len());
        let encoded = [encoded, &after].concat();
        prop_assert_eq!(Header::parse(&encoded), Some((header, header.encoded_len())));
    }

    #[test]
    fn parse_agrees_with_the_naive_decoder(bytes in vec(any::<u8>(), 0..20)) {
        prop_assert_eq!(Header::parse(&bytes), naive::decode(&bytes));
    }

    #[test]
    fn parse_of_a_start_is_none_until_it_is_the_answer(bytes in vec(any::<u8>(), 14..20)) {
        let (header, size) = Header::parse(&bytes).unwrap();
        for len in 0..size {
            prop_assert_eq!(Header::parse(&bytes[..len]), None);
        }
        for len in size..=bytes.len() {
            prop_assert_eq!(Header::parse(&bytes[..len]), Some((header, size)));
        }
    }

    #[test]
    fn check_agrees_with_the_naive_judge(bytes in vec(any::<u8>(), 14), from in role()) {
        let (header, size) = Header::parse(&bytes).unwrap();
        prop_assert_eq!(header.check(size, from), naive::judge(&bytes, from));
        // For data and the right role that leaves the length alone.
        if header.opcode.is_data() && header.mask.is_some() == (from == Role::Client) {
            let not_minimal = header.check(size, from) == Err(Violation::LengthNotMinimal);
            prop_assert_eq!(size != header.encoded_len(), not_minimal);
        }
    }

    #[test]
    fn check_start_is_check_once_the_header_is_whole(bytes in vec(any::<u8>(), 14), from in role()) {
        let (header, size) = Header::parse(&bytes).unwrap();
        prop_assert_eq!(Header::check_start(&bytes, from), header.check(size, from));
        prop_assert_eq!(Header::check_start(&bytes[..size], from), header.check(size, from));
    }

    #[test]
    fn what_encode_wrote_is_minimal(header in header(), from in role()) {
        let violation = header.check(header.encoded_len(), from).err();
        prop_assert_ne!(violation, Some(Violation::LengthNotMinimal));
    }

    #[test]
    fn mask_twice_is_nothing(key: [u8; 4], payload in vec(any::<u8>(), 0..2000)) {
        let mut masked = payload.clone();
        Mask::new(key).apply(&mut masked);
        prop_assert_eq!(&masked, &naive::mask(key, 0, &payload));
        Mask::new(key).apply(&mut masked);
        prop_assert_eq!(masked, payload);
    }

    #[test]
    fn mask_in_chunks_is_mask_in_one_piece(
        key: [u8; 4], payload in vec(any::<u8>(), 0..2000), cuts in vec(any::<Index>(), 0..6),
    ) {
        let mut mask = Mask::new(key);
        let mut masked = Vec::new();
        for (i, chunk) in chunks(&payload, &cuts).into_iter().enumerate() {
            // By turns in place and from one place to another.
            let mut part = if i % 2 == 0 { chunk.to_vec() } else { vec![0; chunk.len()] };
            if i % 2 == 0 { mask.apply(&mut part) } else { mask.copy(chunk, &mut part) }
            masked.extend(part);
        }
        prop_assert_eq!(masked, naive::mask(key, 0, &payload));
    }

    #[test]
    fn utf8_in_chunks_is_std_on_the_whole(text in nearly_text(), cuts in vec(any::<Index>(), 0..6)) {
        let mut state = Utf8::new();
        let mut sofar = Vec::new();
        for chunk in chunks(&text, &cuts) {
            sofar.extend(chunk);
            // Fail-fast: an error when, and only when, std says that no rest could mend the text.
            match (state.push(chunk), core::str::from_utf8(&sofar)) {
                (Ok(()), Ok(_)) => prop_assert!(state.is_complete()),
                (Ok(()), Err(error)) => {
                    prop_assert_eq!(error.error_len(), None);
                    prop_assert_eq!(state.finish(), Err(Violation::Utf8));
                }
                (Err(violation), whole) => {
                    prop_assert_eq!(violation, Violation::Utf8);
                    prop_assert!(whole.is_err_and(|error| error.error_len().is_some()));
                    return Ok(());
                }
            }
        }
        prop_assert_eq!(state.finish().is_ok(), core::str::from_utf8(&text).is_ok());
    }

    #[test]
    fn close_parse_reads_what_encode_wrote(code: u16, reason in "\\PC{0,200}") {
        let code = CloseCode::new(code);
        let mut out = [0; 125];
        let payload = Close { code, reason: &reason }.encode(&mut out);
        match Close::parse(payload) {
            Ok(close) => {
                prop_assert!(code.may_be_sent());
                prop_assert_eq!(close, Some(Close { code, reason: Close::truncate_reason(&reason) }));
            }
            Err(violation) => {
                prop_assert!(!code.may_be_sent());
                prop_assert_eq!(violation, Violation::CloseCode);
            }
        }
    }

    #[test]
    fn a_cut_reason_is_the_longest_that_fits(reason in "\\PC{0,200}") {
        let cut = Close::truncate_reason(&reason);
        prop_assert!(reason.starts_with(cut) && cut.len() <= Close::REASON_MAX);
        if let Some(next) = reason[cut.len()..].chars().next() {
            prop_assert!(cut.len() + next.len_utf8() > Close::REASON_MAX);
        }
    }

    #[test]
    fn close_parse_of_anything_is_ruled_by_code_and_text(
        code in prop_oneof![990..1020_u16, 2990..5010_u16, any::<u16>()], reason in nearly_text(), len in 0..126_usize,
    ) {
        let mut payload = [&code.to_be_bytes()[..], &reason].concat();
        payload.truncate(len);
        let want = match &payload[..] {
            [] => Ok(None),
            [_] => Err(Violation::CloseLength),
            [high, low, reason @ ..] => {
                let code = CloseCode::new(u16::from(*high) * 256 + u16::from(*low));
                match core::str::from_utf8(reason) {
                    _ if !code.may_be_sent() => Err(Violation::CloseCode),
                    Ok(reason) => Ok(Some(Close { code, reason })),
                    Err(_) => Err(Violation::Utf8),
                }
            }
        };
        prop_assert_eq!(Close::parse(&payload), want);
    }
}
