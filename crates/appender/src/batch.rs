//! Whole lines in a row, with the levels they had.

use std::collections::VecDeque;

/// Lines as bytes, and beside them how many of each level in which order: what is needed to count a
/// batch that is written in part.
#[derive(Default)]
pub(crate) struct Batch {
    bytes: Vec<u8>,
    runs: VecDeque<Run>,
}

/// So many lines of one level in a row.
#[derive(Clone, Copy)]
struct Run {
    slot: u32,
    lines: u32,
}

impl Batch {
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(crate) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// What it takes of the bound.
    pub(crate) fn cost(&self) -> usize {
        self.bytes.len() + self.runs.len() * RUN
    }

    /// What these lines would take at most.
    pub(crate) fn cost_of(lines: &[u8]) -> usize {
        lines.len().saturating_add(RUN)
    }

    /// Adds lines, growing to at most `max` bytes.
    pub(crate) fn push(&mut self, slot: usize, count: u64, lines: &[u8], max: usize) {
        let needed = self.bytes.len() + lines.len();
        if needed > self.bytes.capacity() {
            let grown = (self.bytes.capacity() * 2)
                .clamp(FIRST, max.max(FIRST))
                .max(needed);
            self.bytes.reserve_exact(grown - self.bytes.len());
        }
        self.bytes.extend_from_slice(lines);
        let (slot, count) = (slot as u32, u32::try_from(count).unwrap_or(u32::MAX));
        match self.runs.back_mut() {
            Some(run) if run.slot == slot && run.lines.checked_add(count).is_some() => {
                run.lines += count;
            }
            _ => self.runs.push_back(Run { slot, lines: count }),
        }
    }

    /// Takes the first `lines` out of the count, level by level.
    pub(crate) fn settle(&mut self, mut lines: u64, mut count: impl FnMut(usize, u64)) {
        while lines > 0 {
            let Some(run) = self.runs.front_mut() else {
                return;
            };
            let now = lines.min(u64::from(run.lines));
            count(run.slot as usize, now);
            lines -= now;
            run.lines -= now as u32;
            if run.lines == 0 {
                self.runs.pop_front();
            }
        }
    }

    /// Drops the first lines, at least `bytes` of them if there are so many.
    pub(crate) fn drop_first(&mut self, bytes: usize, count: impl FnMut(usize, u64)) {
        let from = bytes.saturating_sub(1).min(self.bytes.len());
        let border = memchr::memchr(b'\n', &self.bytes[from..]);
        let end = border.map_or(self.bytes.len(), |border| from + border + 1);
        let lines = memchr::memchr_iter(b'\n', &self.bytes[..end]).count() as u64;
        self.bytes.drain(..end);
        self.settle(lines, count);
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.runs.clear();
    }
}

/// The size of a run counts too: lines of one byte and alternating levels are mostly runs.
const RUN: usize = size_of::<Run>();

/// The first allocation; also when the writer is woken.
pub(crate) const FIRST: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_settles_its_lines_in_order_level_by_level() {
        let mut batch = Batch::default();
        for (slot, count, lines) in [
            (2, 1, "a\n"),
            (2, 2, "b\nc\n"),
            (4, 1, "d\n"),
            (2, 1, "e\n"),
        ] {
            batch.push(slot, count, lines.as_bytes(), 1 << 20);
        }
        assert_eq!(batch.bytes(), b"a\nb\nc\nd\ne\n");
        assert_eq!(batch.cost(), 10 + 3 * RUN);
        let mut settled = Vec::new();
        for lines in [2, 2, 9] {
            batch.settle(lines, |slot, lines| settled.push((slot, lines)));
        }
        assert_eq!(settled, [(2, 2), (2, 1), (4, 1), (2, 1)]);
    }

    #[test]
    fn a_batch_drops_its_first_lines_at_a_line_border() {
        for (bytes, left) in [(1, "b\nc\n"), (2, "b\nc\n"), (3, "c\n"), (6, ""), (99, "")] {
            let mut batch = Batch::default();
            for (slot, line) in ["a\n", "b\n", "c\n"].into_iter().enumerate() {
                batch.push(slot, 1, line.as_bytes(), 1 << 20);
            }
            let mut dropped = 0;
            batch.drop_first(bytes, |_, lines| dropped += lines);
            assert_eq!(batch.bytes(), left.as_bytes(), "{bytes}");
            assert_eq!(dropped as usize, 3 - left.len() / 2, "{bytes}");
            assert_eq!(batch.cost(), left.len() + left.len() / 2 * RUN, "{bytes}");
        }
    }

    #[test]
    fn a_batch_never_allocates_more_than_its_bound() {
        let mut batch = Batch::default();
        let max = 300_000;
        while batch.bytes().len() < max {
            batch.push(0, 1, &[b'\n'; 100], max);
        }
        assert_eq!(batch.capacity(), max);
    }
}
