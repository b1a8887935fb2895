//! Where a `log` record came from: `tracing-log` gives it as fields of the event.

use crate::form::Form;
use std::fmt;
use tracing_core::Event;
use tracing_core::field::{Field, Visit};

#[derive(Default)]
pub(crate) struct Origin {
    target: String,
    file: Option<String>,
    line: Option<u64>,
}

impl Origin {
    pub(crate) fn of(event: &Event<'_>) -> Self {
        let mut origin = Origin::default();
        event.record(&mut origin);
        origin
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>, form: &Form) {
        form.write_origin(out, &self.target, self.file.as_deref(), self.line);
    }
}

impl Visit for Origin {
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
