//! Remembers which values there were, up to a bound.

use std::collections::HashMap;

/// Values by their hash, each with the time at which it last came: 16 bytes of each.
#[derive(Debug)]
pub(crate) struct Known {
    max: usize,
    last: HashMap<u64, u64>,
    forgotten: u64,
}

impl Known {
    pub(crate) fn new(max: usize) -> Self {
        Self {
            max,
            last: HashMap::new(),
            forgotten: 0,
        }
    }

    /// Whether a value is new; now it is known. Beyond the bound those that did not come for the
    /// longest time are forgotten.
    pub(crate) fn is_new(&mut self, value: u64, now: u64) -> bool {
        if let Some(last) = self.last.get_mut(&value) {
            *last = now;
            return false;
        }
        if self.last.len() >= self.max {
            self.forget();
        }
        self.last.insert(value, now);
        true
    }

    /// The values' hashes, and when each last came.
    pub(crate) fn values(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.last.iter().map(|(&value, &last)| (value, last))
    }

    pub(crate) fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// An eighth at once: looking through all for each new value would cost a storm too much.
    fn forget(&mut self) {
        let mut times: Vec<u64> = self.last.values().copied().collect();
        let at = (self.max / 8).min(times.len().saturating_sub(1));
        let (_, &mut limit, _) = times.select_nth_unstable(at);
        let before = self.last.len();
        self.last.retain(|_, &mut last| last > limit);
        self.forgotten += (before - self.last.len()) as u64;
    }
}

/// FNV-1a: the same over restarts and on every machine, unlike std's hasher.
pub(crate) fn hash<'a>(parts: impl IntoIterator<Item = &'a str>) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for part in parts {
        for byte in part.bytes().chain([0xff]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::Known;

    #[test]
    fn a_value_is_new_once_and_again_only_when_it_was_forgotten() {
        let mut known = Known::new(16);
        for value in 0..16 {
            assert!(known.is_new(value, value), "{value}");
        }
        assert!(!known.is_new(0, 20), "it came again, and stays");
        assert!(known.is_new(99, 21));
        assert_eq!(known.forgotten(), 3);
        assert!(!known.is_new(0, 22));
        assert!(known.is_new(1, 23), "the oldest were forgotten");
        let mut one = Known::new(1);
        assert_eq!(
            [1, 1, 2, 1].map(|value| one.is_new(value, 0)),
            [true, false, true, true]
        );
    }
}
