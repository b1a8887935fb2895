//! A set of hashes that may take a stranger for a member, one of 256, and never a member for a
//! stranger: an xor filter, ten bits a member.
//!
//! Graf and Lemire, "Xor Filters: Faster and Smaller Than Bloom and Cuckoo Filters", 2020.

/// The set. Each member's three cells, one in each third, xor to its fingerprint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Filter {
    pub(crate) seed: u64,
    /// A multiple of three; empty for a set of nothing.
    pub(crate) cells: Vec<u8>,
}

impl Filter {
    /// A set of these, which must be different from each other.
    pub(crate) fn of(members: &[u64]) -> Self {
        if members.is_empty() {
            return Self {
                seed: 0,
                cells: Vec::new(),
            };
        }
        let third = (members.len() + members.len() * 23 / 100 + 32) / 3;
        // Nine of ten seeds do.
        (1..)
            .find_map(|seed| Self::with(members, seed, third))
            .expect("of 2^64 seeds one does")
    }

    /// Whether it may be a member.
    pub(crate) fn may_have(&self, member: u64) -> bool {
        let third = self.cells.len() / 3;
        if third == 0 {
            return false;
        }
        let hash = mixed(member, self.seed);
        let xored = places(hash, third)
            .into_iter()
            .fold(0, |xored, place| xored ^ self.cells[place]);
        xored == fingerprint(hash)
    }

    /// With this seed, unless it puts members into each other's way.
    fn with(members: &[u64], seed: u64, third: usize) -> Option<Self> {
        // Of each cell how many members want it, and all of these xored: of one alone, itself.
        let mut wanted = vec![(0_u32, 0_u64); 3 * third];
        for member in members {
            let hash = mixed(*member, seed);
            for place in places(hash, third) {
                wanted[place].0 += 1;
                wanted[place].1 ^= hash;
            }
        }
        let mut alone: Vec<usize> = (0..wanted.len())
            .filter(|place| wanted[*place].0 == 1)
            .collect();
        let mut order = Vec::with_capacity(members.len());
        while let Some(place) = alone.pop() {
            let (count, hash) = wanted[place];
            if count != 1 {
                continue;
            }
            order.push((hash, place));
            for other in places(hash, third) {
                wanted[other].0 -= 1;
                wanted[other].1 ^= hash;
                if wanted[other].0 == 1 {
                    alone.push(other);
                }
            }
        }
        if order.len() < members.len() {
            return None;
        }
        let mut cells = vec![0; 3 * third];
        // Backwards each finds its own cell untouched, so that it can be made right.
        for (hash, own) in order.into_iter().rev() {
            cells[own] = places(hash, third)
                .into_iter()
                .fold(fingerprint(hash), |xored, place| xored ^ cells[place]);
        }
        Some(Self { seed, cells })
    }
}

/// One cell of each third.
fn places(hash: u64, third: usize) -> [usize; 3] {
    [0, 21, 42].map(|rotated| {
        let part = u64::from(hash.rotate_left(rotated) as u32);
        let within = (part * third as u64) >> 32;
        within as usize + third * (rotated as usize / 21)
    })
}

fn fingerprint(hash: u64) -> u8 {
    (hash ^ (hash >> 32)) as u8
}

/// The finalizer of MurmurHash3, behind the seed.
fn mixed(member: u64, seed: u64) -> u64 {
    let mut hash = member.wrapping_add(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

#[cfg(test)]
mod tests {
    use super::Filter;

    fn numbers(range: std::ops::Range<u64>) -> Vec<u64> {
        range
            .map(|number| super::super::xxh64::xxh64(&number.to_le_bytes(), 0))
            .collect()
    }

    #[test]
    fn every_member_is_found_and_one_stranger_of_256_too() {
        for count in [1, 2, 3, 10, 100, 4_000, 70_000] {
            let filter = Filter::of(&numbers(0..count));
            assert!(
                numbers(0..count)
                    .iter()
                    .all(|member| filter.may_have(*member))
            );
            let strangers = numbers(1_000_000..1_100_000);
            let taken = strangers
                .iter()
                .filter(|stranger| filter.may_have(**stranger))
                .count();
            assert!((250..550).contains(&taken), "{taken} of 100000 at {count}");
            if count >= 4_000 {
                assert!(filter.cells.len() as u64 * 8 <= count * 10, "{count}");
            }
        }
    }

    #[test]
    fn a_set_of_nothing_has_nothing() {
        assert!(!Filter::of(&[]).may_have(7));
    }
}
