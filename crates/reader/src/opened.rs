//! Opens a file under the name that it has now.

use std::path::{Path, PathBuf};

use crate::Trouble;
use crate::frames::Frames;

/// The file and its name: it may have been compressed since it was listed.
pub(crate) fn open(path: &Path) -> Result<(Frames, PathBuf), Trouble> {
    let trouble = match Frames::open(path) {
        Ok(frames) => return Ok((frames, path.to_owned())),
        Err(trouble) => trouble,
    };
    let later = ["gz", "zst"].map(|end| {
        let mut later = path.to_owned().into_os_string();
        later.push(".");
        later.push(end);
        PathBuf::from(later)
    });
    let found = later
        .into_iter()
        .filter(|_| trouble.is_vanished())
        .find_map(|later| Some((Frames::open(&later).ok()?, later)));
    found.ok_or(trouble)
}
