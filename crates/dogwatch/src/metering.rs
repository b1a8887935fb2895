//! Feeds the metrics: requests as they finish, lines that were lost, alerts by state.

#[cfg(feature = "alert")]
use dogwatch_alert::{Alerts, Deliveries};
#[cfg(feature = "appender")]
use dogwatch_appender::Stats;
use dogwatch_metrics::Metrics;
#[cfg(feature = "tower")]
use dogwatch_tower::{Finished, RequestLayer};

use crate::config::Config;
#[cfg(feature = "appender")]
use crate::outputs::Outputs;
#[cfg(not(feature = "appender"))]
use crate::plain::Outputs;

impl Config {
    /// The metrics that this log feeds, in place of new ones: with other bounds, or with a recorder of
    /// the `metrics` crate that everything is sent on to (feature `recorder`). Of two logs that are
    /// given the same, the page shows only the first one's lines written and files rolled.
    ///
    /// ```
    /// # #[cfg(all(feature = "metrics", feature = "json"))] {
    /// use dogwatch::{Config, Metrics};
    ///
    /// let metrics = Metrics::builder().max_series(200).build();
    /// let (layers, log) = Config::prod().metrics(metrics).layers::<tracing_subscriber::Registry>()?;
    /// # drop((layers, log)); }
    /// # Ok::<(), dogwatch::Error>(())
    /// ```
    pub fn metrics(mut self, metrics: Metrics) -> Self {
        self.metrics = Some(metrics);
        self
    }
}

/// The metrics of one log, with what is read from its outputs and its alerts at each scrape.
pub(crate) fn metrics(
    given: Option<Metrics>,
    outputs: &Outputs,
    #[cfg(feature = "alert")] alerting: Option<&crate::alerting::Alerting>,
) -> Metrics {
    let metrics = given.unwrap_or_default();
    metrics.lost_lines(outputs.losses());
    #[cfg(feature = "appender")]
    outputs_of(outputs, &metrics);
    #[cfg(feature = "alert")]
    if let Some(alerting) = alerting {
        metrics.alerts(alerting.read());
        alerts_of(alerting.alerts(), &metrics);
    }
    metrics
}

/// What became of lines and files. The names are taken only where one log had the metrics before.
#[cfg(feature = "appender")]
fn outputs_of(outputs: &Outputs, metrics: &Metrics) {
    let written = outputs.by_output(|accounts| accounts.written.total() + accounts.gap_lines);
    let _ = metrics.counter_from(
        "dogwatch_lines_written",
        "Lines that an output took, gap lines included.",
        ["output"],
        written,
    );
    let waiting = outputs.by_output(|accounts| accounts.pending().total());
    let waiting = move || {
        let rows = waiting().into_iter();
        rows.map(|(output, lines)| (output, lines as f64)).collect()
    };
    let _ = metrics.gauge_from(
        "dogwatch_lines_pending",
        "Lines that wait to be written.",
        ["output"],
        waiting,
    );
    let file = |name: &str, help: &str, count: fn(&Stats) -> u64| {
        let _ = metrics.counter_from(name, help, ["output"], outputs.by_file(count));
    };
    file(
        "dogwatch_files_rolled",
        "Log files closed and given their final name.",
        |stats| stats.rolls,
    );
    file(
        "dogwatch_files_compressed",
        "Closed log files compressed.",
        |stats| stats.compressed,
    );
    file(
        "dogwatch_files_deleted",
        "Old log files deleted.",
        |stats| stats.deleted,
    );
    file(
        "dogwatch_lines_torn",
        "Lines that a crash or a full disk left half written.",
        |stats| stats.torn,
    );
    file(
        "dogwatch_lines_fallback",
        "Lines that went to the fallback, because the log file took none.",
        |stats| stats.fallback,
    );
    file(
        "dogwatch_syncs_failed",
        "Syncs of log files that failed.",
        |stats| stats.unsynced,
    );
    file(
        "dogwatch_files_deleted_unread",
        "Old log files deleted though a reader was not done with them.",
        |stats| stats.deleted_unread,
    );
}

/// What rules and notifiers did. As many series as the rules file has rules and notifiers, times
/// reasons and outcomes that are fixed.
#[cfg(feature = "alert")]
fn alerts_of(alerts: &Alerts, metrics: &Metrics) {
    let read = alerts.clone();
    let _ = metrics.gauge_from(
        "dogwatch_alerts_firing",
        "How many groups of the rule fire; 1 at most without group_by.",
        ["rule"],
        move || {
            let states = read.states().into_iter();
            let firing = states.map(|state| ([state.rule.to_string()], state.firing as f64));
            firing.collect()
        },
    );
    let read = alerts.clone();
    let _ = metrics.counter_from(
        "dogwatch_alerts_resolved",
        "How often the rule has resolved.",
        ["rule"],
        move || {
            let counts = read.counts().into_iter();
            let resolved = counts.map(|counts| ([counts.rule.to_string()], counts.resolved));
            resolved.collect()
        },
    );
    let read = alerts.clone();
    let _ = metrics.counter_from(
        "dogwatch_alerts_suppressed",
        "What the rule kept back, by reason.",
        ["rule", "reason"],
        move || {
            let counts = read.counts();
            let by_reason = counts.iter().flat_map(|counts| {
                let row = |(reason, count): (&str, _)| {
                    ([counts.rule.to_string(), reason.to_owned()], count)
                };
                counts.suppressed().map(row)
            });
            by_reason.collect()
        },
    );
    notifications_of(alerts, metrics);
}

#[cfg(feature = "alert")]
fn notifications_of(alerts: &Alerts, metrics: &Metrics) {
    let read = alerts.clone();
    let _ = metrics.counter_from(
        "dogwatch_notifications",
        "What became of notifications: each is one of these in the end.",
        ["notifier", "outcome"],
        move || {
            let notifiers = read.deliveries_by_notifier();
            let by_outcome = notifiers.iter().flat_map(|(notifier, deliveries)| {
                let row =
                    |(outcome, count): (&str, _)| ([notifier.clone(), outcome.to_owned()], count);
                deliveries.outcomes().map(row)
            });
            by_outcome.collect()
        },
    );
    let by_notifier = |name: &str, help: &str, count: fn(&Deliveries) -> u64| {
        let read = alerts.clone();
        let _ = metrics.counter_from(name, help, ["notifier"], move || {
            let notifiers = read.deliveries_by_notifier().into_iter();
            let row = |(notifier, deliveries)| ([notifier], count(&deliveries));
            notifiers.map(row).collect()
        });
    };
    by_notifier(
        "dogwatch_notifications_digested",
        "Notifications sent in one message with others.",
        |deliveries| deliveries.digested,
    );
    by_notifier(
        "dogwatch_dead_letters",
        "Notifications that nobody took, written to the file of dead letters.",
        |deliveries| deliveries.dead_lettered,
    );
}

/// Counts each finished request, and those under way. A quiet route is counted in neither.
#[cfg(feature = "tower")]
pub(crate) fn feed(layer: RequestLayer, metrics: &Metrics) -> RequestLayer {
    let (finished, active) = (metrics.clone(), metrics.clone());
    layer
        .on_finish(move |request| count(&finished, request))
        .on_active(move |method, delta| active.active(method, delta))
}

#[cfg(feature = "tower")]
fn count(metrics: &Metrics, request: &Finished) {
    // Without an allocation: it runs once a request.
    let trace_id = request.trace_id().to_hex();
    metrics.request(&dogwatch_metrics::Request {
        method: request.method(),
        route: request.route(),
        status: request.status(),
        // Over HTTP/1 nothing says it, and a server that ends TLS itself is rarer than a proxy before it.
        scheme: request.scheme().unwrap_or("http"),
        protocol_version: request.protocol_version(),
        outcome: request.outcome().as_str(),
        latency: request.latency(),
        bytes_in: request.bytes_in(),
        bytes_out: request.bytes_out(),
        trace_id: std::str::from_utf8(&trace_id).ok(),
        sampled: request.sampled(),
    });
}
