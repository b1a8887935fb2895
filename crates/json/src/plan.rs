//! What can be decided once per callsite: the head of its lines, its keys, redaction and clashes.

use crate::escape::escape;
use crate::form::Form;
use crate::head::{Head, Origin};
use crate::key::Key;
use crate::nested::Ask;
use crate::redact::{Redact, Treatment};
use crate::sample::{Counter, Ended, moves_on};
use crate::schema::ErrorForm;
use crate::slots::Slots;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tracing_core::{Level, Metadata};

/// How the lines or the span fields of one callsite are written by one layer.
#[derive(Debug)]
pub(crate) struct Plan {
    /// From the end of the timestamp up to the target: `Z","level":…,"target":…`; without the target
    /// for `log` records, whose target differs from record to record.
    pub(crate) head: Box<[u8]>,
    /// The rest of the head, where the message stands within it.
    pub(crate) after: Box<[u8]>,
    /// What stands first in the object of the event's fields.
    pub(crate) inner: Box<[u8]>,
    pub(crate) slots: Box<[Slot]>,
    /// A `log` record that came through `tracing-log`.
    pub(crate) from_log: bool,
    /// The slot of the message, if the callsite has one.
    pub(crate) message: Option<u32>,
    /// The fields can be written in one pass.
    pub(crate) single: bool,
    pub(crate) error: ErrorForm,
    /// What stands before the text of [`Shape::Prefixed`].
    pub(crate) prefix: Box<[u8]>,
    /// See [`Form::line_bytes`].
    pub(crate) line_bytes: usize,
    /// An error in `error` tells where it was logged.
    pub(crate) backtrace: bool,
    redact: Redact,
    /// Lines of this callsite may be left out.
    pub(crate) sampled: Option<Sampled>,
}

/// A callsite whose lines are counted.
#[derive(Debug)]
pub(crate) struct Sampled {
    pub(crate) metadata: &'static Metadata<'static>,
    pub(crate) counter: Counter,
}

/// One field of a callsite.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) key: Key,
    pub(crate) part: u8,
    pub(crate) shape: Shape,
    pub(crate) treatment: Option<Treatment>,
    /// A text is written as it is, between quotes.
    pub(crate) quotes: bool,
}

/// What a value is written as. A dictionary field has one type, whatever it is given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Shape {
    /// As JSON has it.
    Plain,
    /// Always a string.
    Text,
    /// A string behind the plan's prefix.
    Prefixed,
    /// Always with a message and causes.
    Error,
    /// Milliseconds, written as the JSON of a protobuf `Duration`: `"0.206000000s"`.
    Duration,
    /// As `tracing_subscriber` writes it: as JSON has it, errors and bytes as text.
    Bare,
}

impl Plan {
    fn new(metadata: &'static Metadata<'static>, form: &Form) -> Self {
        let is_event = metadata.is_event();
        let from_log = is_event && is_log(metadata);
        let origin = (!from_log).then(|| Origin {
            target: metadata.target(),
            file: metadata.file(),
            line: metadata.line().map(u64::from),
        });
        let Head { level, top, inner } = form.head((*metadata.level()).into(), origin);
        let (head, after) = if form.schema.message_first {
            (level, top)
        } else {
            ([level, top].concat(), Vec::new())
        };
        let mut given = Slots::new(metadata, form);
        let mut slots = Vec::new();
        for (index, field) in metadata.fields().iter().enumerate() {
            let name = field.name().strip_prefix("r#").unwrap_or(field.name());
            let mut slot = given.slot(index, name);
            slot.treatment = form.redact.treatment(name).cloned();
            if from_log && name.starts_with("log.") {
                slot.treatment = Some(Treatment::Drop);
            }
            slot.quotes =
                slot.treatment.is_none() && !matches!(slot.shape, Shape::Prefixed | Shape::Error);
            slots.push(slot);
        }
        Plan {
            head: head.into(),
            after: after.into(),
            inner: inner.into(),
            slots: slots.into(),
            from_log,
            message: given.message,
            single: !given.request && !form.schema.message_first && form.nest().is_none(),
            error: form.schema.error,
            prefix: escaped(&form.schema.trace_prefix),
            line_bytes: form.settled.bounds.max,
            backtrace: is_event
                && form.error_backtrace
                && *metadata.level() == Level::ERROR
                && form.redact.treatment("error").is_none()
                && form.redact.treatment("error.backtrace").is_none(),
            redact: form.redact.clone(),
            sampled: form
                .sample
                .as_ref()
                .filter(|sample| is_event && !from_log && sample.may_leave_out(metadata))
                .map(|_| Sampled {
                    metadata,
                    counter: Counter::default(),
                }),
        }
    }

    /// How an error is written in a field of this shape.
    pub(crate) fn error_form(&self, shape: Shape) -> ErrorForm {
        if shape == Shape::Error {
            self.error
        } else {
            ErrorForm::OBJECT
        }
    }

    /// What a value is asked that can give JSON for the field `name`.
    pub(crate) fn ask(&self, name: &str, shape: Shape, limits: (usize, usize)) -> Ask {
        Ask {
            key: name.strip_prefix("r#").unwrap_or(name).to_owned(),
            redact: self.redact.clone(),
            max_bytes: limits.0,
            max_field: limits.1,
            shape,
            error: self.error_form(shape),
        }
    }
}

fn escaped(text: &str) -> Box<[u8]> {
    let mut out = Vec::new();
    escape(&mut out, text);
    out.into()
}

/// The callsites of `tracing-log`, told by their shape, so that no version of it is bound.
fn is_log(metadata: &Metadata<'_>) -> bool {
    metadata.target() == "log"
        && metadata.name() == "log event"
        && metadata.fields().field("log.target").is_some()
}

/// The plans of one layer, shared by its threads.
#[derive(Debug, Default)]
pub(crate) struct Plans {
    made: Mutex<HashMap<usize, Arc<Plan>>>,
    /// The interval in which callsites were last asked what they left out.
    asked: AtomicU32,
    /// Lines that were left out and are told.
    pub(crate) told: AtomicU64,
}

impl Plans {
    fn plan(&self, metadata: &'static Metadata<'static>, form: &Form) -> Arc<Plan> {
        let address = std::ptr::from_ref(metadata) as usize;
        Arc::clone(
            self.made()
                .entry(address)
                .or_insert_with(|| Arc::new(Plan::new(metadata, form))),
        )
    }

    /// True for one caller in each interval.
    pub(crate) fn moves_on(&self, interval: u32) -> bool {
        let asked = self.asked.load(Ordering::Relaxed);
        moves_on(asked, interval)
            && self
                .asked
                .compare_exchange(asked, interval, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }

    /// The callsites for which `end` ends an interval. No lock is held when it returns.
    pub(crate) fn ended(&self, end: impl Fn(&Sampled) -> Option<Ended>) -> Vec<(Arc<Plan>, Ended)> {
        let ended = |plan: &Arc<Plan>| Some((Arc::clone(plan), end(plan.sampled.as_ref()?)?));
        self.made().values().filter_map(ended).collect()
    }

    /// A sum over the callsites whose lines are counted.
    pub(crate) fn sum(&self, of: impl Fn(&Sampled) -> u64) -> u64 {
        let made = self.made();
        let sampled = made.values().filter_map(|plan| plan.sampled.as_ref());
        sampled.map(of).sum()
    }

    fn made(&self) -> MutexGuard<'_, HashMap<usize, Arc<Plan>>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The plans that a thread used last, each at a place given by its callsite.
#[derive(Debug, Default)]
pub(crate) struct RecentPlans {
    places: Vec<Option<Recent>>,
}

#[derive(Clone, Debug)]
struct Recent {
    metadata: &'static Metadata<'static>,
    layer: u64,
    plan: Arc<Plan>,
}

/// Places in a thread's cache: a power of two. Callsites that share one ask the layer in turn.
const PLACES: usize = 256;

impl RecentPlans {
    pub(crate) fn plan(
        &mut self,
        metadata: &'static Metadata<'static>,
        layer: u64,
        plans: &Plans,
        form: &Form,
    ) -> &Plan {
        if self.places.is_empty() {
            self.places.resize(PLACES, None);
        }
        let address = std::ptr::from_ref(metadata) as u64;
        let spread = (address ^ layer << 3).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56;
        let place = &mut self.places[spread as usize % PLACES];
        let known = place
            .as_ref()
            .is_some_and(|known| std::ptr::eq(known.metadata, metadata) && known.layer == layer);
        if !known {
            *place = Some(Recent {
                metadata,
                layer,
                plan: plans.plan(metadata, form),
            });
        }
        &place.as_ref().expect("filled above").plan
    }
}
