//! The metrics of one service: what feeds them, and the page that shows them.

use crate::accept::Format;
use crate::active::{ACTIVE, Active};
use crate::builder::Builder;
use crate::error::Error;
use crate::forward::Forward;
use crate::layer::MetricsLayer;
use crate::lines::{LINES, LineCounts};
use crate::page::{Kind, Number, Page, labels};
use crate::process;
use crate::request::Request;
use crate::series::{DURATION, RequestSeries, SHED_REQUESTS, SIZE_IN, SIZE_OUT};
use crate::source::{Family, Rows, Sources, is_name};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

/// The metrics of one service. A clone is another handle on the same figures.
///
/// Recording takes a few atomic additions and no lock. Everything is bounded: see
/// [`Builder::max_series`].
#[derive(Clone, Debug)]
pub struct Metrics {
    shared: Arc<Shared>,
}

/// The state of one alert rule, as [`Metrics::alerts`] reports it.
///
/// Not `#[non_exhaustive]`: it is built by the caller, all of it.
#[derive(Clone, Debug)]
pub struct Alert {
    /// The rule's name.
    pub rule: String,
    /// `inactive`, `pending`, `firing` or `resolved`; another word is shown beside these.
    pub state: &'static str,
    /// How many events the rule has counted since the start: what a fleet adds up, where one process
    /// sees too few.
    pub matched: u64,
    /// How often the rule has fired since the start.
    pub fired: u64,
}

pub(crate) struct Shared {
    pub(crate) lines: LineCounts,
    pub(crate) requests: RequestSeries,
    pub(crate) active: Active,
    pub(crate) sources: Sources,
    pub(crate) source_panics: AtomicU64,
    pub(crate) clock: Box<dyn Fn() -> SystemTime + Send + Sync>,
    pub(crate) process: bool,
    pub(crate) forward: Forward,
}

impl Metrics {
    /// Metrics with the defaults of [`Builder`].
    #[must_use = "metrics that nobody shows are counted for nothing"]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Metrics with other bounds.
    pub fn builder() -> Builder {
        Builder::new()
    }

    pub(crate) fn from_shared(shared: Shared) -> Self {
        Self {
            shared: Arc::new(shared),
        }
    }

    /// The tracing layer that counts events by level and target.
    #[must_use = "a layer counts only once it is part of a subscriber"]
    pub fn layer(&self) -> MetricsLayer {
        MetricsLayer::new(Arc::clone(&self.shared))
    }

    /// Records a request that ended. Call it once a request, whatever became of it.
    pub fn request(&self, request: &Request<'_>) {
        let shared = &*self.shared;
        shared
            .requests
            .record(request, &shared.clock, &shared.forward);
    }

    /// Adds to the number of requests of this method under way: 1 when one begins, -1 when it ends.
    /// The caller sees to it, by a guard's `Drop`, that each 1 gets its -1. A method that HTTP does
    /// not know is counted as `_OTHER`.
    pub fn active(&self, method: &str, delta: i64) {
        self.shared.active.add(method, delta, &self.shared.forward);
    }

    /// Shows lines that were lost, by reason, as `dogwatch_lines_lost_total`. The closure is called at
    /// each scrape. Several may be given; what they say of one reason is added up.
    pub fn lost_lines(&self, read: impl Fn() -> Vec<(String, u64)> + Send + Sync + 'static) {
        let lost = family(LOST, Kind::Counter, "Log lines that were lost, by reason.");
        self.shared.sources.join(&[lost], move |rows| {
            for (reason, count) in read() {
                rows.add(LOST, labels(&[("reason", &reason)]), count);
            }
        });
    }

    /// Shows alert rules as `dogwatch_alert_state` (1 for the state a rule is in, 0 for the others),
    /// `dogwatch_alert_matches_total` and `dogwatch_alerts_fired_total`. The closure is called at each scrape.
    pub fn alerts(&self, read: impl Fn() -> Vec<Alert> + Send + Sync + 'static) {
        let state = family(
            ALERT_STATE,
            Kind::Gauge,
            "1 for the state that the rule is in, else 0.",
        );
        let matches = family(
            ALERT_MATCHES,
            Kind::Counter,
            "Events that the rule has counted.",
        );
        let fired = family(ALERTS_FIRED, Kind::Counter, "How often the rule has fired.");
        self.shared
            .sources
            .join(&[state, matches, fired], move |rows| {
                for alert in read() {
                    let Alert { rule, state, .. } = alert;
                    for other in ALERT_STATES.into_iter().filter(|other| *other != state) {
                        set_state(rows, &rule, other, 0);
                    }
                    set_state(rows, &rule, state, 1);
                    rows.add(ALERT_MATCHES, labels(&[("rule", &rule)]), alert.matched);
                    rows.add(ALERTS_FIRED, labels(&[("rule", &rule)]), alert.fired);
                }
            });
    }

    /// Shows gauges of your own: values that go up and down. The closure is called at each scrape and
    /// gives one value for each combination of labels; of two for the same, the later stands.
    ///
    /// ```
    /// # let metrics = dogwatch_metrics::Metrics::new();
    /// metrics.gauge_from("shop_pool_connections", "Connections by use.", ["use"], || {
    ///     vec![(["idle".to_owned()], 3.0), (["busy".to_owned()], 5.0)]
    /// })?;
    /// assert!(metrics.render(None).1.contains("shop_pool_connections{use=\"busy\"} 5\n"));
    /// # Ok::<(), dogwatch_metrics::Error>(())
    /// ```
    ///
    /// # Errors
    /// When `name` or a label is not a name that Prometheus can read, or `name` is taken.
    pub fn gauge_from<const N: usize>(
        &self,
        name: &str,
        help: &str,
        labels: [&'static str; N],
        read: impl Fn() -> Vec<([String; N], f64)> + Send + Sync + 'static,
    ) -> Result<(), Error> {
        check_names(name, &labels)?;
        let owned = name.to_owned();
        self.shared
            .sources
            .found(family(name, Kind::Gauge, help), &OURS, move |rows| {
                for (values, value) in read() {
                    rows.set(&owned, pairs(&labels, &values), Number::Real(value));
                }
            })
    }

    /// Shows counters of your own: values that only go up. `name` is shown with `_total` at its end,
    /// whether it is given so or not. Two counts for the same labels are added up.
    ///
    /// # Errors
    /// As for [`gauge_from`](Self::gauge_from).
    pub fn counter_from<const N: usize>(
        &self,
        name: &str,
        help: &str,
        labels: [&'static str; N],
        read: impl Fn() -> Vec<([String; N], u64)> + Send + Sync + 'static,
    ) -> Result<(), Error> {
        let name = name.strip_suffix("_total").unwrap_or(name);
        check_names(name, &labels)?;
        let owned = name.to_owned();
        self.shared
            .sources
            .found(family(name, Kind::Counter, help), &OURS, move |rows| {
                for (values, count) in read() {
                    rows.add(&owned, pairs(&labels, &values), count);
                }
            })
    }

    /// Reads the closures once and sends what they say on to the recorder that was given to
    /// [`Builder::recorder`](crate::Builder::recorder). Requests, lines and what is under way are sent
    /// as they happen; only lost lines, alert rules and figures of your own need this call, about
    /// every ten seconds. The process' own figures are left to the recorder's side.
    #[cfg(feature = "recorder")]
    pub fn forward(&self) {
        let shared = &*self.shared;
        let panics = shared.sources.send(&shared.forward);
        shared.source_panics.fetch_add(panics, Ordering::Relaxed);
    }

    /// The content type and the page, in the format that the `Accept` header asks for: OpenMetrics
    /// 1.0.0 (with exemplars) for those who name it, else Prometheus text 0.0.4 (without).
    ///
    /// Holds up nobody who records meanwhile. What is recorded meanwhile may be on the page in part:
    /// a request in the count but not yet in the sum.
    #[must_use = "the page is for the scraper"]
    pub fn render(&self, accept: Option<&str>) -> (&'static str, String) {
        let format = Format::choose(accept);
        let mut page = Page::new(format);
        let shared = &*self.shared;
        shared.requests.write(&mut page);
        shared.active.write(&mut page);
        shared.lines.write(&mut page);
        let panics = shared.sources.write(&mut page);
        let panics = shared.source_panics.fetch_add(panics, Ordering::Relaxed) + panics;
        let panics = panics + shared.forward.panics();
        page.family(
            SOURCE_PANICS,
            Kind::Counter,
            "Times that a closure read at a scrape, or a recorder, panicked.",
        );
        page.counter("", Number::Whole(panics));
        if shared.process {
            process::write(&mut page);
        }
        (format.content_type(), page.finish())
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics")
            .field("active", &self.active)
            .finish_non_exhaustive()
    }
}

fn family(name: &str, kind: Kind, help: &str) -> Family {
    Family {
        name: name.to_owned(),
        kind,
        help: help.to_owned(),
    }
}

fn set_state(rows: &mut Rows, rule: &str, state: &str, value: u64) {
    rows.set(
        ALERT_STATE,
        labels(&[("rule", rule), ("state", state)]),
        Number::Whole(value),
    );
}

fn pairs<const N: usize>(names: &[&'static str; N], values: &[String; N]) -> String {
    let pairs: [_; N] = std::array::from_fn(|at| (names[at], &*values[at]));
    labels(&pairs)
}

fn check_names(name: &str, labels: &[&str]) -> Result<(), Error> {
    if !is_name(name, true) {
        return Err(Error::name(name));
    }
    let bad = |(at, label): &(usize, &&str)| {
        !is_name(label, false) || label.starts_with("__") || labels[..*at].contains(*label)
    };
    match labels.iter().enumerate().find(bad) {
        Some((_, label)) => Err(Error::label(name, label)),
        None => Ok(()),
    }
}

const LOST: &str = "dogwatch_lines_lost";
const ALERT_STATE: &str = "dogwatch_alert_state";
const ALERT_MATCHES: &str = "dogwatch_alert_matches";
const ALERTS_FIRED: &str = "dogwatch_alerts_fired";
const SOURCE_PANICS: &str = "dogwatch_source_panics";
const ALERT_STATES: [&str; 4] = ["inactive", "pending", "firing", "resolved"];

/// Names that no family from outside may take.
const OURS: [&str; 17] = [
    DURATION,
    SIZE_IN,
    SIZE_OUT,
    SHED_REQUESTS,
    ACTIVE,
    LINES,
    LOST,
    ALERT_STATE,
    ALERTS_FIRED,
    SOURCE_PANICS,
    process::CPU,
    process::MEMORY,
    process::VIRTUAL,
    process::THREADS,
    process::FILES,
    process::MAX_FILES,
    process::START,
];
