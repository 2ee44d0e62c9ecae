//! Laws for every input, as harnesses for [Kani](https://model-checking.github.io/kani/): `cargo kani -p ws-frame`.
//!
//! Elsewhere they are tests that draw some inputs, so that they compile and hold before anybody tries to prove them. No
//! value is thrown away: each is cut to what is meant, which Kani and the drawing of inputs both do well.

use crate::{Header, Mask, Opcode, Role};

#[cfg_attr(kani, kani::proof)]
#[cfg_attr(not(kani), test)]
fn section_5_2_parse_is_the_inverse_of_encode() {
    for_all(|(bits, key, len, shift): (u16, Option<[u8; 4]>, u64, u32)| {
        // Shifted, so that lengths of every magnitude are drawn.
        let len = len >> (shift % u64::BITS);
        let opcode = Opcode::from_bits(bits as u8);
        let header = Header { fin: bits & 0x80 != 0, rsv: (bits >> 4 & 7) as u8, opcode, mask: key, len };
        let mut room = [0; Header::MAX];
        let encoded = header.encode(&mut room);
        assert!(encoded.len() == header.encoded_len());
        assert!(Header::parse(encoded) == Some((header, encoded.len())));
    });
}

#[cfg_attr(kani, kani::proof)]
#[cfg_attr(not(kani), test)]
fn section_5_2_any_fourteen_bytes_are_a_header() {
    for_all(|bytes: [u8; Header::MAX]| {
        assert!(Header::parse(&bytes).is_some_and(|(_, size)| (2..=Header::MAX).contains(&size)));
    });
}

#[cfg_attr(kani, kani::proof)]
#[cfg_attr(not(kani), test)]
fn section_5_2_a_header_is_none_until_it_is_whole_and_then_the_same() {
    for_all(|(bytes, len): ([u8; Header::MAX], usize)| {
        let whole = Header::parse(&bytes);
        let size = whole.map_or(0, |(_, size)| size);
        let len = len % (Header::MAX + 1);
        assert!(Header::parse(&bytes[..len]) == whole.filter(|_| len >= size));
    });
}

/// Nothing panics, a whole header is judged as its bytes are, and a start that is refused is refused for the same rule.
#[cfg_attr(kani, kani::proof)]
#[cfg_attr(not(kani), test)]
fn section_5_any_start_of_a_header_is_judged_as_the_whole_or_not_yet() {
    for_all(|(bytes, len, client): ([u8; Header::MAX], usize, bool)| {
        let from = if client { Role::Client } else { Role::Server };
        let whole = Header::check_start(&bytes, from);
        let start = Header::check_start(&bytes[..len % (Header::MAX + 1)], from);
        assert!(start.is_ok() || start == whole);
        assert!(Header::parse(&bytes).is_some_and(|(header, size)| header.check(size, from) == whole));
    });
}

/// Of headers that no bytes can be, too: any length, any size.
#[cfg_attr(kani, kani::proof)]
#[cfg_attr(not(kani), test)]
fn section_5_a_header_that_passes_is_legal() {
    for_all(|(bits, key, len, shift, size): (u16, Option<[u8; 4]>, u64, u32, usize)| {
        let (len, size) = (len >> (shift % u64::BITS), size >> (shift % usize::BITS));
        let header = Header { fin: bits & 0x80 != 0, rsv: 0, opcode: Opcode::from_bits(bits as u8), mask: key, len };
        let from = if bits & 0x100 != 0 { Role::Client } else { Role::Server };
        if header.check(size, from).is_ok() {
            assert!(key.is_some() == (from == Role::Client));
            assert!(len >> 63 == 0 && size <= header.encoded_len());
            assert!(header.opcode.is_data() || header.fin && len <= 125);
        }
    });
}

#[cfg_attr(kani, kani::proof)]
#[cfg_attr(not(kani), test)]
fn section_5_3_the_place_in_the_key_is_the_offset_modulo_four() {
    for_all(|(key, first, second): ([u8; 4], u64, u64)| {
        let mut mask = Mask::new(key);
        mask.skip(first);
        mask.skip(second);
        let at = (first % 4 + second % 4) as usize;
        assert!(mask.key() == [key[at % 4], key[(at + 1) % 4], key[(at + 2) % 4], key[(at + 3) % 4]]);
    });
}

#[cfg_attr(kani, kani::proof, kani::unwind(10))]
#[cfg_attr(not(kani), test)]
fn section_5_3_masking_is_the_same_however_it_is_cut() {
    for_all(|(key, payload, cut): ([u8; 4], [u8; 8], usize)| {
        let (mut mask, mut masked) = (Mask::new(key), payload);
        let (start, rest) = masked.split_at_mut(cut % 9);
        mask.apply(start);
        mask.apply(rest);
        for at in 0..8 {
            assert!(masked[at] == payload[at] ^ key[at % 4]);
        }
    });
}

#[cfg(kani)]
fn for_all<T: kani::Arbitrary>(law: impl Fn(T)) {
    law(kani::any());
}

#[cfg(not(kani))]
fn for_all<T: proptest::arbitrary::Arbitrary>(law: impl Fn(T)) {
    // So many that the borders between encodings are met, too.
    let cases = proptest::test_runner::Config::with_cases(if cfg!(miri) { 16 } else { 1 << 16 });
    proptest::proptest!(cases, |(input: T)| law(input));
}
