//! Puts a line together: envelope, the event's fields, what it inherits from its spans, its end.

use crate::cut::Cut;
use crate::encode::{Encoder, Fate, Mark};
use crate::form::{Form, NAME_BYTES, Spans};
use crate::layer::JsonLayer;
use crate::log_record::LogOrigin;
use crate::part;
use crate::plan::Plan;
use crate::schema::Layout;
use crate::scratch::Scratch;
use crate::style::Clash;
use crate::tail::Tail;
use crate::time::Stamp;
use std::time::SystemTime;
use tracing_core::{Event, Metadata, Subscriber};
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::{LookupSpan, SpanRef};

/// Room for the origin of a `log` record behind its message: target, file, line, and their keys.
const ORIGIN_BYTES: usize = 2 * NAME_BYTES + 128;

/// A line that is being written.
pub(crate) struct Line<'a> {
    pub(crate) form: &'a Form,
    pub(crate) plan: &'a Plan,
    pub(crate) tail: Tail<'a>,
    pub(crate) marks: &'a mut Vec<Mark>,
    /// A bit for each key that the event gave.
    pub(crate) bits: u64,
    whole: bool,
    /// What stands first in the object of the event's fields, beside the plan's.
    inner: Vec<u8>,
}

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
        let mut line = self.begin(scratch, event.metadata(), now);
        if line.plan.single {
            line.origin(event);
            line.fields(event, part::ALL, 0);
        } else {
            line.parts(event);
        }
        let span = ctx.event_span(event);
        match self.form.spans() {
            Spans::Gathered(_) => {
                line.fields(event, part::ID, 0);
                let rest = |line: &mut Line<'_>| line.fields(event, part::REST, 0);
                self.gather(&mut line, span, rest);
            }
            spans => {
                line.note_losses();
                if let Some(span) = span {
                    // Nested fields meet no span's.
                    let nested = self.form.clash == Clash::Nest;
                    let first = if nested { line.marks.len() } else { 0 };
                    self.add_spans(&mut line, span, spans, first);
                }
            }
        }
        line.end();
    }

    pub(crate) fn begin<'a>(
        &'a self,
        scratch: &'a mut Scratch,
        metadata: &'static Metadata<'static>,
        now: SystemTime,
    ) -> Line<'a> {
        let Scratch {
            line,
            marks,
            lost,
            plans,
            stamp,
            ..
        } = scratch;
        let plan = plans.plan(metadata, self.id, &self.plans, &self.form);
        begin(line, stamp, &self.form, plan, now);
        let end = plan.line_bytes - self.form.settled.closing;
        Line {
            form: &self.form,
            plan,
            tail: Tail { line, lost, end },
            marks,
            bits: 0,
            whole: true,
            inner: Vec::new(),
        }
    }

    /// The fields of event and spans in one object, their ids before it.
    pub(crate) fn gather<S>(
        &self,
        line: &mut Line<'_>,
        span: Option<SpanRef<'_, S>>,
        fields: impl FnOnce(&mut Line<'_>),
    ) where
        S: for<'a> LookupSpan<'a>,
    {
        let mut ids = 0;
        let span = span.and_then(|span| {
            self.with_fragment(span, |_, fragment| {
                ids = line.inherit_ids(&fragment.fields);
            })
        });
        let open = line.open(&self.form.settled.nest);
        line.push_inner();
        let first = line.marks.len();
        fields(line);
        line.note_losses();
        if let Some(span) = span {
            self.with_fragment(span, |_, fragment| {
                line.inherit(ids, first, &fragment.fields);
            });
        }
        line.truncated();
        line.close(open);
    }
}

impl Line<'_> {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.tail.line.extend_from_slice(bytes);
    }

    /// Where a `log` record came from; of all others the head tells.
    fn origin(&mut self, event: &Event<'_>) {
        if self.plan.from_log {
            let origin = LogOrigin::of(event);
            self.form
                .write_origin(self.tail.line, &mut self.inner, origin.origin());
        }
    }

    /// The event's own fields of some parts. `kept` bytes stay free beside what always does.
    fn fields(&mut self, event: &Event<'_>, pick: u8, kept: usize) {
        let Line { form, plan, .. } = *self;
        let limit = plan.line_bytes.saturating_sub(form.settled.kept + kept);
        let limits = (limit, form.max_field);
        let mut encoder = Encoder::new(self.tail.line, self.marks, plan, limits).pick(pick);
        event.record(&mut encoder);
        self.bits |= encoder.bits;
        self.whole &= encoder.whole;
        if pick & part::MESSAGE != 0 && form.schema.layout != Layout::Subscriber {
            let message = |m: &Mark| Some(m.slot) == plan.message && m.fate != Fate::Lost;
            if !self.marks.iter().any(message) {
                self.push(&form.settled.message);
                self.push(b"\"\"");
            }
        }
    }

    /// The event's own fields where they do not stand side by side; none of those that are gathered
    /// with the spans'.
    fn parts(&mut self, event: &Event<'_>) {
        let Line { form, plan, .. } = *self;
        let subscriber = form.schema.layout == Layout::Subscriber;
        if !form.schema.message_first {
            self.origin(event);
        }
        if !subscriber {
            let origin = if plan.from_log { ORIGIN_BYTES } else { 0 };
            self.fields(event, part::MESSAGE, plan.after.len() + origin);
        }
        if form.schema.message_first {
            self.push(&plan.after);
            self.origin(event);
        }
        if form.schema.request.is_some() {
            let open = self.open(&form.settled.request);
            self.fields(event, part::REQUEST, 0);
            self.close(open);
        }
        let rest = part::REST | part::ID;
        match (form.schema.layout, form.nest()) {
            (Layout::Gathered(_), _) => {}
            (_, None) => self.fields(event, rest, 0),
            (_, Some(_)) => {
                let message = if subscriber { part::MESSAGE } else { 0 };
                let open = self.open(&form.settled.nest);
                self.fields(event, rest | message, 0);
                self.close(open);
            }
        }
    }

    /// Begins an object by its encoded key; returns where it and its fields begin.
    pub(crate) fn open(&mut self, key: &[u8]) -> (usize, usize) {
        let before = self.tail.line.len();
        self.push(key);
        (before, self.tail.line.len())
    }

    /// Ends the object, or takes it back if it is empty.
    pub(crate) fn close(&mut self, (before, fields): (usize, usize)) {
        let line = &mut *self.tail.line;
        match line.get_mut(fields) {
            // In the place of the first field's comma.
            Some(comma) => *comma = b'{',
            None => return line.truncate(before),
        }
        line.push(b'}');
    }

    fn push_inner(&mut self) {
        self.push(&self.plan.inner);
        self.tail.line.append(&mut self.inner);
    }

    fn note_losses(&mut self) {
        if !self.whole {
            note_losses(self.tail.lost, self.marks, self.plan);
        }
    }

    /// `truncated`, once.
    fn truncated(&mut self) {
        let key = &self.form.settled.truncated;
        self.tail.lost.write(self.tail.line, key);
        self.tail.lost.clear();
    }

    pub(crate) fn end(&mut self) {
        self.truncated();
        self.push(b"}\n");
    }
}

/// Time, level and whatever else all lines of a callsite begin with.
pub(crate) fn begin(
    line: &mut Vec<u8>,
    stamp: &mut Stamp,
    form: &Form,
    plan: &Plan,
    now: SystemTime,
) {
    let settled = &form.settled;
    line.extend_from_slice(&settled.open);
    stamp.write(line, now, settled.timestamp);
    line.extend_from_slice(&plan.head);
}

#[cold]
fn note_losses(lost: &mut Cut, marks: &[Mark], plan: &Plan) {
    for mark in marks.iter().filter(|mark| mark.fate != Fate::Whole) {
        lost.note(plan.slots[mark.slot as usize].key.as_slice());
    }
}
