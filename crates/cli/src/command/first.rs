//! Decides whether the first word of a command line is the query or a path. Pure.

use std::path::Path;

/// What a first word is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum First {
    Query,
    Path,
    /// A path that could as well be a word: whoever meant the word is told.
    Named,
    /// What nobody looks for in lines, and no path of anything either.
    Missing,
}

impl First {
    /// `plain` if it stands behind `--`, and is the query by that; `there` tells whether a path leads to
    /// anything, `folder` whether to a folder.
    pub(crate) fn of(
        word: &str,
        plain: bool,
        there: impl Fn(&str) -> bool,
        folder: impl Fn(&Path) -> bool,
    ) -> Self {
        if word == "-" {
            return Self::Path;
        }
        if plain || word.is_empty() {
            return Self::Query;
        }
        if there(word) {
            return match word.contains(['/', '.']) {
                true => Self::Path,
                false => Self::Named,
            };
        }
        match looks_like_path(word, folder) {
            true => Self::Missing,
            false => Self::Query,
        }
    }
}

/// Whether a word that leads nowhere was meant to be a path: by the ending of a log, by how it begins or
/// ends, or since the folder is there. `/api/pay` is a query where there is no `/api`.
fn looks_like_path(word: &str, folder: impl Fn(&Path) -> bool) -> bool {
    let name = word.strip_prefix("~/").unwrap_or(word);
    if name.starts_with('-') || name.contains(QUERY) {
        return false;
    }
    let below = |parent: &Path| parent.components().count() > 1 || !parent.has_root();
    ENDINGS.iter().any(|ending| word.ends_with(ending))
        || ["./", "../", "~/"]
            .iter()
            .any(|dots| word.starts_with(dots))
        || (word.ends_with('/') && !word.starts_with('/'))
        || (word.contains('/')
            && Path::new(word)
                .parent()
                .is_some_and(|parent| below(parent) && folder(parent)))
}

/// Whether a pattern or a log of which only rolled files are left may be meant.
pub(crate) fn ends_as_log(word: &str) -> bool {
    !word.contains(QUERY) && ENDINGS.iter().any(|ending| word.ends_with(ending))
}

/// Signs of the language, `docs/query.md`.
const QUERY: &[char] = &[
    ' ', '"', '\'', '=', '<', '>', '~', '!', '|', '(', ')', ':', ',',
];

/// How the names of logs end.
const ENDINGS: [&str; 6] = [".log", ".gz", ".zst", ".json", ".jsonl", ".ndjson"];

#[cfg(test)]
mod tests {
    use super::First::{self, Missing, Named, Path, Query};

    #[test]
    fn a_first_word_is_a_path_that_is_there_or_would_be_one_or_else_the_query() {
        for (word, first) in [
            ("-", Path),
            ("logs/", Path),
            ("shop.log", Path),
            ("logs", Named),
            ("", Query),
            ("timeout", Query),
            ("level>=error", Query),
            ("app.pay", Query),
            // No folder `/api` is there, and nobody keeps logs in `/`.
            ("/api/pay", Query),
            ("/login", Query),
            ("/api/", Query),
            ("application/json", Query),
            ("path=/var/log/x.log", Query),
            ("\"/var/log/nope.log\"", Query),
            ("-shop.log", Query),
            ("~\"x\\.log\"", Query),
            ("/var/log/nope", Missing),
            ("/var/nope/", Missing),
            ("/nope/shop.log", Missing),
            ("logs/shp", Missing),
            ("log/", Missing),
            ("./typo", Missing),
            ("../typo.log", Missing),
            ("~/shop", Missing),
            ("shp.log", Missing),
            ("shop.log.1.zst", Missing),
            ("logs/*.ndjson", Missing),
            ("日志/支付.log", Missing),
        ] {
            let there = |path: &str| matches!(path, "logs/" | "shop.log" | "logs");
            let folder = |path: &std::path::Path| {
                ["logs", "/var/log", "/var", "/"]
                    .iter()
                    .any(|known| path == std::path::Path::new(known))
            };
            assert_eq!(First::of(word, false, there, folder), first, "{word}");
            let plain = First::of(word, true, there, folder);
            assert_eq!(plain, if word == "-" { Path } else { Query }, "-- {word}");
        }
    }
}
