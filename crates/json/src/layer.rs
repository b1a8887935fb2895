//! The JSON layer and its options.

use crate::failure::{Error, Failures, LostLines};
use crate::form::Form;
use crate::json_line::Blank;
use crate::plan::Plans;
use crate::redact::Redact;
use crate::sample::Sample;
use crate::sampling::Sampling;
use crate::schema::Schema;
use crate::style::{Clash, SpanStyle};
use crate::value::Value;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime};

/// A tracing layer that writes each event as one line of JSON.
///
/// See the [crate's page](crate) for what stands in a line.
#[derive(Debug)]
#[must_use = "a layer does nothing until it is added to a subscriber"]
pub struct JsonLayer<W = fn() -> io::Stdout> {
    pub(crate) make_writer: W,
    pub(crate) form: Form,
    pub(crate) plans: Arc<Plans>,
    pub(crate) failures: Failures,
    /// Tells this layer's data in a span and a thread from another JSON layer's.
    pub(crate) id: u64,
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
            plans: Arc::default(),
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
        self.form.fix(key, value.into().into_owned());
        self
    }

    /// Which keys the fields have, and how level and timestamp are written. Default: dogwatch's own.
    pub fn schema(mut self, schema: Schema) -> Self {
        self.form.schema = schema;
        self.form.settle();
        self
    }

    /// Whether `file` and `line` tell where the event was logged. Default: false.
    pub fn file_and_line(mut self, file_and_line: bool) -> Self {
        self.form.file_and_line = file_and_line;
        self.form.settle();
        self
    }

    /// Whether the field `error` of an event at ERROR tells as `error.backtrace` where it was logged,
    /// whatever `RUST_BACKTRACE` says. Default: false.
    ///
    /// It is the event's place and not the error's: an error does not let a layer see where it arose,
    /// but [`ErrorValue`](crate::ErrorValue) can hand that over. A backtrace costs about as much as
    /// some hundred lines, at its first time much more. It is cut as any text.
    pub fn error_backtrace(mut self, error_backtrace: bool) -> Self {
        self.form.error_backtrace = error_backtrace;
        self
    }

    /// Which values are secret. Default: [`Redact::none`].
    pub fn redact(mut self, redact: Redact) -> Self {
        self.form.redact = redact;
        self
    }

    /// How many lines of a busy callsite are written. Default: all.
    pub fn sample(mut self, sample: Sample) -> Self {
        self.form.sample = Some(sample);
        self
    }

    /// The longest line, its newline included. Default: 16 KiB, where Docker and containerd split
    /// lines. At least 2 KiB more than the fixed fields take, at most 1 GiB.
    pub fn max_line_bytes(mut self, bytes: usize) -> Self {
        self.form.max_line = bytes;
        self.form.settle();
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

    /// What tells how long a span was open, for [`span_close`](JsonLayer::span_close). Default:
    /// [`Instant::now`].
    pub fn monotonic_clock(mut self, clock: fn() -> Instant) -> Self {
        self.form.monotonic_clock = clock;
        self
    }

    /// Where the fields of spans stand. Default: [`SpanStyle::Flat`].
    pub fn spans(mut self, style: SpanStyle) -> Self {
        self.form.spans = style;
        self.form.settle();
        self
    }

    /// Whether `span` tells the innermost span's name, with [`SpanStyle::Flat`]. Default: false.
    pub fn span_name(mut self, span_name: bool) -> Self {
        self.form.span_name = span_name;
        self.form.settle();
        self
    }

    /// Whether a span that closes is a line: `"message":"span closed"`, its name, its fields,
    /// `duration_ms` (since it was made) and `busy_ms` (with a thread inside it). Each line has the
    /// span's name then, so that a trace can be put together from the lines alone. Default: false.
    pub fn span_close(mut self, span_close: bool) -> Self {
        self.form.span_close = span_close;
        self.form.settle();
        self
    }

    /// What becomes of a value whose key another field has. Default: [`Clash::Hide`].
    pub fn clash(mut self, clash: Clash) -> Self {
        self.form.clash = clash;
        self.form.settle();
        self
    }

    /// Whether keys with dots become objects: `http.method` and `http.status` are written as
    /// `"http":{"method":"GET","status":200}`, where the first of them stands. Default: false.
    ///
    /// Fields of spans and fixed fields are folded together with the event's. Where the beginning of
    /// a key has a value of its own (`http`, beside `http.method`), the rest keeps its dots, so that
    /// nothing is lost; so do a key with nothing before, between or behind its dots, what is deeper
    /// than 16 objects, and a line whose last bytes have no room for the braces. What
    /// [`redact`](JsonLayer::redact) says of a dotted key holds as before. Keys of a
    /// [`schema`](JsonLayer::schema) whose reader wants them with their dots stay so.
    pub fn nest_dots(mut self, nest_dots: bool) -> Self {
        self.form.nest_dots = nest_dots;
        self.form.settle();
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

    /// What [`sample`](JsonLayer::sample) leaves out. Ask when all options are set.
    pub fn sampling(&self) -> Sampling {
        Sampling::new(Arc::clone(&self.plans), self.form.clone())
    }

    /// A maker of lines with this layer's fixed fields, for lines that are no event.
    #[must_use]
    pub fn blank(&self) -> Blank {
        Blank::new(self.form.clone())
    }
}
