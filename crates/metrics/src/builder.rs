//! The bounds and choices that metrics are built with.

use crate::active::Active;
use crate::forward::Forward;
use crate::lines::LineCounts;
use crate::metrics::{Metrics, Shared};
use crate::series::RequestSeries;
use crate::source::Sources;
use std::fmt;
use std::sync::atomic::AtomicU64;
use std::time::SystemTime;

/// Builds [`Metrics`].
#[must_use = "nothing is counted until `build` is called"]
pub struct Builder {
    max_series: usize,
    process: bool,
    clock: Box<dyn Fn() -> SystemTime + Send + Sync>,
    forward: Forward,
}

impl Builder {
    pub(crate) fn new() -> Self {
        Self {
            max_series: DEFAULT_MAX_SERIES,
            process: true,
            clock: Box::new(SystemTime::now),
            forward: Forward::default(),
        }
    }

    /// How many series of requests, and how many of lines, there may be: 1,000 each by default,
    /// 65,536 at most. A series of requests takes about 1.5 KiB of memory and 29 lines of the page, 41 where request bodies are counted too.
    ///
    /// A request beyond the bound is counted under `http_route="_other"`,
    /// `http_request_method="_OTHER"` and the class of its status (`5xx`, which a rule over
    /// `=~"5.."` still matches); a line beyond it under `target="_other"` and its level. So nothing
    /// goes uncounted, and what has a series keeps it.
    pub fn max_series(mut self, max_series: usize) -> Self {
        self.max_series = max_series.min(MOST_SERIES);
        self
    }

    /// Whether the page shows CPU time, memory, open files and start time of the process: yes by
    /// default. They are read from `/proc` at each scrape; where there is none they are left out.
    pub fn process(mut self, process: bool) -> Self {
        self.process = process;
        self
    }

    /// The clock that exemplars are stamped with: the system's by default. For tests.
    pub fn clock(mut self, clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.clock = Box::new(clock);
        self
    }

    /// Sends all that is counted on to this recorder of the [`metrics`] crate too, under the names
    /// and labels of the page: counters, what is under way as a gauge, durations in seconds and sizes in
    /// bytes as histograms. Exemplars stay here: a recorder has none. To nobody by default.
    ///
    /// Each series takes one handle of the recorder and keeps it, so that sending costs what the
    /// recorder's own handle costs. A recorder that panics is survived and counted in
    /// `dogwatch_source_panics_total`. One that logs through `tracing` must not: its line would be
    /// counted, and sent, and logged.
    #[cfg(feature = "recorder")]
    pub fn recorder(mut self, recorder: impl metrics::Recorder + Send + Sync + 'static) -> Self {
        self.forward = Forward::given(recorder);
        self
    }

    /// The same, to the process' own recorder. Install that first: what was seen before it goes
    /// nowhere else later.
    ///
    /// ```
    /// // metrics_exporter_prometheus::PrometheusBuilder::new().install()?;
    /// let metrics = dogwatch_metrics::Metrics::builder().global_recorder().build();
    /// # metrics.active("GET", 1);
    /// ```
    #[cfg(feature = "recorder")]
    pub fn global_recorder(mut self) -> Self {
        self.forward = Forward::global();
        self
    }

    /// The metrics, all at zero.
    #[must_use = "metrics that nobody shows are counted for nothing"]
    pub fn build(self) -> Metrics {
        Metrics::from_shared(Shared {
            lines: LineCounts::new(self.max_series),
            requests: RequestSeries::new(self.max_series),
            active: Active::default(),
            sources: Sources::default(),
            source_panics: AtomicU64::new(0),
            clock: self.clock,
            process: self.process,
            forward: self.forward,
        })
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("max_series", &self.max_series)
            .field("process", &self.process)
            .finish_non_exhaustive()
    }
}

const DEFAULT_MAX_SERIES: usize = 1_000;
const MOST_SERIES: usize = 65_536;
