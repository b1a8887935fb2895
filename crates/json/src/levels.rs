//! How grave a line is, and how that is written.

use std::fmt;
use tracing_core::Level;

/// How grave a line is: a [`Level`], or worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Severity {
    /// As [`Level::TRACE`].
    Trace,
    /// As [`Level::DEBUG`].
    Debug,
    /// As [`Level::INFO`].
    Info,
    /// As [`Level::WARN`].
    Warn,
    /// As [`Level::ERROR`].
    Error,
    /// A panic or a start-up error that ends the process.
    Fatal,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(UPPER[*self as usize])
    }
}

impl From<Level> for Severity {
    fn from(level: Level) -> Self {
        match level {
            Level::TRACE => Severity::Trace,
            Level::DEBUG => Severity::Debug,
            Level::INFO => Severity::Info,
            Level::WARN => Severity::Warn,
            Level::ERROR => Severity::Error,
        }
    }
}

/// How a line's `level` is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum LevelStyle {
    /// `TRACE`, `DEBUG`, `INFO`, `WARN`, `ERROR`, `FATAL`.
    #[default]
    Upper,
    /// `trace`, `debug`, `info`, `warn`, `error`, `fatal`.
    Lower,
    /// The names of Cloud Logging's [`LogSeverity`]: `DEBUG` (also for TRACE), `INFO`, `WARNING`,
    /// `ERROR`, `CRITICAL`.
    ///
    /// [`LogSeverity`]: https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry#LogSeverity
    Google,
    /// OpenTelemetry's [`SeverityNumber`]: 1, 5, 9, 13, 17, 21, the smallest of each range.
    ///
    /// [`SeverityNumber`]: https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-severitynumber
    Number,
}

const UPPER: [&str; 6] = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];
const LOWER: [&str; 6] = ["trace", "debug", "info", "warn", "error", "fatal"];
const GOOGLE: [&str; 6] = ["DEBUG", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"];

impl LevelStyle {
    /// The level as JSON.
    pub(crate) fn json(self, severity: Severity) -> String {
        let at = severity as usize;
        match self {
            LevelStyle::Upper => format!("\"{}\"", UPPER[at]),
            LevelStyle::Lower => format!("\"{}\"", LOWER[at]),
            LevelStyle::Google => format!("\"{}\"", GOOGLE[at]),
            LevelStyle::Number => (4 * at + 1).to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_written_in_each_style() {
        let all = [
            Severity::Trace,
            Severity::Debug,
            Severity::Info,
            Severity::Warn,
            Severity::Error,
            Severity::Fatal,
        ];
        let written = |style: LevelStyle| all.map(|severity| style.json(severity)).join(" ");
        assert_eq!(
            written(LevelStyle::Upper),
            r#""TRACE" "DEBUG" "INFO" "WARN" "ERROR" "FATAL""#
        );
        assert_eq!(
            written(LevelStyle::Lower),
            r#""trace" "debug" "info" "warn" "error" "fatal""#
        );
        assert_eq!(
            written(LevelStyle::Google),
            r#""DEBUG" "DEBUG" "INFO" "WARNING" "ERROR" "CRITICAL""#
        );
        assert_eq!(written(LevelStyle::Number), "1 5 9 13 17 21");
    }
}
