//! Joins rules to notifiers and playbooks.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::alerts::{AlertGuard, Alerts};
use crate::clock::{Clock, RealClock};
use crate::dead_letters::DeadLetters;
use crate::error::Error;
use crate::joiner::Joiner;
use crate::layer::AlertLayer;
use crate::notify::logged::Logged;
use crate::redact::Redact;
use crate::reload::{Reloads, Source, Variables};
use crate::shared::{Fixed, OnChange, Shared};
use crate::snapshot::{Keeping, StateFile};
use crate::tell::{self, Tell};
use crate::threads;
use crate::{Alert, Notify, Playbook, Rules};

/// Puts rules to work; made by [`AlertLayer::builder`].
#[must_use = "rules do nothing until `spawn` is called"]
pub struct Builder {
    rules: Rules,
    notifiers: BTreeMap<String, Arc<dyn Notify>>,
    playbooks: BTreeMap<String, Arc<dyn Playbook>>,
    fields: Vec<(String, String)>,
    redact: Redact,
    on_change: Vec<OnChange>,
    on_error: Arc<dyn Fn(&Error) + Send + Sync>,
    dead_letters: Option<PathBuf>,
    state_file: Option<PathBuf>,
    dry_run: bool,
    playbooks_on: bool,
    variables: Variables,
    reload_every: Duration,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Builder {
    pub(crate) fn new(rules: Rules) -> Self {
        Self {
            rules,
            notifiers: BTreeMap::new(),
            playbooks: BTreeMap::new(),
            fields: Vec::new(),
            redact: Redact::default(),
            on_change: Vec::new(),
            on_error: Arc::new(tell::to_stderr),
            dead_letters: None,
            state_file: None,
            dry_run: true,
            playbooks_on: true,
            variables: Variables(Box::new(|_| None)),
            reload_every: RELOAD_EVERY,
            clock: Arc::new(RealClock::start()),
        }
    }

    /// Registers a notifier under the name that rules use as their `action`. It goes before one of
    /// the same name that the rules file declares. `log` is always there, unless replaced here.
    pub fn notifier(mut self, name: impl Into<String>, notifier: impl Notify + 'static) -> Self {
        self.notifiers.insert(name.into(), Arc::new(notifier));
        self
    }

    /// Registers a playbook under the name that rules use in `playbook: {run: …}`. Rules that say
    /// `shed` mean `degrade_route` where no playbook is called `shed`.
    pub fn playbook(mut self, name: impl Into<String>, playbook: impl Playbook + 'static) -> Self {
        self.playbooks.insert(name.into(), Arc::new(playbook));
        self
    }

    /// Whether playbooks of rules that say nothing of `dry_run` only tell what they would have done.
    /// Default: true.
    pub fn dry_run(mut self, dry_run: bool) -> Self {
        self.dry_run = dry_run;
        self
    }

    /// Whether playbooks may act from the start on; [`Alerts::playbooks`] changes it later.
    /// Default: true.
    pub fn playbooks_on(mut self, on: bool) -> Self {
        self.playbooks_on = on;
        self
    }

    /// A field that every line of the service carries, such as `service`: rules may match it, and
    /// every alert has it as a label.
    pub fn field(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.fields.push((key.into(), value.into()));
        self
    }

    /// Who judges what may be seen of a field, by its key: `None` shows it as it is; else the mask
    /// gives what is shown instead, or `None` to drop the field. It is asked before any rule or
    /// sample sees a value, the fields of spans included. If it panics, nothing is shown.
    /// Default: everything is shown.
    #[expect(
        clippy::type_complexity,
        reason = "std types only: the JSON layer's judge fits as it is"
    )]
    pub fn redact(
        mut self,
        judge: Arc<
            dyn Fn(&str) -> Option<Arc<dyn Fn(&str) -> Option<String> + Send + Sync>> + Send + Sync,
        >,
    ) -> Self {
        self.redact.judge(judge);
        self
    }

    /// Who knows values that a line has as JSON, though `tracing` shows them as `Debug`: from a
    /// field's key and value to that JSON, secrets hidden; `None` for any other value. Rules find
    /// what is inside by its path, `order.card.kind`, as in a line. Default: all values are texts.
    #[expect(
        clippy::type_complexity,
        reason = "std types only: the JSON layer's closure fits as it is"
    )]
    pub fn nested(
        mut self,
        nested: Arc<dyn Fn(&str, &dyn fmt::Debug) -> Option<String> + Send + Sync>,
    ) -> Self {
        self.redact.nested(nested);
        self
    }

    /// Is told when a rule fires or resolves, on the thread that tells everybody: be quick.
    pub fn on_change(mut self, tell: impl Fn(&Alert) + Send + Sync + 'static) -> Self {
        self.on_change.push(OnChange(Box::new(tell)));
        self
    }

    /// Is told of failures after the start: the first at once, then one a minute with the number
    /// of those between. Default: a line on stderr.
    pub fn on_error(mut self, tell: impl Fn(&Error) + Send + Sync + 'static) -> Self {
        self.on_error = Arc::new(tell);
        self
    }

    /// Appends each alert that was given up, or found no room, to this file: a line of JSON with
    /// the notifier, why, and the alert as a webhook would have had it; 16 MiB at most. Default:
    /// they are counted and told to [`on_error`](Self::on_error).
    pub fn dead_letters(mut self, path: impl Into<PathBuf>) -> Self {
        self.dead_letters = Some(path.into());
        self
    }

    /// Keeps in this file what must outlive the process, and takes it up again at the next start:
    /// the alerts that fire or are about to, with their evidence; what no notifier has taken yet;
    /// the values that rules know; when silence began.
    ///
    /// It is replaced as a whole (written beside, synced, renamed), readable by its owner alone: at
    /// each change, at most once a second, once a minute, and at the end. An alert that goes on is
    /// not told anew, but to a receiver that forgets, such as Alertmanager. One whose rule changed is
    /// told as resolved. A file that cannot be read is told to [`on_error`](Self::on_error) and set
    /// aside. It has 32 MiB at most; what is more is left out and told. A second process with the
    /// same file is an error at its start. Default: nothing is kept.
    ///
    /// ```
    /// # use dogwatch_alert::{AlertLayer, Rules};
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("alerts.state");
    /// let rules = || Rules::parse("{name: r, pattern: x, threshold: 1}");
    /// let (layer, guard) = AlertLayer::builder(rules()?).state_file(&path).spawn()?;
    /// assert!(AlertLayer::builder(rules()?).state_file(&path).spawn().is_err(), "one at a time");
    /// # drop(layer);
    /// # guard.close(std::time::Duration::from_secs(5))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn state_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.state_file = Some(path.into());
        self
    }

    /// What `${NAME}` stands for when the rules file is loaded again; as for
    /// [`Rules::load_with`]. Default: no variable is known, and a file that asks for one does not
    /// reload. It must not reload the rules in turn.
    pub fn variables(
        mut self,
        variable: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.variables = Variables(Box::new(variable));
        self
    }

    /// How often the thread that tells of changes reads the file of [`Rules::load`] to see whether
    /// it says something else. What has changed is put to work when it reads the same once more,
    /// a second later at most; see [`Alerts::reload`]. At least a millisecond; zero never looks.
    /// Default: 5 s. Rules that come from a text have no file.
    pub fn reload_every(mut self, every: Duration) -> Self {
        self.reload_every = every;
        self
    }

    /// Starts: one thread that tells of changes, one for each notifier and playbook that a rule
    /// names. An action or playbook that is not registered is an error.
    pub fn spawn(self) -> Result<(AlertLayer, AlertGuard), Error> {
        let file = self.rules.file.clone();
        self.start().map_err(|error| match file {
            Some(file) if error.is_rules() => error.in_file(&file),
            _ => error,
        })
    }

    fn start(self) -> Result<(AlertLayer, AlertGuard), Error> {
        let logged = Logged::default();
        let mut notifiers = self.notifiers;
        notifiers
            .entry("log".into())
            .or_insert_with(|| Arc::new(logged.clone()));
        let dead_letters = self.dead_letters.map(DeadLetters::open);
        let joiner = Joiner {
            notifiers,
            playbooks: self.playbooks,
            dead_letters: dead_letters.transpose()?.map(Arc::new),
            dry_run: self.dry_run,
            clock: self.clock.clone(),
        };
        let roster = joiner.join(self.rules.document, None)?;
        let state = self.state_file.map(StateFile::open).transpose()?;
        let shown = |(key, value): (String, String)| {
            self.redact
                .show(&key, &value)
                .map(|shown| (key.clone(), shown.into_owned()))
        };
        let source = self.rules.file.map(|file| Source {
            file,
            variables: self.variables,
            every: Some(self.reload_every)
                .filter(|every| !every.is_zero())
                .map(|every| every.max(Duration::from_millis(1))),
            joiner,
        });
        let fixed = Fixed {
            fields: self.fields.into_iter().filter_map(shown).collect(),
            redact: self.redact.clone(),
            logged,
            on_change: self.on_change,
            tell: Tell::new(self.on_error, self.clock.clone()),
            reloads: source.map(|source| Reloads::new(source, self.rules.sight)),
            clock: self.clock,
        };
        let shared = Arc::new(Shared::new(fixed, roster));
        let alerts = Alerts::new(shared.clone());
        alerts.playbooks(self.playbooks_on);
        let keeping = state.map(|file| Keeping::take_up(file, &shared));
        threads::start(&shared, keeping)?;
        Ok((AlertLayer::new(shared), AlertGuard::new(alerts)))
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("rules", &self.rules)
            .field("notifiers", &self.notifiers.keys())
            .field("playbooks", &self.playbooks.keys())
            .field("redact", &self.redact)
            .finish_non_exhaustive()
    }
}

/// A file of some 100 kB is read and compared within a tenth of a millisecond.
const RELOAD_EVERY: Duration = Duration::from_secs(5);
