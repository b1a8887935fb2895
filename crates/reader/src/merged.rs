//! Reads several logs at once, in the order in which things happened.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::path::{Path, PathBuf};

use dogwatch_line::{Now, Times};

use crate::{Family, Reading, Report, Search, Trouble};

/// The lines of several logs that a query holds for, by time.
///
/// Within one log the order is the log's own: a line whose time steps back, or that has none, counts
/// with the latest time before it. Of two lines of one time the log that was named first comes first.
pub struct Merged<'a> {
    logs: Vec<Log<'a>>,
    times: Times,
    /// The logs that have a line waiting, by its time.
    waiting: BinaryHeap<Reverse<(i128, usize)>>,
    /// The logs whose next line is not yet known.
    asked: VecDeque<usize>,
}

struct Log<'a> {
    reading: Reading<'a>,
    line: Option<Line>,
    latest: i128,
}

/// A line of one of several logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    text: String,
    path: PathBuf,
    nanos: Option<i128>,
}

impl Line {
    /// The line without its end.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// When it happened, in nanoseconds since 1970 UTC, if it says so.
    pub fn nanos(&self) -> Option<i128> {
        self.nanos
    }
}

impl<'a> Merged<'a> {
    /// Reads all these logs; the zone is for lines whose times have none. One file of each is open at
    /// a time.
    pub fn new(search: &'a Search, families: &[Family], zone: Now) -> Self {
        let logs: Vec<Log<'a>> = families
            .iter()
            .map(|family| Log {
                reading: search.read_on(family, search.thread_count() / families.len().max(1)),
                line: None,
                latest: i128::MIN,
            })
            .collect();
        Self {
            asked: (0..logs.len()).collect(),
            logs,
            times: Times::new(zone),
            waiting: BinaryHeap::new(),
        }
    }

    /// What was read so far, of all logs together.
    pub fn report(&self) -> Report {
        let mut report = Report::default();
        for log in &self.logs {
            report.add(log.reading.report());
        }
        report
    }
}

impl Iterator for Merged<'_> {
    type Item = Result<Line, Trouble>;

    fn next(&mut self) -> Option<Self::Item> {
        // The least line is known only when every log has shown its next.
        while let Some(index) = self.asked.pop_front() {
            let log = &mut self.logs[index];
            match log.reading.next() {
                None => {}
                Some(Err(trouble)) => {
                    self.asked.push_front(index);
                    return Some(Err(trouble));
                }
                Some(Ok(found)) => {
                    let text = found.text().into_owned();
                    let nanos = self.times.of(&text);
                    log.line = Some(Line {
                        text,
                        path: found.path().to_owned(),
                        nanos,
                    });
                    log.latest = log.latest.max(nanos.unwrap_or(i128::MIN));
                    self.waiting.push(Reverse((log.latest, index)));
                }
            }
        }
        let Reverse((_, index)) = self.waiting.pop()?;
        self.asked.push_back(index);
        self.logs[index].line.take().map(Ok)
    }
}
