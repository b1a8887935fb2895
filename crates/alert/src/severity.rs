//! How grave an alert is.

use std::fmt;

/// How grave an alert is: the `level` of its rule. `Info` is the least.
///
/// The four that PagerDuty and Alertmanager set-ups share; closed on purpose, since routing trees
/// name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// `info`
    Info,
    /// `warning`; `warn` is read too.
    Warning,
    /// `error`
    Error,
    /// `critical`
    Critical,
}

impl Severity {
    pub(crate) const ALL: [Self; 4] = [Self::Critical, Self::Error, Self::Warning, Self::Info];

    pub(crate) fn parse(name: &str) -> Option<Self> {
        if name.eq_ignore_ascii_case("warn") {
            return Some(Self::Warning);
        }
        Self::ALL
            .into_iter()
            .find(|severity| name.eq_ignore_ascii_case(severity.as_str()))
    }

    /// The name as rules and notifications carry it: lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
