//! Puts a line together: envelope, the event's fields, what it inherits from its spans, its end.

use crate::cut::{CUT_BYTES, Cut};
use crate::encode::{Encoder, Fate, Mark, Pick};
use crate::fields::ID_BYTES;
use crate::form::write_name;
use crate::layer::JsonLayer;
use crate::log_record::Origin;
use crate::plan::Plan;
use crate::scratch::Scratch;
use crate::span::Fragment;
use crate::style::{Clash, SpanStyle};
use crate::tail::{Given, Tail};
use crate::time::Stamp;
use std::time::SystemTime;
use tracing_core::{Event, Subscriber};
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::{LookupSpan, SpanRef};

/// Room kept while an event's fields are written: ids, `,"message":""`, `}` of `fields`, the end.
const KEPT_ROOM: usize = 3 * ID_BYTES + 13 + 1 + CLOSING;

/// Room kept while inherited fields are written: `truncated` and `}` and the newline.
const CLOSING: usize = CUT_BYTES + 2;

impl<W> JsonLayer<W> {
    /// The line of an event, with its newline.
    pub(crate) fn encode<S>(
        &self,
        scratch: &mut Scratch,
        event: &Event<'_>,
        ctx: &Context<'_, S>,
        now: SystemTime,
    ) where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let Scratch {
            line,
            marks,
            lost,
            plans,
            stamp,
            ..
        } = scratch;
        let plan = plans.plan(event.metadata(), self.id, &self.plans, &self.form);
        begin(line, stamp, plan, now);
        if plan.from_log {
            Origin::of(event).write(line, &self.form);
        }
        let bits = self.encode_fields(line, marks, lost, plan, event);
        if let Some(span) = ctx.event_span(event) {
            let nested = self.form.clash == Clash::Nest;
            let marks: &[Mark] = if nested { &[] } else { marks };
            let end = plan.line_bytes - CLOSING;
            self.add_spans(
                span,
                &mut Tail { line, lost, end },
                &Given { marks, plan, bits },
            );
        }
        lost.write(line);
        line.extend_from_slice(b"}\n");
    }

    /// The line of a span that closes.
    pub(crate) fn encode_close<S>(
        &self,
        scratch: &mut Scratch,
        span: SpanRef<'_, S>,
        duration: f64,
        busy: f64,
    ) where
        S: for<'a> LookupSpan<'a>,
    {
        let Scratch {
            line,
            lost,
            plans,
            stamp,
            ..
        } = scratch;
        let plan = plans.plan(span.metadata(), self.id, &self.plans, &self.form);
        begin(line, stamp, plan, (self.form.clock)());
        line.extend_from_slice(b",\"message\":\"span closed\",\"duration_ms\":");
        line.extend_from_slice(zmij::Buffer::new().format_finite(duration).as_bytes());
        line.extend_from_slice(b",\"busy_ms\":");
        line.extend_from_slice(zmij::Buffer::new().format_finite(busy).as_bytes());
        let end = plan.line_bytes - CLOSING;
        self.add_spans(
            span,
            &mut Tail { line, lost, end },
            &Given {
                marks: &[],
                plan,
                bits: 0,
            },
        );
        lost.write(line);
        line.extend_from_slice(b"}\n");
    }

    /// The event's own fields. Returns the bits of their keys.
    fn encode_fields(
        &self,
        line: &mut Vec<u8>,
        marks: &mut Vec<Mark>,
        lost: &mut Cut,
        plan: &Plan,
        event: &Event<'_>,
    ) -> u64 {
        let limits = (plan.line_bytes - KEPT_ROOM, self.form.max_field);
        let nested = self.form.clash == Clash::Nest;
        let pick = if nested { Pick::Message } else { Pick::All };
        let mut encoder = Encoder::new(line, marks, plan, limits).pick(pick);
        event.record(&mut encoder);
        let (bits, mut whole) = (encoder.bits, encoder.whole);
        let is_message = |mark: &Mark| Some(mark.slot) == plan.message && mark.fate != Fate::Lost;
        if !marks.iter().any(is_message) {
            line.extend_from_slice(b",\"message\":\"\"");
        }
        if nested {
            let (before, open) = (line.len(), b",\"fields\":{");
            line.extend_from_slice(open);
            let mut encoder = Encoder::new(line, marks, plan, limits).pick(Pick::Rest);
            event.record(&mut encoder);
            whole &= encoder.whole;
            close_object(line, before, open.len());
        }
        if !whole {
            note_losses(lost, marks, plan);
        }
        bits
    }

    /// What an event inherits from `span` and its ancestors.
    fn add_spans<S>(&self, span: SpanRef<'_, S>, tail: &mut Tail<'_>, event: &Given<'_>)
    where
        S: for<'a> LookupSpan<'a>,
    {
        let clash = self.form.clash;
        let span = self.with_fragment(span, |span, fragment| match self.form.spans {
            SpanStyle::Flat => tail.inherit(&fragment.fields, event, clash),
            SpanStyle::Object => {
                tail.inherit_ids(&fragment.fields, event);
                tail.lost.merge(&fragment.fields.lost);
                if !tail.object(
                    &named(b",\"span\":{", span.name()),
                    &fragment.fields,
                    |_| true,
                ) {
                    tail.lost.note(b",\"span\":");
                }
            }
            SpanStyle::List => tail.inherit_ids(&fragment.fields, event),
        });
        if let (SpanStyle::List, Some(span)) = (self.form.spans, span) {
            self.add_list(&span, tail);
        }
    }

    /// The open spans, outermost first.
    fn add_list<S>(&self, span: &SpanRef<'_, S>, tail: &mut Tail<'_>)
    where
        S: for<'a> LookupSpan<'a>,
    {
        let mut open: &[u8] = b",\"spans\":[{";
        for span in span.scope().from_root() {
            let extensions = span.extensions();
            let Some(fragment) = extensions.get().and_then(|f: &Fragment| f.of(self.id)) else {
                continue;
            };
            tail.lost.merge(&fragment.fields.lost);
            // One byte for the list's own end.
            tail.end -= 1;
            if tail.object(&named(open, span.name()), &fragment.fields, |entry| {
                entry.own
            }) {
                open = b",{";
            } else {
                tail.lost.note(b",\"spans\":");
            }
            tail.end += 1;
        }
        if open.len() == 2 {
            tail.line.push(b']');
        }
    }
}

/// Time, level and whatever else all lines of a callsite begin with.
pub(crate) fn begin(line: &mut Vec<u8>, stamp: &mut Stamp, plan: &Plan, now: SystemTime) {
    line.extend_from_slice(b"{\"timestamp\":\"");
    stamp.write(line, now);
    line.push(b'"');
    line.extend_from_slice(&plan.head);
}

#[cold]
fn note_losses(lost: &mut Cut, marks: &[Mark], plan: &Plan) {
    for mark in marks.iter().filter(|mark| mark.fate != Fate::Whole) {
        lost.note(plan.slots[mark.slot as usize].key.as_slice());
    }
}

/// Ends the object that was opened at `before` with `open` bytes, or takes it back if it is empty.
fn close_object(line: &mut Vec<u8>, before: usize, open: usize) {
    if line.len() == before + open {
        return line.truncate(before);
    }
    // The first field's comma.
    line.remove(before + open);
    line.push(b'}');
}

/// `open` and the name of a span: `,"span":{"name":"handler"`.
fn named(open: &[u8], name: &str) -> Vec<u8> {
    let mut out = [open, b"\"name\":\""].concat();
    write_name(&mut out, name);
    out.push(b'"');
    out
}
