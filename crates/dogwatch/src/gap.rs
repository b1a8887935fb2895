//! Makes the line that says how many lines are missing at its place, in the log's own format.

use std::time::SystemTime;

use dogwatch_appender::Gap;

use crate::config::Config;
use crate::settings::Settings;

/// Writes a gap line: JSON with the fixed fields of the other lines.
#[cfg(feature = "json")]
pub(crate) fn lines(
    config: &Config,
    settings: &Settings,
) -> impl Fn(&Gap) -> Vec<u8> + Send + Sync + 'static {
    let blank = crate::json::dressed(std::io::sink, config, settings).blank();
    move |gap| {
        let json = format!(
            r#"{{"lines":{},"since":"{}","until":"{}"}}"#,
            gap.lines().total(),
            time(gap.since()),
            time(gap.until())
        );
        blank
            .line(tracing_core::Level::WARN, "dogwatch", &message(gap))
            .raw("gap", &json)
            .finish()
    }
}

/// Writes a gap line as the text of the preset `dev`.
#[cfg(not(feature = "json"))]
pub(crate) fn lines(_: &Config, _: &Settings) -> impl Fn(&Gap) -> Vec<u8> + Send + Sync + 'static {
    |gap| {
        let (since, until) = (time(gap.since()), time(gap.until()));
        format!("{until}  WARN dogwatch: {} since={since}\n", message(gap)).into_bytes()
    }
}

fn message(gap: &Gap) -> String {
    format!("{} log lines are missing here", gap.lines().total())
}

/// As the field `timestamp`: RFC 3339 in UTC, microseconds.
fn time(at: SystemTime) -> String {
    jiff::Timestamp::try_from(at).map_or_else(|_| String::new(), |at| format!("{at:.6}"))
}
