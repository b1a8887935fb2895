//! The tracing layer: judges each event on its own thread, and never more than that.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use dogwatch_line::Level;
use tracing_core::field::FieldSet;
use tracing_core::span::{Attributes, Id, Record};
use tracing_core::{Dispatch, Event, Interest, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

use crate::callsites::{is_idle, next_id};
use crate::collect::{Collect, From};
use crate::filter::RulesFilter;
use crate::screen::is_own;
use crate::seen::{Judged as _, Seen};
use crate::set::Set;
use crate::shared::Shared;
use crate::spans::{Kept, SpanField};
use crate::view::View;
use crate::{Builder, Rules};

/// Judges events by rules. A `tracing_subscriber` layer that only observes.
///
/// Put it beside other layers on a registry. It sees what the filter over all layers lets through;
/// with a filter of its own, [`filter`](Self::filter) is the one that its rules need. Clones are the
/// same layer: on one registry two of them count every event twice.
#[derive(Clone)]
pub struct AlertLayer {
    shared: Arc<Shared>,
    /// Tells what spans keep for this layer from what they keep for others.
    number: usize,
}

impl AlertLayer {
    /// Puts rules to work.
    pub fn builder(rules: Rules) -> Builder {
        Builder::new(rules)
    }

    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            number: next_id(),
        }
    }

    /// The filter that these rules need, for `layer.with_filter(filter)`: events from the least
    /// level that a rule can match, and the spans whose fields those events inherit.
    pub fn filter(&self) -> RulesFilter {
        RulesFilter::new(self.shared.least.clone())
    }

    fn learn(&self, set: &Set, metadata: &'static Metadata<'static>) -> Arc<[usize]> {
        let level = level(metadata);
        // A `log` record tells its target with the event.
        let target = (!from_log(metadata)).then(|| metadata.target());
        let rules = set.rules.iter().enumerate();
        let may = rules.filter(|(_, rule)| rule.may_hold(level, target));
        let rules: Arc<[usize]> = match is_own(metadata.target()) {
            true => Arc::new([]),
            false => may.map(|(at, _)| at).collect(),
        };
        set.callsites.learn(metadata, rules.clone());
        rules
    }

    fn judge<S>(&self, set: &Set, view: &mut View, event: &Event<'_>, ctx: &Context<'_, S>)
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let shared = &*self.shared;
        let metadata = event.metadata();
        let known = set.callsites.rules(metadata);
        let rules = known.unwrap_or_else(|| self.learn(set, metadata));
        if rules.is_empty() {
            return;
        }
        view.start(level(metadata), metadata.target());
        let from = if from_log(metadata) {
            From::LogRecord
        } else {
            From::Event
        };
        let fields = metadata.fields();
        let mut collect = Collect::new(view, &shared.redact, from, fields);
        event.record(&mut collect);
        shared.panicked(collect.panics());
        if is_own(view.target()) {
            return;
        }
        for (outward, span) in ctx.event_scope(event).into_iter().flatten().enumerate() {
            if let Some(kept) = span.extensions().get::<Kept>() {
                kept.inherit(self.number, view, outward);
            }
        }
        let no_text = set.prefilter.pays(rules.len()) && !set.prefilter.may_match(view.text());
        let mut seen = Seen {
            view,
            fixed: &shared.fields,
            clock: &*shared.clock,
        };
        for &at in &*rules {
            let rule = &set.rules[at];
            if let Some(role) = rule.role(&mut seen, no_text) {
                // Before the lock.
                seen.text();
                let mut slot = set.slot(at);
                // Under it, so that the times of one rule never step back.
                let ring = slot.hit(rule, shared.clock.now(), role, &mut seen);
                drop(slot);
                if ring {
                    shared.wake.ring();
                }
            }
        }
    }

    /// Reads a span's fields: formatting first, so that no lock is held while it runs.
    fn collect(&self, fields: &FieldSet, record: impl FnOnce(&mut Collect<'_>)) -> Vec<SpanField> {
        if self.shared.least.is_none() || self.shared.is_ended() {
            return Vec::new();
        }
        with_scratch(|scratch| {
            let view = &mut scratch.view;
            view.start(Level::Trace, "");
            let redact = &self.shared.redact;
            let mut collect = Collect::new(view, redact, From::Span, fields);
            record(&mut collect);
            self.shared.panicked(collect.panics());
            view.owned().collect()
        })
        .unwrap_or_default()
    }
}

impl<S> Layer<S> for AlertLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_register_dispatch(&self, dispatch: &Dispatch) {
        self.shared.logged.log_into(dispatch.downgrade());
    }

    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if metadata.is_event() {
            self.learn(&self.shared.set(), metadata);
        }
        // Never `never`: in a plain layer that would silence every other layer.
        Interest::always()
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, ctx: Context<'_, S>) {
        let fields = attributes.metadata().fields();
        let fields = self.collect(fields, |collect| attributes.record(collect));
        if let (false, Some(span)) = (fields.is_empty(), ctx.span(id)) {
            Kept::put(&mut span.extensions_mut(), self.number, fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, ctx: Context<'_, S>) {
        let Some(span) = ctx.span(id) else { return };
        let fields = span.metadata().fields();
        let fields = self.collect(fields, |collect| values.record(collect));
        if !fields.is_empty() {
            Kept::put(&mut span.extensions_mut(), self.number, fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, ctx: Context<'_, S>) {
        let metadata = event.metadata();
        let shared = &*self.shared;
        let too_low = shared.least.is_above(level(metadata));
        if too_low || is_idle(shared.current.generation(), metadata) || shared.is_ended() {
            return;
        }
        with_scratch(|scratch| {
            let set = shared.current.kept(&mut scratch.set);
            self.judge(set, &mut scratch.view, event, &ctx);
        });
    }
}

impl fmt::Debug for AlertLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set = self.shared.set();
        let rules: Vec<&str> = set.rules.iter().map(|rule| &*rule.name).collect();
        f.debug_struct("AlertLayer")
            .field("rules", &rules)
            .finish_non_exhaustive()
    }
}

/// What a thread keeps for the events that it judges.
#[derive(Default)]
struct Scratch {
    view: View,
    /// The rules that it last judged by.
    set: Option<Arc<Set>>,
}

/// Lends this thread's scratch. `None` if it is lent out: then a value being formatted has logged, and
/// that event is not judged. Or if the thread is ending.
fn with_scratch<T>(run: impl FnOnce(&mut Scratch) -> T) -> Option<T> {
    SCRATCH
        .try_with(|scratch| {
            let mut scratch = scratch.try_borrow_mut().ok()?;
            Some(run(&mut scratch))
        })
        .ok()
        .flatten()
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

fn from_log(metadata: &Metadata<'_>) -> bool {
    metadata.target() == "log"
        && metadata.name() == "log event"
        && metadata.fields().field("log.target").is_some()
}

fn level(metadata: &Metadata<'_>) -> Level {
    match *metadata.level() {
        tracing_core::Level::TRACE => Level::Trace,
        tracing_core::Level::DEBUG => Level::Debug,
        tracing_core::Level::INFO => Level::Info,
        tracing_core::Level::WARN => Level::Warn,
        tracing_core::Level::ERROR => Level::Error,
    }
}
