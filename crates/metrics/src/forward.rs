//! Sends what is counted on to a recorder of the `metrics` crate, under the same names and labels.

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Label, Level, Metadata, Recorder, Unit};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Where everything is sent on to.
#[derive(Default)]
pub(crate) struct Forward {
    to: Option<To>,
    panics: AtomicU64,
}

enum To {
    Given(Box<dyn Recorder + Send + Sync>),
    /// The process' own, whichever it is when a series is first seen.
    Global,
}

/// What a family is called and said to be. A counter is named with `_total`, as its sample is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told<'a> {
    pub(crate) name: &'a str,
    pub(crate) help: &'a str,
}

/// The recorder's handle for one series, made when it is first needed.
#[derive(Default)]
pub(crate) struct Counted(OnceLock<Counter>);

/// The same for a gauge.
#[derive(Default)]
pub(crate) struct Gauged(OnceLock<Gauge>);

/// The same for a histogram.
#[derive(Default)]
pub(crate) struct Observed(OnceLock<Histogram>);

impl Forward {
    pub(crate) fn given(recorder: impl Recorder + Send + Sync + 'static) -> Self {
        Self::to(To::Given(Box::new(recorder)))
    }

    pub(crate) fn global() -> Self {
        Self::to(To::Global)
    }

    fn to(to: To) -> Self {
        Self {
            to: Some(to),
            panics: AtomicU64::new(0),
        }
    }

    /// Panics of the recorder, which are survived.
    pub(crate) fn panics(&self) -> u64 {
        self.panics.load(Ordering::Relaxed)
    }

    pub(crate) fn count(&self, sent: &Counted, told: Told<'_>, labels: impl FnOnce() -> String) {
        self.guarded(|to| {
            let counter = sent.0.get_or_init(|| counter(to, told, &labels()));
            counter.increment(1);
        });
    }

    pub(crate) fn add(
        &self,
        (sent, delta): (&Gauged, i64),
        told: Told<'_>,
        labels: impl FnOnce() -> String,
    ) {
        self.guarded(|to| {
            let gauge = sent.0.get_or_init(|| gauge(to, told, &labels()));
            let size = delta.unsigned_abs() as f64;
            if delta < 0 {
                gauge.decrement(size);
            } else {
                gauge.increment(size);
            }
        });
    }

    pub(crate) fn observe(
        &self,
        (sent, value): (&Observed, f64),
        told: Told<'_>,
        labels: impl FnOnce() -> String,
    ) {
        self.guarded(|to| {
            let histogram = sent.0.get_or_init(|| {
                let (key, name) = (key(told, &labels()), KeyName::from(told.name.to_owned()));
                to.with(|recorder| {
                    recorder.describe_histogram(name, unit(told), told.help.to_owned().into());
                    recorder.register_histogram(&key, &METADATA)
                })
            });
            histogram.record(value);
        });
    }

    /// Sends one value that somebody else keeps.
    pub(crate) fn tell_count(&self, told: Told<'_>, labels: &str, count: u64) {
        self.guarded(|to| counter(to, told, labels).absolute(count));
    }

    /// Sends one value that somebody else keeps.
    pub(crate) fn tell_value(&self, told: Told<'_>, labels: &str, value: f64) {
        self.guarded(|to| gauge(to, told, labels).set(value));
    }

    /// A recorder is a stranger: it must not panic into whoever logs or answers a request.
    fn guarded(&self, send: impl FnOnce(&To)) {
        let Some(to) = &self.to else { return };
        if catch_unwind(AssertUnwindSafe(|| send(to))).is_err() {
            self.panics.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl To {
    fn with<T>(&self, ask: impl FnOnce(&dyn Recorder) -> T) -> T {
        match self {
            Self::Given(recorder) => ask(&**recorder),
            Self::Global => metrics::with_recorder(ask),
        }
    }
}

fn counter(to: &To, told: Told<'_>, labels: &str) -> Counter {
    let (key, name) = (key(told, labels), KeyName::from(told.name.to_owned()));
    to.with(|recorder| {
        recorder.describe_counter(name, Some(Unit::Count), told.help.to_owned().into());
        recorder.register_counter(&key, &METADATA)
    })
}

fn gauge(to: &To, told: Told<'_>, labels: &str) -> Gauge {
    let (key, name) = (key(told, labels), KeyName::from(told.name.to_owned()));
    to.with(|recorder| {
        recorder.describe_gauge(name, unit(told), told.help.to_owned().into());
        recorder.register_gauge(&key, &METADATA)
    })
}

fn key(told: Told<'_>, labels: &str) -> Key {
    Key::from_parts(told.name.to_owned(), unwritten(labels))
}

fn unit(told: Told<'_>) -> Option<Unit> {
    let units = [("_seconds", Unit::Seconds), ("_bytes", Unit::Bytes)];
    let known = units.into_iter().find(|(end, _)| told.name.ends_with(end));
    Some(known.map_or(Unit::Count, |(_, unit)| unit))
}

/// Reads labels as the page writes them, `method="GET",route="/"`, back into names and values.
fn unwritten(labels: &str) -> Vec<Label> {
    let (mut all, mut rest) = (Vec::new(), labels);
    while let Some((name, after)) = rest.split_once("=\"") {
        let (mut value, mut characters) = (String::new(), after.chars());
        while let Some(character) = characters.next() {
            match character {
                '"' => break,
                '\\' => match characters.next() {
                    Some('n') => value.push('\n'),
                    Some(other) => value.push(other),
                    None => {}
                },
                other => value.push(other),
            }
        }
        all.push(Label::new(name.to_owned(), value));
        rest = characters.as_str().trim_start_matches(',');
    }
    all
}

impl fmt::Debug for Forward {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let to = match &self.to {
            None => "nobody",
            Some(To::Given(_)) => "a recorder",
            Some(To::Global) => "the global recorder",
        };
        f.debug_tuple("Forward").field(&to).finish()
    }
}

impl fmt::Debug for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Counted")
    }
}

impl fmt::Debug for Gauged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gauged")
    }
}

impl fmt::Debug for Observed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observed")
    }
}

const METADATA: Metadata<'static> =
    Metadata::new(module_path!(), Level::INFO, Some(module_path!()));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::labels;

    #[test]
    fn labels_are_read_back_as_they_were_before_they_were_written() {
        let tables: [&[(&str, &str)]; 4] = [
            &[],
            &[("a", "b")],
            &[("route", "/a\",b=\"c\\"), ("n", "\\n\n"), ("中", "文,=")],
            &[("a", "\\"), ("b", "\"")],
        ];
        for pairs in tables {
            let read: Vec<_> = unwritten(&labels(pairs))
                .iter()
                .map(|label| (label.key().to_owned(), label.value().to_owned()))
                .collect();
            let expected: Vec<_> = pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect();
            assert_eq!(read, expected);
        }
    }
}
