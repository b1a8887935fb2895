//! A span's fields as rules inherit them: read once, kept in the span.

use tracing_subscriber::registry::ExtensionsMut;

use crate::view::{Owned, View};

/// In a span's extensions: the fields, for each layer its own, since each has its own judge.
pub(crate) struct Kept(Vec<(usize, Vec<SpanField>)>);

/// Ids name one span, so they are not inherited as they are: the id of the next span outward is the
/// parent's, as on a line.
fn inherited_name(name: &'static str, outward: usize) -> Option<&'static str> {
    match (name, outward) {
        ("span_id", 1) => Some("parent_span_id"),
        ("span_id" | "parent_span_id", 1..) => None,
        _ => Some(name),
    }
}

/// One field of a span.
pub(crate) struct SpanField {
    pub(crate) name: &'static str,
    pub(crate) value: Owned,
}

impl Kept {
    /// Adds fields; those recorded again take their new value.
    pub(crate) fn put(extensions: &mut ExtensionsMut<'_>, layer: usize, new: Vec<SpanField>) {
        if extensions.get_mut::<Self>().is_none() {
            extensions.insert(Self(Vec::new()));
        }
        let Some(Self(layers)) = extensions.get_mut::<Self>() else {
            return;
        };
        let Some((_, fields)) = layers.iter_mut().find(|(id, _)| *id == layer) else {
            return layers.push((layer, new));
        };
        for SpanField { name, value } in new {
            match fields.iter_mut().find(|old| old.name == name) {
                Some(old) => old.value = value,
                None => fields.push(SpanField { name, value }),
            }
        }
    }

    /// Hands the fields to an event that is `outward` spans further in: 0 in the span itself.
    pub(crate) fn inherit(&self, layer: usize, view: &mut View, outward: usize) {
        let fields = self.0.iter().find(|(id, _)| *id == layer);
        for SpanField { name, value } in fields.into_iter().flat_map(|(_, fields)| fields) {
            if let Some(name) = inherited_name(name, outward) {
                view.inherit(name, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::inherited_name;

    #[test]
    fn the_id_of_the_next_span_outward_is_the_parents() {
        let table = [
            ("span_id", 0, Some("span_id")),
            ("span_id", 1, Some("parent_span_id")),
            ("span_id", 2, None),
            ("parent_span_id", 0, Some("parent_span_id")),
            ("parent_span_id", 1, None),
            ("trace_id", 2, Some("trace_id")),
        ];
        for (name, outward, want) in table {
            assert_eq!(inherited_name(name, outward), want, "{name} {outward}");
        }
    }
}
