//! Loads the rules file again, and puts it to work in the place of what was there before.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::bystanders;
use crate::error::Error;
use crate::joiner::Joiner;
use crate::rules::{Rules, sight};
use crate::set::{Roster, is_among};
use crate::shared::Shared;
use crate::threads;

/// What became of the rules file since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReloadCounts {
    /// Times that it was put to work again.
    pub done: u64,
    /// Times that it could not be, and the rules stayed as they were.
    pub failed: u64,
    /// Why, if it was so the last time.
    pub error: Option<String>,
}

/// Where rules come from, and all that is needed to put them to work.
pub(crate) struct Source {
    pub(crate) file: PathBuf,
    pub(crate) variables: Variables,
    /// How often to look at the file.
    pub(crate) every: Option<Duration>,
    pub(crate) joiner: Joiner,
}

/// What `${NAME}` stands for.
#[expect(
    clippy::type_complexity,
    reason = "this is the one place that names it"
)]
pub(crate) struct Variables(pub(crate) Box<dyn Fn(&str) -> Option<String> + Send + Sync>);

/// The reloads of one file, one after the other.
pub(crate) struct Reloads {
    source: Source,
    /// One at a time: held while the file is read and its rules are put to work.
    sights: Mutex<Sights>,
    counts: Mutex<ReloadCounts>,
}

/// What the file looked like.
struct Sights {
    /// When it was last tried.
    tried: u64,
    /// When it was last looked at.
    latest: u64,
}

impl Reloads {
    /// `tried` is what the file looked like when it was loaded first.
    pub(crate) fn new(source: Source, tried: u64) -> Self {
        let latest = tried;
        Self {
            source,
            sights: Mutex::new(Sights { tried, latest }),
            counts: Mutex::default(),
        }
    }

    pub(crate) fn counts(&self) -> ReloadCounts {
        let counts = self.counts.lock();
        counts.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How long to wait before the next look; `None` never looks.
    pub(crate) fn pause(&self) -> Option<Duration> {
        let every = self.source.every?;
        let sights = self.sights.lock().unwrap_or_else(PoisonError::into_inner);
        Some(match sights.latest == sights.tried {
            true => every,
            false => every.min(SETTLE),
        })
    }

    /// Looks at the file, and puts it to work if it says something else than when it was last
    /// tried, and the same as at the look before: an editor may be half-way through it.
    pub(crate) fn look(&self, shared: &Arc<Shared>) {
        let mut sights = self.sights.lock().unwrap_or_else(PoisonError::into_inner);
        let text = fs::read_to_string(&self.source.file);
        let now = sight(&text);
        let settled = std::mem::replace(&mut sights.latest, now) == now;
        if now == sights.tried || !settled {
            return;
        }
        sights.tried = now;
        let read = self.read(now, text);
        if let Err(error) = self.count(read.and_then(|rules| self.put(shared, rules))) {
            shared.tell.at_once(&error);
        }
    }

    fn by_call(&self, shared: &Arc<Shared>) -> Result<(), Error> {
        let mut sights = self.sights.lock().unwrap_or_else(PoisonError::into_inner);
        let text = fs::read_to_string(&self.source.file);
        let now = sight(&text);
        (sights.tried, sights.latest) = (now, now);
        let read = self.read(now, text);
        self.count(read.and_then(|rules| self.put(shared, rules)))
    }

    fn read(&self, sight: u64, text: std::io::Result<String>) -> Result<Rules, Error> {
        Rules::read(&self.source.file, sight, text, &self.source.variables.0)
    }

    fn put(&self, shared: &Arc<Shared>, rules: Rules) -> Result<(), Error> {
        let before = shared.current.roster();
        let roster = self.source.joiner.join(rules.document, Some(&before));
        let roster = roster.map_err(|error| match error.is_rules() {
            true => error.in_file(&self.source.file),
            false => error,
        })?;
        start_new(shared, &before, &roster)?;
        let roster = Arc::new(roster);
        // The rules first: an event that passes the old level finds nothing else to do.
        shared.current.replace(&roster);
        if shared.least.set(roster.set.least_level()) {
            bystanders::ask_all();
        }
        shared.wake.ring();
        if shared.is_ended() {
            // Maybe too late for the ticker to end them.
            shared.end_workers();
        }
        Ok(())
    }

    fn count(&self, done: Result<(), Error>) -> Result<(), Error> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        match &done {
            Ok(()) => counts.done += 1,
            Err(_) => counts.failed += 1,
        }
        counts.error = done.as_ref().err().map(Error::with_causes);
        done
    }
}

/// Loads the file again, whatever it says.
pub(crate) fn by_call(shared: &Arc<Shared>) -> Result<(), Error> {
    let Some(reloads) = &shared.reloads else {
        let why = "cannot reload the rules: they came from a text; load them with `Rules::load`";
        return Err(Error::setup(why));
    };
    if shared.is_ended() {
        return Err(Error::setup(
            "cannot reload the rules: the alerts were closed",
        ));
    }
    reloads.by_call(shared)
}

/// Starts the threads of those who were not there before.
fn start_new(shared: &Arc<Shared>, before: &Roster, roster: &Roster) -> Result<(), Error> {
    let (old, mut outboxes) = (before.outboxes(), roster.outboxes());
    outboxes.retain(|outbox| !is_among(&old, outbox));
    let (old, mut keepers) = (before.keepers(), roster.keepers());
    keepers.retain(|keeper| !is_among(&old, keeper));
    shared.workers.adopt(&outboxes, &keepers);
    threads::workers(shared, &outboxes, &keepers).inspect_err(|_| {
        let forget = |outbox| shared.workers.forget_outbox(outbox);
        outboxes.iter().for_each(forget);
        let forget = |keeper| shared.workers.forget_keeper(keeper);
        keepers.iter().for_each(forget);
    })
}

/// How long a changed file has to stay as it is.
const SETTLE: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests;
