//! Writes metric families as Prometheus text 0.0.4 or OpenMetrics 1.0.0. Pure.

use crate::accept::Format;
use crate::histogram::Exemplar;
use std::fmt::Write as _;

/// A page under way. Families follow one another; samples belong to the family before them.
#[derive(Debug)]
pub(crate) struct Page {
    format: Format,
    out: String,
    name: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    Whole(u64),
    Real(f64),
}

/// One histogram's figures, ready to be written.
#[derive(Debug)]
pub(crate) struct Buckets<'a> {
    /// Upper bounds, one fewer than counts.
    pub(crate) bounds: &'a [f64],
    pub(crate) counts: &'a [u64],
    pub(crate) sum: Number,
}

impl Page {
    pub(crate) fn new(format: Format) -> Self {
        Self {
            format,
            out: String::with_capacity(4_096),
            name: String::new(),
        }
    }

    /// Opens a family. A counter is named without `_total`.
    pub(crate) fn family(&mut self, name: &str, kind: Kind, help: &str) {
        self.name.clear();
        self.name.push_str(name);
        let open = self.format == Format::OpenMetrics;
        // OpenMetrics describes the family, the older format the sample's own name.
        let suffix = if kind == Kind::Counter && !open {
            "_total"
        } else {
            ""
        };
        self.out.push_str("# HELP ");
        self.push_all(&[name, suffix, " "]);
        escape(&mut self.out, help, open);
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        self.push_all(&["\n# TYPE ", name, suffix, " ", kind, "\n"]);
        let unit = ["seconds", "bytes"].into_iter().find(|unit| {
            name.strip_suffix(unit)
                .is_some_and(|rest| rest.ends_with('_'))
        });
        if let (true, Some(unit)) = (open, unit) {
            self.push_all(&["# UNIT ", name, " ", unit, "\n"]);
        }
    }

    pub(crate) fn counter(&mut self, labels: &str, value: Number) {
        self.sample("_total", labels, value);
        self.out.push('\n');
    }

    pub(crate) fn gauge(&mut self, labels: &str, value: Number) {
        self.sample("", labels, value);
        self.out.push('\n');
    }

    pub(crate) fn histogram(
        &mut self,
        labels: &str,
        buckets: &Buckets<'_>,
        exemplar: impl Fn(usize) -> Option<Exemplar>,
    ) {
        let mut total = 0;
        let between = if labels.is_empty() { "" } else { "," };
        for (at, count) in buckets.counts.iter().enumerate() {
            total += count;
            let bound = buckets
                .bounds
                .get(at)
                .map_or("+Inf".to_owned(), |b| self.bound(*b));
            let with_bound = format!("{labels}{between}le=\"{bound}\"");
            self.sample("_bucket", &with_bound, Number::Whole(total));
            if self.format == Format::OpenMetrics {
                self.exemplar(exemplar(at));
            }
            self.out.push('\n');
        }
        self.sample("_sum", labels, buckets.sum);
        self.out.push('\n');
        self.sample("_count", labels, Number::Whole(total));
        self.out.push('\n');
    }

    pub(crate) fn finish(mut self) -> String {
        if self.format == Format::OpenMetrics {
            self.out.push_str("# EOF\n");
        }
        self.out
    }

    fn sample(&mut self, suffix: &str, labels: &str, value: Number) {
        self.out.push_str(&self.name);
        self.out.push_str(suffix);
        if !labels.is_empty() {
            self.push_all(&["{", labels, "}"]);
        }
        self.out.push(' ');
        // Writing to a String cannot fail.
        let _ = match value {
            Number::Whole(value) => write!(self.out, "{value}"),
            Number::Real(value) if value.is_nan() => write!(self.out, "NaN"),
            Number::Real(f64::INFINITY) => write!(self.out, "+Inf"),
            Number::Real(f64::NEG_INFINITY) => write!(self.out, "-Inf"),
            Number::Real(value) => write!(self.out, "{value}"),
        };
    }

    fn exemplar(&mut self, exemplar: Option<Exemplar>) {
        let Some(exemplar) = exemplar else { return };
        let Exemplar {
            trace_id,
            seconds,
            since_1970,
        } = exemplar;
        let (second, ms) = (since_1970.as_secs(), since_1970.subsec_millis());
        let _ = write!(
            self.out,
            " # {{trace_id=\"{trace_id:032x}\"}} {seconds} {second}.{ms:03}"
        );
    }

    /// OpenMetrics writes a bound as `1.0`, the older format as `1`; as Prometheus' own library does.
    fn bound(&self, bound: f64) -> String {
        match self.format {
            Format::OpenMetrics => format!("{bound:?}"),
            Format::Text => format!("{bound}"),
        }
    }

    fn push_all(&mut self, parts: &[&str]) {
        self.out.extend(parts.iter().copied());
    }
}

/// `method="GET",route="/"`: escaped, and without those whose value is empty, which Prometheus
/// takes for absent.
pub(crate) fn labels(pairs: &[(&str, &str)]) -> String {
    let mut out = String::new();
    for (name, value) in pairs.iter().filter(|(_, value)| !value.is_empty()) {
        if !out.is_empty() {
            out.push(',');
        }
        out.push_str(name);
        out.push_str("=\"");
        escape(&mut out, value, true);
        out.push('"');
    }
    out
}

fn escape(out: &mut String, text: &str, quotes: bool) {
    for character in text.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '"' if quotes => out.push_str("\\\""),
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(format: Format) -> String {
        let mut page = Page::new(format);
        page.family("jobs", Kind::Counter, "Jobs \"done\".\nC:\\");
        page.counter("", Number::Whole(3));
        page.family("wait_seconds", Kind::Histogram, "Wait.");
        let buckets = Buckets {
            bounds: &[0.5, 1.0],
            counts: &[1, 0, 2],
            sum: Number::Real(7.25),
        };
        let trace = Exemplar {
            trace_id: 0xab,
            seconds: 0.25,
            since_1970: std::time::Duration::from_millis(1_700_000_000_042),
        };
        page.histogram(r#"q="a""#, &buckets, |at| (at == 0).then_some(trace));
        page.family("heat", Kind::Gauge, "");
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.5] {
            page.gauge("", Number::Real(value));
        }
        page.finish()
    }

    #[test]
    fn the_older_text_names_the_sample_and_carries_no_exemplar() {
        let expected = r#"# HELP jobs_total Jobs "done".\nC:\\
# TYPE jobs_total counter
jobs_total 3
# HELP wait_seconds Wait.
# TYPE wait_seconds histogram
wait_seconds_bucket{q="a",le="0.5"} 1
wait_seconds_bucket{q="a",le="1"} 1
wait_seconds_bucket{q="a",le="+Inf"} 3
wait_seconds_sum{q="a"} 7.25
wait_seconds_count{q="a"} 3
# HELP heat 
# TYPE heat gauge
heat NaN
heat +Inf
heat -Inf
heat -0.5
"#;
        assert_eq!(written(Format::Text), expected);
    }

    #[test]
    fn openmetrics_names_the_family_carries_exemplars_and_ends() {
        let expected = r#"# HELP jobs Jobs \"done\".\nC:\\
# TYPE jobs counter
jobs_total 3
# HELP wait_seconds Wait.
# TYPE wait_seconds histogram
# UNIT wait_seconds seconds
wait_seconds_bucket{q="a",le="0.5"} 1 # {trace_id="000000000000000000000000000000ab"} 0.25 1700000000.042
wait_seconds_bucket{q="a",le="1.0"} 1
wait_seconds_bucket{q="a",le="+Inf"} 3
wait_seconds_sum{q="a"} 7.25
wait_seconds_count{q="a"} 3
# HELP heat 
# TYPE heat gauge
heat NaN
heat +Inf
heat -Inf
heat -0.5
# EOF
"#;
        assert_eq!(written(Format::OpenMetrics), expected);
    }

    #[test]
    fn label_values_are_escaped_and_empty_ones_left_out() {
        let made = labels(&[("a", "x\"y\\z\nw"), ("b", ""), ("c", "中文")]);
        assert_eq!(made, r#"a="x\"y\\z\nw",c="中文""#);
        assert_eq!(labels(&[]), "");
    }
}
