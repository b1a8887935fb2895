//! Hears Ctrl-C: the first ends the search, so that what was found so far is shown; a second ends the
//! program at once.

use dogwatch_reader::Watch;
use signal_hook::SigId;
use signal_hook::consts::SIGINT;

/// What a second Ctrl-C does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Second(Option<SigId>);

impl Second {
    /// From now on Ctrl-C stops what is watched.
    pub(crate) fn hear(watch: &Watch) -> Self {
        // In this order: the second signal finds the flag set by the first. Where a handler cannot be
        // set, Ctrl-C does what it always did.
        let second = signal_hook::flag::register_conditional_shutdown(SIGINT, 130, watch.flag());
        let _ = signal_hook::flag::register(SIGINT, watch.flag());
        Self(second.ok())
    }

    /// A pager makes its own of Ctrl-C, and must not be left alone with the terminal.
    pub(crate) fn forget(self) {
        if let Some(id) = self.0 {
            signal_hook::low_level::unregister(id);
        }
    }
}
