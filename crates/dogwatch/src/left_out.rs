//! Tells at the end of a log what sampling left out and has told nobody yet.

#[cfg(feature = "json")]
use std::io::Write;

#[cfg(feature = "json")]
use tracing_subscriber::fmt::MakeWriter;

#[cfg(feature = "json")]
use crate::sinks::Sinks;

/// What the JSON layer of a log leaves out, and where its lines go.
#[derive(Clone, Default)]
pub(crate) struct LeftOut {
    #[cfg(feature = "json")]
    by: Option<(dogwatch_json::Sampling, Sinks)>,
}

impl LeftOut {
    #[cfg(feature = "json")]
    pub(crate) fn of<W>(layer: &dogwatch_json::JsonLayer<W>, sinks: Sinks) -> Self {
        Self {
            by: Some((layer.sampling(), sinks)),
        }
    }

    /// Writes what is untold; a second call finds nothing more.
    pub(crate) fn tell(&self) {
        #[cfg(feature = "json")]
        if let Some((sampling, sinks)) = &self.by {
            for line in sampling.untold() {
                // A sink counts what it does not take.
                let _ = sinks.make_writer().write_all(&line);
            }
        }
    }
}
