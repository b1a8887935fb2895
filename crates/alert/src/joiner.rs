//! Joins rules to notifiers and playbooks: those that were at work before, or new ones.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::clock::Clock;
use crate::dead_letters::DeadLetters;
use crate::error::Error;
use crate::keeper::Keeper;
use crate::outbox::Outbox;
use crate::read::{Declared, Document};
use crate::rule::{Call, Named};
use crate::set::{Roster, Route, Set};
use crate::{Notify, Playbook};

/// What the builder was given for rules to name, kept for the rules that a reload brings.
pub(crate) struct Joiner {
    /// `log` included.
    pub(crate) notifiers: BTreeMap<String, Arc<dyn Notify>>,
    pub(crate) playbooks: BTreeMap<String, Arc<dyn Playbook>>,
    pub(crate) dead_letters: Option<Arc<DeadLetters>>,
    /// For playbooks of rules that do not say it.
    pub(crate) dry_run: bool,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Joiner {
    /// Who is told of each rule; one outbox for each notifier, one keeper for each playbook. Starts
    /// no thread.
    pub(crate) fn join(
        &self,
        document: Document,
        before: Option<&Roster>,
    ) -> Result<Roster, Error> {
        let mut notifiers = self.notifiers.clone();
        for declared in &document.notifiers {
            if !notifiers.contains_key(&declared.name) {
                notifiers.insert(declared.name.clone(), declared.notifier()?);
            }
        }
        let mut joining = Joining {
            joiner: self,
            document: &document,
            before,
            notifiers,
            outboxes: Vec::new(),
            keepers: Vec::new(),
        };
        let mut routes = Vec::new();
        for at in 0..document.rules.len() {
            routes.push(joining.route(at)?);
        }
        let before = before.map(|before| &*before.set);
        Ok(Roster {
            set: Arc::new(Set::new(document.rules, before, self.clock.now())),
            routes,
            declared: document.notifiers,
        })
    }

    /// An earlier name, unless somebody has it now: two keepers of one switch would fight.
    fn renamed(&self, named: &Named) -> Named {
        let mut named = named.clone();
        let is_known = |name: &str| self.playbooks.contains_key(name);
        if named.name == "shed" && !is_known("shed") && is_known("degrade_route") {
            named.name = "degrade_route".into();
        }
        named
    }
}

struct Joining<'a> {
    joiner: &'a Joiner,
    document: &'a Document,
    before: Option<&'a Roster>,
    /// All that there are.
    notifiers: BTreeMap<String, Arc<dyn Notify>>,
    outboxes: Vec<Arc<Outbox>>,
    keepers: Vec<Arc<Keeper>>,
}

impl Joining<'_> {
    fn route(&mut self, rule: usize) -> Result<Route, Error> {
        let rule = &self.document.rules[rule];
        let mut route = Route::default();
        for action in &rule.actions {
            let notifier = find(&self.notifiers, &NOTIFIER, &rule.name, action)?.clone();
            route.outboxes.push(self.outbox(&action.name, notifier));
        }
        if let Some(call) = &rule.playbook {
            route.keeper = Some(self.keeper(&rule.name, call)?);
        }
        Ok(route)
    }

    fn outbox(&mut self, name: &str, notifier: Arc<dyn Notify>) -> Arc<Outbox> {
        let is = |outbox: &&Arc<Outbox>| outbox.name() == name;
        if let Some(known) = self.outboxes.iter().find(is) {
            return known.clone();
        }
        let before = self.before.filter(|before| self.is_unchanged(name, before));
        let before = before.map(Roster::outboxes).unwrap_or_default();
        let outbox = before.iter().find(is).cloned().unwrap_or_else(|| {
            let outbox = Outbox::new(name.to_owned(), notifier, self.joiner.clock.clone());
            Arc::new(outbox.dead_letters(self.joiner.dead_letters.clone()))
        });
        self.outboxes.push(outbox.clone());
        outbox
    }

    /// Whether a notifier is that of the rules before: the builder's, or one of the same settings.
    fn is_unchanged(&self, name: &str, before: &Roster) -> bool {
        let declared = |all| Declared::named(all, name);
        self.joiner.notifiers.contains_key(name)
            || declared(&self.document.notifiers) == declared(&before.declared)
    }

    fn keeper(&mut self, rule: &str, call: &Call) -> Result<Arc<Keeper>, Error> {
        let run = self.joiner.renamed(&call.run);
        let playbook = find(&self.joiner.playbooks, &PLAYBOOK, rule, &run)?;
        let dry_run = call.dry_run.unwrap_or(self.joiner.dry_run);
        let with = shown(&call.with);
        let is = |keeper: &&Arc<Keeper>| {
            let settings = keeper.with().unwrap_or_default();
            (keeper.name(), settings, keeper.is_dry_run()) == (&*run.name, &*with, dry_run)
        };
        if let Some(known) = self.keepers.iter().find(is) {
            return Ok(known.clone());
        }
        let before = self.before.map(Roster::keepers).unwrap_or_default();
        let keeper = match before.iter().find(is) {
            Some(before) => before.clone(),
            None => {
                let configured = playbook.configured(&call.with).map_err(|error| {
                    let run = &run.name;
                    let what = format!("rule `{rule}`: its playbook `{run}` cannot be set up");
                    Error::rules(call.run.place, what).caused_by(error)
                })?;
                let playbook = configured.unwrap_or_else(|| playbook.clone());
                let clock = self.joiner.clock.clone();
                let keeper = Keeper::new(run.name.clone(), with.clone(), playbook, clock);
                Arc::new(match dry_run {
                    true => keeper.into_dry_run(),
                    false => keeper,
                })
            }
        };
        self.keepers.push(keeper.clone());
        Ok(keeper)
    }
}

/// A playbook's settings as its keeper's name and as the log has them.
fn shown(with: &BTreeMap<String, String>) -> String {
    let pairs = with.iter().map(|(key, value)| format!("{key}={value}"));
    pairs.collect::<Vec<_>>().join(" ")
}

/// What a rule names that must be registered.
struct Wanted {
    key: &'static str,
    what: &'static str,
    or_else: &'static str,
}

const NOTIFIER: Wanted = Wanted {
    key: "action",
    what: "notifier",
    or_else: ", or declare it under `notifiers:`",
};

const PLAYBOOK: Wanted = Wanted {
    key: "playbook",
    what: "playbook",
    or_else: "",
};

fn find<'m, T: ?Sized>(
    known: &'m BTreeMap<String, Arc<T>>,
    wanted: &Wanted,
    rule: &str,
    named: &Named,
) -> Result<&'m Arc<T>, Error> {
    known.get(&named.name).ok_or_else(|| {
        let Wanted { key, what, or_else } = wanted;
        let name = &named.name;
        let mut names = known
            .keys()
            .map(|name| format!("`{name}`"))
            .collect::<Vec<_>>()
            .join(", ");
        if names.is_empty() {
            names.push_str("none");
        }
        Error::rules(
            named.place,
            format!(
                "rule `{rule}`: its {key} `{name}` is no {what}; known are {names}; register it \
                 with `.{what}(\"{name}\", …)`{or_else}"
            ),
        )
    })
}
