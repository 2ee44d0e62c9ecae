use crate::input::{Input, pieces};
use ws_frame::Mask;
use ws_testkit::naive;

/// Masking, against the naive one: any key, length, place in memory and cut.
///
/// The input: the key (4 bytes), where the payload lies in memory, how often it is repeated, the sizes of pieces (counted),
/// the payload.
pub fn mask(input: &[u8]) {
    let mut input = Input::new(input);
    let key = [input.byte(), input.byte(), input.byte(), input.byte()];
    let at = usize::from(input.byte());
    let times = 1 + usize::from(input.byte());
    let sizes = input.counted();
    let payload = input.rest();
    let payload = payload.repeat(times.min(1 + LONGEST / payload.len().max(1)));
    let expected = naive::masked(&payload, key);

    let mut in_place = vec![0; at];
    in_place.extend(&payload);
    let mut copied = vec![0xee; at + payload.len() + 1];
    let (mut apply, mut copy, mut skip) = (Mask::new(key), Mask::new(key), Mask::new(key));
    let mut place = at;
    for piece in pieces(&payload, sizes) {
        let end = place + piece.len();
        apply.apply(&mut in_place[place..end]);
        // The shorter of the two counts.
        let room = if end % 2 == 0 { end } else { copied.len() };
        copy.copy(piece, &mut copied[place..room]);
        skip.skip(piece.len() as u64);
        place = end;
        assert_eq!((apply, copy), (skip, skip), "the place in the key");
        for (i, byte) in skip.key().iter().enumerate() {
            assert_eq!(*byte, key[(end - at + i) % 4]);
        }
    }
    assert_eq!(in_place[at..], expected, "in place");
    assert_eq!(copied[at..][..payload.len()], expected, "copied");
    assert_eq!(copied[at + payload.len()], 0xee, "it writes no more than it reads");
    assert!(in_place[..at].iter().all(|byte| *byte == 0), "it writes nothing before");

    Mask::new(key).apply(&mut in_place[at..]);
    assert_eq!(in_place[at..], payload, "twice is not at all");
}

const LONGEST: usize = 2048;
