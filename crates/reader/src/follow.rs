//! Follows a log across rolls, renames and truncation: no line twice, none lost.

use std::collections::{HashSet, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use dogwatch_line::Verdict;

use crate::identity::{Identity, Known, beginning_of, node};
use crate::tail::{Line, Tail};
use crate::trouble::Trouble;
use crate::{Family, Found, Report, Search};

/// Where following begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// With the oldest file that is there.
    Beginning,
    /// With what is written from now on; a line that is half written counts.
    End,
}

/// A log that is being followed; made by [`Search::follow`].
///
/// It waits for nothing and starts no thread: [`next`](Self::next) gives `None` when there is nothing
/// new at the moment, and the caller asks again after a while, a tenth of a second for instance.
///
/// A file is known again by its place in the file system (device and inode, on Unix) and by its first
/// bytes, so it may be renamed, compressed, copied and truncated (`copytruncate`), or replaced by
/// another that was given its place. Files that were rolled between two calls are read in their order.
/// One that was rolled is looked into for some calls more, for a writer that still has it open. What
/// was rolled and deleted between two calls is lost.
pub struct Follow<'a> {
    search: &'a Search,
    log: PathBuf,
    current: Option<Tail>,
    /// Files that were left for newer ones, and may still grow for a while.
    late: Vec<Tail>,
    known: Known,
    /// Files that cannot be opened, told once.
    told: HashSet<PathBuf>,
    folder: Folder,
    lines: VecDeque<Line>,
    line: Option<Line>,
    report: Report,
}

impl Search {
    /// Follows the log at a path, which need not be there yet: it is the path of the file that is
    /// written to.
    pub fn follow(&self, log: &Path, start: Start) -> Follow<'_> {
        let mut follow = Follow {
            search: self,
            log: log.to_owned(),
            current: None,
            late: Vec::new(),
            known: Known::default(),
            told: HashSet::new(),
            folder: Folder::default(),
            lines: VecDeque::new(),
            line: None,
            report: Report::default(),
        };
        if start == Start::End {
            follow.pass_over();
        }
        follow
    }
}

impl Follow<'_> {
    /// The next line that the query holds for, or what could not be read; `None` if there is nothing
    /// new at the moment.
    #[expect(
        clippy::should_implement_trait,
        reason = "an iterator that gave nothing is at its end, and this is not"
    )]
    pub fn next(&mut self) -> Option<Result<Found<'_>, Trouble>> {
        while self.lines.is_empty() {
            match self.step() {
                Ok(true) => {}
                Ok(false) => {
                    self.late.iter_mut().for_each(Tail::rest);
                    return None;
                }
                Err(trouble) => {
                    self.report.count(&trouble);
                    return Some(Err(trouble));
                }
            }
        }
        self.line = self.lines.pop_front();
        let line = self.line.as_ref()?;
        Some(Ok(Found::new(&line.bytes, &line.path, line.verdict)))
    }

    /// What was read so far.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Knows all that is there, and stands behind the last whole line of the current file.
    fn pass_over(&mut self) {
        for path in self.files() {
            if path != self.log {
                if let Some(identity) = Identity::at(&path) {
                    self.known.add(identity);
                }
            }
        }
        if let Some(identity) = Identity::at(&self.log) {
            // A file that cannot be opened now is tried again by the first step.
            if let Ok(mut tail) = Tail::open(&self.log, identity) {
                tail.pass_whole_lines();
                self.report.files += 1;
                self.current = Some(tail);
            }
        }
    }

    /// Reads a part of what is new, or goes on to the next file; `false` if there is nothing.
    fn step(&mut self) -> Result<bool, Trouble> {
        for index in 0..self.late.len() {
            if self.late[index].read(self.search, &mut self.lines, &mut self.report)? {
                return Ok(true);
            }
        }
        self.forget_late();
        let Some(current) = &mut self.current else {
            return self.open_next();
        };
        let is_current = is_at(&current.identity, &self.log);
        if is_current && current.was_truncated(&self.log) {
            self.follow_truncated();
            return Ok(true);
        }
        if is_current {
            current.learn_from(&self.log);
            if self.folder.changed(&self.log) && self.read_copies() {
                return Ok(true);
            }
        }
        let Some(current) = &mut self.current else {
            return Ok(true);
        };
        if current.read(self.search, &mut self.lines, &mut self.report)? {
            return Ok(true);
        }
        if is_current {
            return Ok(false);
        }
        self.known.add(current.identity.clone());
        self.open_next()
    }

    /// Opens the oldest file that is not known. What was read until now is looked into a while longer.
    fn open_next(&mut self) -> Result<bool, Trouble> {
        for path in self.files() {
            let Some(identity) = Identity::at(&path) else {
                // Gone again, or not for us to read; the second is told, once.
                match Tail::open(&path, Identity::unknown()) {
                    Err(trouble) if !trouble.is_vanished() && self.told.insert(path) => {
                        return Err(trouble);
                    }
                    _ => continue,
                }
            };
            let is_open = self
                .current
                .as_ref()
                .is_some_and(|current| identity.was(&current.identity));
            if is_open || self.known.has(&identity) {
                continue;
            }
            let Ok(tail) = Tail::open(&path, identity.clone()) else {
                continue;
            };
            // Opened by its name: it may be another file by now, which a later call finds.
            if !tail.is(&identity) {
                continue;
            }
            self.report.files += 1;
            self.late.extend(self.current.replace(tail));
            return Ok(true);
        }
        Ok(false)
    }

    /// Reads files that appeared beside the current one and are no copy of what is in it now: they are
    /// copies of what was in it and was emptied before it was looked at.
    fn read_copies(&mut self) -> bool {
        let mut any = false;
        for path in self.files().into_iter().filter(|path| *path != self.log) {
            let Some(identity) = Identity::at(&path) else {
                continue;
            };
            let of_current = self
                .current
                .as_ref()
                .is_some_and(|current| identity.begins_like(&current.identity));
            if of_current || identity.beginning.is_empty() || self.known.has(&identity) {
                continue;
            }
            if let Ok(tail) = Tail::open(&path, identity.clone()) {
                self.known.add(identity);
                self.report.files += 1;
                self.late.push(tail);
                any = true;
            }
        }
        any
    }

    /// The current file was emptied. What was in it behind our place is in a copy, if there is one.
    fn follow_truncated(&mut self) {
        let Some(mut old) = self.current.take() else {
            return;
        };
        let copy = self
            .files()
            .into_iter()
            .filter(|path| *path != self.log)
            .find_map(|path| {
                let identity = Identity::at(&path)?;
                let is_copy = identity.begins_like(&old.identity) && !self.known.has(&identity);
                is_copy.then_some((path, identity))
            });
        if let Some((path, identity)) = copy {
            self.known.add(identity.clone());
            if old.go_on_in(&path, identity) {
                self.late.push(old);
            }
        } else {
            old.end(self.search, &mut self.lines, &mut self.report);
        }
        if let Some(identity) = Identity::at(&self.log) {
            self.current = Tail::open(&self.log, identity).ok();
        }
    }

    /// Lets go of files in which nothing has been written for a while.
    fn forget_late(&mut self) {
        for mut tail in std::mem::take(&mut self.late) {
            if tail.is_quiet() {
                tail.end(self.search, &mut self.lines, &mut self.report);
            } else {
                self.late.push(tail);
            }
        }
    }

    fn files(&self) -> Vec<PathBuf> {
        // There may be none yet; a folder that cannot be listed is tried again.
        let families = Family::find(&[&self.log]).unwrap_or_default();
        families
            .iter()
            .flat_map(|family| family.files().to_vec())
            .collect()
    }
}

/// When files last came to a folder, or went.
#[derive(Debug, Default)]
struct Folder {
    changed: Option<SystemTime>,
    settled: bool,
}

impl Folder {
    /// Whether that was since the last look, or just before it: two changes may have one time.
    fn changed(&mut self, log: &Path) -> bool {
        let folder = log
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        let changed = fs::metadata(folder)
            .and_then(|metadata| metadata.modified())
            .ok();
        let same = std::mem::replace(&mut self.changed, changed) == changed;
        let settled = std::mem::replace(&mut self.settled, same);
        !(same && settled)
    }
}

/// Whether the file at the path is this one.
fn is_at(identity: &Identity, path: &Path) -> bool {
    match (fs::metadata(path), identity.node) {
        (Ok(metadata), Some(_)) => node(&metadata) == identity.node,
        // Without a place in the file system the first bytes decide.
        (Ok(_), None) => beginning_of(path).starts_with(&identity.beginning),
        (Err(_), _) => false,
    }
}

impl<'a> Found<'a> {
    fn new(bytes: &'a [u8], path: &'a Path, verdict: Verdict) -> Self {
        Self {
            bytes,
            path,
            verdict,
        }
    }
}
