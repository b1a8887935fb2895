//! Joins the crates, which know nothing of each other: outputs, metrics, alerts, the shed switch.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use tracing_core::Subscriber;
use tracing_subscriber::registry::LookupSpan;

use crate::Error;
use crate::config::Config;
use crate::filter::Filter;
use crate::left_out::LeftOut;
use crate::settings::Settings;
use crate::sinks::Sinks;
use crate::stack::Stack;
use crate::unwritten::Unwritten;

#[cfg(feature = "alert")]
use crate::alerting::Alerting;
#[cfg(feature = "appender")]
use crate::outputs::Outputs;
#[cfg(not(feature = "appender"))]
use crate::plain::Outputs;

/// The parts of one log that live as long as its guard.
pub(crate) struct Wiring {
    outputs: Outputs,
    left_out: LeftOut,
    shed: Arc<AtomicBool>,
    #[cfg(feature = "metrics")]
    metrics: dogwatch_metrics::Metrics,
    #[cfg(feature = "alert")]
    alerting: Option<Alerting>,
}

impl Wiring {
    #[cfg_attr(
        not(feature = "alert"),
        expect(unused_variables, reason = "only playbooks change the filter")
    )]
    pub(crate) fn open(
        config: &Config,
        settings: &Settings,
        filter: &Filter,
    ) -> Result<Self, Error> {
        let shed = Arc::new(AtomicBool::new(false));
        // Rules first: what is wrong in them is told before a file is touched.
        #[cfg(feature = "alert")]
        let alerting = Alerting::open(config, settings, &shed, filter)?;
        let outputs = Outputs::open(config, settings)?;
        Ok(Self {
            left_out: LeftOut::default(),
            shed,
            #[cfg(feature = "metrics")]
            metrics: crate::metering::metrics(
                config.metrics.clone(),
                &outputs,
                #[cfg(feature = "alert")]
                alerting.as_ref(),
            ),
            #[cfg(feature = "alert")]
            alerting,
            outputs,
        })
    }

    pub(crate) fn sinks(&self) -> Sinks {
        self.outputs.sinks()
    }

    /// What the layer that writes leaves out, to be told at the end.
    #[cfg(feature = "json")]
    pub(crate) fn leaves_out(&mut self, left_out: LeftOut) {
        self.left_out = left_out;
    }

    /// Adds the layers that watch beside the ones that write.
    #[cfg_attr(
        not(feature = "alert"),
        expect(unused_mut, reason = "only alerts hand something over")
    )]
    pub(crate) fn join<S>(mut self, layers: Stack<S>) -> (Stack<S>, Self)
    where
        S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
    {
        #[cfg(feature = "metrics")]
        let layers = layers.with(self.metrics.layer());
        #[cfg(feature = "alert")]
        let layers = match self.alerting.as_mut().and_then(Alerting::layer) {
            Some(alerts) => layers.with(alerts),
            None => layers,
        };
        (layers, self)
    }

    pub(crate) fn shed_switch(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.shed)
    }

    /// Lines of a killed process that stand before the first of this one.
    pub(crate) fn replayed(&self) -> u64 {
        self.outputs.replayed()
    }

    pub(crate) fn drain_at_exit(&self) {
        let left_out = self.left_out.clone();
        self.outputs.drain_at_exit(move || left_out.tell());
    }

    pub(crate) fn flush(&self, timeout: Duration) -> Result<(), Unwritten> {
        self.outputs.flush(timeout)
    }

    /// Alerts first: what they say of themselves is a line too, and so is what sampling left out. They get half of the time at most,
    /// so that an alert that cannot be sent costs no line that can be written. Called again, it
    /// finds everything closed.
    pub(crate) fn close(&mut self, timeout: Duration) -> Result<(), Unwritten> {
        let until = Instant::now() + timeout;
        #[cfg(feature = "alert")]
        if let Some(alerting) = &self.alerting {
            alerting.close(timeout / 2);
        }
        self.left_out.tell();
        self.outputs
            .close(until.saturating_duration_since(Instant::now()))
    }

    #[cfg(feature = "appender")]
    pub(crate) fn outputs(&self) -> &Outputs {
        &self.outputs
    }

    #[cfg(feature = "metrics")]
    pub(crate) fn metrics(&self) -> &dogwatch_metrics::Metrics {
        &self.metrics
    }

    #[cfg(feature = "alert")]
    pub(crate) fn alerts(&self) -> Option<&dogwatch_alert::Alerts> {
        self.alerting.as_ref().map(Alerting::alerts)
    }

    #[cfg(feature = "tower")]
    pub(crate) fn request_layer(&self) -> dogwatch_tower::RequestLayer {
        let layer = dogwatch_tower::RequestLayer::new();
        #[cfg(feature = "metrics")]
        let layer = crate::metering::feed(layer, &self.metrics);
        layer
    }
}
