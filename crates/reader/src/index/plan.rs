//! Decides by its index which parts of a file a query has to read.

use std::fs::File;
use std::io::{self, BufReader};
use std::ops::Range;
use std::path::Path;

use dogwatch_line::{Bulk, Level, Matcher};

use super::format::{Reader, Unfit};
use super::make::path_of;
use super::tie::looks;
use crate::trouble::{Kind, Trouble};

/// What is to be read of a file.
#[derive(Debug)]
pub(crate) enum Plan {
    /// All, and why, if there is an index that cannot be used.
    All(Option<Trouble>),
    Parts {
        /// As they are stored, in their order.
        ranges: Vec<Range<u64>>,
        /// Lines that need not be read.
        skipped: u64,
    },
}

impl Plan {
    /// Looks for the index of an open file, which was found at a path. `around` if as many lines before
    /// and after each that is found are wanted too.
    pub(crate) fn of(path: &Path, file: &File, matcher: &Matcher, around: Option<usize>) -> Self {
        let index = match File::open(path_of(path)) {
            Ok(index) => index,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Plan::All(None),
            Err(error) => {
                let kind = Kind::Index("cannot be opened");
                return Plan::All(Some(Trouble::new(path, kind, Some(error))));
            }
        };
        match chosen(index, file, matcher, around) {
            Ok(plan) => plan,
            Err(why) => Plan::All(Some(Trouble::new(path, Kind::Index(why), None))),
        }
    }
}

fn chosen(
    index: File,
    file: &File,
    matcher: &Matcher,
    around: Option<usize>,
) -> Result<Plan, &'static str> {
    let why = |unfit| match unfit {
        Unfit::Foreign => "is of another version, or is none",
        Unfit::Damaged => "is damaged",
        Unfit::Short => "ends early",
    };
    let (tie, mut reader) = Reader::open(BufReader::with_capacity(CHUNK, index)).map_err(why)?;
    // A file that is being written grows: its index was made too early, and nothing is wrong.
    if looks(file).is_ok_and(|(size, _)| size > tie.size) {
        return Ok(Plan::All(None));
    }
    if !tie.fits(file).unwrap_or(false) {
        return Err("is of another content");
    }
    let (mut parts, mut at) = (Vec::new(), 0);
    while let Some(part) = reader.part().map_err(why)? {
        parts.push(Choice {
            range: at..at + part.stored,
            lines: part.lines,
            read: matcher.may_hold_in(&part),
        });
        at += part.stored;
    }
    if let Some(lines) = around {
        // None means that what was left out is not shown, but marked: for that it must be seen.
        widen(&mut parts, (lines as u64).max(1));
    }
    let (mut ranges, mut skipped) = (Vec::<Range<u64>>::new(), 0);
    for Choice { range, lines, read } in parts {
        if !read {
            skipped += lines;
            continue;
        }
        match ranges.last_mut() {
            Some(last) if last.end == range.start && last.end - last.start < PIECE => {
                last.end = range.end;
            }
            _ => ranges.push(range),
        }
    }
    Ok(Plan::Parts { ranges, skipped })
}

/// A part of a file, and whether it is to be read.
struct Choice {
    range: Range<u64>,
    lines: u64,
    read: bool,
}

/// Adds the parts with so many lines before and behind those that were chosen, and with the first and
/// the last of the file: they may stand around lines of the files before and behind it.
fn widen(parts: &mut [Choice], lines: u64) {
    let chosen: Vec<bool> = parts.iter().map(|part| part.read).collect();
    let mut near = |indexes: &mut dyn Iterator<Item = usize>| {
        let mut left = lines;
        for index in indexes {
            let part = &mut parts[index];
            part.read |= left > 0;
            left = if chosen[index] {
                lines
            } else {
                left.saturating_sub(part.lines)
            };
        }
    };
    near(&mut (0..chosen.len()));
    near(&mut (0..chosen.len()).rev());
}

/// Whether any index could spare this query a line.
pub(crate) fn helps(matcher: &Matcher) -> bool {
    struct Nothing;
    impl Bulk for Nothing {
        fn times(&self) -> Option<(i128, i128)> {
            None
        }
        fn may_have_level(&self, _: Level) -> bool {
            false
        }
        fn may_have_text(&self, text: &str, _: bool) -> bool {
            !super::ids::is_id(text)
        }
    }
    !matcher.may_hold_in(&Nothing)
}

/// A few parts with their filters.
const CHUNK: usize = 64 << 10;

/// What is read at once, as it is stored: large enough that its share of the work is worth a thread's
/// while, small enough that there is one for each.
const PIECE: u64 = 4 << 20;
