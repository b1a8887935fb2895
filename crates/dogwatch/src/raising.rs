//! The playbook `raise_log_level`: more of a target is logged while a rule fires, for a time.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use dogwatch_alert::Playbook;

use crate::filter::Filter;
use crate::levels;

/// The name that a rules file gives it.
pub(crate) const NAME: &str = "raise_log_level";

/// Raises a log's own filter. It adds for the length of its lease, so that the filter falls back by
/// itself even if nobody ever takes the playbook back.
pub(crate) struct RaiseLogLevel {
    filter: Filter,
    directives: String,
}

impl RaiseLogLevel {
    pub(crate) fn new(filter: Filter) -> Self {
        Self {
            filter,
            directives: String::new(),
        }
    }
}

impl Playbook for RaiseLogLevel {
    fn apply(&self, lease: Duration) {
        self.filter.raise_for(&self.directives, lease);
    }

    fn revert(&self) {
        self.filter.lower(&self.directives);
    }

    fn ttl(&self) -> Option<Duration> {
        Some(DEFAULT_TTL)
    }

    fn configured(
        &self,
        with: &BTreeMap<String, String>,
    ) -> Result<Option<Arc<dyn Playbook>>, Box<dyn Error + Send + Sync>> {
        if let Some(other) = with.keys().find(|key| *key != FILTER) {
            return Err(format!("it has no setting `{other}`; it has `{FILTER}`").into());
        }
        let directives = with
            .get(FILTER)
            .ok_or_else(|| format!("say what to log: `with: {{{FILTER}: \"shop::pay=debug\"}}`"))?;
        // As people write them: `shop=debug, pay=trace`.
        let directives: String = directives.split_whitespace().collect();
        if !levels::raises(&directives) {
            return Err(format!(
                "`{directives}` raises nothing; write a level or `target=level`, several with commas"
            )
            .into());
        }
        Ok(Some(Arc::new(Self {
            filter: self.filter.clone(),
            directives,
        })))
    }
}

const FILTER: &str = "filter";

/// Long enough to catch what goes wrong, short enough for any disk.
const DEFAULT_TTL: Duration = Duration::from_secs(600);
