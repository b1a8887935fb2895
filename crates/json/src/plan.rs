//! What can be decided once per callsite: the head of its lines, its keys, redaction and clashes.

use crate::form::{Form, free_key};
use crate::key::Key;
use crate::nested::Ask;
use crate::redact::{Redact, Treatment};
use crate::sample::{Counter, Ended, moves_on};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tracing_core::{Level, Metadata};

/// How the lines or the span fields of one callsite are written by one layer.
#[derive(Debug)]
pub(crate) struct Plan {
    /// From the level up to the target: `,"level":…,"target":…`; only the level and the fixed fields
    /// for `log` records, whose target differs from record to record.
    pub(crate) head: Box<[u8]>,
    pub(crate) slots: Box<[Slot]>,
    /// A `log` record that came through `tracing-log`.
    pub(crate) from_log: bool,
    /// The slot of the message, if the callsite has one.
    pub(crate) message: Option<u32>,
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
    pub(crate) shape: Shape,
    pub(crate) treatment: Option<Treatment>,
}

/// What a value is written as. A dictionary field has one type, whatever it is given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Shape {
    /// As JSON has it.
    Plain,
    /// Always a string.
    Text,
    /// Always an object with `message` and `causes`.
    Error,
}

/// The fields of the dictionary that are strings.
const TEXTS: [&str; 12] = [
    "message",
    "event",
    "trace_id",
    "span_id",
    "parent_span_id",
    "request_id",
    "user_id",
    "url",
    "method",
    "route",
    "path",
    "outcome",
];

impl Plan {
    fn new(metadata: &'static Metadata<'static>, form: &Form) -> Self {
        let is_event = metadata.is_event();
        let from_log = is_event && is_log(metadata);
        let mut head = Vec::new();
        form.write_head(&mut head, metadata.level().as_str());
        if !from_log {
            let line = metadata.line().map(u64::from);
            form.write_origin(&mut head, metadata.target(), metadata.file(), line);
        }
        let mut message = None;
        let mut taken: Vec<String> = Vec::new();
        let mut slots = Vec::new();
        for (index, field) in metadata.fields().iter().enumerate() {
            let name = field.name().strip_prefix("r#").unwrap_or(field.name());
            let key = if is_event && message.is_none() && name == "message" {
                message = Some(index as u32);
                name.to_owned()
            } else {
                free_key(name, |key| {
                    let reserved = if is_event {
                        form.reserved_in_event(key)
                    } else {
                        form.reserved_in_span(key)
                    };
                    reserved || taken.iter().any(|t| t == key)
                })
            };
            let mut slot = Slot::new(&key, form.redact.treatment(name).cloned());
            if from_log && name.starts_with("log.") {
                slot.treatment = Some(Treatment::Drop);
            }
            slots.push(slot);
            taken.push(key);
        }
        Plan {
            head: head.into(),
            slots: slots.into(),
            from_log,
            message,
            line_bytes: form.line_bytes(),
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

    /// What a value is asked that can give JSON for the field `name`.
    pub(crate) fn ask(&self, name: &str, shape: Shape, limits: (usize, usize)) -> Ask {
        Ask {
            key: name.strip_prefix("r#").unwrap_or(name).to_owned(),
            redact: self.redact.clone(),
            max_bytes: limits.0,
            max_field: limits.1,
            shape,
        }
    }
}

impl Slot {
    fn new(key: &str, treatment: Option<Treatment>) -> Self {
        Slot {
            key: Key::new(key),
            shape: Shape::of(key),
            treatment,
        }
    }
}

impl Shape {
    pub(crate) fn of(key: &str) -> Self {
        match key {
            "error" => Shape::Error,
            _ if TEXTS.contains(&key) => Shape::Text,
            _ => Shape::Plain,
        }
    }
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
