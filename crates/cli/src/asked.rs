//! Reads what a command line asks: which query, of which paths.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use dogwatch_reader::Family;

use crate::command::{First, Given, ends_as_log};
use crate::session::say;

/// Query and paths. The first word is the query, but for `-` and for the path of something that is there;
/// one that looks like a path and leads nowhere is an error, since a search for it would find nothing
/// and not say why. A log that is followed need not be there yet.
pub(crate) fn asked(given: &Given) -> Result<(&str, Vec<PathBuf>), String> {
    let Some((word, plain, mut paths)) = given.split_first() else {
        return Ok(("", Vec::new()));
    };
    let first = First::of(word, plain, is_there, Path::is_dir);
    match first {
        First::Query => return Ok((word, paths)),
        First::Missing if !given.follows() => {
            return Err(format!(
                "cannot find log files at `{word}`: there are none; to look for that text, write `-- {word}`"
            ));
        }
        First::Named => say(&format!(
            "`{word}` is read as the path of what is there; to look for the word, write `-- {word}`"
        )),
        First::Path | First::Missing => {}
    }
    paths.insert(0, word.into());
    Ok(("", paths))
}

/// A file or folder, or what stands for some; also one that nobody may look at, so that this is told.
fn is_there(word: &str) -> bool {
    let found = || Family::find(&[word]);
    let denied = |error: dogwatch_reader::Error| error.is_denied();
    match Path::new(word).try_exists() {
        Ok(true) => true,
        Ok(false) => ends_as_log(word) && found().map_or_else(denied, |_| true),
        // In a folder that nobody may look into, every word would be there.
        Err(error) => {
            error.kind() == ErrorKind::PermissionDenied && (word.contains('/') || ends_as_log(word))
        }
    }
}
