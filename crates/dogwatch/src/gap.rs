//! Makes the line that says how many lines are missing at its place, in the log's own format.

use std::time::SystemTime;

use dogwatch_appender::Gap;

use crate::config::Config;
#[cfg(feature = "json")]
use crate::preset::Preset;
use crate::settings::Settings;

/// Makes gap lines that look as the lines around them do.
pub(crate) struct GapLines {
    /// `None`: text.
    #[cfg(feature = "json")]
    json: Option<dogwatch_json::Blank>,
}

impl GapLines {
    /// JSON with the fixed fields of the other lines; text where `dev` prints it.
    #[cfg(feature = "json")]
    pub(crate) fn new(config: &Config, settings: &Settings, to_stdout: bool) -> Self {
        let is_text = to_stdout && settings.preset == Preset::Dev;
        let blank = || crate::json::dressed(std::io::sink, config, settings).blank();
        Self {
            json: (!is_text).then(blank),
        }
    }

    #[cfg(not(feature = "json"))]
    pub(crate) fn new(_: &Config, _: &Settings, _to_stdout: bool) -> Self {
        Self {}
    }

    pub(crate) fn line(&self, gap: &Gap) -> Vec<u8> {
        #[cfg(feature = "json")]
        if let Some(blank) = &self.json {
            let line = blank.line(tracing_core::Level::WARN, "dogwatch", &message(gap));
            return line.raw("gap", &object(gap)).finish();
        }
        let (since, until) = (time(gap.since()), time(gap.until()));
        let clock = until.get(11..23).unwrap_or_default();
        format!("{clock} WARN  {} since={since} dogwatch\n", message(gap)).into_bytes()
    }
}

#[cfg(feature = "json")]
fn object(gap: &Gap) -> String {
    let (since, until) = (time(gap.since()), time(gap.until()));
    let lines = gap.lines().total();
    let reasons = gap
        .reasons()
        .map(|(reason, lines)| format!(r#""{reason}":{lines}"#));
    let reasons = reasons.collect::<Vec<_>>().join(",");
    format!(r#"{{"lines":{lines},"reasons":{{{reasons}}},"since":"{since}","until":"{until}"}}"#)
}

fn message(gap: &Gap) -> String {
    format!("{} log lines are missing here", gap.lines().total())
}

/// As the field `timestamp`: RFC 3339 in UTC, microseconds.
fn time(at: SystemTime) -> String {
    jiff::Timestamp::try_from(at).map_or_else(|_| String::new(), |at| format!("{at:.6}"))
}
