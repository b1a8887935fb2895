//! The one source of the alert rules for Prometheus, each with what sets it off and what does not.

mod log;
mod machine;
mod requests;

/// One alert rule, and the proof of it that `promtool test rules` runs.
pub(crate) struct Alert {
    pub(crate) name: &'static str,
    pub(crate) promql: &'static str,
    /// How long it must hold.
    pub(crate) lasts: &'static str,
    /// `critical` wakes somebody, `warning` waits for the morning.
    pub(crate) severity: &'static str,
    /// One sentence, with `$labels` and `$value`.
    pub(crate) summary: &'static str,
    /// What to do.
    pub(crate) action: &'static str,
    /// Series that set it off.
    pub(crate) fires: &'static [Series],
    /// When it is looked at, in both cases.
    pub(crate) at: &'static str,
    /// The labels that it fires with, severity left off.
    pub(crate) labels: &'static [(&'static str, &'static str)],
    /// The summary that it fires with.
    pub(crate) says: &'static str,
    /// Series that look alike and must not set it off.
    pub(crate) quiet: &'static [Series],
}

/// A series in promtool's notation.
pub(crate) struct Series {
    /// Its name with labels.
    pub(crate) name: &'static str,
    /// A value a minute: `0+2x90` is 0, 2, 4 and so on, 91 of them.
    pub(crate) values: &'static str,
}

const fn series(name: &'static str, values: &'static str) -> Series {
    Series { name, values }
}

/// All of them, what clients feel first.
pub(crate) fn alerts() -> impl Iterator<Item = &'static Alert> {
    [requests::REQUESTS, log::LOG, machine::MACHINE]
        .into_iter()
        .flatten()
}
