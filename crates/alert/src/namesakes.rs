//! Tells fields of one name apart, as their line does.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use tracing_core::field::FieldSet;

use crate::dictionary;

/// What a line calls the fields of a callsite, if two of them would have one name: the later gets a
/// `_` behind it, until it is alone. Whether they were given a value does not matter.
pub(crate) fn told_apart(fields: &FieldSet, of_span: bool) -> Option<Box<[&'static str]>> {
    let name = |field: tracing_core::Field| dictionary::key(field.name(), of_span);
    let mut before = fields.iter().map(name);
    let twice = |(at, key)| fields.iter().take(at).any(|field| name(field) == key);
    if !before.by_ref().enumerate().any(twice) {
        return None;
    }
    let mut names: Vec<&'static str> = Vec::new();
    for key in fields.iter().map(name) {
        let mut free = key.to_owned();
        while names.contains(&&*free) {
            free.push('_');
        }
        names.push(if free == key { key } else { kept(free) });
    }
    Some(names.into())
}

/// For ever: callsites are as many as the program has, and few have such a name.
fn kept(name: String) -> &'static str {
    static NAMES: Mutex<Option<HashSet<&'static str>>> = Mutex::new(None);
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    let names = names.get_or_insert_default();
    if let Some(known) = names.get(&*name) {
        return known;
    }
    let name: &'static str = Box::leak(name.into());
    names.insert(name);
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing_core::callsite::{Callsite, Identifier};
    use tracing_core::{Interest, Metadata};

    struct Nowhere;

    impl Callsite for Nowhere {
        fn set_interest(&self, _: Interest) {}
        fn metadata(&self) -> &Metadata<'_> {
            unreachable!("nobody asks")
        }
    }

    static NOWHERE: Nowhere = Nowhere;

    fn names(fields: &'static [&'static str], of_span: bool) -> Vec<&'static str> {
        let fields = FieldSet::new(fields, Identifier(&NOWHERE));
        told_apart(&fields, of_span).map_or(Vec::new(), Into::into)
    }

    #[test]
    fn the_later_of_two_gets_a_mark_behind_its_name() {
        assert_eq!(names(&[], false), [""; 0]);
        assert_eq!(names(&["message", "a", "b"], false), [""; 0], "all apart");
        assert_eq!(names(&["a", "a", "a"], false), ["a", "a_", "a__"]);
        assert_eq!(names(&["a_", "a", "a"], false), ["a_", "a", "a__"]);
        assert_eq!(names(&["level_", "level"], false), ["level_", "level__"]);
        assert_eq!(names(&["r#type", "type"], false), ["type", "type_"]);
        assert_eq!(names(&["message_", "message"], false), [""; 0]);
        assert_eq!(
            names(&["message_", "message"], true),
            ["message_", "message__"]
        );
    }
}
