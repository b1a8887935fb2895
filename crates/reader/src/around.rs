//! Picks, beside the lines that are found, those around them. Pure.

use std::collections::VecDeque;
use std::ops::Range;
use std::path::{Path, PathBuf};

use dogwatch_line::Verdict;

use crate::blocks::trimmed;
use crate::search::{Hit, Place};

/// What a reading keeps for the lines before one that may be found in the next block.
#[derive(Debug)]
pub(crate) struct Around {
    lines: usize,
    /// The last lines that were not given, with their files.
    before: VecDeque<(Vec<u8>, PathBuf)>,
    /// So many lines behind one that was found are still to be given.
    after: usize,
    /// Whether lines were left out since the last that was given.
    gap: bool,
    any: bool,
    /// Lines of earlier blocks that are to be given now, in the order of their hits.
    kept: VecDeque<(Vec<u8>, PathBuf)>,
    /// The one of them that is given.
    given: (Vec<u8>, PathBuf),
}

impl Around {
    /// So many lines before and after.
    pub(crate) fn new(lines: usize) -> Self {
        Self {
            lines,
            before: VecDeque::new(),
            after: 0,
            gap: false,
            any: false,
            kept: VecDeque::new(),
            given: Default::default(),
        }
    }

    /// The next line of an earlier block, with its file.
    pub(crate) fn kept(&mut self) -> (&[u8], &Path) {
        self.given = self.kept.pop_front().unwrap_or_default();
        (&self.given.0, &self.given.1)
    }

    /// What is read next does not follow what was read.
    pub(crate) fn leap(&mut self) {
        self.before.clear();
        self.after = 0;
        self.gap = true;
    }

    /// The lines of a block that are found, and those around them.
    pub(crate) fn block(&mut self, block: &[u8], path: &Path, found: &[Hit]) -> Vec<Hit> {
        let mut out = Vec::new();
        let mut at = 0;
        for hit in found {
            let start = memchr::memrchr(b'\n', &block[..hit.start]).map_or(0, |end| end + 1);
            at = self.behind(block, at..start, &mut out);
            let (lines, rest) = last(block, at..start, self.lines);
            self.reach(rest, lines.len());
            let kept = self.before.drain(..).map(|kept| {
                self.kept.push_back(kept);
                Place::Kept
            });
            let kept: Vec<Hit> = kept.map(|place| around(0..0, place)).collect();
            let lines = lines.into_iter().map(|line| around(line, Place::Around));
            let first = out.len();
            out.extend(kept.into_iter().chain(lines));
            out.push(*hit);
            out[first].gap = std::mem::take(&mut self.gap) && self.any;
            self.any = true;
            self.after = self.lines;
            at = memchr::memchr(b'\n', &block[hit.end..])
                .map_or(block.len(), |end| hit.end + end + 1);
        }
        at = self.behind(block, at..block.len(), &mut out);
        let (lines, rest) = last(block, at..block.len(), self.lines);
        self.reach(rest, lines.len());
        let lines = lines.into_iter().map(|line| block[line].to_vec());
        self.before
            .extend(lines.map(|line| (line, path.to_owned())));
        out
    }

    /// Gives the lines behind the last that was found, as many as are still to be given; where the
    /// others begin.
    fn behind(&mut self, block: &[u8], range: Range<usize>, out: &mut Vec<Hit>) -> usize {
        let mut at = range.start;
        while self.after > 0 && at < range.end {
            let end = memchr::memchr(b'\n', &block[at..range.end]);
            let end = end.map_or(range.end, |end| at + end + 1);
            if let Some(line) = text(block, at..end) {
                out.push(around(line, Place::Around));
                self.after -= 1;
            }
            at = end;
        }
        at
    }

    /// So many lines stand behind those that were kept, and perhaps others between.
    fn reach(&mut self, others: bool, lines: usize) {
        let room = if others { 0 } else { self.lines - lines };
        let many = self.before.len().saturating_sub(room);
        self.gap |= others || many > 0;
        self.before.drain(..many);
    }
}

/// The last lines of a part of a block, at most so many, and whether there are others before them.
fn last(block: &[u8], range: Range<usize>, most: usize) -> (Vec<Range<usize>>, bool) {
    let mut lines = Vec::new();
    let mut end = range.end;
    while lines.len() < most && end > range.start {
        let before = &block[range.start..end - 1];
        let start = memchr::memrchr(b'\n', before).map_or(range.start, |at| range.start + at + 1);
        lines.extend(text(block, start..end));
        end = start;
    }
    lines.reverse();
    let others = block[range.start..end]
        .iter()
        .any(|byte| !b"\r\n".contains(byte));
    (lines, others)
}

/// Where the text of a line stands; an empty line is none.
fn text(block: &[u8], line: Range<usize>) -> Option<Range<usize>> {
    let whole = &block[line.clone()];
    let text = trimmed(whole);
    let start = line.start + (text.as_ptr() as usize - whole.as_ptr() as usize);
    (!text.is_empty()).then_some(start..start + text.len())
}

fn around(line: Range<usize>, place: Place) -> Hit {
    Hit {
        start: line.start,
        end: line.end,
        verdict: Verdict::Fails,
        place,
        gap: false,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use dogwatch_line::Verdict;
    use proptest::prelude::*;

    use super::{Around, text};
    use crate::search::{Hit, Place};

    /// What is given of the blocks of a log: found lines are capitals, `-` stands before a gap.
    fn given(lines: usize, blocks: &[&str]) -> String {
        let mut around = Around::new(lines);
        let mut out = String::new();
        for block in blocks {
            if *block == "!" {
                around.leap();
                continue;
            }
            let mut found = Vec::new();
            let mut at = 0;
            for line in block.split_inclusive('\n') {
                if let Some(text) = text(block.as_bytes(), at..at + line.len()) {
                    if line.starts_with(char::is_uppercase) {
                        found.push(Hit {
                            start: text.start,
                            end: text.end,
                            verdict: Verdict::Holds,
                            place: Place::Found,
                            gap: false,
                        });
                    }
                }
                at += line.len();
            }
            for hit in around.block(block.as_bytes(), Path::new("x"), &found) {
                out.push_str(if hit.gap { "-" } else { "" });
                let line = match hit.place {
                    Place::Kept => String::from_utf8(around.kept().0.to_vec()).unwrap(),
                    _ => block[hit.start..hit.end].to_owned(),
                };
                assert_eq!(
                    hit.place == Place::Found,
                    line.starts_with(char::is_uppercase)
                );
                out.push_str(line.trim_end());
            }
            assert!(around.kept.is_empty());
        }
        out
    }

    #[test]
    fn lines_around_a_found_one_are_given_across_blocks_and_what_is_left_out_is_marked() {
        for (lines, blocks, expected) in [
            (0, &["a\nB\nc\nD\ne\n"][..], "B-D"),
            (0, &["B\nD\n"], "BD"),
            (1, &["a\nb\nC\nd\ne\n"], "bCd"),
            (1, &["a\nB\n", "c\nd\n", "E\n"], "aBcdE"),
            (1, &["a\nB\nc\n", "d\n", "e\nF\n"], "aBc-eF"),
            (2, &["a\n", "b\n", "c\n", "D"], "bcD"),
            // Empty lines are none.
            (1, &["\n\na\n\r\n\nB\n\n", "\nc\n\n"], "aBc"),
            (9, &["a\nb\n", "C\n"], "abC"),
            // A part that was not read.
            (2, &["a\nB\n", "!", "c\nd\nE\n", "!", "f\nG\n"], "aB-cdE-fG"),
            (2, &["a\nb\n", "!", "C\n"], "C"),
            (3, &["a\nb\nc\nd\n"], ""),
        ] {
            assert_eq!(given(lines, blocks), expected, "{lines} {blocks:?}");
        }
    }

    proptest! {
        #[test]
        fn a_line_is_given_if_one_that_is_near_is_found(log in prop::collection::vec("[aB]{0,7}", 0..8), lines in 0..5_usize) {
            let blocks: Vec<String> = log
                .iter()
                .map(|block| block.chars().map(|char| format!("{char}\n")).collect())
                .collect();
            let blocks: Vec<&str> = blocks.iter().map(String::as_str).collect();
            let all: Vec<char> = log.concat().chars().collect();
            let near = |at: usize| {
                all[at.saturating_sub(lines)..(at + lines + 1).min(all.len())].contains(&'B')
            };
            let mut expected = String::new();
            let mut gap = false;
            for (at, char) in all.iter().enumerate() {
                if near(at) {
                    expected.push_str(if gap && !expected.is_empty() { "-" } else { "" });
                    expected.push(*char);
                }
                gap = !near(at);
            }
            prop_assert_eq!(given(lines, &blocks), expected);
        }
    }
}
