//! The six levels of a line, in order.

use std::fmt;

/// How grave a line is; `Trace` is the least.
///
/// The five levels of `tracing`, and [`Fatal`](Self::Fatal) for the panic or start-up error that
/// ends the process. Closed on purpose: a seventh level would change what every `>=` means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// `TRACE`
    Trace,
    /// `DEBUG`
    Debug,
    /// `INFO`
    Info,
    /// `WARN`
    Warn,
    /// `ERROR`
    Error,
    /// `FATAL`
    Fatal,
}

impl Level {
    /// Every level, the least first.
    pub const ALL: [Self; 6] = [
        Self::Trace,
        Self::Debug,
        Self::Info,
        Self::Warn,
        Self::Error,
        Self::Fatal,
    ];

    /// Reads a level's name in any case; `warning` is `Warn` too. Anything else is `None`.
    ///
    /// ```
    /// use dogwatch_line::Level;
    /// assert_eq!(Level::parse("error"), Some(Level::Error));
    /// assert_eq!(Level::parse("loud"), None);
    /// ```
    pub fn parse(name: &str) -> Option<Self> {
        // As a line of ours has it.
        match name {
            "INFO" => return Some(Self::Info),
            "WARN" => return Some(Self::Warn),
            "ERROR" => return Some(Self::Error),
            "DEBUG" => return Some(Self::Debug),
            "TRACE" => return Some(Self::Trace),
            "FATAL" => return Some(Self::Fatal),
            _ => {}
        }
        if name.eq_ignore_ascii_case("warning") {
            return Some(Self::Warn);
        }
        Self::ALL
            .into_iter()
            .find(|level| name.eq_ignore_ascii_case(level.as_str()))
    }

    /// The name as a line carries it: upper case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "TRACE",
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
            Self::Fatal => "FATAL",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::Level;

    #[test]
    fn each_level_reads_its_own_name_in_any_case() {
        for level in Level::ALL {
            assert_eq!(Level::parse(level.as_str()), Some(level));
            assert_eq!(Level::parse(&level.as_str().to_lowercase()), Some(level));
        }
        assert_eq!(Level::parse("Warning"), Some(Level::Warn));
        assert_eq!(Level::parse(""), None);
        assert_eq!(Level::parse(" ERROR"), None);
    }

    #[test]
    fn levels_are_ordered_by_gravity() {
        assert!(Level::ALL.is_sorted());
        assert!(Level::Fatal > Level::Error);
    }
}
