//! The text for people that the preset `dev` prints.

use std::io::IsTerminal;

use tracing_core::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::registry::LookupSpan;

/// One line an event: time, level, span fields, target, file and line, message, fields.
pub(crate) fn layer<S, W>(writer: W, colour: bool) -> impl Layer<S> + Send + Sync
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    tracing_subscriber::fmt::layer()
        .with_writer(writer)
        .with_ansi(colour)
        .with_file(true)
        .with_line_number(true)
}

/// Colour is for terminals, unless `NO_COLOR` or `CLICOLOR_FORCE` decided it.
pub(crate) fn stdout_colour(decided: Option<bool>) -> bool {
    decided.unwrap_or_else(|| std::io::stdout().is_terminal())
}
