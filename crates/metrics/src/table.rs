//! Holds a bounded set of values that are found without a lock and never leave.
//!
//! Open addressing over `OnceLock` slots, at most half full. A lookup is a few atomic loads; only the
//! first sight of a value allocates. Values stay for the life of the table, because a counter that
//! vanishes and comes back reads as a restart.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

#[derive(Debug)]
pub(crate) struct Table<V> {
    slots: Box<[OnceLock<Box<V>>]>,
    len: AtomicUsize,
    max: usize,
}

impl<V> Table<V> {
    pub(crate) fn new(max: usize) -> Self {
        let slots = max.saturating_mul(2).next_power_of_two().max(2);
        Self {
            slots: (0..slots).map(|_| OnceLock::new()).collect(),
            len: AtomicUsize::new(0),
            max,
        }
    }

    /// The value that `same` knows, made by `make` at first sight; `None` when it is new and the
    /// table is full.
    pub(crate) fn find_or_insert(
        &self,
        hash: u64,
        same: impl Fn(&V) -> bool,
        make: impl Fn() -> V,
    ) -> Option<&V> {
        let mask = self.slots.len() - 1;
        #[expect(clippy::cast_possible_truncation, reason = "a hash has bits to spare")]
        let mut at = hash as usize & mask;
        // Ends: at most half of the slots are ever taken, so a probe meets an empty one.
        loop {
            match self.slots[at].get() {
                Some(value) if same(value) => return Some(value),
                Some(_) => at = (at + 1) & mask,
                None if !self.reserve() => return None,
                None => {
                    let mut made = false;
                    self.slots[at].get_or_init(|| {
                        made = true;
                        Box::new(make())
                    });
                    if !made {
                        // Another thread was first here. Its value may be the one wanted: look again.
                        self.len.fetch_sub(1, Ordering::Relaxed);
                    }
                }
            }
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &V> {
        self.slots
            .iter()
            .filter_map(OnceLock::get)
            .map(|value| &**value)
    }

    fn reserve(&self) -> bool {
        self.len
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |len| {
                (len < self.max).then_some(len + 1)
            })
            .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;
    use std::sync::atomic::AtomicU64;

    fn hit(table: &Table<(u64, AtomicU64)>, key: u64, hash: u64) -> bool {
        let found = table.find_or_insert(hash, |v| v.0 == key, || (key, AtomicU64::new(0)));
        found.map(|v| v.1.fetch_add(1, Ordering::Relaxed)).is_some()
    }

    #[test]
    fn a_full_table_refuses_the_new_and_still_finds_the_old() {
        let table = Table::new(3);
        for key in 0..3 {
            assert!(hit(&table, key, 7), "key {key}, all on one hash");
        }
        assert!(!hit(&table, 3, 7));
        assert!(!hit(&table, 3, 1));
        assert!(hit(&table, 2, 7));
        assert_eq!(table.iter().count(), 3);
    }

    #[test]
    fn a_table_for_none_refuses_all() {
        assert!(!hit(&Table::new(0), 1, 1));
    }

    #[test]
    fn threads_that_meet_at_one_slot_share_or_step_aside_and_lose_no_count() {
        const THREADS: u64 = 8;
        const KEYS: u64 = 16;
        for round in 0..50 {
            let table = Table::new(KEYS as usize);
            let barrier = Barrier::new(THREADS as usize);
            std::thread::scope(|scope| {
                for _ in 0..THREADS {
                    scope.spawn(|| {
                        barrier.wait();
                        for key in 0..KEYS {
                            // Two keys a hash: neighbours fight for the same slots.
                            while !hit(&table, key, key / 2) {}
                        }
                    });
                }
            });
            let mut counts: Vec<_> = table
                .iter()
                .map(|(key, count)| (*key, count.load(Ordering::Relaxed)))
                .collect();
            counts.sort_unstable();
            let all: Vec<_> = (0..KEYS).map(|key| (key, THREADS)).collect();
            assert_eq!(counts, all, "round {round}");
        }
    }
}
