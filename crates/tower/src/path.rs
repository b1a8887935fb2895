//! The path of a request, kept until its line: without its query, and without an allocation when it is short.

use http::Uri;
use http::uri::PathAndQuery;

#[derive(Clone, Debug)]
pub(crate) enum Path {
    Short {
        text: [u8; SHORT],
        length: u8,
    },
    /// Shares the memory that the path came in.
    Long(PathAndQuery),
}

impl Path {
    pub(crate) const EMPTY: Self = Self::Short {
        text: [0; SHORT],
        length: 0,
    };

    /// Makes it that of `uri`.
    pub(crate) fn fill(&mut self, uri: &Uri) {
        // Empty for CONNECT; `Uri::path` would say `/`.
        let whole = uri.path_and_query();
        let path = whole.map_or("", PathAndQuery::path);
        match (whole, &mut *self) {
            (Some(whole), _) if path.len() > SHORT => *self = Self::Long(whole.clone()),
            (_, Self::Short { text, length }) => {
                text[..path.len()].copy_from_slice(path.as_bytes());
                *length = path.len() as u8;
            }
            (_, Self::Long(_)) => {
                *self = Self::EMPTY;
                self.fill(uri);
            }
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Short { text, length } => {
                let text = &text[..usize::from(*length)];
                std::str::from_utf8(text).expect("copied from a path, which is text")
            }
            Self::Long(path) => path.path(),
        }
    }
}

/// Bytes. Most paths are shorter, and a record should not be much larger for the others.
const SHORT: usize = 62;

#[cfg(test)]
mod tests {
    use super::*;

    fn of(uri: &str) -> Path {
        let mut path = Path::EMPTY;
        path.fill(&uri.parse().unwrap());
        path
    }

    #[test]
    fn a_path_of_any_length_is_kept_without_its_query() {
        for length in [1, 2, SHORT - 1, SHORT, SHORT + 1, 5_000] {
            let path = format!("/{}", "x".repeat(length - 1));
            for uri in [path.clone(), format!("{path}?token=SECRET")] {
                let uri = uri.parse().unwrap();
                for mut kept in [Path::EMPTY, of("/before"), of(&"/before".repeat(100))] {
                    kept.fill(&uri);
                    assert_eq!(kept.as_str(), path);
                    assert_eq!(matches!(kept, Path::Short { .. }), length <= SHORT);
                }
            }
        }
        assert_eq!(of("/\u{e9}t\u{e9}").as_str(), "/\u{e9}t\u{e9}");
        assert_eq!(of("h:443").as_str(), "", "CONNECT");
    }
}
