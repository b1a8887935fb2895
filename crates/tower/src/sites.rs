//! Makes tracing callsites at run time, for names and fields that only a request knows. Kept for ever, bounded.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{OnceLock, PoisonError, RwLock};

use tracing::{Dispatch, Level, Metadata, Span, dispatcher};
use tracing_core::callsite::{self, Callsite, Identifier};
use tracing_core::field::{Field, FieldSet, Value};
use tracing_core::metadata::{Kind, LevelFilter};
use tracing_core::subscriber::Interest;

use crate::TraceContext;
use crate::hex::Hex;
use crate::ids::Ids;

/// A span named by the caller, with the ids of `context`, under the current dispatcher.
pub(crate) fn resumed_span(name: &'static str, context: &TraceContext) -> Span {
    let dispatch = dispatcher::get_default(Dispatch::clone);
    let Some(site) = RESUMED
        .site(name, &[], &dispatch)
        .filter(|site| site.enabled(&dispatch))
    else {
        return Span::none();
    };
    let mut place = Hex::ZEROS;
    let ids = Ids::of(context, &mut place);
    let values: [&dyn Value; 3] = [&ids.trace_id, &ids.span_id, &ids.parent_span_id];
    let pairs: [_; 3] = std::array::from_fn(|at| (&site.fields()[at], Some(values[at])));
    Span::new(site.metadata(), &site.metadata().fields().value_set(&pairs))
}

/// All sites of one kind: they share target, level and first fields, and differ in name or further fields.
pub(crate) struct Family {
    target: &'static str,
    level: Level,
    kind: fn() -> Kind,
    base: &'static [&'static str],
    /// The site without further fields of the first name: nearly all calls want it.
    plain: OnceLock<(&'static str, &'static Site)>,
    others: RwLock<BTreeMap<(&'static str, Vec<&'static str>), &'static Site>>,
}

impl Family {
    pub(crate) const fn events(
        target: &'static str,
        level: Level,
        base: &'static [&'static str],
    ) -> Self {
        Self::new(target, level, || Kind::EVENT, base)
    }

    const fn new(
        target: &'static str,
        level: Level,
        kind: fn() -> Kind,
        base: &'static [&'static str],
    ) -> Self {
        let others = RwLock::new(BTreeMap::new());
        Self {
            target,
            level,
            kind,
            base,
            plain: OnceLock::new(),
            others,
        }
    }

    /// The site for this name and these fields beyond the base, or `None` when there are too many.
    /// `dispatch` is who it is for.
    pub(crate) fn site(
        &self,
        name: &'static str,
        further: &[&'static str],
        dispatch: &Dispatch,
    ) -> Option<&'static Site> {
        if further.is_empty() {
            let (first, site) = self.plain.get_or_init(|| (name, self.make(name, further)));
            if *first == name {
                return Some(site.registered(dispatch));
            }
        }
        let key = (name, further.to_vec());
        let known = self
            .others
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&key)
            .copied();
        if let Some(site) = known {
            return Some(site.registered(dispatch));
        }
        let site = {
            let mut others = self.others.write().unwrap_or_else(PoisonError::into_inner);
            if others.len() >= MAX_SITES && !others.contains_key(&key) {
                return None;
            }
            *others
                .entry(key)
                .or_insert_with(|| self.make(name, further))
        };
        // Outside the lock: registering calls into the subscribers.
        Some(site.registered(dispatch))
    }

    fn make(&self, name: &'static str, further: &[&'static str]) -> &'static Site {
        let fields: Vec<&'static str> = self.base.iter().chain(further).copied().collect();
        let site: &'static Site = Box::leak(Box::new(Site {
            metadata: OnceLock::new(),
            fields: OnceLock::new(),
            interest: AtomicU8::new(SOMETIMES),
            registered: OnceLock::new(),
        }));
        site.metadata.get_or_init(|| {
            let fields = FieldSet::new(fields.leak(), Identifier(site));
            let (file, line, module) = (Some(file!()), Some(line!()), Some(module_path!()));
            Metadata::new(
                name,
                self.target,
                self.level,
                file,
                line,
                module,
                fields,
                (self.kind)(),
            )
        });
        site
    }
}

/// One callsite: what a `tracing` macro would have made a static of.
pub(crate) struct Site {
    metadata: OnceLock<Metadata<'static>>,
    /// Those of the metadata, which makes them anew each time.
    fields: OnceLock<Vec<Field>>,
    interest: AtomicU8,
    registered: OnceLock<()>,
}

impl Site {
    /// What the macros ask before they make an event.
    pub(crate) fn enabled(&'static self, dispatch: &Dispatch) -> bool {
        let metadata = Callsite::metadata(self);
        *metadata.level() <= LevelFilter::current()
            && match self.interest.load(Ordering::Relaxed) {
                NEVER => false,
                ALWAYS => true,
                _ => dispatch.enabled(metadata),
            }
    }

    pub(crate) fn metadata(&'static self) -> &'static Metadata<'static> {
        self.metadata
            .get()
            .expect("a family sets it before it hands out the site")
    }

    pub(crate) fn fields(&'static self) -> &'static [Field] {
        self.fields
            .get_or_init(|| self.metadata().fields().iter().collect())
    }

    fn registered(&'static self, dispatch: &Dispatch) -> &'static Self {
        // While there is but one dispatcher, tracing asks the thread's default for its interest. This may be
        // a thread that has none, and the site would be off for ever.
        let register = || dispatcher::with_default(dispatch, || callsite::register(self));
        self.registered.get_or_init(register);
        self
    }
}

impl Callsite for Site {
    fn set_interest(&self, interest: Interest) {
        let interest = match interest {
            _ if interest.is_never() => NEVER,
            _ if interest.is_always() => ALWAYS,
            _ => SOMETIMES,
        };
        self.interest.store(interest, Ordering::Relaxed);
    }

    fn metadata(&self) -> &Metadata<'_> {
        self.metadata
            .get()
            .expect("a family sets it before it hands out the site")
    }
}

static RESUMED: Family = Family::new(
    crate::TARGET,
    Level::ERROR,
    || Kind::SPAN,
    &["trace_id", "span_id", "parent_span_id"],
);

/// The most sets of late fields a level remembers; each costs about 300 bytes for ever.
const MAX_SITES: usize = 256;

const NEVER: u8 = 0;
const SOMETIMES: u8 = 1;
const ALWAYS: u8 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_name_and_fields_give_the_same_site_and_there_is_an_end_to_them() {
        static FAMILY: Family = Family::events("t", Level::INFO, &["message"]);
        let none = Dispatch::none();
        let site = |name, further: &[&'static str]| FAMILY.site(name, further, &none).unwrap();
        assert!(std::ptr::eq(site("a", &[]), site("a", &[])));
        assert!(std::ptr::eq(site("a", &["x"]), site("a", &["x"])));
        assert!(!std::ptr::eq(site("a", &["x"]), site("b", &["x"])));
        let names: Vec<&str> = site("a", &["x", "y"])
            .metadata()
            .fields()
            .iter()
            .map(|field| field.name())
            .collect();
        assert_eq!(names, ["message", "x", "y"]);

        let names = (0..MAX_SITES).map(|i| &*format!("n{i}").leak());
        let made = names
            .filter(|name| FAMILY.site(name, &[], &none).is_some())
            .count();
        assert_eq!(made, MAX_SITES - 3, "three were there before");
        assert!(FAMILY.site("a", &[], &none).is_some());
        assert!(FAMILY.site("a", &["x"], &none).is_some());
    }
}
