//! Callsites whose names are chosen at run time. Each is leaked: tests are short.

use std::sync::OnceLock;
use tracing::callsite::{Callsite, Identifier};
use tracing::field::{FieldSet, Value};
use tracing::metadata::Kind;
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Span};

struct Made(OnceLock<Metadata<'static>>);

impl Callsite for Made {
    fn set_interest(&self, _: Interest) {}

    fn metadata(&self) -> &Metadata<'_> {
        self.0.get().expect("made before it is used")
    }
}

/// The metadata of a new callsite.
pub(crate) fn made(kind: Kind, target: &str, names: &[String]) -> &'static Metadata<'static> {
    let names: Vec<&'static str> = names.iter().map(|n| &*n.clone().leak()).collect();
    let callsite: &'static Made = Box::leak(Box::new(Made(OnceLock::new())));
    let fields = FieldSet::new(names.leak(), Identifier(callsite));
    let target: &'static str = target.to_owned().leak();
    callsite.0.get_or_init(|| {
        Metadata::new(
            "made",
            target,
            Level::INFO,
            Some("a/file.rs"),
            Some(7),
            None,
            fields,
            kind,
        )
    })
}

/// Logs an event with these fields; `None` is a field that is declared and not given.
pub(crate) fn event(target: &str, fields: &[(String, Option<&dyn Value>)]) {
    let metadata = made(Kind::EVENT, target, &names(fields));
    with_values(metadata, fields, |values| Event::dispatch(metadata, values));
}

pub(crate) fn span(fields: &[(String, Option<&dyn Value>)]) -> Span {
    let metadata = made(Kind::SPAN, "made", &names(fields));
    let mut span = Span::none();
    with_values(metadata, fields, |values| {
        span = Span::new(metadata, values)
    });
    span
}

fn names(fields: &[(String, Option<&dyn Value>)]) -> Vec<String> {
    fields.iter().map(|(name, _)| name.clone()).collect()
}

/// Builds a value set of any length, sixteen fields (or a thousand) at a time.
pub(crate) fn with_values(
    metadata: &'static Metadata<'static>,
    fields: &[(String, Option<&dyn Value>)],
    then: impl FnOnce(&tracing::field::ValueSet<'_>),
) {
    let all: Vec<_> = metadata.fields().iter().collect();
    let spare = all.first().cloned();
    let Some(spare) = spare else {
        let none: [(&tracing::field::Field, Option<&dyn Value>); 0] = [];
        return then(&metadata.fields().value_set(&none));
    };
    if all.len() <= 16 {
        let array: [(&_, Option<&dyn Value>); 16] =
            std::array::from_fn(|n| all.get(n).map_or((&spare, None), |f| (f, fields[n].1)));
        return then(&metadata.fields().value_set(&array));
    }
    assert!(all.len() <= 1000);
    let array: [(&_, Option<&dyn Value>); 1000] =
        std::array::from_fn(|n| all.get(n).map_or((&spare, None), |f| (f, fields[n].1)));
    then(&metadata.fields().value_set(&array));
}
