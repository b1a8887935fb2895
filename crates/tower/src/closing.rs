//! Writes the closing line: one event, with the request's late fields beside its own.

use std::time::Duration;

use tracing::span::Id;
use tracing::{Dispatch, Event, Level};
use tracing_core::field::{Field, Value, display};

use crate::failure::Failure;
use crate::hex::Hex;
use crate::ids::Ids;
use crate::late::{Late, MAX_FIELDS};
use crate::sites::{Family, Site};
use crate::{Finished, TARGET};

/// Emits into `dispatch`, as a child of the request's span. Without one, the event has the ids itself.
pub(crate) fn emit(
    dispatch: &Dispatch,
    site: &'static Site,
    message: &'static str,
    finished: &Finished,
    late: &Late,
    span: Option<Id>,
) {
    let mut place = Hex::ZEROS;
    let own_ids = span
        .is_none()
        .then(|| Ids::of(&finished.context, &mut place));
    let trace_id = own_ids.as_ref().map(|ids| ids.trace_id);
    let span_id = own_ids.as_ref().map(|ids| ids.span_id);
    let parent_span_id = own_ids.as_ref().and_then(|ids| ids.parent_span_id);
    let request_id = own_ids.as_ref().map(|_| finished.request_id());
    // As the macros give it: a visitor that only knows `record_debug` would put a text in quotes.
    let message = display(message);
    let (latency_ms, ttfb_ms) = (ms(finished.latency), finished.ttfb.map(ms));
    let (route, error, refused) = (finished.route(), finished.error(), late.refused());
    let (method, path, outcome) = (finished.method, finished.path(), finished.outcome.as_str());
    let location = finished.failure.as_deref().and_then(Failure::location);
    let backtrace = finished.failure.as_deref().and_then(Failure::backtrace);
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
    match site.fields().first_chunk::<{ FIELDS.len() }>() {
        Some(fields) if late.keys().is_empty() => {
            let pairs: [_; FIELDS.len()] = std::array::from_fn(|at| (&fields[at], Some(own[at])));
            record(dispatch, site, span, &pairs);
        }
        _ => {
            let fields = site.fields();
            let pairs: [_; FIELDS.len() + MAX_FIELDS] = std::array::from_fn(|at| {
                let value = own.get(at).copied();
                let value = value.or_else(|| late.value(at - own.len()));
                // There are fewer late fields than there may be.
                (fields.get(at).unwrap_or(&fields[0]), value)
            });
            record(dispatch, site, span, &pairs);
        }
    }
}

/// The site for these late fields, or the one without any when the process has too many sets of them. `None` when
/// nobody wants the line.
pub(crate) fn site(level: Level, late: &mut Late, dispatch: &Dispatch) -> Option<&'static Site> {
    let family = FAMILIES
        .iter()
        .find(|(of, _)| *of == level)
        .map(|(_, family)| family)?;
    let site = family.site(NAME, late.keys(), dispatch).or_else(|| {
        late.refuse_all();
        family.site(NAME, &[], dispatch)
    })?;
    site.enabled(dispatch).then_some(site)
}

fn record<'a, const N: usize>(
    dispatch: &Dispatch,
    site: &'static Site,
    span: Option<Id>,
    pairs: &[(&Field, Option<&'a (dyn Value + 'a)>); N],
) {
    let metadata = site.metadata();
    let values = metadata.fields().value_set(pairs);
    // The span is the current one too, but a layer finds a named parent sooner.
    dispatch.event(&match span {
        Some(span) => Event::new_child_of(span, metadata, &values),
        None => Event::new(metadata, &values),
    });
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
