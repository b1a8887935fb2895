//! The trace context as B3 headers, which Zipkin and service meshes speak. Pure.
//!
//! By <https://github.com/openzipkin/b3-propagation>: one header `b3`, or several `x-b3-…`.

use http::header::{HeaderMap, HeaderName, HeaderValue};

use crate::TraceContext;
use crate::hex::unhex;
use crate::ids::{SpanId, TraceId};

/// How a trace context is written as B3 headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum B3 {
    /// One header: `b3: {trace id}-{span id}-{sampled}-{parent span id}`.
    Single,
    /// A header each: `x-b3-traceid`, `x-b3-spanid`, `x-b3-sampled`, `x-b3-parentspanid`.
    Multi,
}

/// The sender's context, from `b3` if it is there and valid, else from the several headers. Neither is a new
/// trace's whole story: a lone sampling decision names no trace, and is left alone.
pub(crate) fn read(headers: &HeaderMap) -> Option<TraceContext> {
    single(headers).or_else(|| multi(headers))
}

pub(crate) fn write(form: B3, context: &TraceContext, headers: &mut HeaderMap) {
    let sampled = if context.sampled() { "1" } else { "0" };
    let parent = context.parent_span_id().map(|id| id.to_string());
    let (trace, span) = (
        context.trace_id().to_string(),
        context.span_id().to_string(),
    );
    let value =
        |text: &str| HeaderValue::from_str(text).expect("hex and dashes are a legal header");
    match form {
        B3::Single => {
            let mut text = format!("{trace}-{span}-{sampled}");
            if let Some(parent) = parent {
                text = text + "-" + &parent;
            }
            headers.insert(ONE, value(&text));
        }
        B3::Multi => {
            headers.insert(TRACE, value(&trace));
            headers.insert(SPAN, value(&span));
            headers.insert(SAMPLED, value(sampled));
            match parent {
                Some(parent) => headers.insert(PARENT, value(&parent)),
                None => headers.remove(PARENT),
            };
        }
    }
}

fn single(headers: &HeaderMap) -> Option<TraceContext> {
    let mut parts = only(headers, &ONE)?.split('-');
    let (trace, span) = (parts.next()?, parts.next()?);
    let sampled = match parts.next() {
        None | Some("1" | "d") => true,
        Some("0") => false,
        Some(_) => return None,
    };
    let parent_is_sound = parts.next().is_none_or(|parent| span_id(parent).is_some());
    if !parent_is_sound || parts.next().is_some() {
        return None;
    }
    Some(TraceContext::of_sender(
        trace_id(trace)?,
        span_id(span)?,
        sampled,
    ))
}

fn multi(headers: &HeaderMap) -> Option<TraceContext> {
    let debug = only(headers, &FLAGS) == Some("1");
    // Old senders write the truth as a word.
    let sampled = debug || !matches!(only(headers, &SAMPLED), Some("0" | "false"));
    let (trace, span) = (only(headers, &TRACE)?, only(headers, &SPAN)?);
    Some(TraceContext::of_sender(
        trace_id(trace)?,
        span_id(span)?,
        sampled,
    ))
}

fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let (only, second) = (values.next()?, values.next());
    only.to_str().ok().filter(|_| second.is_none())
}

/// An id of 64 bits is the low half of one of 128.
fn trace_id(text: &str) -> Option<TraceId> {
    match unhex(text.as_bytes()) {
        Some(bytes) => TraceId::from_bytes(bytes),
        None => {
            let low: [u8; 8] = unhex(text.as_bytes())?;
            TraceId::from_bytes(u128::from(u64::from_be_bytes(low)).to_be_bytes())
        }
    }
}

fn span_id(text: &str) -> Option<SpanId> {
    SpanId::from_bytes(unhex(text.as_bytes())?)
}

const ONE: HeaderName = HeaderName::from_static("b3");
const TRACE: HeaderName = HeaderName::from_static("x-b3-traceid");
const SPAN: HeaderName = HeaderName::from_static("x-b3-spanid");
const PARENT: HeaderName = HeaderName::from_static("x-b3-parentspanid");
const SAMPLED: HeaderName = HeaderName::from_static("x-b3-sampled");
const FLAGS: HeaderName = HeaderName::from_static("x-b3-flags");

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: &str = "80f198ee56343ba864fe8b2a57d3eff7";
    const LOW: &str = "64fe8b2a57d3eff7";
    const ID: &str = "e457b5a2e4d86bd1";

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            let name: HeaderName = name.parse().unwrap();
            headers.append(name, value.parse().unwrap());
        }
        headers
    }

    fn told(pairs: &[(&str, &str)]) -> Option<String> {
        read(&headers(pairs)).map(|context| context.to_traceparent())
    }

    #[test]
    fn one_header_and_several_are_read_and_what_is_unsound_is_none() {
        let one = |text: &str| {
            let text = text
                .replace("LONG", LONG)
                .replace("LOW", LOW)
                .replace("ID", ID);
            told(&[("b3", &text)])
        };
        let of = |trace: &str, flags: &str| Some(format!("00-{trace}-{ID}-{flags}"));
        let padded = format!("{}{LOW}", "0".repeat(16));
        let table = [
            ("LONG-ID-1-05e3ac9a4f6e3b90", of(LONG, "01")),
            ("LONG-ID-1", of(LONG, "01")),
            ("LONG-ID-d", of(LONG, "01")),
            ("LONG-ID-0", of(LONG, "00")),
            ("LONG-ID", of(LONG, "01")),
            ("LOW-ID-1", of(&padded, "01")),
            ("0", None),
            ("LONG", None),
            ("LONG-ID-2", None),
            ("LONG-ID-1-", None),
            ("LONG-ID-1-05e3ac9a4f6e3b90-x", None),
            ("80F198EE56343BA864FE8B2A57D3EFF7-ID-1", None),
            ("00000000000000000000000000000000-ID-1", None),
            ("LONG-0000000000000000-1", None),
            ("", None),
        ];
        for (text, expected) in table {
            assert_eq!(one(text), expected, "{text}");
        }
        let ids = [("X-B3-TraceId", LONG), ("X-B3-SpanId", ID)];
        let with = |more: &[(&'static str, &'static str)]| told(&[&ids[..], more].concat());
        assert_eq!(with(&[]), of(LONG, "01"));
        assert_eq!(with(&[("X-B3-Sampled", "0")]), of(LONG, "00"));
        assert_eq!(with(&[("X-B3-Sampled", "false")]), of(LONG, "00"));
        assert_eq!(
            with(&[("X-B3-Sampled", "0"), ("X-B3-Flags", "1")]),
            of(LONG, "01")
        );
        assert_eq!(with(&[("X-B3-TraceId", LONG)]), None, "two of one");
        assert_eq!(told(&ids[..1]), None);
        let both = with(&[("b3", "00000000000000010000000000000001-0000000000000002-0")]);
        let expected = "00-00000000000000010000000000000001-0000000000000002-00";
        assert_eq!(both.as_deref(), Some(expected), "the one header counts");
    }

    #[test]
    fn what_is_written_reads_the_same_and_replaces_what_was_there() {
        let root = TraceContext::new();
        for context in [root.clone(), root.child()] {
            for form in [B3::Single, B3::Multi] {
                let mut headers = headers(&[("b3", "0"), ("x-b3-parentspanid", "old")]);
                if form == B3::Multi {
                    headers.remove("b3");
                }
                write(form, &context, &mut headers);
                let read = read(&headers).unwrap();
                assert_eq!(
                    (read.trace_id(), read.span_id(), read.sampled()),
                    (context.trace_id(), context.span_id(), true)
                );
                let parent = context.parent_span_id().map(|id| id.to_string());
                let written = match form {
                    B3::Single => headers["b3"].to_str().unwrap().split('-').nth(3),
                    B3::Multi => headers
                        .get("x-b3-parentspanid")
                        .map(|v| v.to_str().unwrap()),
                };
                assert_eq!(written, parent.as_deref());
            }
        }
    }
}
