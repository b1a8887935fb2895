//! Adds to a line what its event inherits from the open spans, as the layout wants it.

use crate::fields::Fields;
use crate::form::{Spans, write_name};
use crate::key::{PARENT, SPAN};
use crate::layer::JsonLayer;
use crate::line::Line;
use crate::span::Fragment;
use crate::tail::Given;
use tracing_subscriber::registry::{LookupSpan, SpanRef};

impl<W> JsonLayer<W> {
    /// What a line inherits from `span` and its ancestors, but for keys that the event's fields from
    /// the mark `first` on have.
    pub(crate) fn add_spans<S>(
        &self,
        line: &mut Line<'_>,
        span: SpanRef<'_, S>,
        spans: Spans,
        first: usize,
    ) where
        S: for<'a> LookupSpan<'a>,
    {
        let span = self.with_fragment(span, |span, fragment| match spans {
            Spans::Flat | Spans::Gathered(_) => line.inherit(0, first, &fragment.fields),
            Spans::Object => {
                line.inherit_all_ids(first, &fragment.fields);
                self.add_object(line, span.name(), &fragment.fields);
            }
            Spans::List => line.inherit_all_ids(first, &fragment.fields),
            Spans::Subscriber => self.add_object(line, span.name(), &fragment.fields),
        });
        if let (Spans::List | Spans::Subscriber, Some(span)) = (spans, span) {
            self.add_list(line, &span);
        }
    }

    /// The innermost span.
    fn add_object(&self, line: &mut Line<'_>, name: &str, fields: &Fields) {
        let key = self.form.spans_key("span");
        line.tail.lost.merge(&fields.lost);
        let open = named(&[&key[..], b"{"].concat(), name);
        if !line.tail.object(&open, fields, |_| true) {
            line.tail.lost.note(&key);
        }
    }

    /// The open spans, outermost first.
    fn add_list<S>(&self, line: &mut Line<'_>, span: &SpanRef<'_, S>)
    where
        S: for<'a> LookupSpan<'a>,
    {
        let key = self.form.spans_key("spans");
        let first = [&key, &b"[{"[..]].concat();
        let mut open = &first[..];
        for span in span.scope().from_root() {
            let extensions = span.extensions();
            let Some(fragment) = extensions.get().and_then(|f: &Fragment| f.of(self.id)) else {
                continue;
            };
            let tail = &mut line.tail;
            tail.lost.merge(&fragment.fields.lost);
            // One byte for the list's own end.
            tail.end -= 1;
            if tail.object(&named(open, span.name()), &fragment.fields, |entry| {
                entry.own
            }) {
                open = b",{";
            } else {
                tail.lost.note(&key);
            }
            tail.end += 1;
        }
        if open.len() == 2 {
            line.push(b"]");
        }
    }
}

impl Line<'_> {
    /// All that is inherited, without the first `ids` entries.
    pub(crate) fn inherit(&mut self, ids: usize, first: usize, fields: &Fields) {
        let given = Given {
            marks: &self.marks[first..],
            plan: self.plan,
            bits: self.bits,
        };
        let bounds = &self.form.settled.bounds;
        self.tail.inherit(ids, fields, &given, bounds);
    }

    /// The ids that stand outside where fields are gathered. Returns how many there are.
    pub(crate) fn inherit_ids(&mut self, fields: &Fields) -> usize {
        self.inherit_ids_to(SPAN, 0, fields)
    }

    fn inherit_all_ids(&mut self, first: usize, fields: &Fields) {
        self.inherit_ids_to(PARENT, first, fields);
    }

    fn inherit_ids_to(&mut self, last: u32, first: usize, fields: &Fields) -> usize {
        let given = Given {
            marks: &self.marks[first..],
            plan: self.plan,
            bits: self.bits,
        };
        self.tail.inherit_ids(last, fields, &given)
    }
}

/// `open` and the name of a span: `,"span":{"name":"handler"`.
fn named(open: &[u8], name: &str) -> Vec<u8> {
    let mut out = [open, b"\"name\":\""].concat();
    write_name(&mut out, name);
    out.push(b'"');
    out
}
