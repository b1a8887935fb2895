//! Where a `log` record came from: `tracing-log` gives it as fields of the event.

use crate::head::Origin;
use std::fmt;
use tracing_core::Event;
use tracing_core::field::{Field, Visit};

#[derive(Default)]
pub(crate) struct LogOrigin {
    target: String,
    file: Option<String>,
    line: Option<u64>,
}

impl LogOrigin {
    pub(crate) fn of(event: &Event<'_>) -> Self {
        let mut origin = LogOrigin::default();
        event.record(&mut origin);
        origin
    }

    pub(crate) fn origin(&self) -> Origin<'_> {
        Origin {
            target: &self.target,
            file: self.file.as_deref(),
            line: self.line,
        }
    }
}

impl Visit for LogOrigin {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "log.target" => self.target = value.to_owned(),
            "log.file" => self.file = Some(value.to_owned()),
            _ => {}
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "log.line" {
            self.line = Some(value);
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}
