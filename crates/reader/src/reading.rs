//! Gives the lines of one log that a query holds for, in their order.

use std::borrow::Cow;
use std::io::Read;
use std::path::{Path, PathBuf};

use dogwatch_line::Verdict;

use crate::ahead::Ahead;
use crate::search::{Hit, Place, Search};
use crate::serial::Serial;
use crate::{Report, Trouble};

/// A reading under way; made by [`Search::read`].
///
/// It holds one block of lines, and one open file at most, for each of its
/// [threads](Search::threads); these end with it.
pub struct Reading<'a>(Work<'a>);

enum Work<'a> {
    Own(Box<Serial<'a>>),
    Ahead(Box<Ahead>),
}

/// A line that was found, for as long as the reading stands still.
#[derive(Clone, Copy, Debug)]
pub struct Found<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) path: &'a Path,
    pub(crate) verdict: Verdict,
    pub(crate) around: bool,
    pub(crate) gap: bool,
}

impl<'a> Found<'a> {
    pub(crate) fn of(hit: Hit, bytes: &'a [u8], path: &'a Path) -> Self {
        Self {
            bytes,
            path,
            verdict: hit.verdict,
            around: hit.place != Place::Found,
            gap: hit.gap,
        }
    }

    /// The line without its end; what is not UTF-8 in it is replaced by `\u{fffd}`.
    pub fn text(&self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.bytes)
    }

    /// The line as it stands in the file, without its end.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The file, as it was listed; empty for a stream.
    pub fn path(&self) -> &'a Path {
        self.path
    }

    /// Whether the query does not hold for it, and it stands around a line for which it does:
    /// [`Search::around`].
    pub fn is_around(&self) -> bool {
        self.around
    }

    /// Whether it stands around such a line, or is one, and lines were left out since the one that was
    /// given before it.
    pub fn is_behind_gap(&self) -> bool {
        self.gap
    }

    /// Whether it is JSON. Of a line [around](Self::is_around) another nobody knows: `false`.
    pub fn is_json(&self) -> bool {
        self.verdict == Verdict::Holds
    }
}

impl<'a> Reading<'a> {
    pub(crate) fn of_files(search: &'a Search, files: Vec<PathBuf>, threads: usize) -> Self {
        let ahead = (threads > 1).then(|| Ahead::new(search, &files, threads));
        Self(match ahead.flatten() {
            Some(ahead) => Work::Ahead(Box::new(ahead)),
            None => Work::Own(Box::new(Serial::of_files(search, files))),
        })
    }

    pub(crate) fn of_stream(search: &'a Search, stream: Box<dyn Read>) -> Self {
        Self(Work::Own(Box::new(Serial::of_stream(search, stream))))
    }

    /// The next line that the query holds for, or what could not be read on the way to it; `None`
    /// at the end.
    #[expect(
        clippy::should_implement_trait,
        reason = "the line is borrowed from the reading, which no iterator can lend"
    )]
    pub fn next(&mut self) -> Option<Result<Found<'_>, Trouble>> {
        match &mut self.0 {
            Work::Own(serial) => serial.next(),
            Work::Ahead(ahead) => ahead.next(),
        }
    }

    /// What was read so far.
    pub fn report(&self) -> &Report {
        match &self.0 {
            Work::Own(serial) => serial.report(),
            Work::Ahead(ahead) => ahead.report(),
        }
    }
}
