//! The text for people that the preset `dev` prints: one event a line, the chain of an error under it.

mod collect;
mod line;
mod paint;

use std::fmt;
use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::time::SystemTime;

use tracing_core::span::{Attributes, Id, Record};
use tracing_core::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use collect::{Field, collect, replace};
use paint::Paint;

/// Masks what must not be shown, by key; `None`: shown as it is.
#[expect(
    clippy::type_complexity,
    reason = "std types only: the JSON layer's judge fits as it is"
)]
pub(crate) struct Judge {
    /// From a key to what hides its value.
    mask: Arc<
        dyn Fn(&str) -> Option<Arc<dyn Fn(&str) -> Option<String> + Send + Sync>> + Send + Sync,
    >,
    /// The JSON of a value that is no text, its secrets hidden.
    nested: Arc<dyn Fn(&str, &dyn fmt::Debug) -> Option<String> + Send + Sync>,
}

impl Judge {
    #[expect(clippy::type_complexity, reason = "as above")]
    pub(crate) fn new(
        mask: Arc<
            dyn Fn(&str) -> Option<Arc<dyn Fn(&str) -> Option<String> + Send + Sync>> + Send + Sync,
        >,
        nested: Arc<dyn Fn(&str, &dyn fmt::Debug) -> Option<String> + Send + Sync>,
    ) -> Self {
        Self { mask, nested }
    }
}

/// A tracing layer that writes text. Each line is one write to `writer`.
pub(crate) struct TextLayer<W> {
    writer: W,
    paint: Paint,
    judge: Judge,
}

/// What a span shows on the lines inside it.
struct SpanFields(Vec<Field>);

impl<W> TextLayer<W> {
    pub(crate) fn new(writer: W, colour: bool, judge: Judge) -> Self {
        Self {
            writer,
            paint: Paint::new(colour),
            judge,
        }
    }
}

impl<S, W> Layer<S> for TextLayer<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'w> MakeWriter<'w> + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        // Formatted first: no lock is held while a value's `Debug` runs.
        let fields = collect(&self.judge, |visit| attributes.record(visit)).fields;
        if let Some(span) = context.span(id) {
            // Replaced, not inserted: a second text layer, for the file, keeps the same there.
            span.extensions_mut().replace(SpanFields(fields));
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let fields = collect(&self.judge, |visit| values.record(visit)).fields;
        let Some(span) = context.span(id) else { return };
        if let Some(SpanFields(known)) = span.extensions_mut().get_mut() {
            replace(known, fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let own = collect(&self.judge, |visit| event.record(visit));
        let mut inherited = Vec::new();
        for span in context.event_scope(event).into_iter().flatten() {
            if let Some(SpanFields(fields)) = span.extensions().get() {
                // From the inside out: the innermost of two with one name stands.
                let hidden = |name: &str, among: &[Field]| among.iter().any(|f| f.name == name);
                let new = fields
                    .iter()
                    .filter(|f| !hidden(f.name, &own.fields) && !hidden(f.name, &inherited));
                let new: Vec<_> = new.cloned().collect();
                inherited.extend(new);
            }
        }
        let now = SystemTime::now();
        let text = line::text(&self.paint, now, event.metadata(), &own, &inherited);
        // A writer counts what it drops; there is nobody here to tell.
        let _ = self
            .writer
            .make_writer_for(event.metadata())
            .write_all(text.as_bytes());
    }
}

/// Colour is for terminals, unless `NO_COLOR` or `CLICOLOR_FORCE` decided it.
pub(crate) fn stdout_colour(decided: Option<bool>) -> bool {
    decided.unwrap_or_else(|| std::io::stdout().is_terminal())
}

#[cfg(test)]
mod tests;
