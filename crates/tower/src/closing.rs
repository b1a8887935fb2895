//! Writes the closing line: one event, with the request's late fields beside its own.

use std::time::Duration;

use tracing::{Dispatch, Event, Level};
use tracing_core::field::{Field, Value};

use crate::failure::Failure;
use crate::late::{Late, MAX_FIELDS};
use crate::sites::{Family, Site};
use crate::{Finished, TARGET};

/// Emits into `dispatch`, inside whatever span is entered. `ids` puts the ids on the event itself: for when
/// there is no span to inherit them from.
pub(crate) fn emit(
    dispatch: &Dispatch,
    (level, message): (Level, &'static str),
    finished: &Finished,
    late: &mut Late,
    ids: bool,
) {
    let Some(site) = site(level, late, dispatch) else {
        return;
    };
    if !site.enabled(dispatch) {
        return;
    }
    let trace_id = ids.then(|| finished.context.trace_id().hex());
    let span_id = ids.then(|| finished.context.span_id().hex());
    let parent_span_id = finished
        .context
        .parent_span_id()
        .filter(|_| ids)
        .map(|id| id.hex());
    let message = tracing::field::display(message);
    let (latency_ms, ttfb_ms) = (ms(finished.latency), finished.ttfb.map(ms));
    let (route, error, refused) = (finished.route(), finished.error(), late.refused());
    let (method, path, outcome) = (finished.method, finished.path(), finished.outcome.as_str());
    let (trace_id, span_id) = (trace_id.as_deref(), span_id.as_deref());
    let (parent_span_id, request_id) = (
        parent_span_id.as_deref(),
        ids.then(|| finished.request_id()),
    );
    let location = finished.failure.as_ref().and_then(Failure::location);
    let backtrace = finished.failure.as_ref().and_then(Failure::backtrace);
    // In the order of `FIELDS`.
    let own: [&dyn Value; FIELDS.len()] = [
        &message,
        &method,
        &route,
        &path,
        &finished.status,
        &finished.grpc_status,
        &outcome,
        &latency_ms,
        &ttfb_ms,
        &finished.bytes_in,
        &finished.bytes_out,
        &error,
        &location,
        &backtrace,
        &trace_id,
        &span_id,
        &parent_span_id,
        &request_id,
        &refused,
    ];
    if late.keys().is_empty() {
        record::<{ FIELDS.len() }>(dispatch, site, |at| Some(own[at]));
    } else {
        record::<{ FIELDS.len() + MAX_FIELDS }>(dispatch, site, |at| match own.get(at) {
            Some(value) => Some(*value),
            None => late.value(at - own.len()),
        });
    }
}

/// The site for these late fields, or the one without any when the process has too many sets of them.
fn site(level: Level, late: &mut Late, dispatch: &Dispatch) -> Option<&'static Site> {
    let family = FAMILIES
        .iter()
        .find(|(of, _)| *of == level)
        .map(|(_, family)| family)?;
    family.site(NAME, late.keys(), dispatch).or_else(|| {
        late.refuse_all();
        family.site(NAME, &[], dispatch)
    })
}

fn record<'a, const N: usize>(
    dispatch: &Dispatch,
    site: &'static Site,
    value: impl Fn(usize) -> Option<&'a dyn Value>,
) {
    let (metadata, fields) = (site.metadata(), site.fields());
    let pairs: [(&Field, Option<&dyn Value>); N] = std::array::from_fn(|at| match fields.get(at) {
        Some(field) => (field, value(at)),
        // Fewer late fields than there may be.
        None => (&fields[0], None),
    });
    dispatch.event(&Event::new(metadata, &metadata.fields().value_set(&pairs)));
}

/// Milliseconds with the precision of a microsecond.
fn ms(duration: Duration) -> f64 {
    duration.as_micros() as f64 / 1_000.0
}

const NAME: &str = "request closed";

/// The fields that every closing line may have; a late field cannot have these names.
pub(crate) const FIELDS: &[&str] = &[
    "message",
    "method",
    "route",
    "path",
    "status",
    "grpc_status",
    "outcome",
    "latency_ms",
    "ttfb_ms",
    "bytes_in",
    "bytes_out",
    "error",
    "panic_location",
    "backtrace",
    "trace_id",
    "span_id",
    "parent_span_id",
    "request_id",
    "fields_refused",
];

static FAMILIES: [(Level, Family); 5] = [
    (Level::ERROR, Family::events(TARGET, Level::ERROR, FIELDS)),
    (Level::WARN, Family::events(TARGET, Level::WARN, FIELDS)),
    (Level::INFO, Family::events(TARGET, Level::INFO, FIELDS)),
    (Level::DEBUG, Family::events(TARGET, Level::DEBUG, FIELDS)),
    (Level::TRACE, Family::events(TARGET, Level::TRACE, FIELDS)),
];
