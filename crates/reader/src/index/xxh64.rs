//! The hash XXH64, which the format of an index has: for checksums, and for the ids of a filter.

use twox_hash::XxHash64;

/// The hash of a text (xxHash fast digest algorithm, specification 0.2.0, "XXH64").
pub(crate) fn xxh64(text: &[u8], seed: u64) -> u64 {
    XxHash64::oneshot(seed, text)
}

#[cfg(test)]
mod tests {
    use super::xxh64;

    #[test]
    fn the_hash_is_the_one_of_the_specification() {
        // The sanity buffer of the reference's own test, `xxhsum.c`.
        let mut generator = 2_654_435_761_u64;
        let buffer: Vec<u8> = (0..222)
            .map(|_| {
                let byte = (generator >> 56) as u8;
                generator = generator.wrapping_mul(11_400_714_785_074_694_797);
                byte
            })
            .collect();
        let seed = 2_654_435_761;
        for (length, seed, expected) in [
            (0, 0, 0xef46_db37_51d8_e999),
            (0, seed, 0xac75_fda2_929b_17ef),
            (1, 0, 0xe934_a84a_db05_2768),
            (1, seed, 0x5014_6076_43a9_b4c3),
            (4, 0, 0x9136_a0dc_a574_57ee),
            (14, 0, 0x8282_dcc4_994e_35c8),
            (14, seed, 0xc3bd_6bf6_3deb_6df0),
            (32, 0, 0x18b2_1649_2bb4_4b70),
            (63, seed, 0x6c91_1fad_b05b_6fc2),
            (222, 0, 0xb641_ae8c_b691_c174),
            (222, seed, 0x20cb_8ab7_ae10_c14a),
        ] {
            assert_eq!(xxh64(&buffer[..length], seed), expected, "{length} {seed}");
        }
        assert_eq!(xxh64(b"abc", 0), 0x44bc_2cf5_ad77_0999);
    }
}
