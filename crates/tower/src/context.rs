//! The W3C trace context of one span: read, carried on, written.

use std::sync::Arc;

use http::header::{HeaderMap, HeaderName, HeaderValue};
use tracing::Span;

use crate::Error;
use crate::baggage;
use crate::current::{self, Current};
use crate::hex::{self, unhex};
use crate::ids::{SpanId, TraceId};
use crate::otel::{self, Parent};
use crate::sites;
use crate::tracestate;

/// Where in which trace a span stands, by W3C Trace Context Level 2.
///
/// Anywhere below [`RequestLayer`](crate::RequestLayer) [`TraceContext::current`] answers the innermost one, and
/// [`RequestLog::trace_context`](crate::RequestLog::trace_context) the request's own. It outlives its request as
/// text:
///
/// ```
/// use dogwatch_tower::TraceContext;
///
/// // Store this with the payment ...
/// let stored = TraceContext::new().to_traceparent();
///
/// // ... and go on in the same trace when the notification comes, minutes later.
/// let context = TraceContext::parse(&stored)?;
/// context.resume_span("pay_resumed").in_scope(|| {
///     tracing::info!(event = "pay_settled", "the channel has paid");
/// });
/// # Ok::<(), dogwatch_tower::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceContext {
    trace_id: TraceId,
    span_id: SpanId,
    parent_span_id: Option<SpanId>,
    flags: u8,
    tracestate: Option<Arc<str>>,
    baggage: Option<Arc<str>>,
}

impl TraceContext {
    /// The root of a fresh trace: random ids, sampled, no parent.
    pub fn new() -> Self {
        Self {
            trace_id: TraceId::random(),
            span_id: SpanId::random(),
            parent_span_id: None,
            flags: SAMPLED | RANDOM,
            tracestate: None,
            baggage: None,
        }
    }

    /// Reads a `traceparent` such as `00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01`.
    ///
    /// Its span id is the sender's span: go on with [`child`](Self::child) or
    /// [`resume_span`](Self::resume_span). Spaces and tabs around it are allowed, upper-case digits,
    /// version `ff` and zero ids are not; of the flags the two that are known are kept.
    pub fn parse(traceparent: &str) -> Result<Self, Error> {
        parse(traceparent.as_bytes())
    }

    /// Reads `traceparent` and `tracestate` from the headers of a request.
    ///
    /// `None` unless there is exactly one valid `traceparent`. A `tracestate` that breaks the grammar is
    /// left out; it never costs the `traceparent`.
    pub fn from_headers(headers: &HeaderMap) -> Option<Self> {
        let mut parents = headers.get_all(TRACEPARENT).iter();
        let (only, second) = (parents.next()?, parents.next());
        if second.is_some() {
            return None;
        }
        Self::of_header(only).map(|context| context.with_state(headers))
    }

    /// Of a header that is the only one of its kind.
    pub(crate) fn of_header(traceparent: &HeaderValue) -> Option<Self> {
        parse(traceparent.as_bytes()).ok()
    }

    /// With the `tracestate` of the same headers.
    pub(crate) fn with_state(mut self, headers: &HeaderMap) -> Self {
        let states = headers.get_all(TRACESTATE).iter();
        self.tracestate = tracestate::parse(states.map(HeaderValue::as_bytes));
        self
    }

    /// The context of the innermost span around the caller that has one, else of the request being polled.
    ///
    /// It follows the current `tracing` span, so it goes wherever an instrumented future goes. When a filter
    /// disables the spans, only code that runs inside the request's own future finds its context.
    pub fn current() -> Option<Self> {
        current::innermost().map(|current| current.context)
    }

    /// A new span of the same trace, whose parent is this one.
    #[must_use = "this is a new context; the one it came from is as before"]
    pub fn child(&self) -> Self {
        self.clone().into_child()
    }

    /// Lets go of what it shares with others.
    pub(crate) fn let_go(&mut self) {
        self.tracestate = None;
        self.baggage = None;
    }

    /// The span of whoever sent these ids. They say nothing of randomness.
    pub(crate) fn of_sender(trace_id: TraceId, span_id: SpanId, sampled: bool) -> Self {
        Self {
            trace_id,
            span_id,
            parent_span_id: None,
            flags: if sampled { SAMPLED } else { 0 },
            tracestate: None,
            baggage: None,
        }
    }

    /// Says whether the trace is recorded.
    #[cfg(feature = "opentelemetry")]
    pub(crate) fn sample(&mut self, sampled: bool) {
        self.flags = self.flags & !SAMPLED | if sampled { SAMPLED } else { 0 };
    }

    /// Takes the baggage of a request.
    pub(crate) fn load(&mut self, headers: &HeaderMap) {
        let baggage = headers.get_all(BAGGAGE).iter();
        self.baggage = baggage::parse(baggage.map(HeaderValue::as_bytes));
    }

    pub(crate) fn into_child(self) -> Self {
        Self {
            span_id: SpanId::random(),
            parent_span_id: Some(self.span_id),
            ..self
        }
    }

    /// Opens a span named `name` as a child of this context, whatever span is current.
    ///
    /// For work that goes on in a trace from elsewhere: a stored payment, a queue's message. The span is at
    /// level ERROR, so that any enabled event inside carries its ids, and it is what
    /// [`current`](Self::current) and [`PropagateLayer`](crate::PropagateLayer) see inside. Enter it, or
    /// `.instrument(span)` a future with it.
    pub fn resume_span(&self, name: &'static str) -> Span {
        let mut child = self.child();
        let span = sites::resumed_span(name, &child);
        otel::join(&span, &mut child, Parent::Elsewhere, None);
        let request_id = current::innermost().and_then(|current| current.request_id);
        current::attach(&span, || Current {
            context: child,
            request_id,
        });
        span
    }

    /// This context as the text of a `traceparent` header, version 00.
    pub fn to_traceparent(&self) -> String {
        self.traceparent()
            .iter()
            .map(|&byte| char::from(byte))
            .collect()
    }

    /// Writes `traceparent` and `tracestate` over whatever the headers hold, and `baggage` if there is any.
    pub fn inject(&self, headers: &mut HeaderMap) {
        let parent = HeaderValue::from_bytes(&self.traceparent());
        headers.insert(
            TRACEPARENT,
            parent.expect("hex and dashes are a legal header"),
        );
        let state = self.tracestate.as_deref();
        match state.and_then(|state| HeaderValue::from_str(state).ok()) {
            Some(state) => headers.insert(TRACESTATE, state),
            None => headers.remove(TRACESTATE),
        };
        // Without any, what the caller has put there stays.
        let baggage = self
            .baggage()
            .and_then(|baggage| HeaderValue::from_str(baggage).ok());
        if let Some(baggage) = baggage {
            headers.insert(BAGGAGE, baggage);
        }
    }

    /// The id of the whole trace.
    pub fn trace_id(&self) -> TraceId {
        self.trace_id
    }

    /// The id of this span.
    pub fn span_id(&self) -> SpanId {
        self.span_id
    }

    /// The id of the span above this one, if it has one.
    pub fn parent_span_id(&self) -> Option<SpanId> {
        self.parent_span_id
    }

    /// Whether the trace is recorded by whoever began it.
    pub fn sampled(&self) -> bool {
        self.flags & SAMPLED != 0
    }

    /// The two flags of Level 2: 1 sampled, 2 the trace id is random.
    pub fn flags(&self) -> u8 {
        self.flags
    }

    /// The vendors' state, normalised: no empty members, no repeated key.
    pub fn tracestate(&self) -> Option<&str> {
        self.tracestate.as_deref()
    }

    /// The baggage that came with the request and goes on with each call, as a `baggage` header has it. `None`
    /// unless [`RequestLayer::baggage`](crate::RequestLayer::baggage) takes it.
    pub fn baggage(&self) -> Option<&str> {
        self.baggage.as_deref()
    }

    /// The value of one key of the baggage, percent-encoded as it was sent.
    pub fn baggage_value(&self, key: &str) -> Option<&str> {
        baggage::value(self.baggage()?, key)
    }

    pub(crate) fn traceparent(&self) -> [u8; TRACEPARENT_LENGTH] {
        let mut text = *b"00-................................-................-..";
        text[3..35].copy_from_slice(self.trace_id.hex().as_bytes());
        text[36..52].copy_from_slice(self.span_id.hex().as_bytes());
        text[53..55].copy_from_slice(&hex::of_byte(self.flags));
        text
    }
}

impl Default for TraceContext {
    fn default() -> Self {
        Self::new()
    }
}

impl std::str::FromStr for TraceContext {
    type Err = Error;

    fn from_str(traceparent: &str) -> Result<Self, Error> {
        Self::parse(traceparent)
    }
}

fn parse(header: &[u8]) -> Result<TraceContext, Error> {
    let text = tracestate::trim(header);
    if text.len() < TRACEPARENT_LENGTH {
        return Err(Error::new("it is shorter than 55 characters"));
    }
    if text[2] != b'-' || text[35] != b'-' || text[52] != b'-' {
        return Err(Error::new("its four parts are not divided by `-`"));
    }
    match unhex::<1>(&text[..2]) {
        Some([0xff]) => return Err(Error::new("version ff is forbidden")),
        Some([0]) if text.len() > TRACEPARENT_LENGTH => {
            return Err(Error::new(
                "version 00 has 55 characters, this one has more",
            ));
        }
        // A later version may say more behind a further dash, which is none of our business.
        Some(_)
            if text
                .get(TRACEPARENT_LENGTH)
                .is_none_or(|&byte| byte == b'-') => {}
        _ => return Err(Error::new("its version is not two lower-case hex digits")),
    }
    let trace_id = unhex(&text[3..35]).and_then(TraceId::from_bytes);
    let span_id = unhex(&text[36..52]).and_then(SpanId::from_bytes);
    let flags = unhex::<1>(&text[53..55]);
    Ok(TraceContext {
        trace_id: trace_id.ok_or(Error::new(
            "its trace id is zero or not 32 lower-case hex digits",
        ))?,
        span_id: span_id.ok_or(Error::new(
            "its span id is zero or not 16 lower-case hex digits",
        ))?,
        parent_span_id: None,
        flags: flags.ok_or(Error::new("its flags are not two lower-case hex digits"))?[0]
            & (SAMPLED | RANDOM),
        tracestate: None,
        baggage: None,
    })
}

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const BAGGAGE: HeaderName = HeaderName::from_static("baggage");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
/// Version 00: `2 + 1 + 32 + 1 + 16 + 1 + 2`.
const TRACEPARENT_LENGTH: usize = 55;
const SAMPLED: u8 = 0x01;
const RANDOM: u8 = 0x02;

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    const SPAN: &str = "b7ad6b7169203331";

    #[test]
    fn a_valid_traceparent_is_read_and_written_back() {
        let table = [
            (format!("00-{TRACE}-{SPAN}-01"), "01"),
            (format!("00-{TRACE}-{SPAN}-00"), "00"),
            (format!("00-{TRACE}-{SPAN}-02"), "02"),
            (format!("00-{TRACE}-{SPAN}-03"), "03"),
            (format!("00-{TRACE}-{SPAN}-ff"), "03"),
            (format!("00-{TRACE}-{SPAN}-fc"), "00"),
            (format!(" \t00-{TRACE}-{SPAN}-01\t "), "01"),
            (format!("cc-{TRACE}-{SPAN}-01"), "01"),
            (
                format!("cc-{TRACE}-{SPAN}-01-what-the-future-will-be-like"),
                "01",
            ),
            (format!("cc-{TRACE}-{SPAN}-01-"), "01"),
        ];
        for (given, flags) in table {
            let context = TraceContext::parse(&given).unwrap_or_else(|e| panic!("{given:?}: {e}"));
            assert_eq!(
                context.to_traceparent(),
                format!("00-{TRACE}-{SPAN}-{flags}"),
                "{given:?}"
            );
        }
    }

    #[test]
    fn an_invalid_traceparent_is_refused() {
        let zeros = "0".repeat(32);
        let table = [
            String::new(),
            "00".into(),
            format!("00-{TRACE}-{SPAN}"),
            format!("00-{TRACE}-{SPAN}-"),
            format!("00-{TRACE}-{SPAN}-1"),
            format!("00-{TRACE}-{SPAN}-001"),
            format!("00-{TRACE}-{SPAN}-01-"),
            format!("00-{TRACE}-{SPAN}-01-x"),
            format!("00-{TRACE}-{SPAN}-0g"),
            format!("00-{TRACE}-{SPAN}-.0"),
            format!("00-{TRACE}-{SPAN}-0A"),
            format!("ff-{TRACE}-{SPAN}-01"),
            format!("0-{TRACE}-{SPAN}-01"),
            format!("000-{TRACE}-{SPAN}-01"),
            format!(".0-{TRACE}-{SPAN}-01"),
            format!("CC-{TRACE}-{SPAN}-01"),
            format!("cc-{TRACE}-{SPAN}-01.what"),
            format!("cc-{TRACE}-{SPAN}-011"),
            format!("00-{zeros}-{SPAN}-01"),
            format!("00-{TRACE}-{}-01", &zeros[..16]),
            format!("00-{}-{SPAN}-01", TRACE.to_uppercase()),
            format!("00-{TRACE}-{}-01", SPAN.to_uppercase()),
            format!("00-{}.-{SPAN}-01", &TRACE[..31]),
            format!("00-{}-{SPAN}-01", &TRACE[..31]),
            format!("00-{TRACE}0-{SPAN}-01"),
            format!("00-{TRACE}-{}.-01", &SPAN[..15]),
            format!("00-{TRACE}-{SPAN}0-01"),
            format!("00_{TRACE}-{SPAN}-01"),
            format!("00-{TRACE}_{SPAN}-01"),
            format!("00-{TRACE}-{SPAN}_01"),
            format!("00-{TRACE}-{SPAN}-0\u{e9}"),
        ];
        for given in table {
            assert!(TraceContext::parse(&given).is_err(), "{given:?} was read");
        }
    }

    #[test]
    fn a_refusal_says_why() {
        let error = TraceContext::parse(&format!("ff-{TRACE}-{SPAN}-01")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot read traceparent: version ff is forbidden"
        );
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(*name, value.parse().unwrap());
        }
        map
    }

    #[test]
    fn two_traceparents_are_none() {
        let parent = format!("00-{TRACE}-{SPAN}-01");
        let twice = headers(&[("traceparent", &parent), ("traceparent", &parent)]);
        assert_eq!(TraceContext::from_headers(&twice), None);
        assert_eq!(TraceContext::from_headers(&HeaderMap::new()), None);
    }

    #[test]
    fn a_bad_tracestate_never_costs_the_traceparent() {
        let parent = format!("00-{TRACE}-{SPAN}-01");
        let bad = headers(&[("traceparent", &parent), ("tracestate", "a=1,B=2")]);
        let context = TraceContext::from_headers(&bad).unwrap();
        assert_eq!(
            (context.to_traceparent(), context.tracestate()),
            (parent.clone(), None)
        );
        let good = headers(&[
            ("traceparent", &parent),
            ("tracestate", "a=1"),
            ("tracestate", "b=2"),
        ]);
        assert_eq!(
            TraceContext::from_headers(&good).unwrap().tracestate(),
            Some("a=1,b=2")
        );
    }

    #[test]
    fn a_child_keeps_the_trace_and_has_a_new_span_id() {
        let parent = TraceContext::parse(&format!("00-{TRACE}-{SPAN}-02")).unwrap();
        let child = parent.child();
        assert_eq!(child.trace_id(), parent.trace_id());
        assert_ne!(child.span_id(), parent.span_id());
        assert_eq!(child.parent_span_id(), Some(parent.span_id()));
        assert_eq!(child.flags(), 2);
    }

    #[test]
    fn injecting_replaces_what_was_there() {
        let mut map = headers(&[
            ("traceparent", "old"),
            ("traceparent", "older"),
            ("tracestate", "x=1"),
        ]);
        let context = TraceContext::new();
        context.inject(&mut map);
        assert_eq!(map.get_all("traceparent").iter().count(), 1);
        assert_eq!(map["traceparent"], context.to_traceparent());
        assert!(!map.contains_key("tracestate"));
    }

    #[test]
    fn whatever_is_read_is_written_so_that_it_reads_the_same() {
        let valid = format!("00-{TRACE}-{SPAN}-01");
        let mut read = 0;
        for _ in 0..20_000 {
            let mut bytes = valid.clone().into_bytes();
            for _ in 0..2 {
                let [at, with, ..] = SpanId::random().to_bytes();
                let at = usize::from(at) % (bytes.len() + 1);
                if at == bytes.len() {
                    bytes.push(with);
                } else {
                    bytes[at] = with;
                }
            }
            if let Ok(context) = parse(&bytes) {
                read += 1;
                assert_eq!(TraceContext::parse(&context.to_traceparent()), Ok(context));
            }
        }
        assert!(read > 0, "some mutations are harmless");
    }
}
