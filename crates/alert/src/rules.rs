//! A set of rules, read from YAML and found sound.

use std::path::{Path, PathBuf};

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
        let yaml = std::fs::read_to_string(path).map_err(|error| {
            Error::rules(None, format!("cannot read the file `{}`", path.display()))
                .caused_by(error)
        })?;
        let rules = Self::parse_with(&yaml, variable).map_err(|error| error.in_file(path))?;
        Ok(Self {
            file: Some(path.into()),
            ..rules
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
