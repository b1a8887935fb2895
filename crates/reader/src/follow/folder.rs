//! Tells whether files came to a folder, or went.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

/// When files last came to a folder, or went.
#[derive(Debug, Default)]
pub(super) struct Folder {
    changed: Option<SystemTime>,
    settled: bool,
}

impl Folder {
    /// Whether that was since the last look, or just before it: two changes may have one time.
    pub(super) fn changed(&mut self, log: &Path) -> bool {
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
