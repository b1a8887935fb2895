//! Whole lines in a row, with the levels they had.

use std::collections::VecDeque;

use crate::ring::Area;

/// Lines as bytes, and beside them how many of each level in which order: what is needed to count a
/// batch that is written in part.
///
/// The bytes lie in pieces that begin and end at line borders. What is written of a batch goes back
/// piece by piece and is filled again, so that memory is bounded by what waits, and stays warm.
#[derive(Default)]
pub(crate) struct Batch {
    pieces: VecDeque<Vec<u8>>,
    /// So much of the first piece is dealt with.
    at: usize,
    /// What is not.
    bytes: usize,
    runs: VecDeque<Run>,
    /// In a crash ring, and then nothing is in the others.
    area: Option<Area>,
}

/// Pieces that are empty, the warmest one last.
#[derive(Default)]
pub(crate) struct Spare(Vec<Vec<u8>>);

/// So many lines of one level in a row.
#[derive(Clone, Copy)]
struct Run {
    slot: u32,
    lines: u32,
}

impl Batch {
    /// A batch in this area, which is empty.
    pub(crate) fn in_ring(area: Area) -> Self {
        Self {
            area: Some(area),
            ..Self::default()
        }
    }

    pub(crate) fn is_in_ring(&self) -> bool {
        self.area.is_some()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes() == 0
    }

    /// How many bytes there are.
    pub(crate) fn bytes(&self) -> usize {
        self.area.as_ref().map_or(self.bytes, Area::bytes)
    }

    /// The first of them: one or more whole lines, or the rest of one that was written in part.
    pub(crate) fn first(&self) -> &[u8] {
        if let Some(area) = &self.area {
            return area.first();
        }
        self.pieces.front().map_or(&[], |piece| &piece[self.at..])
    }

    /// Whether it holds a line whose place among the levels is one of these.
    pub(crate) fn holds(&self, slots: std::ops::Range<usize>) -> bool {
        if let Some(area) = &self.area {
            return area.holds(slots);
        }
        self.runs
            .iter()
            .any(|run| slots.contains(&(run.slot as usize)))
    }

    /// What it takes of the bound.
    pub(crate) fn cost(&self) -> usize {
        if let Some(area) = &self.area {
            return area.cost();
        }
        self.bytes + self.runs.len() * RUN
    }

    /// Adds lines. A new piece takes at most `max` bytes, unless they are more.
    pub(crate) fn push(
        &mut self,
        (slot, count): (usize, u64),
        lines: &[u8],
        spare: &mut Spare,
        max: usize,
    ) {
        if let Some(area) = &mut self.area {
            return area.push(slot, count, lines);
        }
        match self.pieces.back_mut() {
            Some(piece) if piece.capacity() - piece.len() >= lines.len() => {
                piece.extend_from_slice(lines);
            }
            _ => {
                let mut piece = spare.take(lines.len(), max);
                piece.extend_from_slice(lines);
                self.pieces.push_back(piece);
            }
        }
        self.bytes += lines.len();
        let (slot, count) = (slot as u32, u32::try_from(count).unwrap_or(u32::MAX));
        match self.runs.back_mut() {
            Some(run) if run.slot == slot && run.lines.checked_add(count).is_some() => {
                run.lines += count;
            }
            _ => self.runs.push_back(Run { slot, lines: count }),
        }
    }

    /// Leaves the next `bytes` of the first piece behind.
    pub(crate) fn pass(&mut self, bytes: usize, spare: &mut Spare) {
        if let Some(area) = &mut self.area {
            return area.pass(bytes);
        }
        self.at += bytes;
        self.bytes -= bytes;
        if self.first().is_empty() {
            self.at = 0;
            self.pieces
                .pop_front()
                .into_iter()
                .for_each(|p| spare.give(p));
        }
    }

    /// Takes the first `lines` out of the count, level by level.
    pub(crate) fn settle(&mut self, mut lines: u64, mut count: impl FnMut(usize, u64)) {
        if let Some(area) = &mut self.area {
            return area.settle(lines, count);
        }
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
    pub(crate) fn drop_first(
        &mut self,
        mut bytes: usize,
        spare: &mut Spare,
        count: impl FnMut(usize, u64),
    ) {
        if let Some(area) = &mut self.area {
            return area.drop_first(bytes, count);
        }
        let mut lines = 0;
        while bytes > 0 && !self.is_empty() {
            let first = self.first();
            let border = memchr::memchr(b'\n', &first[(bytes - 1).min(first.len())..]);
            let end = border.map_or(first.len(), |border| bytes + border);
            lines += memchr::memchr_iter(b'\n', &first[..end]).count() as u64;
            bytes = bytes.saturating_sub(end);
            self.pass(end, spare);
        }
        self.settle(lines, count);
    }

    /// Swaps the filled batch for `empty`, for the writer to write it.
    pub(crate) fn hand_over(&mut self, empty: &mut Self) {
        if let (Some(filled), Some(empty)) = (&self.area, &empty.area) {
            // Where nothing came no area changes its role.
            if filled.bytes() == 0 {
                return;
            }
            filled.hand_over_for(empty);
        }
        std::mem::swap(self, empty);
    }

    pub(crate) fn clear(&mut self, spare: &mut Spare) {
        if let Some(area) = &mut self.area {
            return area.clear();
        }
        self.pieces.drain(..).for_each(|piece| spare.give(piece));
        (self.at, self.bytes) = (0, 0);
        self.runs.clear();
    }
}

impl Spare {
    fn take(&mut self, least: usize, max: usize) -> Vec<u8> {
        if self.0.last().is_some_and(|piece| piece.capacity() >= least) {
            self.0.pop().expect("there is a last one")
        } else {
            Vec::with_capacity(PIECE.min(max).max(least))
        }
    }

    // Those of long lines go: they are larger than most need.
    fn give(&mut self, mut piece: Vec<u8>) {
        if piece.capacity() <= PIECE {
            piece.clear();
            self.0.push(piece);
        }
    }

    /// How many pieces shall be made ahead, for a queue of `max` bytes while lines come fast.
    pub(crate) fn wanted(&self, max: usize) -> usize {
        AHEAD.min(max / PIECE / 8).saturating_sub(self.0.len())
    }

    /// Adds pieces that were made ahead, each of its pages written to: the first line on a page would
    /// pay a microsecond for it. The warmer ones are taken before them.
    pub(crate) fn add(&mut self, made: Vec<Vec<u8>>) {
        self.0.splice(0..0, made);
    }

    /// Such pieces, to be made by who does not hold the lock.
    pub(crate) fn make(count: usize) -> Vec<Vec<u8>> {
        let piece = |_| {
            let mut piece = vec![1; PIECE];
            piece.clear();
            piece
        };
        (0..count).map(piece).collect()
    }

    /// All but a few, to be freed by who does not hold the lock.
    pub(crate) fn surplus(&mut self) -> Vec<Vec<u8>> {
        self.0.split_off(self.0.len().min(FEW))
    }

    #[cfg(test)]
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }
}

/// The size of a run counts too: lines of one byte and alternating levels are mostly runs.
pub(crate) const RUN: usize = size_of::<Run>();

/// So many bytes wake the writer.
pub(crate) const FIRST: usize = 64 * 1024;

/// What a piece holds: a write of this size costs the kernel little more than the copy.
pub(crate) const PIECE: usize = 256 * 1024;

/// Pieces that are kept when few lines come: one to fill while another is written.
const FEW: usize = 1;

/// Pieces that are ready while lines come fast: a MiB, as much as comes while the writer is held up.
const AHEAD: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(batch: &Batch) -> Vec<u8> {
        let mut pieces: Vec<_> = batch.pieces.iter().map(|piece| &piece[..]).collect();
        if let Some(first) = pieces.first_mut() {
            *first = batch.first();
        }
        pieces.concat()
    }

    #[test]
    fn a_batch_settles_its_lines_in_order_level_by_level() {
        let (mut batch, mut spare) = (Batch::default(), Spare::default());
        for (slot, count, lines) in [
            (2, 1, "a\n"),
            (2, 2, "b\nc\n"),
            (4, 1, "d\n"),
            (2, 1, "e\n"),
        ] {
            batch.push((slot, count), lines.as_bytes(), &mut spare, 1 << 20);
        }
        assert_eq!(batch.first(), b"a\nb\nc\nd\ne\n");
        assert_eq!(batch.cost(), 10 + 3 * RUN);
        let mut settled = Vec::new();
        for lines in [2, 2, 9] {
            batch.settle(lines, |slot, lines| settled.push((slot, lines)));
        }
        assert_eq!(settled, [(2, 2), (2, 1), (4, 1), (2, 1)]);
    }

    #[test]
    fn a_batch_drops_its_first_lines_at_a_line_border() {
        // All in one piece, and each line in a piece of its own.
        for max in [1 << 20, 2] {
            for (drop, left) in [(1, "b\nc\n"), (2, "b\nc\n"), (3, "c\n"), (6, ""), (99, "")] {
                let (mut batch, mut spare) = (Batch::default(), Spare::default());
                for (slot, line) in ["a\n", "b\n", "c\n"].into_iter().enumerate() {
                    batch.push((slot, 1), line.as_bytes(), &mut spare, max);
                }
                let mut dropped = 0;
                batch.drop_first(drop, &mut spare, |_, lines| dropped += lines);
                assert_eq!(bytes(&batch), left.as_bytes(), "{drop}");
                assert_eq!(batch.bytes(), left.len(), "{drop}");
                assert_eq!(dropped as usize, 3 - left.len() / 2, "{drop}");
                assert_eq!(batch.cost(), left.len() + left.len() / 2 * RUN, "{drop}");
            }
        }
    }

    #[test]
    fn no_line_is_cut_by_the_end_of_a_piece_and_what_is_passed_is_filled_again() {
        let (mut batch, mut spare) = (Batch::default(), Spare::default());
        let fill = |batch: &mut Batch, spare: &mut Spare| {
            for line in ["aaa\n", "b\n", "ccccc\n", "seventh\n", "d\n"] {
                batch.push((0, 1), line.as_bytes(), spare, 8);
            }
        };
        fill(&mut batch, &mut spare);
        for (pass, first) in [
            (2, "aaa\nb\n"),
            (4, "a\nb\n"),
            (6, "ccccc\n"),
            (8, "seventh\n"),
            (2, "d\n"),
        ] {
            assert_eq!(batch.first(), first.as_bytes());
            batch.pass(pass, &mut spare);
        }
        assert!(batch.is_empty() && batch.first().is_empty());
        assert_eq!(spare.count(), 4);
        fill(&mut batch, &mut spare);
        assert_eq!(spare.count(), 0);
        batch.clear(&mut spare);
        assert_eq!((batch.bytes(), batch.cost(), spare.count()), (0, 0, 4));
        assert_eq!(spare.surplus().len(), 3);
    }

    #[test]
    fn a_batch_takes_little_more_memory_than_its_lines() {
        for (line, most) in [
            (200, 1.05),
            (50_000, 1.4),
            (PIECE / 2 + 1, 2.0),
            (PIECE * 2, 1.0),
        ] {
            let (mut batch, mut spare) = (Batch::default(), Spare::default());
            let lines = vec![b'\n'; line];
            while batch.bytes() < 8 << 20 {
                batch.push((0, 1), &lines, &mut spare, 8 << 20);
            }
            let taken: usize = batch.pieces.iter().map(Vec::capacity).sum();
            assert!(
                taken as f64 <= batch.bytes() as f64 * most,
                "{line}: {taken} for {}",
                batch.bytes()
            );
        }
    }
}
