//! Throws seeded dice: the same seed and the same labels give the same throws (SplitMix64).

/// A stream of numbers that is settled by its seed.
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    /// Dice for one purpose: `labels` keep the purposes of one run apart.
    pub(crate) fn new(seed: u64, labels: &[u64]) -> Dice {
        let mut dice = Dice(seed);
        for label in labels {
            dice.0 = dice.throw() ^ label.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
        dice
    }

    /// The next 64 bits.
    pub(crate) fn throw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 to `bound - 1`; `bound` is at least 1 and far below 2^64.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.throw() % bound
    }

    /// True `percent` times in a hundred.
    pub(crate) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_and_labels_throw_the_same() {
        let throws = |seed, labels: &[u64]| {
            let mut dice = Dice::new(seed, labels);
            [dice.throw(), dice.throw(), dice.throw()]
        };
        assert_eq!(throws(7, &[1, 2]), throws(7, &[1, 2]));
        assert_ne!(throws(7, &[1, 2]), throws(7, &[2, 1]));
        assert_ne!(throws(7, &[1, 2]), throws(8, &[1, 2]));
    }

    #[test]
    fn thirty_percent_is_about_thirty_in_a_hundred() {
        let mut dice = Dice::new(7, &[]);
        let hits = (0..10_000).filter(|_| dice.chance(30)).count();
        assert!((2_800..3_200).contains(&hits), "{hits}");
    }
}
