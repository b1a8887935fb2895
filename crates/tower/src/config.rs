//! What a `RequestLayer` was told, and the calls into the user's closures.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use crate::Finished;
use crate::facts::Facts;
use crate::panics::survive;
use crate::policy::Policy;
use http::Method;

#[derive(Clone)]
#[expect(
    clippy::type_complexity,
    reason = "each closure's type stands once; an alias would hide it"
)]
pub(crate) struct Config {
    pub(crate) on_finish: Vec<Arc<dyn Fn(&Finished) + Send + Sync>>,
    pub(crate) on_active: Vec<Arc<dyn Fn(&'static str, i64) + Send + Sync>>,
    pub(crate) quiet: HashSet<String>,
    pub(crate) skip: Option<Arc<dyn Fn(&Method, &str) -> bool + Send + Sync>>,
    pub(crate) policy: Policy,
    pub(crate) facts: Facts,
    /// Set when routes are expected; true when the first answer without one has been told.
    pub(crate) expect_routes: Option<Arc<AtomicBool>>,
    pub(crate) clock: Option<Arc<dyn Fn() -> Instant + Send + Sync>>,
    pub(crate) cancelled_status: u16,
    pub(crate) public_endpoint: bool,
    pub(crate) b3: bool,
    pub(crate) baggage: bool,
    pub(crate) catch_panics: bool,
    pub(crate) response_headers: bool,
    pub(crate) extensions: bool,
}

impl Config {
    pub(crate) fn skips(&self, method: &Method, path: &str) -> bool {
        self.quiet.contains(path) || self.skip.as_ref().is_some_and(|skip| skip(method, path))
    }

    pub(crate) fn now(&self) -> Instant {
        self.clock
            .as_ref()
            .map_or_else(Instant::now, |clock| clock())
    }

    /// Whether anybody but the line itself reads how long a request took.
    pub(crate) fn reads_latency(&self) -> bool {
        !self.on_finish.is_empty() || self.policy.slow.is_some() || self.policy.level.is_some()
    }

    pub(crate) fn active(&self, method: &'static str, delta: i64) {
        for on_active in &self.on_active {
            survive(|| on_active(method, delta));
        }
    }

    pub(crate) fn finish(&self, finished: &Finished) {
        for on_finish in &self.on_finish {
            survive(|| on_finish(finished));
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            on_finish: Vec::new(),
            on_active: Vec::new(),
            quiet: HashSet::new(),
            skip: None,
            policy: Policy::default(),
            facts: Facts::default(),
            expect_routes: None,
            public_endpoint: false,
            b3: false,
            baggage: false,
            clock: None,
            cancelled_status: 499,
            catch_panics: false,
            response_headers: true,
            extensions: true,
        }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("quiet", &self.quiet)
            .field("cancelled_status", &self.cancelled_status)
            .field("catch_panics", &self.catch_panics)
            .field("response_headers", &self.response_headers)
            .field("extensions", &self.extensions)
            .finish_non_exhaustive()
    }
}
