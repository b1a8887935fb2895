//! What the layer does when a span is made, recorded, entered or closed, and at each event.
//!
//! No lock of a span is held while a value's `Display` or the writer runs.

use crate::busy::Busy;
use crate::encode::Encoder;
use crate::fields::Fields;
use crate::layer::JsonLayer;
use crate::recycle::Recycled;
use crate::scratch::Scratch;
use crate::shield::{depth, shielded};
use crate::span::{Fragment, push_name};
use std::io::Write as _;
use tracing_core::span::{Attributes, Id, Record};
use tracing_core::{Event, Metadata, Subscriber};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::{LookupSpan, SpanRef};

impl<S, W> Layer<S> for JsonLayer<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'w> MakeWriter<'w> + 'static,
{
    fn on_new_span(&self, attrs: &Attributes<'_>, id: &Id, ctx: Context<'_, S>) {
        let Some(span) = ctx.span(id) else { return };
        let busy = self
            .form
            .span_close
            .then(|| Busy::open((self.form.monotonic_clock)()));
        self.with_own(
            attrs.metadata(),
            |encoder| attrs.record(encoder),
            |own, _| {
                if self.form.names_span() {
                    push_name(own, &self.form.settled.span, span.name());
                }
                let bounds = &self.form.settled.bounds;
                let mut fragment =
                    self.with_parent(&span, |parent| Fragment::new(self.id, own, parent, bounds));
                fragment.busy = busy;
                let mut extensions = span.extensions_mut();
                let others = extensions.replace(fragment);
                if let (Some(others), Some(own)) = (others, extensions.get_mut::<Fragment>()) {
                    own.precede(others);
                }
            },
        );
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, ctx: Context<'_, S>) {
        let Some(span) = ctx.span(id) else { return };
        self.with_own(
            span.metadata(),
            |encoder| values.record(encoder),
            |recorded, spare| {
                let bounds = &self.form.settled.bounds;
                self.with_mut(&span, |fragment| fragment.record(recorded, spare, bounds));
            },
        );
    }

    fn on_enter(&self, id: &Id, ctx: Context<'_, S>) {
        if self.form.span_close {
            self.time(id, &ctx, Busy::enter);
        }
    }

    fn on_exit(&self, id: &Id, ctx: Context<'_, S>) {
        if self.form.span_close {
            self.time(id, &ctx, Busy::exit);
        }
    }

    fn on_close(&self, id: Id, ctx: Context<'_, S>) {
        if !self.form.span_close {
            return;
        }
        let Some(span) = ctx.span(&id) else { return };
        let mut times = None;
        let now = (self.form.monotonic_clock)();
        self.with_mut(&span, |fragment| {
            times = fragment.busy.as_ref().map(|b| b.close(now))
        });
        let Some((duration, busy)) = times else {
            return;
        };
        if depth() >= DEEPEST {
            return self.failures.nested();
        }
        let metadata = span.metadata();
        let mut scratch = Scratch::take();
        self.encode_close(&mut scratch, span, duration, busy);
        self.write(metadata, scratch.line(&self.form));
        scratch.keep();
    }

    fn on_event(&self, event: &Event<'_>, ctx: Context<'_, S>) {
        if depth() >= DEEPEST {
            return self.failures.nested();
        }
        let mut scratch = Scratch::take();
        let now = (self.form.clock)();
        if !self.leaves_out(&mut scratch, event.metadata(), now) {
            self.encode(&mut scratch, event, &ctx, now);
            self.write(event.metadata(), scratch.line(&self.form));
        }
        scratch.keep();
    }
}

/// Events inside the `Display` of an event inside the `Display` … that are written. A value that
/// logs itself would never come to an end.
const DEEPEST: u32 = 8;

impl<W> JsonLayer<W> {
    /// Writes a line, and counts it as lost if that fails.
    pub(crate) fn write(&self, metadata: &'static Metadata<'static>, line: &[u8])
    where
        W: for<'w> MakeWriter<'w>,
    {
        match shielded(|| self.make_writer.make_writer_for(metadata).write_all(line)) {
            Some(Ok(())) => {}
            Some(Err(error)) => self.failures.io(error),
            None => self.failures.panic(),
        }
    }

    /// Calls `then` with the fields that `record` gives, encoded, and a spare place for fields.
    fn with_own<R>(
        &self,
        metadata: &'static Metadata<'static>,
        record: impl FnOnce(&mut Encoder<'_>),
        then: impl FnOnce(&mut Recycled, &mut Recycled) -> R,
    ) -> R {
        let mut scratch = Scratch::take();
        let Scratch {
            marks,
            plans,
            own,
            spare,
            ..
        } = &mut *scratch;
        let plan = plans.plan(metadata, self.id, &self.plans, &self.form);
        if depth() < DEEPEST {
            let limits = (plan.line_bytes, self.form.max_field);
            record(&mut Encoder::new(&mut own.bytes, marks, plan, limits));
            own.index(marks, plan);
        } else {
            self.failures.nested();
        }
        let result = then(own, spare);
        scratch.keep();
        result
    }

    /// Calls `then` with what this layer keeps with `span`.
    fn with_mut<S>(&self, span: &SpanRef<'_, S>, then: impl FnOnce(&mut Fragment))
    where
        S: for<'a> LookupSpan<'a>,
    {
        let mut extensions = span.extensions_mut();
        if let Some(fragment) = extensions
            .get_mut()
            .and_then(|f: &mut Fragment| f.of_mut(self.id))
        {
            then(fragment);
        }
    }

    /// Calls `then` with the nearest ancestor that this layer knows.
    fn with_parent<S, R>(
        &self,
        span: &SpanRef<'_, S>,
        then: impl FnOnce(Option<&Fragment>) -> R,
    ) -> R
    where
        S: for<'a> LookupSpan<'a>,
    {
        let mut parent = span.parent();
        while let Some(span) = parent {
            if let Some(fragment) = span
                .extensions()
                .get()
                .and_then(|f: &Fragment| f.of(self.id))
            {
                return then(Some(fragment));
            }
            parent = span.parent();
        }
        then(None)
    }

    /// Calls `then` with `span`, or its nearest ancestor that this layer knows, and returns it.
    pub(crate) fn with_fragment<'a, S>(
        &self,
        span: SpanRef<'a, S>,
        then: impl FnOnce(&SpanRef<'a, S>, &Fragment),
    ) -> Option<SpanRef<'a, S>>
    where
        S: for<'s> LookupSpan<'s>,
    {
        let mut nearest = span;
        loop {
            let extensions = nearest.extensions();
            match extensions.get().and_then(|f: &Fragment| f.of(self.id)) {
                Some(fragment) if fragment.is_fresh() => {
                    then(&nearest, fragment);
                    drop(extensions);
                    return Some(nearest);
                }
                Some(_) => break,
                None => {
                    drop(extensions);
                    nearest = nearest.parent()?;
                }
            }
        }
        self.refresh(&nearest);
        let extensions = nearest.extensions();
        if let Some(fragment) = extensions.get().and_then(|f: &Fragment| f.of(self.id)) {
            then(&nearest, fragment);
        }
        drop(extensions);
        Some(nearest)
    }

    /// Copies the ancestors' fields anew into each span from the root down to `span`.
    fn refresh<S>(&self, span: &SpanRef<'_, S>)
    where
        S: for<'a> LookupSpan<'a>,
    {
        // Read before any fields are: what changes from here on is seen at the next event.
        let mut epoch = None;
        self.with_mut(span, |fragment| epoch = Some(fragment.epoch_now()));
        let Some(epoch) = epoch else { return };
        let mut parent: Option<Fields> = None;
        for span in span.scope().from_root() {
            self.with_mut(&span, |fragment| {
                if !fragment.is_fresh() {
                    fragment.refresh(parent.as_ref(), epoch, &self.form.settled.bounds);
                }
                parent = Some(Fields::clone(&fragment.fields));
            });
        }
    }

    /// Tells a span's timer that a thread came or went.
    fn time<S>(&self, id: &Id, ctx: &Context<'_, S>, tell: fn(&mut Busy, std::time::Instant))
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let now = (self.form.monotonic_clock)();
        if let Some(span) = ctx.span(id) {
            self.with_mut(&span, |fragment| {
                if let Some(busy) = &mut fragment.busy {
                    tell(busy, now);
                }
            });
        }
    }
}
