//! Leaves lines out as a sample says, and tells how many in lines of their own.

use crate::form::{Form, write_name};
use crate::key::encoded_key;
use crate::layer::JsonLayer;
use crate::line::begin;
use crate::naming::Of;
use crate::plan::{Plan, Plans, Sampled};
use crate::sample::{Ended, Sample};
use crate::schema::Layout;
use crate::scratch::Scratch;
use crate::time::Stamp;
use crate::timestamp::Timestamp;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::SystemTime;
use tracing_core::Metadata;
use tracing_subscriber::fmt::MakeWriter;

impl<W> JsonLayer<W> {
    /// Whether a line of this callsite is left out now. Tells what intervals that are over left out.
    pub(crate) fn leaves_out(
        &self,
        scratch: &mut Scratch,
        metadata: &'static Metadata<'static>,
        now: SystemTime,
    ) -> bool
    where
        W: for<'w> MakeWriter<'w>,
    {
        let Some(sample) = &self.form.sample else {
            return false;
        };
        let Scratch {
            line, stamp, plans, ..
        } = scratch;
        let interval = sample.interval_at(now);
        if self.plans.moves_on(interval) {
            // Callsites that have gone silent have nobody else to tell for them.
            for (plan, ended) in self.plans.ended(|sampled| sampled.counter.end(interval)) {
                self.tell((line, stamp), sample, (&plan, ended), now);
            }
        }
        let plan = plans.plan(metadata, self.id, &self.plans, &self.form);
        let Some(sampled) = &plan.sampled else {
            return false;
        };
        let (place, ended) = sampled.counter.count(interval);
        if let Some(ended) = ended {
            self.tell((line, stamp), sample, (plan, ended), now);
        }
        !sample.writes(place)
    }

    fn tell(
        &self,
        (line, stamp): (&mut Vec<u8>, &mut Stamp),
        sample: &Sample,
        (plan, ended): (&Plan, Ended),
        now: SystemTime,
    ) where
        W: for<'w> MakeWriter<'w>,
    {
        let lines = sample.left_out(ended.lines);
        let Some(sampled) = plan.sampled.as_ref().filter(|_| lines > 0) else {
            return;
        };
        self.plans.told.fetch_add(lines.into(), Ordering::Relaxed);
        begin(line, stamp, &self.form, plan, now);
        write_gap(line, (&self.form, plan), sample, (sampled, ended));
        let told = self.form.folded(std::mem::take(line));
        self.write(sampled.metadata, &told);
        *line = told;
        line.clear();
    }
}

/// What sampling leaves out, to be asked while the layer is in a subscriber. From
/// [`JsonLayer::sampling`].
#[derive(Clone, Debug)]
pub struct Sampling {
    plans: Arc<Plans>,
    form: Form,
}

impl Sampling {
    pub(crate) fn new(plans: Arc<Plans>, form: Form) -> Self {
        Sampling { plans, form }
    }

    /// How many lines were left out so far, over all callsites.
    pub fn left_out(&self) -> u64 {
        let Some(sample) = &self.form.sample else {
            return 0;
        };
        let untold = |sampled: &Sampled| u64::from(sample.left_out(sampled.counter.lines()));
        self.plans.told.load(Ordering::Relaxed) + self.plans.sum(untold)
    }

    /// The lines that tell what was left out and is not told yet, for the end of a program: nobody
    /// logs any more, so that the layer has no occasion to write them. A second call finds nothing
    /// new, and each callsite begins its interval anew.
    #[must_use = "what is not written is not told"]
    pub fn untold(&self) -> Vec<Vec<u8>> {
        let Some(sample) = &self.form.sample else {
            return Vec::new();
        };
        let (now, mut stamp) = ((self.form.clock)(), Stamp::default());
        let ended = self.plans.ended(|sampled| sampled.counter.take());
        let line = |(plan, ended): (Arc<Plan>, Ended)| {
            let lines = sample.left_out(ended.lines);
            let sampled = plan.sampled.as_ref().filter(|_| lines > 0)?;
            self.plans.told.fetch_add(lines.into(), Ordering::Relaxed);
            let mut line = Vec::new();
            begin(&mut line, &mut stamp, &self.form, &plan, now);
            write_gap(&mut line, (&self.form, &plan), sample, (sampled, ended));
            Some(self.form.folded(line))
        };
        ended.into_iter().filter_map(line).collect()
    }
}

/// From the message to the newline of a line that tells what a callsite left out.
fn write_gap(
    out: &mut Vec<u8>,
    (form, plan): (&Form, &Plan),
    sample: &Sample,
    gap: (&Sampled, Ended),
) {
    let lines = sample.left_out(gap.1.lines);
    let message = format!("\"{lines} lines were left out by sampling\"");
    let subscriber = form.schema.layout == Layout::Subscriber;
    if !subscriber {
        out.extend_from_slice(&form.settled.message);
        out.extend_from_slice(message.as_bytes());
        out.extend_from_slice(&plan.after);
    }
    // Options of the layer nest an event's fields; this is none.
    let object = form.nest().filter(|_| form.schema.layout != Layout::Free);
    if let Some(object) = object {
        out.extend_from_slice(&encoded_key(object));
        out.push(b'{');
        let first = out.len();
        out.extend_from_slice(&plan.inner);
        if subscriber {
            out.extend_from_slice(b",\"message\":");
            out.extend_from_slice(message.as_bytes());
        }
        write_object(out, form, sample, gap);
        // The first field's comma.
        out.remove(first);
        out.push(b'}');
    } else {
        write_object(out, form, sample, gap);
    }
    out.extend_from_slice(b"}\n");
}

fn write_object(
    out: &mut Vec<u8>,
    form: &Form,
    sample: &Sample,
    (sampled, ended): (&Sampled, Ended),
) {
    let mut number = itoa::Buffer::new();
    let lines = number.format(sample.left_out(ended.lines));
    let (since, until) = sample.bounds(ended.interval);
    out.extend_from_slice(&encoded_key(&form.named("gap", Of::Line, |_| false).key));
    out.extend_from_slice(b"{\"lines\":");
    out.extend_from_slice(lines.as_bytes());
    out.extend_from_slice(b",\"reasons\":{\"sampled\":");
    out.extend_from_slice(lines.as_bytes());
    out.extend_from_slice(b"},\"since\":\"");
    Stamp::default().write(out, since, Timestamp::default());
    out.extend_from_slice(b"Z\",\"until\":\"");
    Stamp::default().write(out, until, Timestamp::default());
    out.extend_from_slice(b"Z\"");
    if let (Some(file), Some(line)) = (sampled.metadata.file(), sampled.metadata.line()) {
        out.extend_from_slice(b",\"callsite\":\"");
        write_name(out, file);
        out.push(b':');
        out.extend_from_slice(itoa::Buffer::new().format(line).as_bytes());
        out.push(b'"');
    }
    out.push(b'}');
}
