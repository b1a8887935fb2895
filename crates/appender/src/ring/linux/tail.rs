//! Compares a ring with the end of the log: how far its last write got.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use super::{
    boot,
    read::{Contents, Held, Mark},
};

/// Lines of one area, and from where on the log lacks them.
pub(crate) struct Missing {
    pub(crate) lines: Held,
    pub(crate) from: usize,
    /// So many of them may be in the log all the same: the file that would tell is gone.
    pub(crate) doubtful: u64,
}

/// The file that was written last, and what it has from there on.
pub(crate) struct Log {
    path: Option<PathBuf>,
    tail: Vec<u8>,
    /// The tail is all that there is.
    ended: bool,
}

impl Log {
    pub(crate) fn find(directory: &Path, contents: &Contents) -> Self {
        let none = Self {
            path: None,
            tail: Vec::new(),
            ended: false,
        };
        let Some(mark) = contents.mark else {
            return none;
        };
        // After a restart a disk may have another number.
        let device = (contents.boot == boot::id()).then_some(mark.file.0);
        let Some((path, file)) = with_inode(directory, device, mark.file.1) else {
            return none;
        };
        let longest = contents.held.iter().map(|held| held.bytes.len()).max();
        let limit = (longest.unwrap_or(0) + SLACK) as u64;
        match tail(file, mark.offset, limit) {
            // Cut since, by logrotate's `copytruncate`: it tells nothing any more.
            Ok(None) | Err(_) => none,
            Ok(Some(tail)) => Self {
                ended: (tail.len() as u64) < limit,
                path: Some(path),
                tail,
            },
        }
    }

    /// Whether the file ends exactly where the ring says that writing stopped.
    pub(crate) fn fits(&self, contents: &Contents) -> bool {
        let Some(mark) = contents.mark else {
            return false;
        };
        if self.path.is_none() || !self.ended {
            return false;
        }
        let held = contents.held.iter().find(|held| held.epoch == mark.epoch);
        let written = match held {
            Some(held) => self
                .written(held, mark)
                .map_or(usize::MAX, |(start, n)| start + n),
            None => usize::try_from(mark.wrote).unwrap_or(usize::MAX),
        };
        let torn = |held: &Held| held.lost > 0 || held.pieces.iter().any(|piece| piece.torn);
        written == self.tail.len() && !contents.held.iter().any(torn)
    }

    /// From where on these lines are missing. A half line at the file's very end is completed.
    pub(crate) fn missing(&self, held: Held, mark: Option<Mark>) -> Missing {
        let mut from = held.done;
        let mut doubtful = 0;
        if let Some(mark) = mark.filter(|mark| mark.epoch == held.epoch) {
            if let Some((start, written)) = self.written(&held, mark) {
                let reached = mark.from + written;
                from = from.max(reached);
                let at_end = self.ended && start + written == self.tail.len();
                if held.is_within_line(from)
                    && from == reached
                    && at_end
                    && self.complete(&held, (from, mark.file.1))
                {
                    from = held.line_end(from);
                }
            } else if held.done == mark.from {
                // It began, and nothing says whether it ended.
                let rest = &held.bytes[from..];
                let most = rest.len().min(crate::batch::PIECE);
                doubtful = memchr::memchr_iter(b'\n', &rest[..most]).count() as u64;
            }
        }
        if held.is_within_line(from) {
            from = held.line_start(from);
        }
        Missing {
            lines: held,
            from,
            doubtful,
        }
    }

    // Where in the tail the write begins, and how much of it is there.
    fn written(&self, held: &Held, mark: Mark) -> Option<(usize, usize)> {
        self.path.as_ref()?;
        let rest = held.bytes.get(mark.from..)?;
        let here = common(&self.tail, rest);
        let line = &rest[..held.line_end(mark.from) - mark.from];
        // Less than the first line, and more after it, is another line that begins as ours do.
        let is_ours = here == self.tail.len() || here >= line.len();
        if is_ours || held.done > mark.from {
            return Some((0, here));
        }
        // Somebody else may have appended a line between our look at the length and our write.
        let starts = memchr::memchr_iter(b'\n', &self.tail).map(|newline| newline + 1);
        let found = starts
            .filter(|_| !line.is_empty())
            .find(|&start| self.tail[start..].starts_with(line));
        Some(found.map_or((0, 0), |start| (start, common(&self.tail[start..], rest))))
    }

    fn complete(&self, held: &Held, (from, inode): (usize, u64)) -> bool {
        let rest = &held.bytes[from..held.line_end(from)];
        let Some(path) = &self.path else {
            return false;
        };
        #[cfg(test)]
        let Some(()) = super::fuse::burn(|| ()) else {
            return false;
        };
        let Ok(mut file) = OpenOptions::new().append(true).open(path) else {
            return false;
        };
        // If not, the line is written again as a whole, and its half stays as a torn one.
        is_inode(&file, inode) && file.write_all(rest).is_ok()
    }
}

fn common(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

/// What a file has from this offset on; `None` if it is shorter.
fn tail(mut file: File, offset: u64, limit: u64) -> io::Result<Option<Vec<u8>>> {
    if file.metadata()?.len() < offset {
        return Ok(None);
    }
    file.seek(SeekFrom::Start(offset))?;
    let mut tail = Vec::new();
    file.take(limit).read_to_end(&mut tail)?;
    Ok(Some(tail))
}

// Asked again if it is not there: a logrotate may rename it just now.
fn with_inode(directory: &Path, device: Option<u64>, inode: u64) -> Option<(PathBuf, File)> {
    let is_it = |path: &Path| {
        fs::symlink_metadata(path).is_ok_and(|facts| {
            facts.is_file()
                && facts.ino() == inode
                && device.is_none_or(|device| facts.dev() == device)
        })
    };
    (0..LOOKS).find_map(|_| {
        let entries = fs::read_dir(directory).ok()?.filter_map(Result::ok);
        let path = entries.map(|entry| entry.path()).find(|path| is_it(path))?;
        let file = File::open(&path).ok()?;
        is_inode(&file, inode).then_some((path, file))
    })
}

fn is_inode(file: &File, inode: u64) -> bool {
    file.metadata().is_ok_and(|facts| facts.ino() == inode)
}

/// How often the file is looked for.
const LOOKS: usize = 3;

/// Lines of other people that are looked through for ours.
const SLACK: usize = 1024 * 1024;
