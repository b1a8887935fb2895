//! Puts together the line of a span that closes.

use crate::form::Spans;
use crate::key::encoded_key;
use crate::layer::JsonLayer;
use crate::line::Line;
use crate::scratch::Scratch;
use tracing_subscriber::registry::{LookupSpan, SpanRef};

impl<W> JsonLayer<W> {
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
        let now = (self.form.clock)();
        let mut line = self.begin(scratch, span.metadata(), now);
        let times = |line: &mut Line<'_>| {
            for (field, ms) in [("duration_ms", duration), ("busy_ms", busy)] {
                line.push(&encoded_key(self.form.schema.key(field)));
                line.push(zmij::Buffer::new().format_finite(ms).as_bytes());
            }
        };
        let message = |line: &mut Line<'_>, key: &[u8]| {
            line.push(key);
            line.push(b"\"span closed\"");
            line.push(&line.plan.after);
        };
        match self.form.spans() {
            Spans::Gathered(_) => {
                message(&mut line, &self.form.settled.message);
                self.gather(&mut line, Some(span), times);
            }
            Spans::Subscriber => {
                let open = line.open(&self.form.settled.nest);
                message(&mut line, b",\"message\":");
                times(&mut line);
                line.close(open);
                self.add_spans(&mut line, span, Spans::Subscriber, 0);
            }
            spans => {
                message(&mut line, &self.form.settled.message);
                times(&mut line);
                self.add_spans(&mut line, span, spans, 0);
            }
        }
        line.end();
    }
}
