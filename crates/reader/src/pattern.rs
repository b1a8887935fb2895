//! Finds what a pattern such as `logs/s*/*.log` is like: `*` is any text, `?` one character.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

/// Whether a text is a pattern.
pub(crate) fn is_pattern(text: &OsStr) -> bool {
    text.as_encoded_bytes()
        .iter()
        .any(|byte| b"*?".contains(byte))
}

/// The folders that a pattern's folders stand for, by name; `None` if there is no pattern among them,
/// or one that is the name of a folder that is there. What is no folder has none; one that this process
/// may not list is an error, which names it. A hidden folder is meant only by a pattern that begins with
/// a dot, as in a shell.
pub(crate) fn folders(pattern: &Path) -> Result<Option<Vec<PathBuf>>, (PathBuf, io::Error)> {
    let parts: Vec<Component<'_>> = pattern.components().collect();
    if pattern.is_dir() || !parts.iter().any(|part| is_pattern(part.as_os_str())) {
        return Ok(None);
    }
    let mut folders = vec![PathBuf::new()];
    for part in parts {
        let mut next = Vec::new();
        for folder in folders {
            match within(&folder, part.as_os_str()) {
                Ok(found) => next.extend(found),
                Err(error) if error.kind() != io::ErrorKind::PermissionDenied => {}
                Err(error) => return Err((folder, error)),
            }
        }
        folders = next;
    }
    Ok(Some(folders))
}

/// The folders in a folder that are like a pattern, or the one that is called so.
fn within(folder: &Path, pattern: &OsStr) -> io::Result<Vec<PathBuf>> {
    let exact = folder.join(pattern);
    let Some(signs) = pattern.to_str().filter(|_| is_pattern(pattern)) else {
        return Ok(vec![exact]);
    };
    if exact.is_dir() {
        return Ok(vec![exact]);
    }
    let listed = match folder.as_os_str().is_empty() {
        true => fs::read_dir("."),
        false => fs::read_dir(folder),
    }?;
    let chars: Vec<char> = signs.chars().collect();
    let wanted =
        |name: &str| name.starts_with('.') == signs.starts_with('.') && is_like(&chars, name);
    let mut found: Vec<PathBuf> = listed
        .filter_map(|entry| Some(entry.ok()?.file_name()))
        .filter(|name| name.to_str().is_some_and(wanted))
        .map(|name| folder.join(name))
        .filter(|path| path.is_dir())
        .collect();
    found.sort();
    Ok(found)
}

/// Whether a name is like a pattern: `*` is any text, `?` one character.
pub(crate) fn is_like(pattern: &[char], name: &str) -> bool {
    let name: Vec<char> = name.chars().collect();
    // Row by row: whether the first `i` signs of the pattern fit the first `j` of the name.
    let mut fits = vec![false; name.len() + 1];
    fits[0] = true;
    for sign in pattern {
        let mut next = vec![false; name.len() + 1];
        for at in 0..=name.len() {
            next[at] = match sign {
                '*' => fits[at] || (at > 0 && next[at - 1]),
                '?' => at > 0 && fits[at - 1],
                sign => at > 0 && fits[at - 1] && name[at - 1] == *sign,
            };
        }
        fits = next;
    }
    fits[name.len()]
}

#[cfg(test)]
mod tests {
    use super::is_like;

    #[test]
    fn a_pattern_fits_a_whole_name() {
        for (pattern, name, expected) in [
            ("*.log", "shop.log", true),
            ("*.log", "shop.log.1", false),
            ("s?op.*", "shop.log", true),
            ("s?op", "sop", false),
            ("日?*", "日志.log", true),
            ("*", "", true),
        ] {
            let pattern: Vec<char> = pattern.chars().collect();
            assert_eq!(is_like(&pattern, name), expected, "{name}");
        }
    }
}
