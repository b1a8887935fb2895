//! What an index knows of one part of a file: whole lines that can be read without those before.

use std::collections::HashSet;

use dogwatch_line::{Bulk, Gist, Level};

use super::filter::Filter;
use super::ids::{Hiding, Ids, is_id};
use super::xxh64::xxh64;

/// A part of a file, in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// Bytes as they are stored; together all of the file.
    pub(crate) stored: u64,
    /// Bytes of its lines.
    pub(crate) bytes: u64,
    pub(crate) lines: u64,
    /// Of the lines that have a time.
    pub(crate) times: Option<(i64, i64)>,
    /// Lines of each level, from the least; behind the last those that have none.
    pub(crate) levels: [u64; 7],
    pub(crate) hiding: Hiding,
    /// `None` if there are too many ids.
    pub(crate) ids: Option<Filter>,
}

impl Bulk for Part {
    fn times(&self) -> Option<(i128, i128)> {
        let (earliest, latest) = self.times?;
        // What lies beyond the range of the format may be anywhere there.
        let earliest = if earliest == i64::MIN {
            i128::MIN
        } else {
            earliest.into()
        };
        let latest = if latest == i64::MAX {
            i128::MAX
        } else {
            latest.into()
        };
        Some((earliest, latest))
    }

    fn may_have_level(&self, level: Level) -> bool {
        self.levels[level as usize] > 0
    }

    fn may_have_text(&self, text: &str, whole: bool) -> bool {
        // Digits alone may be how a number is written out that stands there as `1e31`.
        let is_number = || !text.bytes().any(|byte| b"bcdBCD".contains(&byte));
        let hidden = self.hiding.spelled || !whole && (self.hiding.longer || is_number());
        match &self.ids {
            Some(ids) if is_id(text) && !hidden => ids.may_have(xxh64(text.as_bytes(), 0)),
            _ => true,
        }
    }
}

/// Lines that become a part.
pub(crate) struct Gathering<'a> {
    tools: &'a Tools,
    part: Part,
    ids: HashSet<u64>,
    /// The lines of a request stand together.
    last: Option<u64>,
}

/// What lines are read with.
pub(crate) struct Tools {
    gist: Gist,
    ids: Ids,
}

impl Tools {
    pub(crate) fn new() -> Self {
        Self {
            gist: Gist::new(),
            ids: Ids::new(),
        }
    }
}

impl<'a> Gathering<'a> {
    pub(crate) fn new(tools: &'a Tools) -> Self {
        Self {
            tools,
            part: Part {
                stored: 0,
                bytes: 0,
                lines: 0,
                times: None,
                levels: [0; 7],
                hiding: Hiding::default(),
                ids: None,
            },
            ids: HashSet::new(),
            last: None,
        }
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.part.bytes
    }

    /// Takes in whole lines.
    pub(crate) fn lines(&mut self, block: &[u8]) {
        self.part.bytes += block.len() as u64;
        for line in block.split_inclusive(|byte| *byte == b'\n') {
            self.part.lines += 1;
            self.line(&String::from_utf8_lossy(crate::blocks::trimmed(line)));
        }
        let (ids, last) = (&mut self.ids, &mut self.last);
        let hiding = self.tools.ids.of(block, |id| {
            let id = Some(xxh64(id, 0));
            if *last != id && ids.len() <= MOST_IDS {
                ids.extend(id);
                *last = id;
            }
        });
        self.part.hiding.spelled |= hiding.spelled;
        self.part.hiding.longer |= hiding.longer;
    }

    /// Takes in a line of so many bytes that no reading gives.
    pub(crate) fn left_out(&mut self, bytes: u64) {
        self.part.bytes += bytes;
        self.part.lines += 1;
    }

    fn line(&mut self, line: &str) {
        let (times, level) = self.tools.gist.of(line);
        self.part.levels[level.map_or(6, |level| level as usize)] += 1;
        if let Some((earliest, latest)) = times {
            // Beyond the range of the format: its end, which stands for all that is beyond.
            let (earliest, latest) = (bounded(earliest), bounded(latest));
            let known = self.part.times.unwrap_or((earliest, latest));
            self.part.times = Some((known.0.min(earliest), known.1.max(latest)));
        }
    }

    /// The part, which is stored in so many bytes.
    pub(crate) fn end(mut self, stored: u64) -> Part {
        self.part.stored = stored;
        if self.ids.len() <= MOST_IDS {
            let mut ids: Vec<u64> = self.ids.into_iter().collect();
            // One content makes one index.
            ids.sort_unstable();
            self.part.ids = Some(Filter::of(&ids));
        }
        self.part
    }
}

fn bounded(nanos: i128) -> i64 {
    nanos.clamp(i64::MIN.into(), i64::MAX.into()) as i64
}

/// Of more a part has no filter: to make one would take 40 MB of memory.
pub(crate) const MOST_IDS: usize = 1 << 20;
