//! Hashes the labels of a series. Fast, and no guard against chosen collisions: see below.

/// Folds text and a number into one.
///
/// Labels are chosen by the application, not by its clients: templates, words, statuses. Were they
/// chosen to collide all the same, the bound on series bounds the probing too.
pub(crate) fn hash(text: &str, number: u64) -> u64 {
    let mut chunks = text.as_bytes().chunks_exact(8);
    let mut state = fold(fold(ODD, number), text.len() as u64);
    for chunk in &mut chunks {
        state = fold(state, word(chunk));
    }
    fold(state, word(chunks.remainder()))
}

fn word(bytes: &[u8]) -> u64 {
    let mut padded = [0; 8];
    padded[..bytes.len()].copy_from_slice(bytes);
    u64::from_le_bytes(padded)
}

/// Both halves of the product, so that high bits reach the low ones, which pick the slot.
fn fold(state: u64, word: u64) -> u64 {
    let product = u128::from(state ^ word) * u128::from(ODD);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the halves are what is wanted"
    )]
    let (low, high) = (product as u64, (product >> 64) as u64);
    low ^ high
}

// 2^64 divided by the golden ratio, as in Knuth's multiplicative hashing.
const ODD: u64 = 0x9E37_79B9_7F4A_7C15;

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn what_differs_a_little_lands_in_different_slots() {
        let mut slots = HashSet::new();
        for n in 0..1_000 {
            slots.insert(hash(&format!("/api/orders/{n}/pay"), 200) & 4_095);
        }
        // A thousand balls into 4,096 slots at random fill about 887 of them.
        assert!(slots.len() > 850, "{} slots", slots.len());
    }

    #[test]
    fn length_number_and_padding_tell_texts_apart() {
        let texts = [
            "",
            "\0",
            "\0\0\0\0\0\0\0\0",
            "a",
            "a\0",
            "abcdefgh",
            "abcdefghi",
        ];
        let hashes: HashSet<_> = texts
            .iter()
            .flat_map(|text| [hash(text, 0), hash(text, 1)])
            .collect();
        assert_eq!(hashes.len(), 2 * texts.len());
    }
}
