//! Ways to cut a byte string into pieces, as a network does. No piece is ever empty: an empty read means the end.

/// The sizes that [`all`] cuts into: around every boundary of a header, a mask and a word.
pub const SIZES: [usize; 16] = [1, 2, 3, 4, 5, 6, 7, 8, 13, 14, 15, 16, 63, 64, 65, 1000];

/// Up to this many bytes [`all`] also cuts at every pair of points.
pub const PAIRS_UP_TO: usize = 40;

/// `bytes` in one piece, cut at every point, cut at every pair of points if they are at most [`PAIRS_UP_TO`], into every
/// size of [`SIZES`], and at random in 16 ways.
pub fn all(bytes: &[u8]) -> impl Iterator<Item = Vec<&[u8]>> {
    let pairs = (bytes.len() <= PAIRS_UP_TO).then(|| two_splits(bytes)).into_iter().flatten();
    let sizes = SIZES.into_iter().filter(|&size| size < bytes.len()).map(|size| fixed(bytes, size));
    let random = (0..16).map(|seed| random(bytes, seed, 1 + bytes.len() / 3));
    core::iter::once(whole(bytes)).chain(splits(bytes)).chain(pairs).chain(sizes).chain(random)
}

/// `bytes` in one piece, or in none if there are none.
#[must_use]
pub fn whole(bytes: &[u8]) -> Vec<&[u8]> {
    fixed(bytes, bytes.len())
}

/// `bytes` in two pieces, once for every point between two bytes.
pub fn splits(bytes: &[u8]) -> impl Iterator<Item = Vec<&[u8]>> {
    (1..bytes.len()).map(|at| cut(bytes, &[at]))
}

/// `bytes` in three pieces, once for every pair of points between two bytes. The number grows with the square.
pub fn two_splits(bytes: &[u8]) -> impl Iterator<Item = Vec<&[u8]>> {
    (1..bytes.len()).flat_map(move |first| (first + 1..bytes.len()).map(move |second| cut(bytes, &[first, second])))
}

/// `bytes` in pieces of `size` bytes and a shorter last one. A `size` of 0 counts as 1.
#[must_use]
pub fn fixed(bytes: &[u8], size: usize) -> Vec<&[u8]> {
    bytes.chunks(size.max(1)).collect()
}

/// `bytes` in pieces of 1 to `longest` bytes, the same ones for the same seed. A `longest` of 0 counts as 1.
#[must_use]
pub fn random(bytes: &[u8], seed: u64, longest: usize) -> Vec<&[u8]> {
    let mut lcg = Lcg::new(seed);
    let mut pieces = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let len = 1 + lcg.below(longest.max(1));
        let (piece, after) = rest.split_at_checked(len).unwrap_or((rest, &[]));
        pieces.push(piece);
        rest = after;
    }
    pieces
}

/// `bytes` cut at these points, which must rise; points at or past the end cut nothing.
#[must_use]
pub fn cut<'a>(bytes: &'a [u8], points: &[usize]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    let mut from = 0;
    for &to in points.iter().chain([&bytes.len()]) {
        if let Some(piece) = bytes.get(from..to).filter(|piece| !piece.is_empty()) {
            pieces.push(piece);
            from = to;
        }
    }
    pieces
}

/// A small linear congruential generator: the same numbers for the same seed, everywhere and for ever.
#[derive(Clone, Debug)]
pub struct Lcg {
    state: u64,
}

impl Lcg {
    /// A generator that begins at `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { state: seed.wrapping_add(Self::INCREMENT) }
    }

    /// The next number.
    pub fn number(&mut self) -> u32 {
        self.state = self.state.wrapping_mul(Self::MULTIPLIER).wrapping_add(Self::INCREMENT);
        // The low bits of such a generator have short periods.
        (self.state >> 32) as u32
    }

    /// A number below `bound`; 0 if `bound` is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.number() as usize).checked_rem(bound).unwrap_or(0)
    }

    /// `len` bytes.
    pub fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| (self.number() >> 24) as u8).collect()
    }

    /// Knuth's constants for 64 bits, from MMIX.
    const MULTIPLIER: u64 = 6_364_136_223_846_793_005;
    const INCREMENT: u64 = 1_442_695_040_888_963_407;
}
