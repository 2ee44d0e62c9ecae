//! Every way of cutting gives the same bytes back, and the counts are what they should be.

use std::collections::BTreeSet;

use ws_testkit::chunks::{Lcg, all, cut, fixed, random, splits, two_splits, whole};

#[test]
fn every_way_gives_the_bytes_back_in_pieces_that_are_not_empty() {
    for len in [0, 1, 2, 3, 39, 40, 41, 200] {
        let bytes = Lcg::new(len as u64).bytes(len);
        let ways: Vec<_> = all(&bytes).collect();
        assert!(!ways.is_empty());
        for pieces in ways {
            assert_eq!(pieces.concat(), bytes);
            assert!(pieces.iter().all(|piece| !piece.is_empty()));
        }
    }
}

#[test]
fn splits_are_at_every_point_once() {
    let ways: Vec<_> = splits(b"abcd").collect();
    assert_eq!(ways, [vec![&b"a"[..], b"bcd"], vec![b"ab", b"cd"], vec![b"abc", b"d"]]);
    assert_eq!((splits(b"").count(), splits(b"a").count()), (0, 0));
}

#[test]
fn pairs_of_splits_are_at_every_pair_once() {
    let bytes = b"0123456789";
    let ways: BTreeSet<_> = two_splits(bytes).map(|pieces| (pieces[0].len(), pieces[1].len(), pieces.len())).collect();
    assert_eq!(ways.len(), 9 * 8 / 2);
    assert!(ways.iter().all(|way| way.2 == 3));
    assert_eq!(two_splits(bytes).count(), 36);
}

#[test]
fn fixed_pieces_have_one_size_and_a_shorter_last_one() {
    assert_eq!(fixed(b"abcde", 2), [&b"ab"[..], b"cd", b"e"]);
    assert_eq!(fixed(b"ab", 0), [b"a", b"b"]);
    assert_eq!(whole(b"abc"), [b"abc"]);
    assert!(whole(b"").is_empty());
}

#[test]
fn cut_ignores_points_that_cut_nothing() {
    assert_eq!(cut(b"abc", &[0, 1, 1, 3, 9]), [&b"a"[..], b"bc"]);
    assert!(cut(b"", &[0, 1]).is_empty());
}

#[test]
fn random_pieces_repeat_by_seed_and_keep_their_bound() {
    let bytes = [7; 500];
    assert_eq!(random(&bytes, 3, 20), random(&bytes, 3, 20));
    assert_ne!(random(&bytes, 3, 20), random(&bytes, 4, 20));
    let sizes: BTreeSet<_> = (0..50).flat_map(|seed| random(&bytes, seed, 20)).map(<[u8]>::len).collect();
    assert_eq!(sizes, (1..=20).collect());
    assert!(random(&bytes, 1, 0).iter().all(|piece| piece.len() == 1));
}

#[test]
fn the_generator_stays_below_its_bound_and_reaches_every_value() {
    let mut lcg = Lcg::new(0);
    let values: BTreeSet<_> = (0..200).map(|_| lcg.below(10)).collect();
    assert_eq!(values, (0..10).collect());
    assert_eq!(lcg.below(0), 0);
    assert_eq!(Lcg::new(9).bytes(8), Lcg::new(9).bytes(8));
    assert_ne!(Lcg::new(9).bytes(8), Lcg::new(10).bytes(8));
}
