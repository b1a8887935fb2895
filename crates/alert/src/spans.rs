//! A span's fields as rules inherit them: read once, kept in the span.

use tracing_subscriber::registry::ExtensionsMut;

use crate::view::{Owned, View};

/// In a span's extensions: the fields, for each layer its own, since each has its own judge.
pub(crate) struct Kept(Vec<(usize, Vec<SpanField>)>);

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

    pub(crate) fn inherit(&self, layer: usize, view: &mut View) {
        let fields = self.0.iter().find(|(id, _)| *id == layer);
        for SpanField { name, value } in fields.into_iter().flat_map(|(_, fields)| fields) {
            view.inherit(name, value);
        }
    }
}
