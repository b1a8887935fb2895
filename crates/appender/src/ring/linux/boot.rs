//! Tells one start of the machine from another.

use std::fs;

/// The kernel's id of this start of the machine; zeros where there is none.
pub(crate) fn id() -> [u64; 2] {
    let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    parse(&text).unwrap_or_default()
}

fn parse(text: &str) -> Option<[u64; 2]> {
    let hex: String = text.trim().chars().filter(|&c| c != '-').collect();
    let half = |range| u64::from_str_radix(hex.get(range)?, 16).ok();
    (hex.len() == 32).then_some([half(0..16)?, half(16..32)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_two_numbers_and_anything_else_is_none() {
        let id = "00000000-0000-0001-0000-0000000000ff\n";
        assert_eq!(parse(id), Some([1, 255]));
        for other in ["", "1", "g0000000-0000-0001-0000-0000000000ff", "é"] {
            assert_eq!(parse(other), None, "{other}");
        }
    }
}
