//! Finds where the plain part of a JSON string ends, eight bytes at a time.

/// How many bytes from here on are neither quote, backslash nor control character; eight at a time.
pub(crate) fn plain(bytes: &[u8]) -> usize {
    let mut chunks = bytes.chunks_exact(8);
    let mut at = 0;
    for chunk in &mut chunks {
        let word = chunk
            .iter()
            .rev()
            .fold(0, |word, &byte| word << 8 | u64::from(byte));
        // The lowest mark is exact; those above it may be carried from it.
        let marks =
            (zeros(word ^ (ONES * 0x22)) | zeros(word ^ (ONES * 0x5c)) | below_space(word)) & HIGH;
        if marks != 0 {
            return at + marks.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let rest = chunks.remainder();
    at + rest
        .iter()
        .position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f))
        .unwrap_or(rest.len())
}

/// Marks the high bit of each byte that is zero.
fn zeros(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word
}

/// Marks the high bit of each byte below 0x20.
fn below_space(word: u64) -> u64 {
    word.wrapping_sub(ONES * 0x20) & !word
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = ONES * 0x80;

#[cfg(test)]
mod tests {
    use super::plain;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_plain_run_ends_where_a_byte_by_byte_look_ends_it(
            mut bytes in prop::collection::vec(prop_oneof![0x20..=0xff_u8, 0x5b..=0x5d_u8, 0x21..=0x23_u8], 0..40),
            special in prop::option::of((any::<prop::sample::Index>(), prop_oneof![0..=0x20_u8, Just(b'"'), Just(b'\\')])),
        ) {
            if let (Some((at, byte)), false) = (special, bytes.is_empty()) {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            let slow = bytes.iter().take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..=0x1f)).count();
            prop_assert_eq!(plain(&bytes), slow);
        }
    }
}
