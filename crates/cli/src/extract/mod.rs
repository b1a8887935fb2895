//! Makes fields of lines of text: by a regular expression with names, or by a pattern that is known.
//! Pure.

mod access;
mod logfmt;
mod object;
mod stamp;
mod syslog;

use std::cell::Cell;

use dogwatch_line::{Line, unwrapped};
use jiff::tz::TimeZone;
use regex::Regex;

use crate::session::shortened;
use object::Object;
use stamp::Stamps;

/// What lines of text are read by.
pub(crate) struct Extract {
    form: Form,
    stamps: Stamps,
    /// Lines of text that have another form.
    unfit: Cell<u64>,
}

enum Form {
    Regex(Regex),
    Access(access::Forms),
    Syslog(syslog::Forms),
    Logfmt,
}

/// The patterns that have a name.
pub(crate) const NAMES: [&str; 4] = ["nginx", "apache", "syslog", "logfmt"];

impl Extract {
    /// One of [`NAMES`], or a regular expression with at least one named group. Times without a zone
    /// are of the one that is given; where a form has no year, it is that of the moment, or the year
    /// before if the time would lie ahead.
    pub(crate) fn new(form: &str, zone: TimeZone, now: jiff::Timestamp) -> Result<Self, String> {
        let form = match form {
            "nginx" => Form::Access(access::Forms::nginx()),
            "apache" => Form::Access(access::Forms::apache()),
            "syslog" => Form::Syslog(syslog::Forms::new()),
            "logfmt" => Form::Logfmt,
            pattern => Form::Regex(named(pattern)?),
        };
        Ok(Self {
            form,
            stamps: Stamps::new(zone, now),
            unfit: Cell::new(0),
        })
    }

    /// The line as JSON, if it is text and of the form; `None` leaves it as it is. A text that Docker
    /// wrapped is taken out first.
    pub(crate) fn line(&self, line: &str) -> Option<String> {
        let text = unwrapped(line);
        if text.starts_with('{') && Line::parse_repeating(&text).is_ok() {
            return None;
        }
        let made = match &self.form {
            Form::Regex(regex) => by_names(regex, &text),
            Form::Access(forms) => forms.line(&text, &self.stamps),
            Form::Syslog(forms) => forms.line(&text, &self.stamps),
            Form::Logfmt => logfmt::line(&text),
        };
        if made.is_none() {
            self.unfit.set(self.unfit.get() + 1);
        }
        made
    }

    /// What was not read, if anything.
    pub(crate) fn shortfall(&self) -> Option<String> {
        let unfit = self.unfit.get();
        match unfit {
            0 => None,
            1 => Some("1 line of text is not of the form of --extract".to_owned()),
            _ => Some(format!(
                "{unfit} lines of text are not of the form of --extract"
            )),
        }
    }
}

fn named(pattern: &str) -> Result<Regex, String> {
    let regex = regex::RegexBuilder::new(pattern)
        .size_limit(1 << 20)
        .build()
        .map_err(|error| {
            // The crate draws the pattern above its last line.
            let told = error.to_string();
            let why = told.lines().last().unwrap_or_default();
            let why = why.strip_prefix("error: ").unwrap_or(why);
            let pattern = shortened(pattern);
            format!("cannot read the pattern `{pattern}` of --extract: {why}")
        })?;
    if regex.capture_names().flatten().next().is_none() {
        return Err(format!(
            "--extract takes {} or a regular expression with named groups, `(?<status>\\d+)`, and `{}` has none",
            NAMES.join(", "),
            shortened(pattern)
        ));
    }
    Ok(regex)
}

/// A field for each named group that took part.
fn by_names(regex: &Regex, text: &str) -> Option<String> {
    let captures = regex.captures(text)?;
    let mut object = Object::new();
    for name in regex.capture_names().flatten() {
        if let Some(found) = captures.name(name) {
            object.add(name, found.as_str());
        }
    }
    Some(object.end())
}

#[cfg(test)]
mod tests {
    use jiff::tz::{TimeZone, offset};

    use super::Extract;

    fn extract(form: &str) -> Extract {
        let now = "2026-11-24T10:00:00Z".parse().unwrap();
        Extract::new(form, TimeZone::fixed(offset(8)), now).unwrap()
    }

    #[test]
    fn each_form_makes_a_line_of_its_text() {
        for (form, text, expected) in [
            (
                r"^(?<level>\w+) (?<message>.*) in (?<took.ms>[\d.]+)ms$",
                "WARN 支付 \"slow\" in 12.5ms",
                Some(r#"{"level":"WARN","message":"支付 \"slow\"","took.ms":12.5}"#),
            ),
            (r"(?<a>x)|(?<b>y)", "y", Some(r#"{"b":"y"}"#)),
            (
                "nginx",
                r#"10.0.0.1 - wang [24/Nov/2026:18:00:01 +0800] "GET /api/pay?id=1 HTTP/1.1" 502 157 "-" "curl/8.0 \"x\"""#,
                Some(
                    r#"{"timestamp":"2026-11-24T10:00:01Z","message":"GET /api/pay","method":"GET","path":"/api/pay","query":"id=1","status":502,"bytes_out":157,"client_address":"10.0.0.1","user_id":"wang","user_agent":"curl/8.0 \\\"x\\\""}"#,
                ),
            ),
            (
                "nginx",
                "2026/11/24 18:00:01 [error] 31#7: *9 connect() failed (111: Connection refused)",
                Some(
                    r#"{"timestamp":"2026-11-24T10:00:01Z","level":"error","message":"*9 connect() failed (111: Connection refused)","pid":31}"#,
                ),
            ),
            (
                "apache",
                r#"::1 - - [24/Nov/2026:10:00:01 +0000] "-" 408 -"#,
                Some(
                    r#"{"timestamp":"2026-11-24T10:00:01Z","message":"-","status":408,"client_address":"::1"}"#,
                ),
            ),
            (
                "apache",
                "[Tue Nov 24 18:00:01.123456 2026] [proxy:error] [pid 7:tid 9] [client 10.0.0.1:52] AH00957: failed",
                Some(
                    r#"{"timestamp":"2026-11-24T10:00:01.123456Z","level":"error","target":"proxy","message":"AH00957: failed","pid":7,"client_address":"10.0.0.1:52"}"#,
                ),
            ),
            (
                "syslog",
                "<34>1 2026-10-11T22:14:15.003Z web su 12 ID47 [a@1 k=\"v\"] 'su root' failed",
                Some(
                    r#"{"timestamp":"2026-10-11T22:14:15.003Z","level":"FATAL","target":"su","message":"'su root' failed","host":"web","pid":12}"#,
                ),
            ),
            (
                "syslog",
                "Dec 31 23:59:58 web sshd[42]: Failed password",
                Some(
                    r#"{"timestamp":"2025-12-31T15:59:58Z","target":"sshd","message":"Failed password","host":"web","pid":42}"#,
                ),
            ),
            (
                "syslog",
                "<12>Nov  4 08:00:00 web kernel: oom",
                Some(
                    r#"{"timestamp":"2026-11-04T00:00:00Z","level":"WARN","target":"kernel","message":"oom","host":"web"}"#,
                ),
            ),
            (
                "logfmt",
                r#"time="2026-11-24T10:00:00Z" level=error msg="it \"broke\"\n" n=3 id=007 done empty="#,
                Some(
                    r#"{"time":"2026-11-24T10:00:00Z","level":"error","msg":"it \"broke\"\n","n":3,"id":"007","done":true,"empty":""}"#,
                ),
            ),
            // Docker's wrapper around text.
            (
                "logfmt",
                r#"{"log":"level=info msg=x\n","stream":"stdout","time":"2026-11-24T10:00:00Z"}"#,
                Some(r#"{"level":"info","msg":"x"}"#),
            ),
            ("logfmt", "just words", None),
            ("logfmt", "unclosed=\"x", None),
            ("nginx", "just words", None),
            ("syslog", "just words", None),
            ("nginx", r#"{"level":"INFO"}"#, None),
        ] {
            let extract = extract(form);
            assert_eq!(extract.line(text).as_deref(), expected, "{form}: {text}");
            if let Some(json) = extract.line(text) {
                assert!(dogwatch_line::Line::parse(&json).is_ok(), "{json}");
            }
        }
    }

    #[test]
    fn what_is_not_of_the_form_is_counted() {
        let extract = extract("nginx");
        for line in ["words", r#"{"json":1}"#, "more words"] {
            assert_eq!(extract.line(line), None);
        }
        assert_eq!(
            extract.shortfall().as_deref(),
            Some("2 lines of text are not of the form of --extract")
        );
    }

    #[test]
    fn a_pattern_without_names_is_an_error_that_says_how() {
        let wrong = |pattern: &str| {
            let now = jiff::Timestamp::UNIX_EPOCH;
            Extract::new(pattern, TimeZone::UTC, now).err().unwrap()
        };
        assert_eq!(
            wrong("nginxx"),
            "--extract takes nginx, apache, syslog, logfmt or a regular expression with named groups, `(?<status>\\d+)`, and `nginxx` has none"
        );
        assert_eq!(
            wrong("(?<a>"),
            "cannot read the pattern `(?<a>` of --extract: unclosed group"
        );
        assert_eq!(
            wrong(r"(?<a>\w{100000})"),
            "cannot read the pattern `(?<a>\\w{100000})` of --extract: Compiled regex exceeds size limit of 1048576 bytes."
        );
    }

    #[test]
    fn any_text_makes_a_valid_line_or_none() {
        let forms = [
            "nginx",
            "apache",
            "syslog",
            "logfmt",
            "(?<a>.*)(?<b.c>\\d)?",
        ]
        .map(extract);
        let texts = "\\PC*|([a-z]+=(\"[^\"]*\"|[^ ]*) ?)*|<[0-9]{1,4}>.*";
        let valid = |text: String| {
            for json in forms.iter().filter_map(|form| form.line(&text)) {
                let line = dogwatch_line::Line::parse(&json);
                proptest::prop_assert!(line.is_ok(), "{json}");
            }
            Ok(())
        };
        let ran = proptest::test_runner::TestRunner::default().run(&texts, valid);
        assert_eq!(ran, Ok(()));
    }
}
