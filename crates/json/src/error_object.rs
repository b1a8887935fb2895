//! Writes an error as an object: its message, its causes, and what is known of its type and origin.

use crate::nested::{self, Answer, Ask};
use crate::plan::Shape;
use crate::redact::Treatment;
use crate::schema::ErrorForm;
use crate::shield::shielded;
use crate::text::format_until;
use std::any::type_name;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::error::Error;
use std::fmt::{self, Display, Write as _};

/// An error with what a `&dyn Error` cannot tell: its type, and where it arose.
///
/// `tracing` hands a layer an error as `&dyn Error`. Stable Rust has no way from there to the name
/// of its type, or to a backtrace that it may carry. Who logs the error often knows both:
///
/// ```
/// use dogwatch_json::ErrorValue;
/// use std::backtrace::Backtrace;
///
/// # let error = std::io::Error::other("channel closed");
/// # let backtrace = Backtrace::capture();
/// // "error":{"message":"channel closed","causes":[],"type":"std::io::error::Error"}
/// tracing::error!(error = ?ErrorValue::of(&error), "not paid");
///
/// // … and "backtrace":"…", if one was captured. With anyhow:
/// //   ErrorValue::of_dyn(error.as_ref()).backtrace(error.backtrace())
/// tracing::error!(error = ?ErrorValue::of_dyn(&error).backtrace(&backtrace), "not paid");
/// ```
///
/// Other layers see its `Debug`: the messages of the error and its causes, `not paid: timed out`.
/// What [`Redact`](crate::Redact) says of `error.type` and `error.backtrace` holds.
#[derive(Clone, Copy)]
#[must_use = "an error is written when it is given to an event: `error = ?value`"]
pub struct ErrorValue<'a> {
    error: &'a (dyn Error + 'a),
    type_name: &'a str,
    backtrace: Option<&'a Backtrace>,
}

impl<'a> ErrorValue<'a> {
    /// An error and the name of its type, as [`std::any::type_name`] has it.
    pub fn of<E: Error>(error: &'a E) -> Self {
        let name = type_name::<E>().trim_start_matches('&');
        // The type of what stands behind a `&dyn Error` is not known.
        let known = if name.starts_with("dyn ") { "" } else { name };
        ErrorValue {
            error,
            type_name: known,
            backtrace: None,
        }
    }

    /// An error of unknown type, as in a `Box<dyn Error>`.
    pub fn of_dyn(error: &'a (dyn Error + 'a)) -> Self {
        ErrorValue {
            error,
            type_name: "",
            backtrace: None,
        }
    }

    /// The name of its type, cut at 256 bytes. Default: the one that [`of`](Self::of) knows.
    pub fn type_name(mut self, name: &'a str) -> Self {
        self.type_name = name;
        self
    }

    /// Where it arose. One that was not captured is not written. Default: none.
    pub fn backtrace(mut self, backtrace: &'a Backtrace) -> Self {
        let captured = backtrace.status() == BacktraceStatus::Captured;
        self.backtrace = captured.then_some(backtrace);
        self
    }

    fn encode(&self, ask: &Ask) -> Answer {
        let mut json = Vec::new();
        let mut object = ErrorObject {
            form: ask.error,
            out: &mut json,
            limit: ask.max_bytes,
            max_field: ask.max_field,
        };
        let mut whole = object.begin(self.error);
        let of = |member: &str| ask.redact.treatment(&format!("{}.{member}", ask.key));
        if !self.type_name.is_empty() {
            whole &= object.member(ask.error.type_name, NAME_BYTES, &self.type_name, of("type"));
        }
        if let Some(backtrace) = self.backtrace {
            let max = ask.max_field;
            whole &= object.member(ask.error.backtrace, max, backtrace, of("backtrace"));
        }
        object.end();
        Answer {
            json,
            whole,
            is_error: true,
        }
    }
}

impl fmt::Debug for ErrorValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(ask) =
            nested::asked(f).filter(|ask| matches!(ask.shape, Shape::Plain | Shape::Error))
        {
            return nested::answer(f, self.encode(&ask));
        }
        write!(f, "{}", self.error)?;
        let mut cause = self.error.source();
        for _ in 0..CAUSES {
            let Some(error) = cause else { break };
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

/// An error's object that is being written to the end of `out`, which grows no longer than `limit`.
pub(crate) struct ErrorObject<'a> {
    pub(crate) form: ErrorForm,
    pub(crate) out: &'a mut Vec<u8>,
    pub(crate) limit: usize,
    pub(crate) max_field: usize,
}

impl ErrorObject<'_> {
    /// `{"message":"…","causes":["…"]`. True when all of it went in.
    pub(crate) fn begin(&mut self, error: &dyn Error) -> bool {
        self.out.extend_from_slice(self.form.open.as_bytes());
        self.out.push(b'"');
        let mut whole = self.format(self.max_field, &error);
        self.out.push(b'"');
        self.out.extend_from_slice(self.form.causes.as_bytes());
        whole &= self.causes(error);
        self.out.push(b']');
        whole
    }

    /// A text more. `key` is `,"type":`. True when all of it went in.
    pub(crate) fn member(
        &mut self,
        key: &str,
        max: usize,
        value: &dyn Display,
        treatment: Option<&Treatment>,
    ) -> bool {
        if matches!(treatment, Some(Treatment::Drop)) {
            return true;
        }
        if self.out.len() + key.len() + LEAST_TEXT > self.limit {
            return false;
        }
        self.out.extend_from_slice(key.as_bytes());
        self.out.push(b'"');
        let whole = match treatment {
            None => self.format(max, value),
            Some(treatment) => {
                let mut text = String::new();
                // A value that failed is hashed as far as it came.
                let _ = shielded(|| write!(text, "{value}"));
                self.format(max, &treatment.apply(&text).unwrap_or_default())
            }
        };
        self.out.push(b'"');
        whole
    }

    pub(crate) fn end(&mut self) {
        self.out.extend_from_slice(self.form.close.as_bytes());
    }

    fn format(&mut self, max: usize, value: &dyn Display) -> bool {
        let end = self.out.len().saturating_add(max);
        let end = end.min(self.limit - CLOSING);
        format_until(self.out, end, |out| write!(out, "{value}"))
    }

    /// The texts of an error's sources, outermost first. True when all went in.
    fn causes(&mut self, error: &dyn Error) -> bool {
        let mut whole = true;
        let mut next = shielded(|| error.source()).flatten();
        for n in 0..CAUSES {
            let Some(cause) = next else { return whole };
            if self.out.len() + LEAST_TEXT > self.limit {
                return false;
            }
            self.out
                .extend_from_slice(if n == 0 { b"\"" } else { b",\"" });
            whole &= self.format(self.max_field, &cause);
            self.out.push(b'"');
            next = shielded(|| cause.source()).flatten();
        }
        whole && next.is_none()
    }
}

/// The backtrace of an event, without the frames of those who wrote it.
pub(crate) struct Here(Backtrace);

impl Here {
    pub(crate) fn captured() -> Self {
        Here(Backtrace::force_capture())
    }
}

impl Display for Here {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(from_caller(&self.0.to_string()))
    }
}

/// What stands below the frames in which `tracing` took the event; all if there are none.
fn from_caller(backtrace: &str) -> &str {
    // A frame, `  12: shop::pay`, and behind it its place, `at ./pay.rs:7:8`.
    let is_frame = |line: &str| line.trim_start().starts_with(|c: char| c.is_ascii_digit());
    let (mut start, mut taken) = (0, false);
    while start < backtrace.len() {
        let mut end = start;
        for (n, line) in backtrace[start..].split_inclusive('\n').enumerate() {
            if n > 0 && is_frame(line) {
                break;
            }
            end += line.len();
        }
        let frame = &backtrace[start..end];
        // An inlined function has its bare name only: then its place tells whose it is.
        let of_tracing = frame.contains("tracing_core") || frame.contains("tracing-core");
        if taken && !of_tracing {
            return &backtrace[start..];
        }
        let of_event = frame.contains("tracing_core::event") || frame.contains("event.rs");
        taken |= of_tracing && of_event && frame.contains("dispatch");
        start = end;
    }
    backtrace
}

/// Causes of an error that are written; a longer chain (or a ring) ends there.
const CAUSES: usize = 16;

/// Room kept behind a text for what closes it: `","exception.causes":[]}`.
const CLOSING: usize = 32;

/// Room that a text beside the message needs to be begun.
const LEAST_TEXT: usize = 80;

/// The longest name of a type, as of a target.
const NAME_BYTES: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_above_the_logged_event_are_left_out_however_they_are_spelled() {
        let own = "   0: dogwatch_json::encode::f\n             at ./encode.rs:7:8\n   \
                   1: tracing_core::event::Event::record\n";
        for dispatch in [
            "   2: tracing_core::event::Event::dispatch\n",
            "   2: tracing_core::dispatcher::f::<tracing_core::event::{impl#0}::dispatch::{closure}>\n   \
             3: <tracing_core::event::Event>::dispatch\n             at /x/event.rs:1:2\n",
            "   2: dispatch\n             at /registry/tracing-core-0.1.36/src/event.rs:35:9\n",
        ] {
            let above = format!("{own}{dispatch}");
            let callers = "   4: shop::pay\n             at ./pay.rs:1:2\n   5: main\n";
            assert_eq!(from_caller(&format!("{above}{callers}")), callers);
            assert_eq!(from_caller(&above), above);
        }
        assert_eq!(from_caller("<unknown>"), "<unknown>");
    }
}
