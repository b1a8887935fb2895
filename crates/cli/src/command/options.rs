//! Names the options; most are shared by several commands. Pure.

use super::{Opt, Takes};

const fn flag(short: Option<char>, long: &'static str, does: &'static str) -> Opt {
    Opt {
        short,
        long,
        value: Takes::Nothing,
        does,
    }
}

const fn valued(short: Option<char>, long: &'static str, value: Takes, does: &'static str) -> Opt {
    Opt {
        short,
        long,
        value,
        does,
    }
}

pub(crate) static COUNT: Opt = flag(Some('c'), "count", "only how many lines were found");
pub(crate) static FOLLOW: Opt = flag(
    Some('f'),
    "follow",
    "go on with what is written, across rolls",
);
pub(crate) static JSON: Opt = flag(Some('j'), "json", "the lines as they stand in the files");
pub(crate) static CSV: Opt = flag(
    None,
    "csv",
    "rows of values: time, level, target, message, --fields",
);
pub(crate) static LINES: Opt = valued(
    Some('n'),
    "lines",
    Takes::Number("N"),
    "the first N lines at most",
);
pub(crate) static TAIL: Opt = valued(None, "tail", Takes::Number("N"), "the last N lines at most");
pub(crate) static CONTEXT: Opt = valued(
    Some('C'),
    "context",
    Takes::Number("N"),
    "N lines before and after, whatever they are",
);
pub(crate) static CURSOR: Opt = valued(
    None,
    "cursor",
    Takes::Text("FILE"),
    "go on where the last run with this file ended",
);
pub(crate) static EXTRACT: Opt = valued(
    None,
    "extract",
    Takes::Text("FORM"),
    "fields of text: nginx, apache, syslog, logfmt, regex",
);
pub(crate) static BAD: Opt = valued(
    None,
    "bad",
    Takes::Text("QUERY"),
    "the lines that went wrong",
);
pub(crate) static GOOD: Opt = valued(None, "good", Takes::Text("QUERY"), "lines that did not");
pub(crate) static FIELDS: Opt = valued(
    None,
    "fields",
    Takes::Text("A,B"),
    "only these fields behind the message",
);
pub(crate) static UTC: Opt = flag(None, "utc", "times in UTC, not in this machine's zone");
pub(crate) static COLOR: Opt = valued(
    None,
    "color",
    Takes::OneOf("WHEN", &["auto", "always", "never"]),
    "auto (on a terminal), always or never",
);
pub(crate) static NO_PAGER: Opt = flag(
    None,
    "no-pager",
    "straight to the terminal, not through $PAGER",
);
pub(crate) static GENERATE: Opt = valued(
    None,
    "generate",
    Takes::OneOf("WHAT", &["man", "bash", "zsh", "fish"]),
    "the manual, or what completes in a shell",
);
pub(crate) static RULES: Opt = valued(
    None,
    "rules",
    Takes::Text("FILE"),
    "the rules, as alerts load them",
);
pub(crate) static INCIDENTS: Opt = valued(
    None,
    "incidents",
    Takes::Text("FILE"),
    "when it was really bad, to compare with",
);
pub(crate) static FAIL_ON: Opt = valued(
    None,
    "fail-on",
    Takes::Text("LIMIT"),
    "exit 1 if a rule is beyond it: 'alerts_per_day>20'",
);
pub(crate) static AS_JSON: Opt = flag(Some('j'), "json", "the same as one JSON object");
pub(crate) static HELP: Opt = flag(Some('h'), "help", "this page");
pub(crate) static VERSION: Opt = flag(Some('V'), "version", "the version");
