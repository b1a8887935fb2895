//! A query made ready, with the sieve that spares it most lines.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use dogwatch_line::{Matcher, Now, Query, Verdict};

use crate::Watch;
use crate::around::Around;
use crate::blocks::trimmed;
use crate::frames::Frames;
use crate::index::{Plan, helps, path_of};
use crate::reading::Reading;
use crate::sieve::Sieve;
use crate::{Family, Trouble};

/// Finds the lines that a query holds for.
///
/// Bytes that every match must have are searched for first; only lines that have them are read.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # std::fs::write(folder.path().join("shop.log"), "{\"level\":\"ERROR\",\"message\":\"timed out\"}\n{\"level\":\"INFO\",\"message\":\"paid\"}\n")?;
/// use std::time::SystemTime;
/// use dogwatch_line::{Now, Query};
/// use dogwatch_reader::{Family, Search};
///
/// let search = Search::new(&Query::parse("level>=warn")?, Now::utc(SystemTime::now()));
/// let mut found = Vec::new();
/// for family in Family::find(&[folder.path()])? {
///     let mut reading = search.read(&family);
///     while let Some(line) = reading.next() {
///         match line {
///             Ok(line) => found.push(line.text().into_owned()),
///             Err(trouble) => eprintln!("{trouble}"),
///         }
///     }
///     assert_eq!((reading.report().lines, reading.report().found), (2, 1));
/// }
/// assert_eq!(found, [r#"{"level":"ERROR","message":"timed out"}"#]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Search {
    matcher: Arc<Matcher>,
    sieve: Arc<Sieve>,
    /// Whether an index can spare it anything.
    indexed: bool,
    pub(crate) watch: Option<Watch>,
    threads: usize,
    /// Lines before and after each that is found, if they are wanted.
    around: Option<usize>,
}

impl Search {
    /// Makes a query ready. What stands behind its pipe is the caller's to reckon.
    pub fn new(query: &Query, now: Now) -> Self {
        let matcher = query.matcher(now);
        Self {
            indexed: helps(&matcher),
            matcher: Arc::new(matcher),
            sieve: Arc::new(Sieve::new(&query.literals())),
            watch: None,
            threads: 1,
            around: None,
        }
    }

    /// The same without the sieve and without indexes: every line is read. It finds the same lines,
    /// later; for tests, and for those who doubt.
    pub fn thorough(query: &Query, now: Now) -> Self {
        Self {
            matcher: Arc::new(query.matcher(now)),
            sieve: Arc::new(Sieve::Open),
            indexed: false,
            watch: None,
            threads: 1,
            around: None,
        }
    }

    /// Reads so many files of a log at once, or parts of one that has an [`Index`](crate::Index), each
    /// on a thread of its own; what is found keeps its order. A thread takes a few MiB of memory.
    /// Default: 1, the caller's own; at most 8.
    #[must_use = "the search is given back"]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads.clamp(1, 8);
        self
    }

    /// Gives the lines before and after each that is found too, so many at most, whatever they are
    /// ([`Found::is_around`](crate::Found::is_around)), also across the files of a log. It reads on one
    /// thread, and of a file that has an [`Index`](crate::Index) the parts with these lines too. Followers
    /// and [`Merged`](crate::Merged) do not heed it.
    #[must_use = "the search is given back"]
    pub fn around(mut self, lines: usize) -> Self {
        self.around = Some(lines);
        self
    }

    /// Shows somebody how far its readings are, and lets them be stopped.
    #[must_use = "the search is given back"]
    pub fn watch(mut self, watch: Watch) -> Self {
        self.watch = Some(watch);
        self
    }

    /// Reads the files of a log, the oldest first. A file is opened when its turn comes.
    pub fn read(&self, family: &Family) -> Reading<'_> {
        self.read_on(family, self.threads)
    }

    /// Reads one file of a log.
    pub fn read_file(&self, file: &Path) -> Reading<'_> {
        Reading::of_files(self, vec![file.to_owned()], 1)
    }

    /// Reads a stream of lines: standard input. One that begins as gzip or zstd does is decompressed,
    /// up to its end or to what is broken in it: a stream cannot go back to look for the next frame.
    pub fn read_from(&self, input: impl Read + 'static) -> Reading<'_> {
        Reading::of_stream(self, Box::new(input))
    }

    /// The same, on so many threads at most.
    pub(crate) fn read_on(&self, family: &Family, threads: usize) -> Reading<'_> {
        let files = family.files().to_vec();
        let several = match &*files {
            _ if self.around.is_some() => false,
            [file] => path_of(file).exists(),
            _ => true,
        };
        Reading::of_files(self, files, if several { threads } else { 1 })
    }

    /// Whether whoever watches has seen enough.
    pub(crate) fn is_stopped(&self) -> bool {
        self.watch.as_ref().is_some_and(Watch::is_stopped)
    }

    /// What keeps the lines around those that are found, if they are wanted.
    pub(crate) fn surroundings(&self) -> Option<Around> {
        self.around.map(Around::new)
    }

    /// On how many threads it reads.
    pub(crate) fn thread_count(&self) -> usize {
        self.threads
    }

    /// What is to be read of a file that was just opened.
    pub(crate) fn plan(&self, path: &Path, frames: &mut Frames) -> Result<Plan, Trouble> {
        // Without an index there is nothing to share.
        if !self.indexed && self.threads == 1 {
            return Ok(Plan::All(None));
        }
        let plan = frames.stored().map_or(Plan::All(None), |file| {
            Plan::of(path, file, &self.matcher, self.around)
        });
        if let Plan::All(Some(_)) = plan {
            // To be held against the index it was read here and there.
            frames.within(0..u64::MAX, path)?;
        }
        Ok(plan)
    }

    /// The lines of a block that the query holds for; gives how many had to be looked at, and how
    /// many of these are no JSON.
    pub(crate) fn block(&self, block: &[u8], sifted: bool, found: &mut Vec<Hit>) -> (u64, u64) {
        let sieve = if sifted { &*self.sieve } else { &Sieve::Open };
        let (mut seen, mut text) = (0, 0);
        sieve.lines(block, |range| {
            let whole = &block[range.clone()];
            let line = trimmed(whole);
            if line.is_empty() {
                return;
            }
            seen += 1;
            let verdict = match std::str::from_utf8(line) {
                Ok(line) => self.matcher.judge(line),
                Err(_) => self.matcher.judge(&String::from_utf8_lossy(line)),
            };
            text += u64::from(matches!(verdict, Verdict::Text { .. }));
            if verdict.holds() {
                let start = range.start + (line.as_ptr() as usize - whole.as_ptr() as usize);
                found.push(Hit {
                    start,
                    end: start + line.len(),
                    verdict,
                    place: Place::Found,
                    gap: false,
                });
            }
        });
        (seen, text)
    }
}

/// A line of a block that the query holds for, or one around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hit {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) verdict: Verdict,
    pub(crate) place: Place,
    /// Whether lines were left out before it.
    pub(crate) gap: bool,
}

/// Why a line is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Found,
    Around,
    /// Around one, and kept from an earlier block.
    Kept,
}
