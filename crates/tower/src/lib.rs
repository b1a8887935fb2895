//! Tower layers: a request span with trace context, one closing line, propagation and load shedding.
