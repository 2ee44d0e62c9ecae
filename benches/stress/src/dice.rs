use crate::chunks::Lcg;

/// Choices, the same ones for the same seed.
#[derive(Debug)]
pub(crate) struct Dice(Lcg);

impl Dice {
    /// Neighbouring seeds would begin alike, so that they are mixed first.
    pub(crate) fn new(seed: u64) -> Self {
        let mixed = (seed ^ seed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        Self(Lcg::new(mixed ^ mixed >> 31))
    }

    /// A number below a limit, and 0 below a limit of 0.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0.below(limit)
    }

    /// True once in so many times; never for 0.
    pub(crate) fn one_in(&mut self, chances: usize) -> bool {
        chances > 0 && self.below(chances) == 0
    }

    pub(crate) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// The seed of other dice.
    pub(crate) fn seed(&mut self) -> u64 {
        u64::from(self.0.number()) << 32 | u64::from(self.0.number())
    }
}
