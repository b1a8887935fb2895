//! Closures that are read at a scrape, and the families that they fill.

use crate::error::Error;
use crate::page::{Kind, Number, Page};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

#[derive(Debug, Default)]
pub(crate) struct Sources(Mutex<Declared>);

#[derive(Debug, Default)]
struct Declared {
    families: Vec<Family>,
    sources: Vec<Source>,
}

/// A family whose samples come from outside. A counter is named without `_total`.
#[derive(Clone, Debug)]
pub(crate) struct Family {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) help: String,
}

#[derive(Clone)]
struct Source(Arc<dyn Fn(&mut Rows) + Send + Sync>);

/// What the sources said at one scrape: family, labels, value.
#[derive(Debug, Default)]
pub(crate) struct Rows(BTreeMap<String, BTreeMap<String, Number>>);

impl Sources {
    /// Adds a source to families that are ours: several may fill the same.
    pub(crate) fn join(
        &self,
        families: &[Family],
        read: impl Fn(&mut Rows) + Send + Sync + 'static,
    ) {
        let mut declared = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for family in families {
            if !declared
                .families
                .iter()
                .any(|known| known.name == family.name)
            {
                declared.families.push(family.clone());
            }
        }
        declared.sources.push(Source(Arc::new(read)));
    }

    /// Adds a source with a family of its own, under a name that nobody uses.
    pub(crate) fn found(
        &self,
        family: Family,
        ours: &[&str],
        read: impl Fn(&mut Rows) + Send + Sync + 'static,
    ) -> Result<(), Error> {
        let mut declared = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken = declared
            .families
            .iter()
            .map(|f| &*f.name)
            .chain(ours.iter().copied());
        if taken.any(|known| base(known) == base(&family.name)) {
            return Err(Error::taken(&family.name));
        }
        declared.families.push(family);
        declared.sources.push(Source(Arc::new(read)));
        Ok(())
    }

    /// Writes the families of all sources. Says how many panicked.
    pub(crate) fn write(&self, page: &mut Page) -> u64 {
        let (families, mut all, panics) = self.read();
        for Family { name, kind, help } in &families {
            page.family(name, *kind, help);
            for (labels, value) in all.0.remove(name).unwrap_or_default() {
                match kind {
                    Kind::Counter => page.counter(&labels, value),
                    Kind::Gauge | Kind::Histogram => page.gauge(&labels, value),
                }
            }
        }
        panics
    }

    /// Sends the families of all sources on. Says how many panicked.
    #[cfg(feature = "recorder")]
    pub(crate) fn send(&self, forward: &crate::forward::Forward) -> u64 {
        use crate::forward::Told;
        let (families, mut all, panics) = self.read();
        for Family { name, kind, help } in &families {
            let total = format!("{name}_total");
            for (labels, value) in all.0.remove(name).unwrap_or_default() {
                match (kind, value) {
                    (Kind::Counter, Number::Whole(count)) => {
                        let told = Told { name: &total, help };
                        forward.tell_count(told, &labels, count);
                    }
                    _ => forward.tell_value(Told { name, help }, &labels, real(value)),
                }
            }
        }
        panics
    }

    /// Reads all sources, one after the other, and says how many panicked: what such a one had to say
    /// is left out, whole.
    fn read(&self) -> (Vec<Family>, Rows, u64) {
        // Copied out first: no lock is held while a user's closure runs.
        let (families, sources) = {
            let declared = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            (declared.families.clone(), declared.sources.clone())
        };
        let mut all = Rows::default();
        let mut panics = 0;
        for source in &sources {
            let mut rows = Rows::default();
            match catch_unwind(AssertUnwindSafe(|| (source.0)(&mut rows))) {
                Ok(()) => all.merge(rows, &families),
                Err(_) => panics += 1,
            }
        }
        (families, all, panics)
    }
}

impl Rows {
    /// Counts under the same labels add up.
    pub(crate) fn add(&mut self, family: &str, labels: String, count: u64) {
        let row = self
            .family(family)
            .entry(labels)
            .or_insert(Number::Whole(0));
        *row = sum(*row, Number::Whole(count));
    }

    /// Of two values under the same labels the later stands.
    pub(crate) fn set(&mut self, family: &str, labels: String, value: Number) {
        self.family(family).insert(labels, value);
    }

    fn family(&mut self, name: &str) -> &mut BTreeMap<String, Number> {
        self.0.entry(name.to_owned()).or_default()
    }

    fn merge(&mut self, other: Self, families: &[Family]) {
        for (name, rows) in other.0 {
            let counts = families
                .iter()
                .any(|f| f.name == name && f.kind == Kind::Counter);
            let into = self.family(&name);
            for (labels, value) in rows {
                let before = into.get(&labels).copied().filter(|_| counts);
                into.insert(labels, before.map_or(value, |before| sum(before, value)));
            }
        }
    }
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Source")
    }
}

/// Checks a metric's or a label's name by the rule that both text formats share.
pub(crate) fn is_name(name: &str, colons: bool) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || (colons && b == b':');
    name.bytes().all(fits)
        && name
            .bytes()
            .next()
            .is_some_and(|first| !first.is_ascii_digit())
}

fn sum(a: Number, b: Number) -> Number {
    match (a, b) {
        (Number::Whole(a), Number::Whole(b)) => Number::Whole(a.saturating_add(b)),
        (a, b) => Number::Real(real(a) + real(b)),
    }
}

fn real(number: Number) -> f64 {
    match number {
        Number::Whole(whole) => whole as f64,
        Number::Real(real) => real,
    }
}

/// The name without what the formats append: `x_count` beside a histogram `x` would be read as its.
fn base(name: &str) -> &str {
    ["_total", "_created", "_bucket", "_sum", "_count", "_info"]
        .into_iter()
        .find_map(|suffix| name.strip_suffix(suffix))
        .unwrap_or(name)
}
