//! A set of rules, read from YAML and found sound.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::error::Error;
use crate::read::{self, Document};

/// A set of rules. It costs nothing until [`AlertLayer::builder`](crate::AlertLayer::builder)
/// puts it to work.
///
/// ```
/// use dogwatch_alert::Rules;
///
/// let rules = Rules::parse(r#"
/// - name: "HighErrorRate"
///   pattern: "ERROR.*\\[5xx\\]"
///   threshold: 10            # per minute
///   level: "critical"
///   action: "send_alert_to_pagerduty"
/// "#)?;
/// assert_eq!(rules.names().collect::<Vec<_>>(), ["HighErrorRate"]);
///
/// let error = Rules::parse("- {name: x, pattern: y, treshold: 3}").unwrap_err();
/// assert!(error.to_string().starts_with("cannot load the rules, line 1 column 25: rule `x`: unknown key `treshold`"));
/// # Ok::<(), dogwatch_alert::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct Rules {
    pub(crate) document: Document,
    /// Where they were loaded from, for errors that show only when they are put to work.
    pub(crate) file: Option<PathBuf>,
    /// What that file looked like.
    pub(crate) sight: u64,
}

impl Rules {
    /// Reads YAML text: a list of rules, a document with `rules:`, or one rule. A `${NAME}` in it
    /// is an error; see [`parse_with`](Self::parse_with).
    pub fn parse(yaml: &str) -> Result<Self, Error> {
        Self::parse_with(yaml, |_| None)
    }

    /// As [`parse`](Self::parse), with `${NAME}` in the settings of notifiers replaced by what
    /// `variable` gives for the name. This crate reads no environment of its own accord.
    pub fn parse_with(
        yaml: &str,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Error> {
        let document = read::document(yaml, &variable)?;
        Ok(Self {
            document,
            file: None,
            sight: 0,
        })
    }

    /// Reads a file; see [`parse`](Self::parse).
    pub fn load(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::load_with(path, |_| None)
    }

    /// Reads a file; see [`parse_with`](Self::parse_with).
    pub fn load_with(
        path: impl AsRef<Path>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Error> {
        let path = path.as_ref();
        let text = fs::read_to_string(path);
        Self::read(path, sight(&text), text, &variable)
    }

    /// What a file said.
    pub(crate) fn read(
        path: &Path,
        sight: u64,
        text: io::Result<String>,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, Error> {
        let yaml = text.map_err(|error| {
            Error::rules(None, format!("cannot read the file `{}`", path.display()))
                .caused_by(error)
        })?;
        let document = read::document(&yaml, variable).map_err(|error| error.in_file(path))?;
        Ok(Self {
            document,
            file: Some(path.into()),
            sight,
        })
    }

    /// How many rules there are.
    pub fn len(&self) -> usize {
        self.document.rules.len()
    }

    /// Whether there is no rule.
    pub fn is_empty(&self) -> bool {
        self.document.rules.is_empty()
    }

    /// The rules' names, in the file's order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.document.rules.iter().map(|rule| &*rule.name)
    }
}

/// A number for what was read of a file, or for why nothing was. The text itself may hold secrets,
/// and is not kept.
pub(crate) fn sight(text: &io::Result<String>) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.as_ref().map_err(io::Error::kind).hash(&mut hasher);
    hasher.finish()
}
