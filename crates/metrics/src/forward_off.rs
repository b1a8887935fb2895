//! Built without `recorder`: nothing is sent on, and nothing is kept for it.

#[derive(Debug, Default)]
pub(crate) struct Forward {}

/// What a family is called and said to be. A counter is named with `_total`, as its sample is.
#[derive(Clone, Copy, Debug)]
#[expect(dead_code, reason = "read where it is sent on")]
pub(crate) struct Told<'a> {
    pub(crate) name: &'a str,
    pub(crate) help: &'a str,
}

#[derive(Debug, Default)]
pub(crate) struct Counted {}

#[derive(Debug, Default)]
pub(crate) struct Gauged {}

#[derive(Debug, Default)]
pub(crate) struct Observed {}

impl Forward {
    pub(crate) fn panics(&self) -> u64 {
        0
    }

    pub(crate) fn count(&self, _: &Counted, _: Told<'_>, _: impl FnOnce() -> String) {}

    pub(crate) fn add(&self, _: (&Gauged, i64), _: Told<'_>, _: impl FnOnce() -> String) {}

    pub(crate) fn observe(&self, _: (&Observed, f64), _: Told<'_>, _: impl FnOnce() -> String) {}
}
