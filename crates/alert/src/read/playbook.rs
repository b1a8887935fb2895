//! Reads what a rule wants done, and the limits of it.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::error::Error;
use crate::leases::{Limits, MAX_PER_HOUR};
use crate::read::node::Node;
use crate::rule::{Call, Named};

/// What a file says of a playbook, once for all rules or in one of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Said {
    lease: Option<Duration>,
    cooldown: Option<Duration>,
    max_per_hour: Option<usize>,
    dry_run: Option<bool>,
    ttl: Option<Duration>,
    with: BTreeMap<String, String>,
}

impl Said {
    pub(crate) fn read(node: &Node<'_>) -> Result<Self, Error> {
        let get = |key| node.get(key);
        Ok(Self {
            lease: get("lease").map(|node| lease(&node)).transpose()?,
            cooldown: get("cooldown").map(|node| cooldown(&node)).transpose()?,
            max_per_hour: get("max_per_hour")
                .map(|node| max_per_hour(&node))
                .transpose()?,
            dry_run: get("dry_run").map(|node| dry_run(&node)).transpose()?,
            ttl: get("ttl").map(|node| ttl(&node)).transpose()?,
            with: get("with")
                .map(|node| with(&node))
                .transpose()?
                .unwrap_or_default(),
        })
    }

    /// The same, and of what is not said here what `other` says, each setting for itself.
    fn or(self, other: Self) -> Self {
        let mut with = other.with;
        with.extend(self.with);
        Self {
            lease: self.lease.or(other.lease),
            cooldown: self.cooldown.or(other.cooldown),
            max_per_hour: self.max_per_hour.or(other.max_per_hour),
            dry_run: self.dry_run.or(other.dry_run),
            ttl: self.ttl.or(other.ttl),
            with,
        }
    }
}

/// `playbook: degrade_route` or `playbook: {run: degrade_route, lease: 30s}`.
pub(crate) fn call(node: &Node<'_>, known: &BTreeMap<String, Said>) -> Result<Call, Error> {
    let (run, said) = if node.value().is_string() {
        (node.clone(), Said::default())
    } else {
        let [lease, cooldown, max_per_hour, dry_run, ttl, with] = KEYS;
        node.keys(&["run", lease, cooldown, max_per_hour, dry_run, ttl, with])?;
        (node.need("run")?, Said::read(node)?)
    };
    let name = run.str()?;
    let said = said.or(known.get(name).cloned().unwrap_or_default());
    Ok(Call {
        run: Named {
            name: name.into(),
            place: run.place(),
        },
        limits: Limits {
            lease: said.lease.unwrap_or(DEFAULT_LEASE),
            cooldown: said.cooldown.unwrap_or(DEFAULT_COOLDOWN),
            max_per_hour: said.max_per_hour.unwrap_or(DEFAULT_PER_HOUR),
            ttl: said.ttl,
        },
        with: said.with,
        dry_run: said.dry_run,
    })
}

fn lease(node: &Node<'_>) -> Result<Duration, Error> {
    let span = node.span()?;
    if span >= MIN_LEASE && span <= MAX_LEASE {
        Ok(span)
    } else {
        Err(node.expected("a lease from 100ms to 1d"))
    }
}

fn cooldown(node: &Node<'_>) -> Result<Duration, Error> {
    let span = node.span()?;
    if span <= MAX_LEASE {
        Ok(span)
    } else {
        Err(node.expected("a cooldown from 0s to 1d"))
    }
}

fn ttl(node: &Node<'_>) -> Result<Duration, Error> {
    let span = node.span()?;
    if span >= MIN_LEASE && span <= MAX_LEASE {
        Ok(span)
    } else {
        Err(node.expected("a time to live from 100ms to 1d"))
    }
}

/// The playbook itself knows which settings there are.
fn with(node: &Node<'_>) -> Result<BTreeMap<String, String>, Error> {
    let entries = node.entries()?.into_iter();
    let text = |(key, value): (&str, Node<'_>)| Ok((key.to_owned(), value.str()?.to_owned()));
    entries.map(text).collect()
}

fn max_per_hour(node: &Node<'_>) -> Result<usize, Error> {
    let number = node.value().as_u64();
    let number = number.and_then(|number| usize::try_from(number).ok());
    number
        .filter(|number| (1..=MAX_PER_HOUR).contains(number))
        .ok_or_else(|| node.expected("a number of times an hour from 1 to 1000"))
}

fn dry_run(node: &Node<'_>) -> Result<bool, Error> {
    let said = node.value().as_bool();
    said.ok_or_else(|| node.expected("true, or false to arm the playbook"))
}

pub(crate) const KEYS: [&str; 6] = [
    "lease",
    "cooldown",
    "max_per_hour",
    "dry_run",
    "ttl",
    "with",
];

const DEFAULT_LEASE: Duration = Duration::from_secs(60);

/// What helps a minute, hurts a minute and helps again is worse than either.
const DEFAULT_COOLDOWN: Duration = Duration::from_secs(60);

/// Who needs it more often has something to mend.
const DEFAULT_PER_HOUR: usize = 6;

/// A lease is renewed when half of it is over; a shorter one would keep a thread busy.
const MIN_LEASE: Duration = Duration::from_millis(100);

const MAX_LEASE: Duration = Duration::from_secs(86_400);
