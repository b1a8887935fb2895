//! Reads the level of a line that another logger wrote.

use crate::{Level, Value};

impl Level {
    /// The level that a value means, whoever wrote it: a name in lower or upper case or with a
    /// capital, or a number.
    ///
    /// Beside the names of [`Level::parse`]: `err`, `critical` and what else OpenTelemetry, Google
    /// Cloud, syslog, zap and logrus use; `INFO+2` as slog writes levels of one's own; the numbers of
    /// bunyan and pino, 10 to 60 in tens.
    ///
    /// ```
    /// use dogwatch_line::{Level, Value};
    /// assert_eq!(Level::of(&Value::from("CRITICAL")), Some(Level::Fatal));
    /// assert_eq!(Level::of(&Value::from(30_i64)), Some(Level::Info));
    /// ```
    pub fn of(value: &Value<'_>) -> Option<Self> {
        match value {
            Value::Str(name) => Self::parse(name)
                .or_else(|| foreign(name))
                .filter(|_| has_case(name)),
            Value::I64(number) => numbered(*number),
            _ => None,
        }
    }
}

/// Whether a name is all in one case, but for its first letter. `eRRor` is no logger's.
fn has_case(name: &str) -> bool {
    let rest = name.get(1..).unwrap_or_default();
    let lower = |text: &str| !text.bytes().any(|byte| byte.is_ascii_uppercase());
    lower(rest) || !name.bytes().any(|byte| byte.is_ascii_lowercase())
}

fn foreign(name: &str) -> Option<Level> {
    if let Some((base, steps)) = name.split_once(['+', '-']) {
        return Level::parse(base).filter(|_| steps.parse::<u8>().is_ok());
    }
    let known = NAMES
        .iter()
        .find(|(known, _)| name.eq_ignore_ascii_case(known));
    known.map(|(_, level)| *level)
}

fn numbered(number: i64) -> Option<Level> {
    let tens = usize::try_from(number)
        .ok()
        .filter(|number| number % 10 == 0)?
        / 10;
    Level::ALL.get(tens.checked_sub(1)?).copied()
}

/// OpenTelemetry's `SeverityNumber`: 1 to 24, four a level (logs data model, "Field: SeverityNumber").
#[cfg(feature = "query")]
pub(crate) fn severity_number(number: i64) -> Option<Level> {
    let fours = usize::try_from(number.checked_sub(1)?).ok()? / 4;
    Level::ALL.get(fours).copied()
}

/// What stands in every name of a level, in lower case.
#[cfg(feature = "query")]
pub(crate) fn stems(level: Level) -> &'static [&'static str] {
    match level {
        Level::Trace => &["trace", "verbose"],
        Level::Debug => &["debug", "dbg"],
        Level::Info => &["inf", "notice", "default"],
        Level::Warn => &["warn", "wrn"],
        Level::Error => &["err"],
        Level::Fatal => &["fatal", "crit", "alert", "emerg", "panic"],
    }
}

const NAMES: [(&str, Level); 15] = [
    ("verbose", Level::Trace),
    ("dbg", Level::Debug),
    ("inf", Level::Info),
    ("information", Level::Info),
    ("notice", Level::Info),
    ("default", Level::Info),
    ("wrn", Level::Warn),
    ("err", Level::Error),
    ("critical", Level::Fatal),
    ("crit", Level::Fatal),
    ("alert", Level::Fatal),
    ("emergency", Level::Fatal),
    ("emerg", Level::Fatal),
    ("panic", Level::Fatal),
    ("dpanic", Level::Fatal),
];

#[cfg(test)]
mod tests {
    use crate::{Level, Value};

    #[test]
    fn each_loggers_levels_are_understood() {
        use Level::{Debug, Error, Fatal, Info, Trace, Warn};
        for (value, level) in [
            (Value::from("warning"), Some(Warn)),
            (Value::from("Error"), Some(Error)),
            (Value::from("INFO+2"), Some(Info)),
            (Value::from("DEBUG-4"), Some(Debug)),
            (Value::from("dpanic"), Some(Fatal)),
            (Value::from("NOTICE"), Some(Info)),
            (Value::from("loud"), None),
            (Value::from("eRRor"), None),
            (Value::from("ERRor"), None),
            (Value::from("+4"), None),
            (Value::from("error-prone"), None),
            (Value::I64(10), Some(Trace)),
            (Value::I64(20), Some(Debug)),
            (Value::I64(9), None),
            (Value::I64(35), None),
            (Value::I64(60), Some(Fatal)),
            (Value::I64(0), None),
            (Value::I64(70), None),
            (Value::I64(-10), None),
            (Value::I64(200), None),
            (Value::F64(50.0), None),
            (Value::Null, None),
        ] {
            assert_eq!(Level::of(&value), level, "{value:?}");
        }
    }

    #[cfg(feature = "query")]
    #[test]
    fn a_stem_stands_in_every_name_of_its_level() {
        let own = Level::ALL.map(|level| (level.as_str(), level));
        for (name, level) in own
            .into_iter()
            .chain(super::NAMES)
            .chain([("warning", Level::Warn)])
        {
            let name = name.to_lowercase();
            let found = super::stems(level).iter().any(|stem| name.contains(stem));
            assert!(found, "{name}");
        }
        assert_eq!(
            [0, 1, 8, 9, 24, 25].map(super::severity_number),
            [
                None,
                Some(Level::Trace),
                Some(Level::Debug),
                Some(Level::Info),
                Some(Level::Fatal),
                None
            ]
        );
    }
}
