//! Keeps the log alive, says what became of its lines, and ends it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use crate::filter::Filter;
use crate::unwritten::Unwritten;
use crate::wiring::Wiring;

/// The running log of a process. Keep it to the end of `main`: dropping it writes what is left,
/// for at most 2 seconds, and ends the log. A line after that is dropped and counted.
///
/// Without it the log still drains at `exit`, but nobody learns what was not written.
#[must_use = "bind it in `main`: dropping it ends the log"]
pub struct Guard {
    wiring: Wiring,
    filter: Filter,
    drains_at_exit: bool,
}

/// How long a dropped guard waits for all that is left.
const CLOSE: Duration = Duration::from_secs(2);

impl Drop for Guard {
    fn drop(&mut self) {
        // What could not be written was told to `on_error`; after `close` nothing is left to do.
        let _ = self.end(CLOSE);
    }
}

impl Guard {
    pub(crate) fn new(wiring: Wiring, filter: Filter) -> Self {
        Self {
            wiring,
            filter,
            drains_at_exit: false,
        }
    }

    pub(crate) fn replayed(&self) -> u64 {
        self.wiring.replayed()
    }

    pub(crate) fn drain_at_exit(&mut self) {
        if !std::mem::replace(&mut self.drains_at_exit, true) {
            self.wiring.drain_at_exit();
        }
    }

    /// Returns when every line accepted before the call is written, or when `timeout` is over.
    ///
    /// # Errors
    /// Counts the lines that are not written yet.
    pub fn flush(&self, timeout: Duration) -> Result<(), Unwritten> {
        self.wiring.flush(timeout)
    }

    /// Writes what is left, sends the alerts that wait, and ends the log. All outputs share
    /// `timeout` and run side by side.
    ///
    /// # Errors
    /// Counts, by output, every line of this log's life that was not written: refused by a full
    /// buffer, lost to a failing disk, or still waiting when the time was over.
    pub fn close(mut self, timeout: Duration) -> Result<(), Unwritten> {
        self.end(timeout)
    }

    fn end(&mut self, timeout: Duration) -> Result<(), Unwritten> {
        self.filter.end();
        self.wiring.close(timeout)
    }

    /// The filter of this log, to change what is logged while the service runs.
    #[must_use]
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// The switch of automatic degradation: hand it to [`ShedLayer`](crate::ShedLayer). The
    /// playbook `degrade_route` of a rules file turns it on and off.
    #[must_use]
    pub fn shed_switch(&self) -> Arc<AtomicBool> {
        self.wiring.shed_switch()
    }
}

#[cfg(feature = "appender")]
impl Guard {
    /// What became of the lines, by output: `stdout`, or the path of the file.
    #[must_use]
    pub fn accounts(&self) -> Vec<(String, dogwatch_appender::Accounts)> {
        self.wiring.outputs().accounts()
    }
}

#[cfg(feature = "metrics")]
impl Guard {
    /// The metrics that this log's layers and [`request_layer`](Self::request_layer) feed.
    #[must_use]
    pub fn metrics(&self) -> &dogwatch_metrics::Metrics {
        self.wiring.metrics()
    }
}

#[cfg(feature = "tower")]
impl Guard {
    /// A [`RequestLayer`](crate::RequestLayer) whose requests feed this log's metrics.
    pub fn request_layer(&self) -> crate::RequestLayer {
        self.wiring.request_layer()
    }
}

#[cfg(all(feature = "tower", feature = "metrics"))]
impl Guard {
    /// `/metrics` as a service, for Prometheus; see [`Page`](crate::Page).
    ///
    /// ```
    /// # #[cfg(all(feature = "json", feature = "alert"))] {
    /// # let (layers, log) = dogwatch::Config::prod().layers::<tracing_subscriber::Registry>()?;
    /// // On a port of its own, that only your own network reaches.
    /// let inner: axum::Router = axum::Router::new()
    ///     .route_service("/metrics", log.metrics_page())
    ///     .route_service("/alerts", log.alerts_page());
    /// # drop((layers, inner)); }
    /// # Ok::<(), dogwatch::Error>(())
    /// ```
    #[must_use]
    pub fn metrics_page(&self) -> crate::Page {
        let metrics = self.metrics().clone();
        crate::Page::new(move |accept| metrics.render(accept))
    }
}

#[cfg(all(feature = "tower", feature = "alert"))]
impl Guard {
    /// `/alerts` as a service: [`Alerts::json`](dogwatch_alert::Alerts::json) of now, with no rules
    /// if the log has none; see [`Page`](crate::Page). It shows log text: on an inner port only.
    #[must_use]
    pub fn alerts_page(&self) -> crate::Page {
        let alerts = self.alerts().cloned();
        crate::Page::new(move |_| {
            let none = || r#"{"alerts":[],"rules":[]}"#.to_owned();
            let json = alerts.as_ref().map_or_else(none, |alerts| alerts.json());
            ("application/json", json)
        })
    }
}

#[cfg(feature = "alert")]
impl Guard {
    /// The alerts of this log, if it has rules.
    #[must_use]
    pub fn alerts(&self) -> Option<&dogwatch_alert::Alerts> {
        self.wiring.alerts()
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").finish_non_exhaustive()
    }
}
