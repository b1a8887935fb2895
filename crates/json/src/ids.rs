//! Makes span ids: 16 hex digits, never all zero, from a generator of the thread's own.

use crate::escape::HEX;
use std::cell::Cell;
use std::hash::{BuildHasher, RandomState};

thread_local! {
    // Seeded from the operating system's randomness through `RandomState`; no destructor.
    static SEED: Cell<u64> = const { Cell::new(0) };
}

/// A span id that is random enough to be unique, and not meant to be secret.
pub(crate) fn span_id() -> [u8; 16] {
    let id = next();
    std::array::from_fn(|n| HEX[(id >> (60 - 4 * n)) as usize & 0xf])
}

fn next() -> u64 {
    let mut seed = SEED.get();
    if seed == 0 {
        seed = RandomState::new().hash_one(0_u8);
    }
    loop {
        seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let id = mix(seed);
        if id != 0 && seed != 0 {
            SEED.set(seed);
            return id;
        }
    }
}

/// The output step of SplitMix64 (Steele, Lea and Flood 2014): a bijection, so that no id of a
/// thread comes twice.
fn mix(seed: u64) -> u64 {
    let a = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let b = (a ^ (a >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    b ^ (b >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn ids_are_16_lower_case_hex_digits_and_differ_between_threads() {
        let make = || (0..1000).map(|_| span_id()).collect::<Vec<_>>();
        let other = std::thread::spawn(make).join().unwrap();
        let all: HashSet<_> = make().into_iter().chain(other).collect();
        assert_eq!(all.len(), 2000);
        for id in all {
            assert!(id.iter().all(|c| HEX.contains(c)));
            assert_ne!(id, [b'0'; 16]);
        }
    }

    #[test]
    fn mixing_follows_the_published_generator() {
        // The first outputs of SplitMix64 from seed 1234567.
        let step = 0x9e37_79b9_7f4a_7c15_u64;
        let first = 1_234_567_u64.wrapping_add(step);
        assert_eq!(mix(first), 6_457_827_717_110_365_317);
        assert_eq!(mix(first.wrapping_add(step)), 3_203_168_211_198_807_973);
    }
}
