//! Asks the cursors beside a log whether a file of it is still to be read.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::Error;
use crate::cursor::saved;
use crate::identity::{Present, Stamp, beginning_of};
use crate::place::{Place, Reach};

/// All cursors of a log: the files named `shop.log.READER.cursor` beside `shop.log`.
///
/// Whoever deletes old files asks [`hold`](Self::hold) first; the appender's `held` is the place for
/// it. Readers may come and go, in any process: the folder is looked at each time.
///
/// A reader that was taken out of service leaves its cursor, which holds every file from then on, up
/// to the bound that the appender sets (`Keep::unread`): delete it.
#[derive(Debug)]
pub struct Cursors {
    log: PathBuf,
    /// Whether a file that was not written to since ends at a place. A compressed file is read to
    /// its end to know, so it is asked once.
    known: Mutex<HashMap<(Stamp, Reach), bool>>,
}

impl Cursors {
    /// The cursors of the log at this path.
    pub fn beside(log: impl AsRef<Path>) -> Self {
        Self {
            log: log.as_ref().to_owned(),
            known: Mutex::default(),
        }
    }

    /// Whether a reader has not finished the file at a path. A file that is gone is held by nobody,
    /// and one of which a cursor knows nothing is held by it: it is new to its reader.
    ///
    /// An error if a cursor cannot be read or is garbled, or the folder cannot be listed: then nobody
    /// knows, and the file should stay.
    pub fn hold(&self, path: &Path) -> Result<bool, Error> {
        let Some(file) = Present::at(path) else {
            return Ok(false);
        };
        let beginning = beginning_of(path);
        for cursor in self.paths()? {
            // Its reader has it locked: it is read as it was saved last.
            let places = saved(&cursor)?;
            let finished = |place: &Place| self.is_finished(place, &file, &beginning);
            // One that was deleted meanwhile holds nothing.
            let unfinished = places.is_some_and(|places| !places.iter().any(finished));
            if unfinished && file.stamp.size > 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether the place is at the end of this file.
    fn is_finished(&self, place: &Place, file: &Present, beginning: &[u8]) -> bool {
        let same_node = place.node.is_some() && place.node == file.stamp.node;
        if !place.begins.is_of(beginning) {
            return false;
        }
        if !same_node && place.is_named_otherwise(&file.name()) {
            return false;
        }
        let key = (file.stamp, place.reach);
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(&finished) = known.get(&key) {
            return finished;
        }
        drop(known);
        let finished = file.has(place) == Some(false);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(key, finished);
        finished
    }

    fn paths(&self) -> Result<Vec<PathBuf>, Error> {
        let folder = self
            .log
            .parent()
            .filter(|path| !path.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        let listed = |error: io::Error| Error::new(&self.log, error);
        let log = self.log.file_name().unwrap_or_default().to_string_lossy();
        let mut paths = Vec::new();
        for entry in fs::read_dir(folder).map_err(listed)? {
            let name = entry.map_err(listed)?.file_name();
            let reader = name.to_string_lossy();
            let reader = reader
                .strip_prefix(&*log)
                .and_then(|name| name.strip_prefix('.'));
            if reader
                .and_then(|name| name.strip_suffix(".cursor"))
                .is_some()
            {
                paths.push(folder.join(name));
            }
        }
        Ok(paths)
    }
}

/// More answers than a log has files and readers.
const MOST: usize = 10_000;
