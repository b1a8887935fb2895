//! The tracing layer: follows spans, and writes each event as one line.

use crate::cut::{CUT_BYTES, Cut};
use crate::encode::{Encoder, Fate, Mark};
use crate::failure::{Error, Failures, LostLines};
use crate::form::Form;
use crate::json_line::Blank;
use crate::log_record::Origin;
use crate::plan::{Plan, Plans};
use crate::redact::Redact;
use crate::scratch::Scratch;
use crate::shield::{depth, shielded};
use crate::span::{Fields, Fragment, Given, ID_BYTES};
use crate::value::Value;
use std::io::{self, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;
use tracing_core::span::{Attributes, Id, Record};
use tracing_core::{Event, Metadata, Subscriber};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::{LookupSpan, SpanRef};

/// A tracing layer that writes each event as one line of JSON.
///
/// See the [crate's page](crate) for what stands in a line.
#[derive(Debug)]
#[must_use = "a layer does nothing until it is added to a subscriber"]
pub struct JsonLayer<W = fn() -> io::Stdout> {
    make_writer: W,
    form: Form,
    plans: Plans,
    failures: Failures,
    /// Tells this layer's data in a span and a thread from another JSON layer's.
    id: u64,
}

impl Default for JsonLayer {
    /// Writes to stdout, which is locked and flushed for each line.
    fn default() -> Self {
        JsonLayer::new(io::stdout)
    }
}

impl<W> JsonLayer<W> {
    /// Writes each line with one `write_all` to a writer made for its event's metadata.
    pub fn new(make_writer: W) -> Self {
        static LAYERS: AtomicU64 = AtomicU64::new(0);
        JsonLayer {
            make_writer,
            form: Form::default(),
            plans: Plans::default(),
            failures: Failures::default(),
            id: LAYERS.fetch_add(1, Ordering::Relaxed),
        }
    }

    /// The name of this service, as `service` on each line. Default: not written.
    pub fn service(self, service: impl Into<String>) -> Self {
        self.field("service", service.into())
    }

    /// The version of this service, as `version` on each line. Default: not written.
    pub fn version(self, version: impl Into<String>) -> Self {
        self.field("version", version.into())
    }

    /// Where this service runs, as `env` on each line: `prod`, `staging`. Default: not written.
    pub fn env(self, env: impl Into<String>) -> Self {
        self.field("env", env.into())
    }

    /// The machine's name, as `host` on each line. Default: not written.
    pub fn host(self, host: impl Into<String>) -> Self {
        self.field("host", host.into())
    }

    /// One more field on each line. The same key again replaces the value; a text is cut at 8 KiB.
    ///
    /// An event's field of the same key is written with a `_` behind its key.
    pub fn field<'v>(mut self, key: &str, value: impl Into<Value<'v>>) -> Self {
        self.form.fix(key, &value.into());
        self
    }

    /// Whether `file` and `line` tell where the event was logged. Default: false.
    pub fn file_and_line(mut self, file_and_line: bool) -> Self {
        self.form.file_and_line = file_and_line;
        self
    }

    /// Which values are secret. Default: [`Redact::none`].
    pub fn redact(mut self, redact: Redact) -> Self {
        self.form.redact = redact;
        self
    }

    /// The longest line, its newline included. Default: 16 KiB, where Docker and containerd split
    /// lines. At least 2 KiB more than the fixed fields take, at most 1 GiB.
    pub fn max_line_bytes(mut self, bytes: usize) -> Self {
        self.form.max_line = bytes;
        self
    }

    /// The longest text of one value, as it is escaped. Default: 8 KiB.
    pub fn max_field_bytes(mut self, bytes: usize) -> Self {
        self.form.max_field = bytes;
        self
    }

    /// What tells the time. Default: [`SystemTime::now`].
    pub fn clock(mut self, clock: fn() -> SystemTime) -> Self {
        self.form.clock = clock;
        self
    }

    /// Called for the 1st, 2nd, 4th, 8th … line that the writer did not take. Default: says so on
    /// stderr.
    pub fn on_error(mut self, on_error: impl Fn(&Error) + Send + Sync + 'static) -> Self {
        self.failures.on_error = Box::new(on_error);
        self
    }

    /// How many lines the writer did not take, to be asked when the layer is in a subscriber.
    pub fn lost_lines(&self) -> LostLines {
        self.failures.lost.clone()
    }

    /// A maker of lines with this layer's fixed fields, for lines that are no event.
    #[must_use]
    pub fn blank(&self) -> Blank {
        Blank::new(self.form.clone())
    }
}

impl<S, W> Layer<S> for JsonLayer<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'w> MakeWriter<'w> + 'static,
{
    fn on_new_span(&self, attrs: &Attributes<'_>, id: &Id, ctx: Context<'_, S>) {
        let Some(span) = ctx.span(id) else { return };
        let fragment = self.with_own(
            attrs.metadata(),
            |encoder| attrs.record(encoder),
            |own, max| self.with_parent(&span, |parent| Fragment::new(self.id, own, parent, max)),
        );
        let mut extensions = span.extensions_mut();
        match extensions.get_mut::<Fragment>() {
            Some(other) => other.add(fragment),
            None => extensions.insert(fragment),
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, ctx: Context<'_, S>) {
        let Some(span) = ctx.span(id) else { return };
        self.with_own(
            span.metadata(),
            |encoder| values.record(encoder),
            |recorded, _| {
                let mut extensions = span.extensions_mut();
                let fragment = extensions
                    .get_mut()
                    .and_then(|f: &mut Fragment| f.of_mut(self.id));
                if let Some(fragment) = fragment {
                    fragment.record(recorded);
                }
            },
        );
    }

    fn on_event(&self, event: &Event<'_>, ctx: Context<'_, S>) {
        if depth() >= DEEPEST {
            return self.failures.nested();
        }
        let mut scratch = Scratch::take();
        self.encode(&mut scratch, event, &ctx);
        self.write(event.metadata(), &scratch.line);
        scratch.keep();
    }
}

#[cold]
fn note_losses(lost: &mut Cut, marks: &[Mark], plan: &Plan) {
    for mark in marks.iter().filter(|mark| mark.fate != Fate::Whole) {
        lost.note(plan.slots[mark.slot as usize].key.as_slice());
    }
}

/// Events inside the `Display` of an event inside the `Display` … that are written. A value that
/// logs itself would never come to an end.
const DEEPEST: u32 = 8;

/// Room kept while an event's fields are written: ids, `,"message":""`, `truncated`, the end.
const KEPT_ROOM: usize = 3 * ID_BYTES + 13 + CLOSING;

/// Room kept while inherited fields are written: `truncated` and `}` and the newline.
const CLOSING: usize = CUT_BYTES + 2;

impl<W> JsonLayer<W> {
    /// The line of an event, with its newline.
    fn encode<S>(&self, scratch: &mut Scratch, event: &Event<'_>, ctx: &Context<'_, S>)
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let Scratch {
            line,
            marks,
            lost,
            plans,
            stamp,
            own: _,
        } = scratch;
        let plan = plans.plan(event.metadata(), self.id, &self.plans, &self.form);
        line.extend_from_slice(b"{\"timestamp\":\"");
        stamp.write(line, (self.form.clock)());
        line.push(b'"');
        line.extend_from_slice(&plan.head);
        if plan.from_log {
            Origin::of(event).write(line, &self.form);
        }
        let limit = plan.line_bytes - KEPT_ROOM;
        let mut encoder = Encoder::new(line, marks, plan, limit, self.form.max_field);
        event.record(&mut encoder);
        let (bits, whole) = (encoder.bits, encoder.whole);
        if !whole {
            note_losses(lost, marks, plan);
        }
        let is_message = |mark: &Mark| Some(mark.slot) == plan.message && mark.fate != Fate::Lost;
        if !marks.iter().any(is_message) {
            line.extend_from_slice(b",\"message\":\"\"");
        }
        if let Some(span) = ctx.event_span(event) {
            let event = Given { marks, plan, bits };
            self.with_fragment(span, |fragment| {
                fragment
                    .fields
                    .inherit(line, lost, &event, plan.line_bytes - CLOSING);
            });
        }
        lost.write(line);
        line.extend_from_slice(b"}\n");
    }
}

impl<W> JsonLayer<W> {
    /// Writes a line, and counts it as lost if that fails.
    fn write(&self, metadata: &'static Metadata<'static>, line: &[u8])
    where
        W: for<'w> MakeWriter<'w>,
    {
        match shielded(|| self.make_writer.make_writer_for(metadata).write_all(line)) {
            Some(Ok(())) => {}
            Some(Err(error)) => self.failures.io(error),
            None => self.failures.panic(),
        }
    }

    /// Calls `then` with the fields that `record` gives, encoded, and the most bytes of a line.
    fn with_own<R>(
        &self,
        metadata: &'static Metadata<'static>,
        record: impl FnOnce(&mut Encoder<'_>),
        then: impl FnOnce(&mut Fields, usize) -> R,
    ) -> R {
        let mut scratch = Scratch::take();
        let Scratch {
            marks, plans, own, ..
        } = &mut *scratch;
        let plan = plans.plan(metadata, self.id, &self.plans, &self.form);
        if depth() < DEEPEST {
            let (limit, max_field) = (plan.line_bytes, self.form.max_field);
            record(&mut Encoder::new(
                &mut own.bytes,
                marks,
                plan,
                limit,
                max_field,
            ));
            own.index(marks, plan);
        } else {
            self.failures.nested();
        }
        let result = then(own, plan.line_bytes);
        scratch.keep();
        result
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

    /// Calls `then` with the fields of `span`, or of its nearest ancestor that this layer knows.
    fn with_fragment<S>(&self, span: SpanRef<'_, S>, then: impl FnOnce(&Fragment))
    where
        S: for<'a> LookupSpan<'a>,
    {
        let mut nearest = Some(span);
        while let Some(span) = nearest {
            match span
                .extensions()
                .get()
                .and_then(|f: &Fragment| f.of(self.id))
            {
                Some(fragment) if fragment.is_fresh() => return then(fragment),
                Some(_) => {}
                None => {
                    nearest = span.parent();
                    continue;
                }
            }
            self.refresh(&span);
            if let Some(fragment) = span
                .extensions()
                .get()
                .and_then(|f: &Fragment| f.of(self.id))
            {
                then(fragment);
            }
            return;
        }
    }

    /// Copies the ancestors' fields anew into each span from the root down to `span`.
    fn refresh<S>(&self, span: &SpanRef<'_, S>)
    where
        S: for<'a> LookupSpan<'a>,
    {
        // Read before any fields are: what changes from here on is seen at the next event.
        let epoch = span
            .extensions()
            .get()
            .and_then(|f: &Fragment| f.of(self.id))
            .map(Fragment::epoch_now);
        let Some(epoch) = epoch else { return };
        let mut parent: Option<Fields> = None;
        for span in span.scope().from_root() {
            let mut extensions = span.extensions_mut();
            let fragment = extensions
                .get_mut()
                .and_then(|f: &mut Fragment| f.of_mut(self.id));
            if let Some(fragment) = fragment {
                if !fragment.is_fresh() {
                    fragment.refresh(parent.as_ref(), epoch);
                }
                parent = Some(fragment.fields.clone());
            }
        }
    }
}
