//! Request histograms and counters from the log, as OpenMetrics or Prometheus text.
