//! Keeps what a service logs, as a test wants to read it.
#![allow(dead_code, reason = "each test binary uses its own part of it")]

pub(crate) mod rig;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

/// One event, with the fields of its spans inherited, the innermost first.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Line {
    pub(crate) level: String,
    pub(crate) target: String,
    pub(crate) fields: BTreeMap<String, String>,
}

impl Line {
    pub(crate) fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("-", String::as_str)
    }

    /// Level, message, status and outcome: what makes one ending differ from another.
    pub(crate) fn gist(&self) -> String {
        let (message, status) = (self.field("message"), self.field("status"));
        format!(
            "{} {message}, {status} {}",
            self.level,
            self.field("outcome")
        )
    }

    /// The text that alert rules match.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("{} {}: {}", self.level, self.target, self.field("message"));
        for (key, value) in self.fields.iter().filter(|(key, _)| *key != "message") {
            text.push_str(&format!(" {key}={value}"));
        }
        text
    }
}

/// A tracing layer that keeps lines.
#[derive(Clone, Default)]
pub(crate) struct Capture {
    lines: Arc<Mutex<Vec<Line>>>,
    watchers: Arc<Mutex<Vec<Sender<Line>>>>,
}

impl Capture {
    pub(crate) fn lines(&self) -> Vec<Line> {
        self.lines.lock().unwrap().clone()
    }

    /// The closing lines, and only they.
    pub(crate) fn closing(&self) -> Vec<Line> {
        let mut lines = self.lines();
        lines.retain(|line| line.target == dogwatch_tower::TARGET);
        lines
    }

    pub(crate) fn gists(&self) -> Vec<String> {
        self.closing().iter().map(Line::gist).collect()
    }

    /// Each line from now on, for a test that waits for one from another thread.
    pub(crate) fn watch(&self) -> Receiver<Line> {
        let (sender, receiver) = mpsc::channel();
        self.watchers.lock().unwrap().push(sender);
        receiver
    }
}

struct Inherited(BTreeMap<String, String>);

impl<S> Layer<S> for Capture
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let span = context.span(id).unwrap();
        span.extensions_mut().insert(Inherited(fields.0));
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let mut fields = fields.0;
        for span in context.event_scope(event).into_iter().flatten() {
            if let Some(Inherited(inherited)) = span.extensions().get() {
                for (key, value) in inherited {
                    fields.entry(key.clone()).or_insert_with(|| value.clone());
                }
            }
        }
        let (level, target) = (
            event.metadata().level().to_string(),
            event.metadata().target().to_owned(),
        );
        let line = Line {
            level,
            target,
            fields,
        };
        self.lines.lock().unwrap().push(line.clone());
        self.watchers
            .lock()
            .unwrap()
            .retain(|watcher| watcher.send(line.clone()).is_ok());
    }
}

#[derive(Default)]
struct Fields(BTreeMap<String, String>);

impl Fields {
    fn keep(&mut self, field: &Field, value: String) {
        let twice = self.0.insert(field.name().to_owned(), value);
        assert_eq!(twice, None, "field {field} was recorded twice");
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.keep(field, value.to_owned());
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        let chain = std::iter::successors(Some(value), |&error| error.source());
        self.keep(
            field,
            chain
                .map(|error| error.to_string())
                .collect::<Vec<_>>()
                .join(" < "),
        );
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.keep(field, format!("{value:?}"));
    }
}
